// [MS-SMB2] 3.3.5.2.10: a write that was sent again over a new channel must not be overtaken by its first copy.
#pragma once

#include "protocol/smb2/header.h"
#include "storage/files/open.h"

namespace holdfast {

// Counts the request in. False: fail it with STATUS_FILE_NOT_AVAILABLE when its row is subject to the check
// (WRITE, SET_INFO, IOCTL); it must not be counted out then.
bool EnterChannelSequence(Open& open, const smb2::Header& header, bool row_is_subject, bool* counted);
// On the final response of a counted request.
void LeaveChannelSequence(Open& open, std::uint16_t request_sequence);

}  // namespace holdfast
