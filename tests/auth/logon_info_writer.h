// KERB_VALIDATION_INFO as a KDC writes it: the other direction of auth/pac.h.
#pragma once

#include "auth/pac.h"

namespace holdfast {

// Extra SIDs as they are; GroupIds and ResourceGroupIds by their last sub-authority, all resource groups below the first one's domain.
Bytes EncodeLogonInfo(const PacLogonInfo& info);

}  // namespace holdfast
