// [MS-PAC] 2.5: the user and the groups that a KDC asserts. Decoding only; whether the PAC may be believed is decided by
// auth/kerberos_identity.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/clock.h"
#include "protocol/dtyp/sid.h"
#include "protocol/erref/result.h"

namespace holdfast {

// A group and its SE_GROUP_* attributes, [MS-PAC] 2.2.1.
struct PacGroup {
  Sid sid;
  std::uint32_t attributes = 0;
};

inline constexpr std::uint32_t kSeGroupEnabled = 0x00000004;
// LogoffTime and KickOffTime when there is no limit.
inline constexpr FileTime kPacNever = 0x7FFFFFFFFFFFFFFFULL;

// The part of KERB_VALIDATION_INFO that a file server uses.
struct PacLogonInfo {
  FileTime logoff_time = kPacNever;
  FileTime kick_off_time = kPacNever;
  std::u16string effective_name;
  std::u16string logon_domain_name;
  Sid logon_domain_id;
  std::uint32_t user_id = 0;           // RID
  std::uint32_t primary_group_id = 0;  // RID
  std::vector<PacGroup> groups;           // GroupIds below LogonDomainId
  std::vector<PacGroup> extra_sids;       // any domain
  std::vector<PacGroup> resource_groups;  // ResourceGroupIds below ResourceGroupDomainSid

  Sid user_sid() const { return logon_domain_id.WithRid(user_id); }
};

// Buffer type 1 (LOGON_INFO): KERB_VALIDATION_INFO behind the headers of NDR type serialization version 1, [MS-RPCE] 2.2.6.
// STATUS_INVALID_TOKEN when a length, a count or a pointer does not hold.
Result<PacLogonInfo> DecodeLogonInfo(ByteView buffer);

}  // namespace holdfast
