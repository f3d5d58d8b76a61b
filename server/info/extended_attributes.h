// [MS-FSCC] 2.4.16: FileFullEaInformation, and extended attributes between wire and storage.
#pragma once

#include <vector>

#include "protocol/fscc/extended_attributes.h"
#include "server/info/info_class.h"

namespace holdfast::info {

Task<QueryResult> QueryFullEa(InfoQuery query);
Task<NtStatus> SetFullEa(InfoSet set);

}  // namespace holdfast::info

namespace holdfast {

std::vector<ExtendedAttribute> FromWire(std::vector<fscc::ExtendedAttribute> list);
std::vector<fscc::ExtendedAttribute> ToWire(std::vector<ExtendedAttribute> list);

}  // namespace holdfast
