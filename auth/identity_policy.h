// From names and hashes, or a verified PAC, to a security token: which SIDs a mechanism may assert and which we add.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "auth/authenticator.h"
#include "auth/ntlm_users.h"
#include "auth/pac.h"

namespace holdfast {

struct IdentityPolicy {
  std::vector<Sid> administrators;
  // The SID of our own users' domain: nobody else may assert SIDs below it.
  std::optional<Sid> machine_sid;
};

// The SIDs of domains, of Entra and of the authentication authority pass; well-known, builtin and our own machine's do not:
// an account authority says who somebody is elsewhere, not what he may do here. [MS-PAC] 4.1.2.2
bool MayAssert(const Sid& sid, const IdentityPolicy& policy);

// Adds Everyone, Network, Authenticated Users, Users, and Administrators with its privileges where the policy says so.
void AddLocalGroups(SecurityToken& token, const IdentityPolicy& policy);

// nullopt when the user's own SID may not be asserted.
std::optional<SecurityToken> TokenFromPac(const PacLogonInfo& info, const IdentityPolicy& policy);
SecurityToken TokenFromNtlmUser(const NtlmUser& user, const Sid& machine_sid, const IdentityPolicy& policy);

}  // namespace holdfast
