// The only list of the control codes, [MS-SMB2] 3.3.5.15. Adding one is a function and a line in registry.cc.
#pragma once

#include "server/ioctl/control_call.h"

namespace holdfast {

// Null for a code that is not carried out: ControlRefusal then says why.
const ControlRow* FindControl(std::uint32_t code);

// STATUS_INVALID_DEVICE_REQUEST for codes that Windows lets through to its file systems, STATUS_NOT_SUPPORTED for all
// others (behaviour notes 380, 381).
NtStatus ControlRefusal(std::uint32_t code);

}  // namespace holdfast
