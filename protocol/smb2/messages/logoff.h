// [MS-SMB2] 2.2.7 and 2.2.8: LOGOFF.
#pragma once

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.7
struct LogoffRequest {
  static void Fields(auto&, auto& c) {
    c.StructureSize(4);
    c.Reserved(2, "reserved");
  }
};

// 2.2.8
struct LogoffResponse {
  static void Fields(auto&, auto& c) {
    c.StructureSize(4);
    c.Reserved(2, "reserved");
  }
};

}  // namespace holdfast::smb2
