#include "server/create/path.h"

#include <algorithm>
#include <iterator>

#include "server/server.h"

namespace holdfast {
namespace {

// Behaviour note 304.
constexpr std::u16string_view kDeviceNames[] = {
    u"LPT1", u"LPT2", u"LPT3", u"LPT4", u"LPT5", u"LPT6", u"LPT7", u"LPT8", u"LPT9", u"COM1", u"COM2", u"COM3",
    u"COM4", u"COM5", u"COM6", u"COM7", u"COM8", u"COM9", u"PRN",  u"AUX",  u"NUL",  u"CON",  u"CLOCK$"};

bool SameAscii(std::u16string_view a, std::u16string_view b) {
  const auto upper = [](char16_t c) { return c >= u'a' && c <= u'z' ? static_cast<char16_t>(c - 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char16_t x, char16_t y) { return upper(x) == upper(y); });
}

}  // namespace

NtStatus CheckPath(std::u16string_view path) {
  if (path.empty()) return NtStatus::kSuccess;
  if (path.front() == u'\\') return NtStatus::kInvalidParameter;
  if (path.find(u'\0') != path.npos) return NtStatus::kObjectNameInvalid;
  const bool is_device = std::any_of(std::begin(kDeviceNames), std::end(kDeviceNames),
                                     [path](std::u16string_view name) { return SameAscii(name, path); });
  if (is_device) return NtStatus::kAccessDenied;
  for (std::u16string_view rest = path; !rest.empty();) {
    const std::size_t end = std::min(rest.find(u'\\'), rest.size());
    const std::u16string_view component = rest.substr(0, end);
    if (component == u"." || component == u"..") return NtStatus::kObjectPathSyntaxBad;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return NtStatus::kSuccess;
}

std::u16string_view WithoutDfsPrefix(const Server& server, std::u16string_view share, std::u16string_view path) {
  std::u16string_view rest = path;
  while (!rest.empty() && rest.front() == u'\\') rest.remove_prefix(1);
  const std::size_t host_end = rest.find(u'\\');
  if (host_end == rest.npos || !server.IsOurName(rest.substr(0, host_end))) return path;
  rest.remove_prefix(host_end + 1);
  const std::size_t share_end = std::min(rest.find(u'\\'), rest.size());
  const SharePtr named = server.FindShare(rest.substr(0, share_end));
  if (!named || named->name != share) return path;
  rest.remove_prefix(std::min(share_end + 1, rest.size()));
  return rest;
}

}  // namespace holdfast
