// [MS-SMB2] 2.2.9 and 2.2.10: TREE_CONNECT.
#pragma once

#include <string>
#include <vector>

#include "protocol/smb2/constants.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.9. PathOffset leads to the path with and without the extension, so that this decodes both.
struct TreeConnectRequest {
  std::uint16_t flags = 0;  // tree_connect_flag; only meaningful in 3.1.1
  std::u16string path{};      // "\\server\share"

  static void Fields(auto& m, auto& c) {
    c.StructureSize(9);
    c.Field(m.flags, "flags");
    c.Offset16(m.path, "path_offset");
    c.Length16(m.path, "path_length");
    c.Buffer(m.path, "path");
    c.AtLeastOneByte();
  }
};

// 2.2.9.2
struct TreeConnectContext {
  static constexpr std::uint16_t kRemotedIdentity = 0x0001;

  std::uint16_t context_type = 0;
  ByteView data{};

  static void Fields(auto& m, auto& c) {
    c.Field(m.context_type, "context_type");
    c.Length16(m.data, "data_length");
    c.Reserved(4, "reserved");
    c.Inline(m.data, "data");
  }
};

// 2.2.9.1: the same request with tree_connect_flag::kExtensionPresent, in 3.1.1 only: before, the flags are reserved
// and may hold anything, so the dialect decides which of the two structures is decoded.
struct TreeConnectExtendedRequest {
  std::uint16_t flags = tree_connect_flag::kExtensionPresent;
  std::u16string path{};
  std::vector<TreeConnectContext> tree_connect_contexts{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(9);
    c.Field(m.flags, "flags");
    c.Offset16(m.path, "path_offset");
    c.Length16(m.path, "path_length");
    c.Offset32(m.tree_connect_contexts, "tree_connect_context_offset");
    c.Count16(m.tree_connect_contexts, "tree_connect_context_count");
    c.Reserved(10, "reserved");
    c.Buffer(m.path, "path");
    c.AlignedArray(m.tree_connect_contexts, "tree_connect_contexts");
  }
};

// 2.2.10
struct TreeConnectResponse {
  ShareType share_type = ShareType::kDisk;
  std::uint32_t share_flags = 0;   // share_flag
  std::uint32_t capabilities = 0;  // share_capability
  std::uint32_t maximal_access = 0;

  static void Fields(auto& m, auto& c) {
    c.StructureSize(16);
    c.Field(m.share_type, "share_type");
    c.Reserved(1, "reserved");
    c.Field(m.share_flags, "share_flags");
    c.Field(m.capabilities, "capabilities");
    c.Field(m.maximal_access, "maximal_access");
  }
};

}  // namespace holdfast::smb2
