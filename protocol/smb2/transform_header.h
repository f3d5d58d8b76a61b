// [MS-SMB2] 2.2.41 and 2.2.42: the headers of encrypted and of compressed messages.
#pragma once

#include <array>
#include <cstdint>

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

inline constexpr std::array<std::uint8_t, 4> kTransformProtocolId = {0xFD, 'S', 'M', 'B'};
inline constexpr std::array<std::uint8_t, 4> kCompressionProtocolId = {0xFC, 'S', 'M', 'B'};

// 52 bytes before the ciphertext. Everything behind the signature is authenticated.
struct TransformHeader {
  static constexpr std::size_t kSize = 52;
  static constexpr std::uint16_t kEncrypted = 0x0001;  // also AES-128-CCM in the EncryptionAlgorithm of 3.0 and 3.0.2

  std::array<std::uint8_t, 16> signature{};
  std::array<std::uint8_t, 16> nonce{};  // 11 bytes with CCM, 12 with GCM; the rest zero
  std::uint32_t original_message_size = 0;
  std::uint16_t flags = kEncrypted;
  std::uint64_t session_id = 0;

  static Result<TransformHeader> Decode(ByteView message) { return wire::Decode<TransformHeader>(message); }
  void AppendTo(Bytes& out) const { wire::AppendTo(out, *this); }

  static void Fields(auto& m, auto& c) {
    c.Constant(kTransformProtocolId, "protocol_id");
    c.Field(m.signature, "signature");
    c.Field(m.nonce, "nonce");
    c.Field(m.original_message_size, "original_message_size");
    c.Reserved(2, "reserved");
    c.Field(m.flags, "flags");
    c.Field(m.session_id, "session_id");
  }
};

// The unchained form; the chained one begins with the same 8 bytes and goes on with payload headers, 2.2.42.2.
struct CompressionTransformHeader {
  static constexpr std::size_t kSize = 16;
  static constexpr std::uint16_t kFlagNone = 0x0000;
  static constexpr std::uint16_t kFlagChained = 0x0001;

  std::uint32_t original_compressed_segment_size = 0;
  std::uint16_t compression_algorithm = 0;
  std::uint16_t flags = kFlagNone;
  std::uint32_t offset = 0;

  static Result<CompressionTransformHeader> Decode(ByteView message) {
    return wire::Decode<CompressionTransformHeader>(message);
  }
  void AppendTo(Bytes& out) const { wire::AppendTo(out, *this); }

  static void Fields(auto& m, auto& c) {
    c.Constant(kCompressionProtocolId, "protocol_id");
    c.Field(m.original_compressed_segment_size, "original_compressed_segment_size");
    c.Field(m.compression_algorithm, "compression_algorithm");
    c.Field(m.flags, "flags");
    c.Field(m.offset, "offset");
  }
};

// What a frame begins with.
enum class FrameKind { kUnknown, kSmb1, kSmb2, kEncrypted, kCompressed };

constexpr FrameKind ClassifyFrame(ByteView frame) {
  if (frame.size() < 4 || frame[1] != 'S' || frame[2] != 'M' || frame[3] != 'B') return FrameKind::kUnknown;
  switch (frame[0]) {
    case 0xFF: return FrameKind::kSmb1;
    case 0xFE: return FrameKind::kSmb2;
    case 0xFD: return FrameKind::kEncrypted;
    case 0xFC: return FrameKind::kCompressed;
    default: return FrameKind::kUnknown;
  }
}

}  // namespace holdfast::smb2
