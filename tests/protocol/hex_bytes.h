// Byte literals as a specification prints them.
#pragma once

#include <string_view>

#include "protocol/base/bytes.h"
#include "protocol/base/check.h"

namespace holdfast {

// "fe 53 4d 42": lower-case hexadecimal digits in pairs, white space between them ignored.
inline Bytes HexBytes(std::string_view text) {
  Bytes bytes;
  int high = -1;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto at = kDigits.find(c);
    HOLDFAST_CHECK(at != std::string_view::npos);
    const int digit = static_cast<int>(at);
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<std::uint8_t>(high << 4 | digit));
      high = -1;
    }
  }
  HOLDFAST_CHECK(high < 0);
  return bytes;
}

}  // namespace holdfast
