// [MS-SMB2] 2.2.33 and 2.2.34: QUERY_DIRECTORY.
#pragma once

#include <string>

#include "protocol/smb2/constants.h"
#include "protocol/smb2/file_id.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.33
struct QueryDirectoryRequest {
  std::uint8_t file_information_class = 0;  // [MS-FSCC] 2.4
  std::uint8_t flags = 0;                   // query_directory_flag
  std::uint32_t file_index = 0;
  FileId file_id{};
  std::u16string file_name{};  // the search pattern
  std::uint32_t output_buffer_length = 0;

  static void Fields(auto& m, auto& c) {
    c.StructureSize(33);
    c.Field(m.file_information_class, "file_information_class");
    c.Field(m.flags, "flags");
    c.Field(m.file_index, "file_index");
    c.Field(m.file_id, "file_id");
    c.Offset16(m.file_name, "file_name_offset");
    c.Length16(m.file_name, "file_name_length");
    c.Field(m.output_buffer_length, "output_buffer_length");
    c.OptionalBuffer(m.file_name, "file_name");
    c.AtLeastOneByte();
  }
};

// 2.2.34
struct QueryDirectoryResponse {
  ByteView output_buffer{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(9);
    c.Offset16(m.output_buffer, "output_buffer_offset");
    c.Length32(m.output_buffer, "output_buffer_length");
    c.Buffer(m.output_buffer, "output_buffer");
    c.AtLeastOneByte();
  }
};

}  // namespace holdfast::smb2
