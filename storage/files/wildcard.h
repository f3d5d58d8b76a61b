// Search patterns of QUERY_DIRECTORY, [MS-FSA] 2.1.4.3 and 2.1.4.4.
#pragma once

#include <string>
#include <string_view>

namespace holdfast {

// '*' '?' and the three that clients write for patterns of DOS: '<' DOS_STAR, '>' DOS_QM, '"' DOS_DOT.
bool HasWildcards(std::u16string_view pattern);

// Whether `name` is in the expression, case-blind by Upcase(). "*" and "*.*" match every name. Takes at most
// |pattern| * |name| steps, whatever the pattern.
bool MatchesPattern(std::u16string_view pattern, std::u16string_view name);

}  // namespace holdfast
