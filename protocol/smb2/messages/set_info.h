// [MS-SMB2] 2.2.39 and 2.2.40: SET_INFO.
#pragma once

#include "protocol/smb2/constants.h"
#include "protocol/smb2/file_id.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.39
struct SetInfoRequest {
  InfoType info_type = InfoType::kFile;  // as sent: may hold an unknown value
  std::uint8_t file_info_class = 0;
  std::uint32_t additional_information = 0;  // security_information:: for InfoType::kSecurity
  FileId file_id{};
  ByteView buffer{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(33);
    c.Field(m.info_type, "info_type");
    c.Field(m.file_info_class, "file_info_class");
    c.Length32(m.buffer, "buffer_length");
    c.Offset16(m.buffer, "buffer_offset");
    c.Reserved(2, "reserved");
    c.Field(m.additional_information, "additional_information");
    c.Field(m.file_id, "file_id");
    c.Buffer(m.buffer, "buffer");
    c.AtLeastOneByte();
  }
};

// 2.2.40
struct SetInfoResponse {
  static void Fields(auto&, auto& c) { c.StructureSize(2); }
};

}  // namespace holdfast::smb2
