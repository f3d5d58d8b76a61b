// Extended attributes of an inode as a list.
#pragma once

#include <vector>

#include "protocol/erref/result.h"
#include "storage/volume/volume.h"

namespace holdfast {

// [MS-FSA] 2.1.5.15.6: each replaces the one of its name, case-blind; one without a value removes it. Updates
// `ea_bytes`. kInvalidEaName, kInvalidEaFlag; kEaTooLarge above 64 KiB - 5 in all: `inode` is then as it was.
NtStatus MergeEas(Inode& inode, std::vector<ExtendedAttribute> eas);

}  // namespace holdfast
