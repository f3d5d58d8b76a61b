// [MS-SMB2] 2.2.19 and 2.2.20: READ.
#pragma once

#include "protocol/smb2/constants.h"
#include "protocol/smb2/file_id.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.19
struct ReadRequest {
  std::uint8_t padding = 0x50;  // where the client would like the data; not binding
  std::uint8_t flags = 0;       // read_flag; only meaningful from 3.0.2 on
  std::uint32_t length = 0;
  std::uint64_t offset = 0;
  FileId file_id{};
  std::uint32_t minimum_count = 0;
  Channel channel = Channel::kNone;
  std::uint32_t remaining_bytes = 0;
  ByteView read_channel_info{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(49);
    c.Field(m.padding, "padding");
    c.Field(m.flags, "flags");
    c.Field(m.length, "length");
    c.Field(m.offset, "offset");
    c.Field(m.file_id, "file_id");
    c.Field(m.minimum_count, "minimum_count");
    c.Field(m.channel, "channel");
    c.Field(m.remaining_bytes, "remaining_bytes");
    c.Offset16(m.read_channel_info, "read_channel_info_offset");
    c.Length16(m.read_channel_info, "read_channel_info_length");
    // With no channel these fields are to be ignored, whatever they hold.
    if (m.channel != Channel::kNone) c.OptionalBuffer(m.read_channel_info, "read_channel_info");
    c.AtLeastOneByte();
  }
};

// 2.2.20
struct ReadResponse {
  std::uint32_t data_remaining = 0;
  std::uint32_t flags = 0;
  ByteView data{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(17);
    c.Offset8(m.data, "data_offset");
    c.Reserved(1, "reserved");
    c.Length32(m.data, "data_length");
    c.Field(m.data_remaining, "data_remaining");
    c.Field(m.flags, "flags");
    c.Buffer(m.data, "data");
    c.AtLeastOneByte();
  }
};

}  // namespace holdfast::smb2
