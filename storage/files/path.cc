#include "storage/files/path.h"

#include <algorithm>
#include <array>

#include "protocol/dtyp/upcase.h"
#include "storage/volume/volume.h"

namespace holdfast {
namespace {

// [MS-SMB2] 3.3.5.9, the behaviour note on name verification.
bool IsDosDevice(std::u16string_view component) {
  static constexpr std::array<std::u16string_view, 5> kDevices = {u"PRN", u"AUX", u"NUL", u"CON", u"CLOCK$"};
  for (const auto device : kDevices) {
    if (EqualsIgnoringCase(component, device)) return true;
  }
  if (component.size() != 4 || component[3] < u'1' || component[3] > u'9') return false;
  return EqualsIgnoringCase(component.substr(0, 3), u"LPT") || EqualsIgnoringCase(component.substr(0, 3), u"COM");
}

bool IsFileNameUnit(char16_t unit) {
  if (unit < 0x20) return false;
  return std::u16string_view(u"\"*/:<>?\\|").find(unit) == std::u16string_view::npos;
}

// Control characters and wildcards are allowed here, [MS-FSCC] 2.1.5.3.
bool IsStreamName(std::u16string_view name) {
  if (name.size() > kMaxNameUnits) return false;
  return std::ranges::none_of(name, [](char16_t u) { return u == 0 || u == u'/' || u == u':' || u == u'\\'; });
}

NtStatus ParseStream(std::u16string_view text, ParsedPath& parsed) {
  // `text` begins behind the first ':'.
  if (text.empty()) return NtStatus::kObjectNameInvalid;
  const auto colon = text.find(u':');
  const auto name = text.substr(0, colon);
  if (!IsStreamName(name)) return NtStatus::kObjectNameInvalid;
  parsed.stream = name;
  if (colon == std::u16string_view::npos) return NtStatus::kSuccess;
  const auto type = text.substr(colon + 1);
  if (EqualsIgnoringCase(type, u"$DATA")) {
    parsed.stream_type = ParsedPath::StreamType::kData;
  } else if (EqualsIgnoringCase(type, u"$INDEX_ALLOCATION")) {
    if (!name.empty() && !EqualsIgnoringCase(name, u"$I30")) return NtStatus::kInvalidParameter;
    parsed.stream.clear();
    parsed.stream_type = ParsedPath::StreamType::kIndexAllocation;
  } else {
    return NtStatus::kObjectNameInvalid;
  }
  return NtStatus::kSuccess;
}

}  // namespace

NtStatus CheckComponent(std::u16string_view component) {
  if (component.empty() || component.size() > kMaxNameUnits) return NtStatus::kObjectNameInvalid;
  if (component == u".") return NtStatus::kObjectNameInvalid;
  if (component == u"..") return NtStatus::kInvalidParameter;
  if (!std::ranges::all_of(component, IsFileNameUnit)) return NtStatus::kObjectNameInvalid;
  return NtStatus::kSuccess;
}

Result<ParsedPath> ParsePath(std::u16string_view path) {
  ParsedPath parsed;
  if (path.size() > kMaxPathUnits) return NtStatus::kObjectNameInvalid;
  if (path.starts_with(u'\\')) return NtStatus::kInvalidParameter;
  if (path.ends_with(u'\\')) {
    parsed.trailing_backslash = true;
    path.remove_suffix(1);
  }
  while (!path.empty()) {
    const auto end = path.find(u'\\');
    auto component = path.substr(0, end);
    const bool last = end == std::u16string_view::npos;
    path = last ? std::u16string_view() : path.substr(end + 1);
    if (const auto colon = component.find(u':'); colon != std::u16string_view::npos) {
      // A stream in the middle of a path is only ever the index of a directory, under its one default name.
      if (!last) {
        const auto suffix = component.substr(colon);
        if (!EqualsIgnoringCase(suffix, u":$I30:$INDEX_ALLOCATION") &&
            !EqualsIgnoringCase(suffix, u"::$INDEX_ALLOCATION")) {
          return NtStatus::kObjectNameInvalid;
        }
      } else if (const NtStatus status = ParseStream(component.substr(colon + 1), parsed);
                 status != NtStatus::kSuccess) {
        return status;
      }
      component = component.substr(0, colon);
      if (component.empty() && last && parsed.components.empty()) break;  // a stream of the root
    }
    if (const NtStatus status = CheckComponent(component); status != NtStatus::kSuccess) return status;
    if (last && IsDosDevice(component)) return NtStatus::kAccessDenied;
    parsed.components.emplace_back(component);
    if (!last && path.empty()) return NtStatus::kObjectNameInvalid;  // "a\\\\"
  }
  return parsed;
}

Result<std::u16string> ParseStreamTarget(std::u16string_view target) {
  ParsedPath parsed;
  if (!target.starts_with(u':')) return NtStatus::kObjectNameInvalid;
  const NtStatus status = ParseStream(target.substr(1), parsed);
  if (status != NtStatus::kSuccess) return status;
  if (parsed.stream_type == ParsedPath::StreamType::kIndexAllocation) return NtStatus::kObjectNameInvalid;
  if (parsed.stream.empty()) return NtStatus::kInvalidParameter;
  return parsed.stream;
}

}  // namespace holdfast
