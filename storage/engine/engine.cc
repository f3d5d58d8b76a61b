#include "storage/engine/engine.h"

namespace holdfast {

std::string_view EngineErrorName(EngineError error) {
  switch (error) {
    case EngineError::kNone:
      return "none";
    case EngineError::kNotFound:
      return "not found";
    case EngineError::kGuardFailed:
      return "guard failed";
    case EngineError::kNoSpace:
      return "no space";
    case EngineError::kFenced:
      return "fenced";
    case EngineError::kIo:
      return "input/output error";
    case EngineError::kCorrupt:
      return "corrupt";
    case EngineError::kTooLarge:
      return "too large";
  }
  return "unknown";
}

}  // namespace holdfast
