// [MS-DTYP] 2.4.2.4: names of the SIDs that mean the same on every machine.
#pragma once

#include <string_view>

#include "server/pipes/pipe.h"

namespace holdfast {

// SID_NAME_USE, [MS-LSAT] 2.2.13.
namespace sid_use {
inline constexpr std::uint16_t kUser = 1;
inline constexpr std::uint16_t kGroup = 2;
inline constexpr std::uint16_t kDomain = 3;
inline constexpr std::uint16_t kAlias = 4;
inline constexpr std::uint16_t kWellKnownGroup = 5;
inline constexpr std::uint16_t kUnknown = 8;
}  // namespace sid_use

bool FindWellKnownSid(const Sid& sid, AccountName* found);
// `domain` may be empty: then the name alone decides. English names, without case.
bool FindWellKnownName(std::u16string_view domain, std::u16string_view name, Sid* sid, AccountName* found);

}  // namespace holdfast
