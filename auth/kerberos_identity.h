// Who a Kerberos client is: only what a PAC says whose server signature we checked ourselves.
#pragma once

#include <string>
#include <vector>

#include "auth/authenticator.h"
#include "auth/gss_handles.h"
#include "auth/identity_policy.h"
#include "auth/keytab.h"

namespace holdfast {

struct KerberosPolicy {
  std::vector<std::string> client_realms;
  std::uint32_t clock_skew_s = 300;
};

// Fills `identity` from an established Kerberos context. The GSS library accepts an AP-REQ whose PAC is absent, forged or for
// somebody else and merely withholds it, so every one of these is refused here: STATUS_LOGON_FAILURE, or STATUS_ACCESS_DENIED for
// a client of a realm that is not allowed. `detail` gets the cause for the log.
NtStatus KerberosIdentity(gss_ctx_id_t context, gss_name_t client, const Keytab& keytab, const KerberosPolicy& policy,
                          const IdentityPolicy& identity_policy, Identity& identity, std::string& detail);

}  // namespace holdfast
