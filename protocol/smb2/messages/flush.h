// [MS-SMB2] 2.2.17 and 2.2.18: FLUSH.
#pragma once

#include "protocol/smb2/file_id.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.17
struct FlushRequest {
  FileId file_id{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(24);
    c.Reserved(6, "reserved");
    c.Field(m.file_id, "file_id");
  }
};

// 2.2.18
struct FlushResponse {
  static void Fields(auto&, auto& c) {
    c.StructureSize(4);
    c.Reserved(2, "reserved");
  }
};

}  // namespace holdfast::smb2
