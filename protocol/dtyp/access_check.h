// [MS-DTYP] 2.5.3.2: may this token have these rights on this descriptor?
#pragma once

#include <cstdint>

#include "protocol/dtyp/security_descriptor.h"
#include "protocol/dtyp/security_token.h"
#include "protocol/erref/ntstatus.h"

namespace holdfast {

struct AccessCheckOptions {
  // FILE_OPEN_FOR_BACKUP_INTENT: backup and restore privileges count, [MS-FSA] 2.1.5.1.
  bool backup_intent = false;
};

struct AccessCheckResult {
  NtStatus status = NtStatus::kAccessDenied;  // kSuccess, kAccessDenied or kPrivilegeNotHeld
  std::uint32_t granted = 0;                  // 0 unless kSuccess; never generic bits nor MAXIMUM_ALLOWED
};

// `desired` may hold generic bits (mapped as for files), MAXIMUM_ALLOWED and ACCESS_SYSTEM_SECURITY.
// DELETE by way of the parent's FILE_DELETE_CHILD, and read-only attributes, are the caller's ([MS-FSA] 2.1.5.1.2.1).
AccessCheckResult AccessCheck(const SecurityDescriptor& descriptor, const SecurityToken& token, std::uint32_t desired,
                              const AccessCheckOptions& options = {});

// All rights that AccessCheck would grant one by one: MaximalAccess of MxAc and of TREE_CONNECT.
std::uint32_t MaximalAccess(const SecurityDescriptor& descriptor, const SecurityToken& token);

}  // namespace holdfast
