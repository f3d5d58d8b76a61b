// [MS-FSCC] 2.4: the classes that change times, attributes and sizes of a file, or how its open behaves.
#pragma once

#include "server/info/info_class.h"

namespace holdfast::info {

Task<NtStatus> SetBasic(InfoSet set);
Task<NtStatus> SetDisposition(InfoSet set);
Task<NtStatus> SetDispositionEx(InfoSet set);
Task<NtStatus> SetAllocation(InfoSet set);
Task<NtStatus> SetEndOfFile(InfoSet set);
Task<NtStatus> SetValidDataLength(InfoSet set);
Task<NtStatus> SetPosition(InfoSet set);
Task<NtStatus> SetMode(InfoSet set);

}  // namespace holdfast::info
