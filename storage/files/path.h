// Names as a client writes them: the syntax of paths, components and streams, [MS-FSCC] 2.1.5.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/erref/result.h"

namespace holdfast {

inline constexpr std::size_t kMaxPathUnits = 32760;

struct ParsedPath {
  enum class StreamType { kNone, kData, kIndexAllocation };  // as written; kNone: nothing behind a second ':'

  std::vector<std::u16string> components;  // empty: the root of the share
  std::u16string stream;                   // empty: the unnamed stream
  StreamType stream_type = StreamType::kNone;
  bool trailing_backslash = false;

  bool names_stream() const { return !stream.empty() || stream_type != StreamType::kNone; }
  // "dir:$I30:$INDEX_ALLOCATION" is a way to write a directory.
  bool names_directory_index() const { return stream_type == StreamType::kIndexAllocation; }
};

// `path` is relative to the share. kObjectNameInvalid for characters, lengths and streams that cannot be,
// kInvalidParameter for a leading '\\' and for "..", kAccessDenied for the names of DOS devices.
Result<ParsedPath> ParsePath(std::u16string_view path);

// One component, as a name to be given to a file: errors as above.
NtStatus CheckComponent(std::u16string_view component);

// ":name", ":name:$DATA" as in a stream rename; answers the name. kObjectNameInvalid; kInvalidParameter when it names
// the unnamed stream.
Result<std::u16string> ParseStreamTarget(std::u16string_view target);

}  // namespace holdfast
