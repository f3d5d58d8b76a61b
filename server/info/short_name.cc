#include "server/info/short_name.h"

#include <cstdint>

namespace holdfast {
namespace {

constexpr std::u16string_view kForbidden = u"\"*+,/:;<=>?[\\]|. ";

bool IsShortNameUnit(char16_t c) {
  return c > 0x20 && c < 0x7F && kForbidden.find(c) == std::u16string_view::npos;
}

char16_t Upper(char16_t c) { return c >= u'a' && c <= u'z' ? static_cast<char16_t>(c - u'a' + u'A') : c; }

// The units of `text` that an 8.3 name may hold, in upper case, at most `most`.
std::u16string Allowed(std::u16string_view text, std::size_t most) {
  std::u16string out;
  for (const char16_t c : text) {
    if (out.size() == most) break;
    if (IsShortNameUnit(c)) out.push_back(Upper(c));
  }
  return out;
}

}  // namespace

std::u16string ShortName(std::u16string_view name) {
  const std::size_t dot = name.rfind(u'.');
  const bool has_extension = dot != std::u16string_view::npos && dot != 0;
  const std::u16string_view base = has_extension ? name.substr(0, dot) : name;
  const std::u16string_view extension = has_extension ? name.substr(dot + 1) : std::u16string_view();

  std::u16string short_base = Allowed(base, 8);
  const std::u16string short_extension = Allowed(extension, 3);
  const bool is_short = short_base.size() == base.size() && short_extension.size() == extension.size() &&
                        has_extension == !short_extension.empty();
  if (!is_short) {
    std::uint32_t hash = 2166136261u;  // FNV-1a over the upper-case units
    for (const char16_t c : name) hash = (hash ^ Upper(c)) * 16777619u;
    hash ^= hash >> 16;
    short_base.resize(short_base.size() < 2 ? short_base.size() : 2);
    for (int shift = 12; shift >= 0; shift -= 4) short_base.push_back(u"0123456789ABCDEF"[hash >> shift & 0xF]);
    short_base += u"~1";
  }
  if (!short_extension.empty()) short_base += u"." + short_extension;
  return short_base;
}

}  // namespace holdfast
