// [MS-SMB2] 2.2.35 and 2.2.36: CHANGE_NOTIFY.
#pragma once

#include "protocol/smb2/constants.h"
#include "protocol/smb2/file_id.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.35
struct ChangeNotifyRequest {
  std::uint16_t flags = 0;  // change_notify_flag
  std::uint32_t output_buffer_length = 0;
  FileId file_id{};
  std::uint32_t completion_filter = 0;  // completion_filter::

  static void Fields(auto& m, auto& c) {
    c.StructureSize(32);
    c.Field(m.flags, "flags");
    c.Field(m.output_buffer_length, "output_buffer_length");
    c.Field(m.file_id, "file_id");
    c.Field(m.completion_filter, "completion_filter");
    c.Reserved(4, "reserved");
  }
};

// 2.2.36: FILE_NOTIFY_INFORMATION entries, [MS-FSCC] 2.7.1.
struct ChangeNotifyResponse {
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
