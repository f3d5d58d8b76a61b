// [MS-SMB2] 2.2.30: CANCEL, which has no response of its own.
#pragma once

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.30
struct CancelRequest {
  static void Fields(auto&, auto& c) {
    c.StructureSize(4);
    c.Reserved(2, "reserved");
  }
};

}  // namespace holdfast::smb2
