// [MS-SMB2] 3.1.5.2 and 3.3.5.2.5: how much a request moves, for the credit charge.
#pragma once

#include <cstdint>

#include "protocol/base/bytes.h"
#include "protocol/smb2/command.h"

namespace holdfast {

// The larger of what the request sends and of what its response may carry, in bytes; 0 for commands without a
// payload. `message` is header and body. A body too short for its fixed part counts as 0: the handler refuses it.
// Never more than 0xFFFFFFFF, whatever lengths the peer claims.
std::uint32_t PayloadBytes(smb2::Command command, ByteView message);

// Whether a request of this command has a payload to send. Those that only announce how much they take do not.
bool SendsPayload(smb2::Command command);

}  // namespace holdfast
