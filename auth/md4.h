// MD4, [RFC 1320]. Only for the NT hash of a password, which [MS-NLMP] 3.3.1 builds on it; OpenSSL keeps MD4 in a provider
// that many systems do not load.
#pragma once

#include <array>
#include <cstdint>

#include "protocol/base/bytes.h"

namespace holdfast {

std::array<std::uint8_t, 16> Md4(ByteView message);

}  // namespace holdfast
