#include "auth/authenticator.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "auth/gss_handles.h"
#include "auth/ntlm_users.h"
#include "tests/auth/minted_ticket.h"
#include "tests/auth/temporary_folder.h"

namespace holdfast {
namespace {

std::string ErrorOf(const AuthenticatorConfig& config) {
  std::string error;
  EXPECT_EQ(Authenticator::Create(config, &error), nullptr);
  return error;
}

bool HasOid(const Bytes& token, gss_OID oid) {
  const auto* first = static_cast<const std::uint8_t*>(oid->elements);
  return std::search(token.begin(), token.end(), first, first + oid->length) != token.end();
}

TEST(Authenticator, NamesTheKeytabThatIsNotThere) {
  AuthenticatorConfig config;
  config.keytab_path = "/nonexistent/fs.keytab";
  EXPECT_EQ(ErrorOf(config), "keytab /nonexistent/fs.keytab: No such file or directory");
}

TEST(Authenticator, NamesTheKeytabThatIsNone) {
  const TemporaryFolder folder;
  AuthenticatorConfig config;
  for (const std::string& content : {std::string(), std::string("garbage"), std::string("\x05\x02\x00\x00\x00\x40half", 10)}) {
    config.keytab_path = folder.Write("keytab", content);
    EXPECT_NE(ErrorOf(config).find("keytab " + config.keytab_path + ": "), std::string::npos);
  }
  config.keytab_path = folder.File("");
  EXPECT_NE(ErrorOf(config).find("it is not a regular file"), std::string::npos);
}

TEST(Authenticator, NamesTheKeytabWithoutAesKey) {
  const TemporaryFolder folder;
  Mint().WriteRc4OnlyKeytab(folder.File("keytab"));
  AuthenticatorConfig config;
  config.keytab_path = folder.File("keytab");
  EXPECT_EQ(ErrorOf(config), "keytab " + config.keytab_path + ": it holds no AES key");
}

TEST(Authenticator, NamesTheUsersFileAndItsLine) {
  const TemporaryFolder folder;
  AuthenticatorConfig config;
  config.ntlm_enabled = true;
  config.ntlm_users_path = "/nonexistent/users";
  EXPECT_EQ(ErrorOf(config), "users file /nonexistent/users: No such file or directory");
  config.ntlm_users_path = folder.Write("users", "holdfast-users:1:S-1-5-21-1-2-3\nalice:secret\n");
  EXPECT_EQ(ErrorOf(config), "users file " + config.ntlm_users_path + ", line 2: expected name:rid:hash:flags:groups");
}

TEST(Authenticator, RefusesAConfigurationThatLetsNobodyIn) {
  EXPECT_NE(ErrorOf({}).find("neither a keytab nor NTLM"), std::string::npos);
}

// [MS-SPNG] 2.2.1: NegTokenInit2 lists the mechanisms that are configured and no others.
TEST(Authenticator, HintsAtTheConfiguredMechanismsOnly) {
  const TemporaryFolder folder;
  Mint().WriteKeytab(folder.File("keytab"));
  std::string error;
  ASSERT_TRUE(AddNtlmUser(folder.File("users"), "alice", "x", {}, &error)) << error;
  for (const bool kerberos : {true, false}) {
    for (const bool ntlm : {true, false}) {
      if (!kerberos && !ntlm) continue;
      AuthenticatorConfig config;
      if (kerberos) config.keytab_path = folder.File("keytab");
      config.ntlm_enabled = ntlm;
      config.ntlm_users_path = folder.File("users");
      const auto authenticator = Authenticator::Create(config, &error);
      ASSERT_NE(authenticator, nullptr) << error;
      const Bytes& hint = authenticator->NegotiateHint();
      ASSERT_FALSE(hint.empty());
      EXPECT_EQ(hint[0], 0x60);
      EXPECT_EQ(HasOid(hint, KerberosMechanism()), kerberos);
      EXPECT_EQ(HasOid(hint, NtlmMechanism()), ntlm);
    }
  }
}

}  // namespace
}  // namespace holdfast
