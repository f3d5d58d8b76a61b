// [MS-FSCC] 2.7.1: FILE_NOTIFY_INFORMATION.
#pragma once

#include <vector>

#include "protocol/base/bytes.h"
#include "storage/files/files.h"

namespace holdfast {

// The entries chained by NextEntryOffset, each beginning at a multiple of 4.
Bytes EncodeNotifyInformation(const std::vector<NotifyEvent>& events);

}  // namespace holdfast
