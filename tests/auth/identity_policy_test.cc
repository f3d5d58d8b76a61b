#include "auth/identity_policy.h"

#include <gtest/gtest.h>

#include "tests/auth/minted_ticket.h"

namespace holdfast {
namespace {

Sid S(const char* text) { return *Sid::Parse(text); }

TEST(TokenFromPac, HasTheUserAllGroupsAndTheLocalOnes) {
  const auto token = TokenFromPac(HybridLogonInfo(), {});
  ASSERT_TRUE(token);
  EXPECT_EQ(token->user, S("S-1-5-21-1004336348-1177238915-682003330-1104"));
  EXPECT_EQ(token->primary_group, S("S-1-5-21-1004336348-1177238915-682003330-513"));
  for (const char* sid : {"S-1-5-21-1004336348-1177238915-682003330-1105", "S-1-5-21-1004336348-1177238915-682003330-2001",
                          "S-1-12-1-1-2-3-4", "S-1-18-1", "S-1-1-0", "S-1-5-2", "S-1-5-11", "S-1-5-32-545"})
    EXPECT_TRUE(token->Contains(S(sid))) << sid;
  EXPECT_FALSE(token->is_administrator());
  EXPECT_FALSE(token->backup);
}

TEST(TokenFromPac, DropsSidsThatOnlyThisMachineMayGive) {
  PacLogonInfo info = CloudLogonInfo();
  for (const char* sid : {"S-1-5-32-544", "S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-3-0", "S-1-16-12288", "S-1-5-21-7-8-9-1000"})
    info.extra_sids.push_back({S(sid), 7});
  IdentityPolicy policy;
  policy.machine_sid = S("S-1-5-21-7-8-9");
  const auto token = TokenFromPac(info, policy);
  ASSERT_TRUE(token);
  for (const char* sid : {"S-1-5-32-544", "S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-3-0", "S-1-16-12288", "S-1-5-21-7-8-9-1000"})
    EXPECT_FALSE(token->Contains(S(sid))) << sid;
  EXPECT_FALSE(token->is_administrator());
}

TEST(TokenFromPac, IgnoresGroupsThatAreNotEnabled) {
  PacLogonInfo info = HybridLogonInfo();
  info.groups[1].attributes = 0x10;  // SE_GROUP_USE_FOR_DENY_ONLY
  const auto token = TokenFromPac(info, {});
  ASSERT_TRUE(token);
  EXPECT_FALSE(token->Contains(info.groups[1].sid));
}

TEST(TokenFromPac, RefusesAUserOfOurOwnMachineOrOfTheBuiltins) {
  PacLogonInfo info = HybridLogonInfo();
  IdentityPolicy policy;
  policy.machine_sid = info.logon_domain_id;
  EXPECT_FALSE(TokenFromPac(info, policy));
  info.logon_domain_id = S("S-1-5-32");
  info.user_id = 544;
  EXPECT_FALSE(TokenFromPac(info, {}));
  info.logon_domain_id = S("S-1-5");
  info.user_id = 18;
  EXPECT_FALSE(TokenFromPac(info, {}));
}

TEST(TokenFromPac, MakesTheConfiguredOnesAdministrators) {
  IdentityPolicy policy;
  policy.administrators = {S("S-1-12-1-1-2-3-4")};
  const auto token = TokenFromPac(CloudLogonInfo(), policy);
  ASSERT_TRUE(token);
  EXPECT_TRUE(token->is_administrator());
  EXPECT_TRUE(token->backup && token->restore && token->take_ownership && token->security);
}

TEST(TokenFromNtlmUser, HasTheMachinesSidAndTheGroupsOfTheFile) {
  NtlmUser user;
  user.name = "bob";
  user.rid = 1001;
  user.groups = {well_known::Administrators()};
  const SecurityToken token = TokenFromNtlmUser(user, S("S-1-5-21-7-8-9"), {});
  EXPECT_EQ(token.user, S("S-1-5-21-7-8-9-1001"));
  EXPECT_EQ(token.primary_group, S("S-1-5-21-7-8-9-513"));
  EXPECT_TRUE(token.is_administrator());
  EXPECT_TRUE(token.take_ownership);
  EXPECT_TRUE(token.Contains(well_known::Network()));
}

}  // namespace
}  // namespace holdfast
