// [MS-DTYP] 2.5.2: who asks. Made by auth/, consumed by the access check; a plain value.
#pragma once

#include <string>
#include <vector>

#include "protocol/dtyp/sid.h"

namespace holdfast {

struct SecurityToken {
  Sid user;
  Sid primary_group;
  std::vector<Sid> groups;  // well-known ones (Everyone, Network, Authenticated Users) included
  // Privileges, [MS-DTYP] 2.5.1 / [MS-LSAD] 3.1.1.2.1.
  bool backup = false;          // SeBackupPrivilege: read for backup intent
  bool restore = false;         // SeRestorePrivilege: write for backup intent, set any owner
  bool take_ownership = false;  // SeTakeOwnershipPrivilege
  bool security = false;        // SeSecurityPrivilege: ACCESS_SYSTEM_SECURITY
  bool is_administrator() const;
  bool Contains(const Sid& sid) const;  // the user or one of the groups
};

}  // namespace holdfast
