// [MS-SMB2] 2.2.31 and 2.2.32: IOCTL. Control codes: protocol/fscc/fsctl.h; their buffers: protocol/smb2/ioctl/.
#pragma once

#include "protocol/smb2/constants.h"
#include "protocol/smb2/file_id.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.31
struct IoctlRequest {
  std::uint32_t ctl_code = 0;
  FileId file_id{};
  std::uint32_t max_input_response = 0;
  std::uint32_t max_output_response = 0;
  std::uint32_t flags = ioctl_flag::kIsFsctl;
  ByteView input{};
  ByteView output{};  // clients send none

  static void Fields(auto& m, auto& c) {
    c.StructureSize(57);
    c.Reserved(2, "reserved");
    c.Field(m.ctl_code, "ctl_code");
    c.Field(m.file_id, "file_id");
    c.Offset32(m.input, "input_offset");
    c.Length32(m.input, "input_count");
    c.Field(m.max_input_response, "max_input_response");
    c.Offset32(m.output, "output_offset");
    c.Length32(m.output, "output_count");
    c.Field(m.max_output_response, "max_output_response");
    c.Field(m.flags, "flags");
    c.Reserved(4, "reserved2");
    c.Buffer(m.input, "input");
    c.OptionalBuffer(m.output, "output");
    c.AtLeastOneByte();
  }
};

// 2.2.32: clients insist on an OutputOffset inside of the message, at a multiple of 8, even with no output.
struct IoctlResponse {
  std::uint32_t ctl_code = 0;
  FileId file_id{};
  std::uint32_t flags = 0;
  ByteView input{};
  ByteView output{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(49);
    c.Reserved(2, "reserved");
    c.Field(m.ctl_code, "ctl_code");
    c.Field(m.file_id, "file_id");
    c.Offset32(m.input, "input_offset");
    c.Length32(m.input, "input_count");
    c.Offset32(m.output, "output_offset");
    c.Length32(m.output, "output_count");
    c.Field(m.flags, "flags");
    c.Reserved(4, "reserved2");
    c.Buffer(m.input, "input");
    c.Buffer(m.output, "output");
    c.AtLeastOneByte();
  }
};

}  // namespace holdfast::smb2
