// [MS-SMB2] 2.2.28 and 2.2.29: ECHO.
#pragma once

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.28
struct EchoRequest {
  static void Fields(auto&, auto& c) {
    c.StructureSize(4);
    c.Reserved(2, "reserved");
  }
};

// 2.2.29
struct EchoResponse {
  static void Fields(auto&, auto& c) {
    c.StructureSize(4);
    c.Reserved(2, "reserved");
  }
};

}  // namespace holdfast::smb2
