// [MS-SMB2] 2.2.21 and 2.2.22: WRITE.
#pragma once

#include "protocol/smb2/constants.h"
#include "protocol/smb2/file_id.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.21
struct WriteRequest {
  // 3.3.5.13: a DataOffset beyond this is refused even when it lies inside of the message.
  static constexpr std::uint16_t kMaxDataOffset = 0x100;

  std::uint64_t offset = 0;
  FileId file_id{};
  Channel channel = Channel::kNone;
  std::uint32_t remaining_bytes = 0;
  ByteView write_channel_info{};
  std::uint32_t flags = 0;  // write_flag
  ByteView data{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(49);
    c.Offset16(m.data, "data_offset");
    c.Length32(m.data, "length");
    c.Field(m.offset, "offset");
    c.Field(m.file_id, "file_id");
    c.Field(m.channel, "channel");
    c.Field(m.remaining_bytes, "remaining_bytes");
    c.Offset16(m.write_channel_info, "write_channel_info_offset");
    c.Length16(m.write_channel_info, "write_channel_info_length");
    c.Field(m.flags, "flags");
    if (m.channel == Channel::kNone) {
      // The fields of the channel information are to be ignored then, whatever they hold.
      c.LimitOffset(m.data, kMaxDataOffset, "data_offset");
    } else {
      c.OptionalBuffer(m.write_channel_info, "write_channel_info");
    }
    c.Buffer(m.data, "data");
    c.AtLeastOneByte();
  }
};

// 2.2.22: the size says 17, the body has 16 bytes.
struct WriteResponse {
  std::uint32_t count = 0;
  std::uint32_t remaining = 0;

  static void Fields(auto& m, auto& c) {
    c.StructureSize(17);
    c.Reserved(2, "reserved");
    c.Field(m.count, "count");
    c.Field(m.remaining, "remaining");
    c.Reserved(4, "write_channel_info");
  }
};

}  // namespace holdfast::smb2
