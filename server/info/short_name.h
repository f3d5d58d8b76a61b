// 8.3 names, [MS-FSCC] 2.1.5.2.1.
#pragma once

#include <string>
#include <string_view>

namespace holdfast {

// What FileAlternateNameInformation tells of a file called `name`: the name in upper case when it is an 8.3 name
// itself; else one made from its beginning and a hash, as NTFS does in full directories: "TE021F~1.TXT". The same
// name always gives the same answer. It is only told, never looked up.
std::u16string ShortName(std::u16string_view name);

}  // namespace holdfast
