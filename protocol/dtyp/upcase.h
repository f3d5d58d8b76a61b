// How names are compared: one UTF-16 unit to one unit, as Windows volumes do ([MS-FSA] 2.1.1.1 case folding).
// The table is part of the volume format: a stored key made with version 1 must be found with version 1 for ever.
#pragma once

#include <string>
#include <string_view>

namespace holdfast {

inline constexpr int kUpcaseVersion = 1;

// Simple upper case of the Basic Multilingual Plane; surrogates and units without a one-unit upper case are unchanged.
char16_t Upcase(char16_t unit);
std::u16string UpcaseName(std::u16string_view name);
bool EqualsIgnoringCase(std::u16string_view a, std::u16string_view b);

}  // namespace holdfast
