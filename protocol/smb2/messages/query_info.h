// [MS-SMB2] 2.2.37 and 2.2.38: QUERY_INFO.
#pragma once

#include "protocol/smb2/constants.h"
#include "protocol/smb2/file_id.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.37
struct QueryInfoRequest {
  InfoType info_type = InfoType::kFile;  // as sent: may hold an unknown value
  std::uint8_t file_info_class = 0;
  std::uint32_t output_buffer_length = 0;
  std::uint32_t additional_information = 0;  // security_information:: for InfoType::kSecurity
  std::uint32_t flags = 0;                   // query_ea_flag:: for FileFullEaInformation
  FileId file_id{};
  ByteView input_buffer{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(41);
    c.Field(m.info_type, "info_type");
    c.Field(m.file_info_class, "file_info_class");
    c.Field(m.output_buffer_length, "output_buffer_length");
    c.Offset16(m.input_buffer, "input_buffer_offset");
    c.Reserved(2, "reserved");
    c.Length32(m.input_buffer, "input_buffer_length");
    c.Field(m.additional_information, "additional_information");
    c.Field(m.flags, "flags");
    c.Field(m.file_id, "file_id");
    c.OptionalBuffer(m.input_buffer, "input_buffer");
    c.AtLeastOneByte();
  }
};

// 2.2.37.1: the input buffer of a quota query.
struct QueryQuotaInfo {
  std::uint8_t return_single = 0;
  std::uint8_t restart_scan = 0;
  std::uint32_t sid_list_length = 0;
  std::uint32_t start_sid_length = 0;
  std::uint32_t start_sid_offset = 0;
  ByteView sid_buffer{};

  static void Fields(auto& m, auto& c) {
    c.Field(m.return_single, "return_single");
    c.Field(m.restart_scan, "restart_scan");
    c.Reserved(2, "reserved");
    c.Field(m.sid_list_length, "sid_list_length");
    c.Field(m.start_sid_length, "start_sid_length");
    c.Field(m.start_sid_offset, "start_sid_offset");
    c.Rest(m.sid_buffer, "sid_buffer");
  }
};

// 2.2.38
struct QueryInfoResponse {
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
