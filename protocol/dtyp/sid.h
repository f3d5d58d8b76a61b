// [MS-DTYP] 2.4.2: a security identifier, kept as a value.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

struct Sid {
  static constexpr std::size_t kMaxSubAuthorities = 15;

  std::uint64_t authority = 0;  // 48 bits
  std::uint8_t count = 0;       // sub-authorities in use
  std::array<std::uint32_t, kMaxSubAuthorities> sub{};

  Sid() = default;
  Sid(std::uint64_t identifier_authority, std::initializer_list<std::uint32_t> sub_authorities);

  // "S-1-5-21-…"; nullopt when malformed.
  static std::optional<Sid> Parse(std::string_view text);
  // Binary form, 2.4.2.2. `used` gets the bytes consumed (8 + 4 * count).
  static std::optional<Sid> Decode(std::span<const std::uint8_t> bytes, std::size_t* used = nullptr);
  void AppendTo(std::vector<std::uint8_t>& out) const;
  std::size_t EncodedSize() const { return 8u + 4u * count; }
  std::string ToString() const;

  // This SID with one more sub-authority (domain SID + RID). CHECKs that there is room.
  Sid WithRid(std::uint32_t rid) const;
  // True when `prefix` has the same authority and its sub-authorities begin this SID's.
  bool StartsWith(const Sid& prefix) const;

  bool operator==(const Sid& other) const;
  std::strong_ordering operator<=>(const Sid& other) const;
};

// Well-known SIDs, [MS-DTYP] 2.4.2.4.
namespace well_known {
const Sid& Everyone();            // S-1-1-0
const Sid& CreatorOwner();        // S-1-3-0
const Sid& CreatorGroup();        // S-1-3-1
const Sid& OwnerRights();         // S-1-3-4
const Sid& Network();             // S-1-5-2
const Sid& AuthenticatedUsers();  // S-1-5-11
const Sid& LocalSystem();         // S-1-5-18
const Sid& Administrators();      // S-1-5-32-544
const Sid& Users();               // S-1-5-32-545
}  // namespace well_known

}  // namespace holdfast
