#include "server/create/path.h"

#include <algorithm>
#include <iterator>
#include <vector>

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

Result<std::u16string> NormalizePath(std::u16string_view sent) {
  // No name may hold a slash, so whoever sends one can only mean a separator; smbd takes it so too.
  std::u16string path(sent);
  std::replace(path.begin(), path.end(), u'/', u'\\');
  if (path.starts_with(u'\\')) return NtStatus::kInvalidParameter;
  if (path.find(u'\0') != path.npos) return NtStatus::kObjectNameInvalid;
  const bool is_device = std::any_of(std::begin(kDeviceNames), std::end(kDeviceNames),
                                     [&](std::u16string_view name) { return SameAscii(name, path); });
  if (is_device) return NtStatus::kAccessDenied;

  std::vector<std::u16string_view> kept;
  std::size_t seen = 0;
  for (std::size_t begin = 0; begin <= path.size(); ++seen) {
    const std::size_t end = std::min(path.find(u'\\', begin), path.size());
    const std::u16string_view component = std::u16string_view(path).substr(begin, end - begin);
    if (component == u"..") {
      if (kept.empty()) return NtStatus::kObjectPathSyntaxBad;
      if (seen == 1 && end < path.size()) return NtStatus::kInvalidParameter;
      kept.pop_back();
    } else if (component != u".") {
      kept.push_back(component);
    }
    begin = end + 1;
  }
  std::u16string normalized;
  for (const std::u16string_view component : kept) {
    if (component.data() != kept.front().data()) normalized += u'\\';
    normalized += component;
  }
  return normalized;
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
