// [MS-SMB2] 3.3.5.2.7, 3.2.4.1.4: a frame with several messages, each way.
#pragma once

#include <optional>
#include <vector>

#include "protocol/base/bytes.h"

namespace holdfast::smb2 {

// The messages of a plain frame, each from its header on (padding included, as the signature covers it). nullopt when
// NextCommand leads outside of the frame or is not a multiple of 8.
std::optional<std::vector<ByteView>> SplitCompound(ByteView frame);

}  // namespace holdfast::smb2
