#include "storage/volume/errors.h"

namespace holdfast {

NtStatus ToNtStatus(EngineError error) {
  switch (error) {
    case EngineError::kNone:
      return NtStatus::kSuccess;
    case EngineError::kNotFound:
      return NtStatus::kObjectNameNotFound;
    case EngineError::kGuardFailed:
      return NtStatus::kFileNotAvailable;
    case EngineError::kNoSpace:
      return NtStatus::kDiskFull;
    case EngineError::kFenced:
      return NtStatus::kServerUnavailable;
    case EngineError::kIo:
      return NtStatus::kUnexpectedIoError;
    case EngineError::kCorrupt:
      return NtStatus::kFileCorruptError;
    case EngineError::kTooLarge:
      return NtStatus::kInvalidParameter;
  }
  return NtStatus::kInternalError;
}

}  // namespace holdfast
