// [MS-SMB2] 2.2.3.1 and 2.2.4.1: negotiate contexts, the list and each content. Lists hold the values as sent: a peer
// may offer algorithms that nobody here has heard of.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

enum class NegotiateContextType : std::uint16_t {
  kPreauthIntegrityCapabilities = 0x0001,
  kEncryptionCapabilities = 0x0002,
  kCompressionCapabilities = 0x0003,
  kNetnameNegotiateContextId = 0x0005,
  kTransportCapabilities = 0x0006,
  kRdmaTransformCapabilities = 0x0007,
  kSigningCapabilities = 0x0008,
  kReserved = 0x0100,
};

struct NegotiateContext {
  NegotiateContextType context_type = NegotiateContextType::kReserved;
  ByteView data{};  // borrowed from the message, or from `owned`
  std::shared_ptr<const Bytes> owned{};

  // A context that owns its data, from a structure with Fields() and kType.
  template <class M>
  static NegotiateContext From(const M& m) {
    NegotiateContext context;
    context.context_type = M::kType;
    context.owned = std::make_shared<const Bytes>(wire::Encode(m));
    context.data = *context.owned;
    return context;
  }

  static void Fields(auto& m, auto& c) {
    c.Field(m.context_type, "context_type");
    c.Length16(m.data, "data_length");
    c.Reserved(4, "reserved");
    c.Inline(m.data, "data");
  }
};

// 2.2.3.1.1
struct PreauthIntegrityCapabilities {
  static constexpr NegotiateContextType kType = NegotiateContextType::kPreauthIntegrityCapabilities;
  static constexpr std::uint16_t kSha512 = 0x0001;

  std::vector<std::uint16_t> hash_algorithms{};
  ByteView salt{};

  static void Fields(auto& m, auto& c) {
    c.Count16(m.hash_algorithms, "hash_algorithm_count");
    c.Length16(m.salt, "salt_length");
    c.Array(m.hash_algorithms, "hash_algorithms");
    c.Inline(m.salt, "salt");
  }
};

// 2.2.3.1.2: crypto::Cipher values, the most preferred first.
struct EncryptionCapabilities {
  static constexpr NegotiateContextType kType = NegotiateContextType::kEncryptionCapabilities;

  std::vector<std::uint16_t> ciphers{};

  static void Fields(auto& m, auto& c) {
    c.Count16(m.ciphers, "cipher_count");
    c.Array(m.ciphers, "ciphers");
  }
};

// 2.2.3.1.3
struct CompressionCapabilities {
  static constexpr NegotiateContextType kType = NegotiateContextType::kCompressionCapabilities;
  static constexpr std::uint32_t kFlagChained = 0x00000001;
  static constexpr std::uint16_t kNone = 0x0000;
  static constexpr std::uint16_t kLznt1 = 0x0001;
  static constexpr std::uint16_t kLz77 = 0x0002;
  static constexpr std::uint16_t kLz77Huffman = 0x0003;
  static constexpr std::uint16_t kPatternV1 = 0x0004;
  static constexpr std::uint16_t kLz4 = 0x0005;

  std::uint32_t flags = 0;
  std::vector<std::uint16_t> compression_algorithms{};

  static void Fields(auto& m, auto& c) {
    c.Count16(m.compression_algorithms, "compression_algorithm_count");
    c.Reserved(2, "padding");
    c.Field(m.flags, "flags");
    c.Array(m.compression_algorithms, "compression_algorithms");
  }
};

// 2.2.3.1.4: the name by which the client knows the server; not terminated.
struct NetnameNegotiateContextId {
  static constexpr NegotiateContextType kType = NegotiateContextType::kNetnameNegotiateContextId;

  std::u16string net_name{};

  static void Fields(auto& m, auto& c) { c.Rest(m.net_name, "net_name"); }
};

// 2.2.3.1.5
struct TransportCapabilities {
  static constexpr NegotiateContextType kType = NegotiateContextType::kTransportCapabilities;
  static constexpr std::uint32_t kAcceptTransportLevelSecurity = 0x00000001;

  std::uint32_t flags = 0;

  static void Fields(auto& m, auto& c) { c.Field(m.flags, "flags"); }
};

// 2.2.3.1.6
struct RdmaTransformCapabilities {
  static constexpr NegotiateContextType kType = NegotiateContextType::kRdmaTransformCapabilities;
  static constexpr std::uint16_t kNone = 0x0000;
  static constexpr std::uint16_t kEncryption = 0x0001;
  static constexpr std::uint16_t kSigning = 0x0002;

  std::vector<std::uint16_t> rdma_transform_ids{};

  static void Fields(auto& m, auto& c) {
    c.Count16(m.rdma_transform_ids, "transform_count");
    c.Reserved(6, "reserved");
    c.Array(m.rdma_transform_ids, "rdma_transform_ids");
  }
};

// 2.2.3.1.7: crypto::SigningAlgorithm values, the most preferred first.
struct SigningCapabilities {
  static constexpr NegotiateContextType kType = NegotiateContextType::kSigningCapabilities;

  std::vector<std::uint16_t> signing_algorithms{};

  static void Fields(auto& m, auto& c) {
    c.Count16(m.signing_algorithms, "signing_algorithm_count");
    c.Array(m.signing_algorithms, "signing_algorithms");
  }
};

// The first context of that type, or null.
inline const NegotiateContext* FindContext(const std::vector<NegotiateContext>& contexts, NegotiateContextType type) {
  for (const NegotiateContext& context : contexts) {
    if (context.context_type == type) return &context;
  }
  return nullptr;
}

}  // namespace holdfast::smb2
