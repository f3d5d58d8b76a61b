// [MS-FSCC] 2.3.46 and 2.3.49: named pipes.
#pragma once

#include <string>

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.3.49: FSCTL_PIPE_WAIT. There is no output.
struct PipeWaitRequest {
  std::int64_t timeout = 0;            // units of 100 ms, when specified; else without end
  std::uint8_t timeout_specified = 0;  // a boolean
  std::u16string name{};               // without "\pipe\"

  static void Fields(auto& m, auto& c) {
    c.Field(m.timeout, "timeout");
    c.Length32(m.name, "name_length");
    c.Field(m.timeout_specified, "timeout_specified");
    c.Reserved(1, "padding");
    c.Inline(m.name, "name");
  }
};

// 2.3.46: FSCTL_PIPE_PEEK.
struct PipePeekResponse {
  static constexpr std::uint32_t kConnectedState = 3;
  static constexpr std::uint32_t kClosingState = 4;

  std::uint32_t named_pipe_state = kConnectedState;
  std::uint32_t read_data_available = 0;  // bytes
  std::uint32_t number_of_messages = 0;
  std::uint32_t message_length = 0;
  ByteView data{};

  static void Fields(auto& m, auto& c) {
    c.Field(m.named_pipe_state, "named_pipe_state");
    c.Field(m.read_data_available, "read_data_available");
    c.Field(m.number_of_messages, "number_of_messages");
    c.Field(m.message_length, "message_length");
    c.Rest(m.data, "data");
  }
};

}  // namespace holdfast::smb2
