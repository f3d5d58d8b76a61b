// The machine's own name where the configuration gives none.
#pragma once

#include <string>
#include <string_view>

namespace holdfast {

// The first label of the host name, in capitals, at most 15 characters ([MS-NBTE] 1.8).
std::string LocalNetbiosName();
std::string LowerAscii(std::string_view text);

}  // namespace holdfast
