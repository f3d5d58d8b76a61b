// [MS-DTYP] 2.3.4.2: a GUID in its wire order (first three fields little-endian).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

#include "protocol/base/random.h"

namespace holdfast {

struct Guid {
  std::array<std::uint8_t, 16> bytes{};

  bool IsZero() const { return *this == Guid{}; }
  auto operator<=>(const Guid&) const = default;
  std::string ToString() const;  // "6a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
  static Guid Generate(Random& random);  // version 4
};

}  // namespace holdfast

template <>
struct std::hash<holdfast::Guid> {
  std::size_t operator()(const holdfast::Guid& g) const noexcept {
    std::uint64_t a, b;
    std::memcpy(&a, g.bytes.data(), 8);
    std::memcpy(&b, g.bytes.data() + 8, 8);
    return static_cast<std::size_t>(a ^ (b * 0x9E3779B97F4A7C15ULL));
  }
};
