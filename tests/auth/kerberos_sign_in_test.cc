#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/authenticator.h"
#include "auth/ntlm_users.h"
#include "protocol/dtyp/unicode.h"
#include "tests/auth/initiator.h"
#include "tests/auth/minted_ticket.h"
#include "tests/auth/temporary_folder.h"

namespace holdfast {
namespace {

class KerberosSignIn : public testing::Test {
 protected:
  void SetUp() override {
    mint_.WriteKeytab(folder_.File("keytab"), /*with_rc4=*/true);
    config_.keytab_path = folder_.File("keytab");
    config_.replay_cache_path = folder_.File("replay");
    config_.netbios_name = "FS";
    std::string error;
    authenticator_ = Authenticator::Create(config_, &error);
    ASSERT_NE(authenticator_, nullptr) << error;
    spec_.logon_info = CloudLogonInfo();
  }

  AuthStep Try(gss_OID mechanism = SpnegoMechanism()) {
    initiator_ = Initiator::Kerberos(mint_.Ticket(spec_), spec_.service + "@" + spec_.realm, mechanism);
    exchange_ = authenticator_->Begin();
    return SignIn(initiator_, *exchange_);
  }

  void ExpectRefused(NtStatus status, const std::string& cause) {
    const AuthStep step = Try();
    EXPECT_EQ(step.status, status) << NtStatusName(step.status) << ": " << step.detail;
    EXPECT_NE(step.detail.find(cause), std::string::npos) << step.detail;
  }

  TemporaryFolder folder_;
  Mint mint_;
  AuthenticatorConfig config_;
  std::unique_ptr<Authenticator> authenticator_;
  TicketSpec spec_;
  Initiator initiator_;
  std::unique_ptr<AuthExchange> exchange_;
};

TEST_F(KerberosSignIn, GivesBothSidesTheSameKey) {
  for (gss_OID mechanism : {SpnegoMechanism(), KerberosMechanism()}) {
    const AuthStep step = Try(mechanism);
    ASSERT_EQ(step.status, NtStatus::kSuccess) << step.detail;
    EXPECT_TRUE(initiator_.complete()) << initiator_.error();
    EXPECT_EQ(exchange_->identity().session_key.size(), 32u);
    EXPECT_EQ(exchange_->identity().session_key, initiator_.SessionKey());
    EXPECT_TRUE(exchange_->identity().kerberos);
  }
}

TEST_F(KerberosSignIn, GivesACloudOnlyUserTheSidsOfThePac) {
  const AuthStep step = Try();
  ASSERT_EQ(step.status, NtStatus::kSuccess) << step.detail;
  const Identity& identity = exchange_->identity();
  EXPECT_EQ(identity.token.user, CloudLogonInfo().user_sid());
  EXPECT_TRUE(identity.token.Contains(*Sid::Parse("S-1-12-1-1-2-3-4")));
  EXPECT_TRUE(identity.token.Contains(well_known::AuthenticatedUsers()));
  EXPECT_EQ(Utf16ToUtf8(identity.account_name), "alice@example.test");
  EXPECT_EQ(Utf16ToUtf8(identity.domain_name), "AzureAD");
}

TEST_F(KerberosSignIn, GivesAHybridUserDomainAndResourceGroups) {
  spec_.logon_info = HybridLogonInfo();
  const AuthStep step = Try();
  ASSERT_EQ(step.status, NtStatus::kSuccess) << step.detail;
  for (const char* rid : {"513", "1105", "2001"})
    EXPECT_TRUE(exchange_->identity().token.Contains(*Sid::Parse(std::string("S-1-5-21-1004336348-1177238915-682003330-") + rid))) << rid;
}

TEST_F(KerberosSignIn, CarriesOneThousandAndTenGroups) {
  spec_.logon_info.extra_sids.clear();
  for (std::uint32_t i = 0; i < 1010; ++i)
    spec_.logon_info.extra_sids.push_back({Sid(12, {1, 0x80000000u + i, 0x5A5A5A5A, 0x5A5A5A5A, 0x5A5A5A5A}), 7});
  const AuthStep step = Try();
  ASSERT_EQ(step.status, NtStatus::kSuccess) << step.detail;
  EXPECT_TRUE(exchange_->identity().token.Contains(spec_.logon_info.extra_sids.back().sid));
  EXPECT_EQ(exchange_->identity().token.groups.size(), 1010u + 4u);
}

TEST_F(KerberosSignIn, EndsWithTheTicketNotWithTheSkew) {
  const AuthStep step = Try();
  ASSERT_EQ(step.status, NtStatus::kSuccess) << step.detail;
  ASSERT_TRUE(exchange_->identity().expires);
  const FileTime now = kFileTimeOfUnixEpoch + static_cast<FileTime>(::time(nullptr)) * 10'000'000ULL;
  const auto left_s = static_cast<std::int64_t>(*exchange_->identity().expires - now) / 10'000'000;
  EXPECT_NEAR(static_cast<double>(left_s), 3600.0, 5.0);
}

TEST_F(KerberosSignIn, EndsEarlierWhenThePacSaysSo) {
  spec_.logon_info.kick_off_time = kFileTimeOfUnixEpoch + static_cast<FileTime>(::time(nullptr) + 100) * 10'000'000ULL;
  const AuthStep step = Try();
  ASSERT_EQ(step.status, NtStatus::kSuccess) << step.detail;
  EXPECT_EQ(*exchange_->identity().expires, spec_.logon_info.kick_off_time);
}

// The library accepts each of these four and withholds the PAC.
TEST_F(KerberosSignIn, RefusesATicketWithoutPac) {
  spec_.fault = PacFault::kNoPac;
  ExpectRefused(NtStatus::kLogonFailure, "no PAC");
  EXPECT_TRUE(Try().reply.empty());
}

TEST_F(KerberosSignIn, RefusesAPacWithoutLogonInfo) {
  spec_.fault = PacFault::kNoLogonInfo;
  ExpectRefused(NtStatus::kLogonFailure, "LOGON_INFO");
}

TEST_F(KerberosSignIn, RefusesAChangedLogonInfo) {
  spec_.fault = PacFault::kLogonInfoChanged;
  ExpectRefused(NtStatus::kLogonFailure, "does not hold");
}

TEST_F(KerberosSignIn, RefusesThePacOfAnotherUserOrTime) {
  spec_.fault = PacFault::kOtherName;
  ExpectRefused(NtStatus::kLogonFailure, "does not hold");
  spec_.fault = PacFault::kOtherTime;
  ExpectRefused(NtStatus::kLogonFailure, "does not hold");
}

TEST_F(KerberosSignIn, RefusesAnotherKey) {
  spec_.key = TicketKey::kOther;
  ExpectRefused(NtStatus::kLogonFailure, "");
}

TEST_F(KerberosSignIn, RefusesRc4ThoughTheKeytabHasTheKey) {
  spec_.key = TicketKey::kRc4;
  ExpectRefused(NtStatus::kLogonFailure, "");
}

TEST_F(KerberosSignIn, RefusesAnotherRealmsClient) {
  spec_.client_realm = "EVIL.EXAMPLE";
  ExpectRefused(NtStatus::kAccessDenied, "EVIL.EXAMPLE");
}

TEST_F(KerberosSignIn, TakesClientsOfAConfiguredRealm) {
  config_.client_realms = {"CONTOSO.TEST"};
  std::string error;
  authenticator_ = Authenticator::Create(config_, &error);
  ASSERT_NE(authenticator_, nullptr) << error;
  ExpectRefused(NtStatus::kAccessDenied, "KERBEROS.MICROSOFTONLINE.COM");
  spec_.client_realm = "CONTOSO.TEST";
  spec_.logon_info = HybridLogonInfo();
  const AuthStep step = Try();
  EXPECT_EQ(step.status, NtStatus::kSuccess) << step.detail;
}

TEST_F(KerberosSignIn, RefusesTicketsOutsideTheirTime) {
  spec_.start_s = -7200;
  spec_.end_s = -3600;
  ExpectRefused(NtStatus::kLogonFailure, "");
  spec_.end_s = -200;  // within the clock skew
  EXPECT_EQ(Try().status, NtStatus::kSuccess);
  spec_.start_s = 3600;
  spec_.end_s = 7200;
  EXPECT_TRUE(IsError(Try().status));
}

TEST_F(KerberosSignIn, TakesAnyNameOfTheServiceWithItsKey) {
  for (const char* name : {"CIFS/FS.EXAMPLE.TEST", "host/fs", "cifs/alias.example.test"}) {
    spec_.service = name;
    const AuthStep step = Try();
    EXPECT_EQ(step.status, NtStatus::kSuccess) << name << ": " << step.detail;
  }
}

TEST_F(KerberosSignIn, RefusesAReplayedToken) {
  auto initiator = Initiator::Kerberos(mint_.Ticket(spec_), spec_.service + "@" + spec_.realm, SpnegoMechanism());
  const Bytes token = initiator.Step({});
  EXPECT_EQ(authenticator_->Begin()->Accept(token).status, NtStatus::kSuccess);
  const AuthStep again = authenticator_->Begin()->Accept(token);
  EXPECT_EQ(again.status, NtStatus::kLogonFailure);
  EXPECT_NE(again.detail.find("replay"), std::string::npos) << again.detail;
}

// Not the user's fault: a renewal that fails so must not cost a session its opens.
TEST_F(KerberosSignIn, AReplayCacheThatCannotBeWrittenIsAFaultOfThisMachine) {
  ASSERT_EQ(::mkdir(config_.replay_cache_path.c_str(), 0700), 0);
  for (gss_OID mechanism : {SpnegoMechanism(), KerberosMechanism()}) {
    const AuthStep step = Try(mechanism);
    EXPECT_EQ(step.status, NtStatus::kInsufficientResources) << NtStatusName(step.status) << ": " << step.detail;
  }
  ASSERT_EQ(::rmdir(config_.replay_cache_path.c_str()), 0);
  EXPECT_EQ(Try().status, NtStatus::kSuccess);
}

TEST_F(KerberosSignIn, SurvivesTruncationsAndChangedBits) {
  auto initiator = Initiator::Kerberos(mint_.Ticket(spec_), spec_.service + "@" + spec_.realm, SpnegoMechanism());
  const Bytes token = initiator.Step({});
  for (std::size_t cut = 0; cut < token.size(); cut += 5)
    EXPECT_NE(authenticator_->Begin()->Accept(ByteView(token).first(cut)).status, NtStatus::kSuccess) << cut;
  const Sid user = spec_.logon_info.user_sid();
  for (std::size_t at = 0; at < token.size(); at += 3) {
    Bytes changed = token;
    changed[at] ^= 1;
    auto exchange = authenticator_->Begin();
    // Fields outside the encryption may change; whoever gets in is still the same user.
    if (exchange->Accept(changed).status == NtStatus::kSuccess) {
      EXPECT_EQ(exchange->identity().token.user, user) << at;
    }
  }
}

TEST_F(KerberosSignIn, TakesOverARotatedKeytab) {
  EXPECT_EQ(Try().status, NtStatus::kSuccess);
  mint_.NewServiceKey();
  EXPECT_EQ(Try().status, NtStatus::kLogonFailure);
  mint_.WriteKeytab(config_.keytab_path);
  const AuthStep step = Try();
  EXPECT_EQ(step.status, NtStatus::kSuccess) << step.detail;
  folder_.Write("keytab", "garbage");
  EXPECT_EQ(Try().status, NtStatus::kSuccess);
  EXPECT_NE(authenticator_->ReloadError().find(config_.keytab_path), std::string::npos);
}

TEST_F(KerberosSignIn, StandsBesideNtlm) {
  std::string error;
  config_.ntlm_enabled = true;
  config_.ntlm_users_path = folder_.File("users");
  ASSERT_TRUE(AddNtlmUser(config_.ntlm_users_path, "bob", "Passw0rd-bob", {}, &error)) << error;
  authenticator_ = Authenticator::Create(config_, &error);
  ASSERT_NE(authenticator_, nullptr) << error;
  EXPECT_EQ(Try().status, NtStatus::kSuccess);
  auto initiator = Initiator::Ntlm("WORKGROUP", "bob", "Passw0rd-bob", SpnegoMechanism());
  auto exchange = authenticator_->Begin();
  const AuthStep step = SignIn(initiator, *exchange);
  EXPECT_EQ(step.status, NtStatus::kSuccess) << step.detail;
  EXPECT_FALSE(exchange->identity().kerberos);
}

TEST_F(KerberosSignIn, LeavesNtlmOutUnlessConfigured) {
  for (gss_OID mechanism : {SpnegoMechanism(), NtlmMechanism()}) {
    auto initiator = Initiator::Ntlm("WORKGROUP", "bob", "Passw0rd-bob", mechanism);
    auto exchange = authenticator_->Begin();
    EXPECT_TRUE(IsError(exchange->Accept(initiator.Step({})).status));
  }
}

}  // namespace
}  // namespace holdfast
