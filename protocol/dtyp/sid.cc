#include "protocol/dtyp/sid.h"

#include <algorithm>
#include <charconv>

#include "protocol/base/check.h"

namespace holdfast {

Sid::Sid(std::uint64_t identifier_authority, std::initializer_list<std::uint32_t> sub_authorities)
    : authority(identifier_authority), count(static_cast<std::uint8_t>(sub_authorities.size())) {
  HOLDFAST_CHECK(sub_authorities.size() <= kMaxSubAuthorities);
  std::copy(sub_authorities.begin(), sub_authorities.end(), sub.begin());
}

std::optional<Sid> Sid::Parse(std::string_view text) {
  if (text.size() < 5 || (text[0] != 'S' && text[0] != 's') || text.substr(1, 3) != "-1-") return std::nullopt;
  text.remove_prefix(4);
  Sid sid;
  bool first = true;
  while (!text.empty()) {
    const auto dash = text.find('-');
    std::string_view part = text.substr(0, dash);
    std::uint64_t value = 0;
    int base = 10;
    if (first && (part.starts_with("0x") || part.starts_with("0X"))) {
      part.remove_prefix(2);
      base = 16;
    }
    const auto [end, ec] = std::from_chars(part.data(), part.data() + part.size(), value, base);
    if (ec != std::errc() || end != part.data() + part.size() || part.empty()) return std::nullopt;
    if (first) {
      if (value >> 48) return std::nullopt;
      sid.authority = value;
      first = false;
    } else {
      if (value >> 32 || sid.count == kMaxSubAuthorities) return std::nullopt;
      sid.sub[sid.count++] = static_cast<std::uint32_t>(value);
    }
    if (dash == std::string_view::npos) return sid;
    text.remove_prefix(dash + 1);
  }
  return std::nullopt;  // ended in a dash
}

std::optional<Sid> Sid::Decode(std::span<const std::uint8_t> b, std::size_t* used) {
  if (b.size() < 8 || b[0] != 1 || b[1] > kMaxSubAuthorities || b.size() < 8u + 4u * b[1]) return std::nullopt;
  Sid sid;
  for (int i = 2; i < 8; ++i) sid.authority = sid.authority << 8 | b[static_cast<std::size_t>(i)];
  sid.count = b[1];
  for (std::size_t i = 0; i < sid.count; ++i) {
    const auto* p = &b[8 + 4 * i];
    sid.sub[i] = static_cast<std::uint32_t>(p[0]) | static_cast<std::uint32_t>(p[1]) << 8 |
                 static_cast<std::uint32_t>(p[2]) << 16 | static_cast<std::uint32_t>(p[3]) << 24;
  }
  if (used) *used = sid.EncodedSize();
  return sid;
}

void Sid::AppendTo(std::vector<std::uint8_t>& out) const {
  out.push_back(1);
  out.push_back(count);
  for (int shift = 40; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(authority >> shift));
  for (std::size_t i = 0; i < count; ++i)
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(sub[i] >> shift));
}

std::string Sid::ToString() const {
  std::string text = "S-1-" + std::to_string(authority);
  for (std::size_t i = 0; i < count; ++i) text += '-' + std::to_string(sub[i]);
  return text;
}

Sid Sid::WithRid(std::uint32_t rid) const {
  HOLDFAST_CHECK(count < kMaxSubAuthorities);
  Sid sid = *this;
  sid.sub[sid.count++] = rid;
  return sid;
}

bool Sid::StartsWith(const Sid& prefix) const {
  return authority == prefix.authority && count >= prefix.count &&
         std::equal(prefix.sub.begin(), prefix.sub.begin() + prefix.count, sub.begin());
}

bool Sid::operator==(const Sid& other) const { return (*this <=> other) == 0; }

std::strong_ordering Sid::operator<=>(const Sid& other) const {
  if (const auto c = authority <=> other.authority; c != 0) return c;
  return std::lexicographical_compare_three_way(sub.begin(), sub.begin() + count, other.sub.begin(),
                                                other.sub.begin() + other.count);
}

namespace well_known {
#define HOLDFAST_WELL_KNOWN(name, ...)   \
  const Sid& name() {                    \
    static const Sid sid = Sid __VA_ARGS__; \
    return sid;                          \
  }
HOLDFAST_WELL_KNOWN(Everyone, (1, {0}))
HOLDFAST_WELL_KNOWN(CreatorOwner, (3, {0}))
HOLDFAST_WELL_KNOWN(CreatorGroup, (3, {1}))
HOLDFAST_WELL_KNOWN(OwnerRights, (3, {4}))
HOLDFAST_WELL_KNOWN(Network, (5, {2}))
HOLDFAST_WELL_KNOWN(AuthenticatedUsers, (5, {11}))
HOLDFAST_WELL_KNOWN(LocalSystem, (5, {18}))
HOLDFAST_WELL_KNOWN(Administrators, (5, {32, 544}))
HOLDFAST_WELL_KNOWN(Users, (5, {32, 545}))
#undef HOLDFAST_WELL_KNOWN
}  // namespace well_known

}  // namespace holdfast
