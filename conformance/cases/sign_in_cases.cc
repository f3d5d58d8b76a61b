// Who gets in, who does not, and what becomes of sessions that are renewed or taken over.
#include "conformance/cases/bed.h"

namespace holdfast::client {
namespace {

Task<NtStatus> StatusOfSignIn(Bed& bed, Credentials credentials) {
  ConnectionPtr connection = co_await bed.Connect();
  const auto session = co_await Session::SignIn(connection, std::move(credentials));
  connection->Close();
  co_return session.status();
}

// What a session that is gone answers to its next request.
Task<NtStatus> StatusOfUse(SessionPtr session) {
  const auto tree = co_await Tree::Connect(session, Bed::Unc("scratch"));
  co_return tree.status();
}

smb2::CreateRequest Exclusive(const std::string& name) {
  auto request = FileRequest(name, smb2::CreateDisposition::kOpenIf);
  request.share_access = 0;
  return request;
}

}  // namespace

CASE(SignIn, WrongPasswordAndUnknownUserLookAlike) {
  Credentials wrong = Bed::Alice();
  wrong.password += "x";
  EXPECT_EQ(co_await StatusOfSignIn(bed, wrong), NtStatus::kLogonFailure);
  Credentials unknown = Bed::Alice();
  unknown.user = "nobody-of-that-name";
  EXPECT_EQ(co_await StatusOfSignIn(bed, unknown), NtStatus::kLogonFailure);
  Credentials no_password = Bed::Alice();
  no_password.password.clear();
  EXPECT_EQ(co_await StatusOfSignIn(bed, no_password), NtStatus::kLogonFailure);
}

CASE(SignIn, FailureLeavesTheConnectionUsable) {
  const ConnectionPtr connection = co_await bed.Connect();
  Credentials wrong = Bed::Alice();
  wrong.password += "x";
  const auto refused = co_await Session::SignIn(connection, wrong);
  EXPECT_EQ(refused.status(), NtStatus::kLogonFailure);
  const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
  EXPECT_EQ(co_await StatusOfEcho(session), NtStatus::kSuccess);
}

CASE(SignIn, GarbageTokenIsRefused) {
  const ConnectionPtr connection = co_await bed.Connect();
  const Bytes garbage = Pattern(200, 3);
  Bytes body = {25, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 88, 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  body.insert(body.end(), garbage.begin(), garbage.end());
  const CallOptions options;
  const auto answer = co_await connection->CallEncoded(smb2::Command::kSessionSetup, body, options);
  EXPECT_TRUE(answer.ok() && IsError(answer->status()));
  EXPECT_NE(answer.ok() ? answer->status() : answer.status(), NtStatus::kMoreProcessingRequired);
}

CASE(SignIn, RenewalKeepsHandlesAndKeys) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const SessionPtr session = tree->session();
  const std::string name = Bed::Fresh("renewed");
  const smb2::FileId file = co_await Opened(tree, FileRequest(name, smb2::CreateDisposition::kCreate));
  const Bytes data = Pattern(1000, 1);
  co_await WriteAll(tree, file, 0, data);

  EXPECT_EQ(co_await session->Renew(Bed::Alice()), NtStatus::kSuccess);
  EXPECT_EQ(co_await ReadAll(tree, file, 0, data.size()), data);
  EXPECT_EQ(co_await session->Renew(Bed::Alice()), NtStatus::kSuccess);
  EXPECT_EQ(co_await tree->Close(file), NtStatus::kSuccess);
}

CASE(SignIn, RenewalOfAnEncryptedSession) {
  const ConnectionPtr connection = co_await bed.Connect();
  const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
  session->set_encrypt(true);
  const TreePtr tree = co_await bed.Mount(session, "secure");
  const smb2::FileId file = co_await Opened(tree, FileRequest(Bed::Fresh("renewed"), smb2::CreateDisposition::kCreate));
  EXPECT_EQ(co_await session->Renew(Bed::Alice()), NtStatus::kSuccess);
  EXPECT_EQ(co_await tree->Close(file), NtStatus::kSuccess);
}

CASE(SignIn, FailedRenewalEndsTheSession) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const SessionPtr session = tree->session();
  const std::string name = Bed::Fresh("lost");
  (void)co_await Opened(tree, Exclusive(name));
  Credentials wrong = Bed::Alice();
  wrong.password += "x";
  EXPECT_EQ(co_await session->Renew(wrong), NtStatus::kLogonFailure);
  EXPECT_EQ(co_await StatusOfUse(session), NtStatus::kUserSessionDeleted);

  const TreePtr other = co_await bed.Mount("scratch");
  EXPECT_EQ(co_await StatusOfCreate(other, Exclusive(name)), NtStatus::kSuccess) << "its opens are closed";
}

CASE(SignIn, RenewalBySomebodyElseEndsTheSession) {
  const SessionPtr session = co_await bed.SignIn();
  EXPECT_NE(co_await session->Renew(Bed::Bob()), NtStatus::kSuccess);
  EXPECT_EQ(co_await StatusOfUse(session), NtStatus::kUserSessionDeleted);
}

CASE(SignIn, PreviousSessionIsTakenOver) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const std::string name = Bed::Fresh("taken over");
  (void)co_await Opened(tree, Exclusive(name));

  const ConnectionPtr second = co_await bed.Connect();
  const auto taken = Need(co_await Session::SignIn(second, Bed::Alice(), tree->session()->id()), "sign-in");
  EXPECT_EQ(co_await StatusOfUse(tree->session()), NtStatus::kUserSessionDeleted);
  const TreePtr other = co_await bed.Mount(taken, "scratch");
  EXPECT_EQ(co_await StatusOfCreate(other, Exclusive(name)), NtStatus::kSuccess) << "its opens are closed";
}

CASE(SignIn, PreviousSessionOfSomebodyElseStays) {
  const SessionPtr alice = co_await bed.SignIn();
  const ConnectionPtr second = co_await bed.Connect();
  const auto bob = Need(co_await Session::SignIn(second, Bed::Bob(), alice->id()), "sign-in");
  EXPECT_EQ(co_await StatusOfEcho(alice), NtStatus::kSuccess);
  EXPECT_EQ(co_await StatusOfEcho(bob), NtStatus::kSuccess);
}

CASE(SignIn, LogoffEndsTreesAndOpens) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const std::string name = Bed::Fresh("logoff");
  (void)co_await Opened(tree, Exclusive(name));
  EXPECT_EQ(co_await tree->session()->Logoff(), NtStatus::kSuccess);
  EXPECT_EQ(co_await StatusOfUse(tree->session()), NtStatus::kUserSessionDeleted);
  const TreePtr other = co_await bed.Mount("scratch");
  EXPECT_EQ(co_await StatusOfCreate(other, Exclusive(name)), NtStatus::kSuccess);
}

CASE(SignIn, TwoUsersShareAConnection) {
  const ConnectionPtr connection = co_await bed.Connect();
  const SessionPtr alice = co_await bed.SignIn(connection, Bed::Alice());
  const SessionPtr bob = co_await bed.SignIn(connection, Bed::Bob());
  const TreePtr of_alice = co_await bed.Mount(alice, "scratch");
  const TreePtr of_bob = co_await bed.Mount(bob, "scratch");
  const std::string name = Bed::Fresh("two");
  const smb2::FileId file = co_await Opened(of_alice, FileRequest(name, smb2::CreateDisposition::kCreate));
  // A handle is a number of one session only.
  EXPECT_EQ(co_await of_bob->Flush(file), NtStatus::kFileClosed);
  EXPECT_EQ(co_await alice->Logoff(), NtStatus::kSuccess);
  EXPECT_EQ(co_await StatusOfOpen(of_bob, name), NtStatus::kSuccess);
}

}  // namespace holdfast::client
