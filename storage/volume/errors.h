// The one place where an engine's error becomes an NTSTATUS.
#pragma once

#include "protocol/erref/result.h"
#include "storage/engine/engine.h"

namespace holdfast {

// kNone → kSuccess, kNotFound → kObjectNameNotFound, kGuardFailed → kFileNotAvailable (the caller retries guards
// itself before it ever gets here), kNoSpace → kDiskFull, kFenced → kServerUnavailable, kIo → kUnexpectedIoError,
// kCorrupt → kFileCorruptError, kTooLarge → kInvalidParameter.
NtStatus ToNtStatus(EngineError error);

}  // namespace holdfast
