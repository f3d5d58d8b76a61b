// What a log line may hold: peers choose some of it, such as the name they want to sign in with.
#pragma once

#include <string>
#include <string_view>

namespace holdfast {

// Control characters as \u000a, so that a line stays one line; with `json` quotes and backslashes as in a JSON string.
std::string EscapedForLog(std::string_view text, bool json);

}  // namespace holdfast
