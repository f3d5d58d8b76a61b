// [MS-SMB2] 2.2.13.2 and 2.2.14.2: the create contexts, as a chain of named blobs. Their contents: the other headers of
// this folder.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

struct CreateContext {
  std::string name{};  // 4 or 16 bytes: create_context::
  ByteView data{};     // borrowed from the message, or from `owned`
  std::shared_ptr<const Bytes> owned{};

  // A context that owns its data, for messages under construction.
  static CreateContext Own(std::string_view name, Bytes data) {
    CreateContext context;
    context.name = name;
    context.owned = std::make_shared<const Bytes>(std::move(data));
    context.data = *context.owned;
    return context;
  }
  // The same, from a structure with Fields().
  template <class M>
  static CreateContext From(std::string_view name, const M& m) {
    return Own(name, wire::Encode(m));
  }

  // Windows and Samba refuse a name of fewer than 4 bytes.
  static constexpr std::size_t kMinNameLength = 4;

  static void Fields(auto& m, auto& c) {
    // Next belongs to the chain.
    c.Offset16(m.name, "name_offset");
    c.Length16(m.name, "name_length");
    c.Reserved(2, "reserved");
    c.Offset16(m.data, "data_offset");
    c.Length32(m.data, "data_length");
    c.AlignedBuffer(m.name, "name");
    c.AlignedBuffer(m.data, "data");
    if constexpr (std::remove_reference_t<decltype(c)>::kReads) {
      if (m.name.size() < kMinNameLength) c.Fail("name");
    }
  }
};

// Names, as the bytes that go over the wire.
namespace create_context {
using namespace std::string_view_literals;
inline constexpr std::string_view kEaBuffer = "ExtA"sv;
inline constexpr std::string_view kSdBuffer = "SecD"sv;
inline constexpr std::string_view kDurableHandleRequest = "DHnQ"sv;
inline constexpr std::string_view kDurableHandleReconnect = "DHnC"sv;
inline constexpr std::string_view kAllocationSize = "AlSi"sv;
inline constexpr std::string_view kQueryMaximalAccess = "MxAc"sv;
inline constexpr std::string_view kTimewarpToken = "TWrp"sv;
inline constexpr std::string_view kQueryOnDiskId = "QFid"sv;
inline constexpr std::string_view kRequestLease = "RqLs"sv;  // version 1 and 2, told apart by the size of the data
inline constexpr std::string_view kDurableHandleRequestV2 = "DH2Q"sv;
inline constexpr std::string_view kDurableHandleReconnectV2 = "DH2C"sv;
inline constexpr std::string_view kAppInstanceId =
    "\x45\xBC\xA6\x6A\xEF\xA7\xF7\x4A\x90\x08\xFA\x46\x2E\x14\x4D\x74"sv;
inline constexpr std::string_view kAppInstanceVersion =
    "\xB9\x82\xD0\xB7\x3B\x56\x07\x4F\xA0\x7B\x52\x4A\x81\x16\xA0\x10"sv;
inline constexpr std::string_view kSvhdxOpenDevice =
    "\x9C\xCB\xCF\x9E\x04\xC1\xE6\x43\x98\x0E\x15\x8D\xA1\xF6\xEC\x83"sv;
inline constexpr std::string_view kReserved =
    "\x93\xAD\x25\x50\x9C\xB4\x11\xE7\xB4\x23\x83\xDE\x96\x8B\xCD\x7C"sv;
}  // namespace create_context

// The first context with that name, or null.
inline const CreateContext* FindContext(const std::vector<CreateContext>& contexts, std::string_view name) {
  for (const CreateContext& context : contexts) {
    if (context.name == name) return &context;
  }
  return nullptr;
}

}  // namespace holdfast::smb2
