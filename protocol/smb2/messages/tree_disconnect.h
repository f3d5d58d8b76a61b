// [MS-SMB2] 2.2.11 and 2.2.12: TREE_DISCONNECT.
#pragma once

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.11
struct TreeDisconnectRequest {
  static void Fields(auto&, auto& c) {
    c.StructureSize(4);
    c.Reserved(2, "reserved");
  }
};

// 2.2.12
struct TreeDisconnectResponse {
  static void Fields(auto&, auto& c) {
    c.StructureSize(4);
    c.Reserved(2, "reserved");
  }
};

}  // namespace holdfast::smb2
