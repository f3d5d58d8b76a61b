// [MS-SMB2] 2.2.5 and 2.2.6: SESSION_SETUP.
#pragma once

#include "protocol/smb2/constants.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.5
struct SessionSetupRequest {
  std::uint8_t flags = 0;  // session_setup_flag
  std::uint8_t security_mode = 0;
  std::uint32_t capabilities = 0;
  std::uint32_t channel = 0;
  std::uint64_t previous_session_id = 0;
  ByteView security_buffer{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(25);
    c.Field(m.flags, "flags");
    c.Field(m.security_mode, "security_mode");
    c.Field(m.capabilities, "capabilities");
    c.Field(m.channel, "channel");
    c.Offset16(m.security_buffer, "security_buffer_offset");
    c.Length16(m.security_buffer, "security_buffer_length");
    c.Field(m.previous_session_id, "previous_session_id");
    c.Buffer(m.security_buffer, "security_buffer");
    c.AtLeastOneByte();
  }
};

// 2.2.6
struct SessionSetupResponse {
  std::uint16_t session_flags = 0;  // session_flag
  ByteView security_buffer{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(9);
    c.Field(m.session_flags, "session_flags");
    c.Offset16(m.security_buffer, "security_buffer_offset");
    c.Length16(m.security_buffer, "security_buffer_length");
    c.Buffer(m.security_buffer, "security_buffer");
    c.AtLeastOneByte();
  }
};

}  // namespace holdfast::smb2
