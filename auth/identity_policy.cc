#include "auth/identity_policy.h"

#include <algorithm>
#include <unordered_set>

namespace holdfast {
namespace {

const Sid& BackupOperators() {
  static const Sid sid(5, {32, 551});
  return sid;
}

void AddGroup(SecurityToken& token, const Sid& sid) {
  if (!token.Contains(sid)) token.groups.push_back(sid);
}

}  // namespace

bool MayAssert(const Sid& sid, const IdentityPolicy& policy) {
  const bool domain = sid.authority == 5 && sid.count >= 5 && sid.sub[0] == 21;  // S-1-5-21-a-b-c-rid
  const bool entra = sid.authority == 12 && sid.count == 5 && sid.sub[0] == 1;   // S-1-12-1-a-b-c-d
  const bool authority = sid.authority == 18 && sid.count == 1;                  // S-1-18-1, S-1-18-2 and so on
  if (!domain && !entra && !authority) return false;
  return !policy.machine_sid || !sid.StartsWith(*policy.machine_sid);
}

void AddLocalGroups(SecurityToken& token, const IdentityPolicy& policy) {
  AddGroup(token, well_known::Everyone());
  AddGroup(token, well_known::Network());
  AddGroup(token, well_known::AuthenticatedUsers());
  AddGroup(token, well_known::Users());
  const auto& administrators = policy.administrators;
  if (std::any_of(administrators.begin(), administrators.end(), [&](const Sid& sid) { return token.Contains(sid); }))
    AddGroup(token, well_known::Administrators());
  if (token.is_administrator()) token.backup = token.restore = token.take_ownership = token.security = true;
  if (token.Contains(BackupOperators())) token.backup = token.restore = true;
}

std::optional<SecurityToken> TokenFromPac(const PacLogonInfo& info, const IdentityPolicy& policy) {
  SecurityToken token;
  token.user = info.user_sid();
  if (token.user.authority == 18 || !MayAssert(token.user, policy)) return std::nullopt;

  // A token may carry more than a thousand SIDs: no quadratic search for doubles.
  const auto hash = [](const Sid& sid) {
    std::size_t h = static_cast<std::size_t>(sid.authority);
    for (std::size_t i = 0; i < sid.count; ++i) h = h * 1000003u + sid.sub[i];
    return h;
  };
  std::unordered_set<Sid, decltype(hash)> seen(16, hash);
  seen.insert(token.user);
  for (const auto* groups : {&info.groups, &info.extra_sids, &info.resource_groups}) {
    for (const PacGroup& group : *groups) {
      if ((group.attributes & kSeGroupEnabled) && MayAssert(group.sid, policy) && seen.insert(group.sid).second)
        token.groups.push_back(group.sid);
    }
  }

  // A cloud-only user's SID is no domain's: a RID below it names no group.
  token.primary_group = token.user;
  if (token.user.authority == 5) token.primary_group = info.logon_domain_id.WithRid(info.primary_group_id);
  AddLocalGroups(token, policy);
  return token;
}

SecurityToken TokenFromNtlmUser(const NtlmUser& user, const Sid& machine_sid, const IdentityPolicy& policy) {
  constexpr std::uint32_t kDomainUsers = 513;  // called "None" on a machine of its own
  SecurityToken token;
  token.user = machine_sid.WithRid(user.rid);
  token.primary_group = machine_sid.WithRid(kDomainUsers);
  token.groups.push_back(token.primary_group);
  for (const Sid& group : user.groups) AddGroup(token, group);
  AddLocalGroups(token, policy);
  return token;
}

}  // namespace holdfast
