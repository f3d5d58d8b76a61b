// [MS-SMB2] 2.2.15 and 2.2.16: CLOSE.
#pragma once

#include "protocol/base/clock.h"
#include "protocol/smb2/constants.h"
#include "protocol/smb2/file_id.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.15
struct CloseRequest {
  std::uint16_t flags = 0;  // close_flag
  FileId file_id{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(24);
    c.Field(m.flags, "flags");
    c.Reserved(4, "reserved");
    c.Field(m.file_id, "file_id");
  }
};

// 2.2.16: all zero unless the request asked for close_flag::kPostqueryAttrib.
struct CloseResponse {
  std::uint16_t flags = 0;
  FileTime creation_time = 0;
  FileTime last_access_time = 0;
  FileTime last_write_time = 0;
  FileTime change_time = 0;
  std::uint64_t allocation_size = 0;
  std::uint64_t end_of_file = 0;
  std::uint32_t file_attributes = 0;

  static void Fields(auto& m, auto& c) {
    c.StructureSize(60);
    c.Field(m.flags, "flags");
    c.Reserved(4, "reserved");
    c.Field(m.creation_time, "creation_time");
    c.Field(m.last_access_time, "last_access_time");
    c.Field(m.last_write_time, "last_write_time");
    c.Field(m.change_time, "change_time");
    c.Field(m.allocation_size, "allocation_size");
    c.Field(m.end_of_file, "end_of_file");
    c.Field(m.file_attributes, "file_attributes");
  }
};

}  // namespace holdfast::smb2
