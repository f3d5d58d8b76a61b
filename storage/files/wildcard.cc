#include "storage/files/wildcard.h"

#include <vector>

#include "protocol/dtyp/upcase.h"

namespace holdfast {
namespace {

constexpr bool IsWildcard(char16_t unit) {
  return unit == u'*' || unit == u'?' || unit == u'<' || unit == u'>' || unit == u'"';
}

}  // namespace

bool HasWildcards(std::u16string_view pattern) {
  for (const char16_t unit : pattern) {
    if (IsWildcard(unit)) return true;
  }
  return false;
}

bool MatchesPattern(std::u16string_view pattern, std::u16string_view name) {
  if (pattern.empty() || name.empty()) return pattern.empty() && name.empty();
  if (pattern == u"*" || pattern == u"*.*") return true;
  const std::size_t units = name.size();
  const std::size_t last_dot = name.rfind(u'.');
  // From the pattern's end to its beginning: matches[n] says whether what is left of the pattern takes name[n…].
  std::vector<bool> rest(units + 1, false);
  rest[units] = true;
  for (std::size_t p = pattern.size(); p-- > 0;) {
    const char16_t unit = Upcase(pattern[p]);
    std::vector<bool> matches(units + 1, false);
    for (std::size_t n = units + 1; n-- > 0;) {
      const bool at_end = n == units;
      const bool at_dot = !at_end && name[n] == u'.';
      switch (unit) {
        case u'*':
          matches[n] = rest[n] || (!at_end && matches[n + 1]);
          break;
        case u'?':
          matches[n] = !at_end && rest[n + 1];
          break;
        case u'<':
          // Up to and including the last dot, or any number of units on one side of it.
          matches[n] = rest[n] || (!at_end && (n == last_dot ? rest[n + 1] : matches[n + 1]));
          break;
        case u'>':
          matches[n] = at_end || at_dot ? rest[n] : rest[n + 1];
          break;
        case u'"':
          matches[n] = at_end ? rest[n] : at_dot && rest[n + 1];
          break;
        default:
          matches[n] = !at_end && Upcase(name[n]) == unit && rest[n + 1];
      }
    }
    rest = std::move(matches);
  }
  return rest[0];
}

}  // namespace holdfast
