// What the server insists on before it looks at a request: [MS-SMB2] 3.3.5.2.
#include "conformance/cases/bed.h"
#include "conformance/cases/raw_socket.h"

#include "protocol/dtyp/unicode.h"
#include "protocol/fscc/fsctl.h"
#include "protocol/smb2/ioctl/validate_negotiate_info.h"
#include "protocol/smb2/messages/echo.h"
#include "protocol/smb2/messages/tree_connect.h"

namespace holdfast::client {
namespace {

using smb2::Command;
using smb2::Dialect;

// The session without its keys: what is sent for it goes out plain and unsigned.
std::shared_ptr<SessionSecurity> Keyless(const Session& session) {
  auto security = std::make_shared<SessionSecurity>();
  security->session_id = session.id();
  return security;
}

template <class M>
Task<NtStatus> StatusOf(ConnectionPtr connection, Command command, M body, CallOptions options) {
  const auto answer = co_await connection->Call(command, body, options);
  co_return answer.ok() ? answer->status() : answer.status();
}

smb2::TreeConnectRequest ToShare(const std::string& share) {
  smb2::TreeConnectRequest request;
  request.path = Utf8ToUtf16Lossy(Bed::Unc(share));
  return request;
}

}  // namespace

CASE(Admission, EncryptedShareRefusesPlainRequests) {
  const TreePtr tree = co_await bed.Mount("secure");
  CallOptions plain = tree->Options();
  plain.encrypt = false;  // signed, but not encrypted
  const auto request = FileRequest(Bed::Fresh("plain"), smb2::CreateDisposition::kCreate);
  const ConnectionPtr connection = tree->session()->connection();
  EXPECT_EQ(co_await StatusOf(connection, Command::kCreate, request, plain), NtStatus::kAccessDenied);
  EXPECT_EQ(co_await StatusOfCreate(tree, request), NtStatus::kSuccess);
}

CASE(Admission, EncryptedShareRefusesDialectsWithoutEncryption) {
  const std::vector<Dialect> dialects = {Dialect::k202, Dialect::k210};
  for (const Dialect dialect : dialects) {
    const ConnectionPtr connection = co_await bed.Connect(bed.To(dialect));
    const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
    const auto tree = co_await Tree::Connect(session, Bed::Unc("secure"));
    EXPECT_EQ(tree.status(), NtStatus::kAccessDenied) << smb2::DialectName(dialect);
  }
  ConnectOptions none = bed.To(Dialect::k311);
  none.ciphers.clear();
  const ConnectionPtr connection = co_await bed.Connect(none);
  const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
  const auto tree = co_await Tree::Connect(session, Bed::Unc("secure"));
  EXPECT_EQ(tree.status(), NtStatus::kAccessDenied) << "3.1.1 without a common cipher";
}

CASE(Admission, UnsignedRequestIsRefused) {
  const std::vector<Dialect> dialects = {Dialect::k202, Dialect::k210, Dialect::k300, Dialect::k302, Dialect::k311};
  for (const Dialect dialect : dialects) {
    const ConnectionPtr connection = co_await bed.Connect(bed.To(dialect));
    const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
    const TreePtr tree = co_await bed.Mount(session, "scratch");
    CallOptions options = tree->Options();
    options.session = Keyless(*session);
    const std::string name = Bed::Fresh("unsigned");
    const auto request = FileRequest(name, smb2::CreateDisposition::kCreate);
    EXPECT_EQ(co_await StatusOf(connection, Command::kCreate, request, options), NtStatus::kAccessDenied)
        << smb2::DialectName(dialect);
    EXPECT_FALSE(co_await Exists(tree, name));
  }
}

// Where signing is offered only: group "signing offered" of tests/system/client_test.py.
CASE(SigningOffered, UnsignedTreeConnectEndsA311Connection) {
  const SessionPtr session = co_await bed.SignIn();
  CallOptions options;
  options.session = Keyless(*session);
  const ConnectionPtr connection = session->connection();
  EXPECT_EQ(co_await StatusOf(connection, Command::kTreeConnect, ToShare("scratch"), options),
            NtStatus::kConnectionDisconnected);
  co_await bed.ExpectServerLives();
}

CASE(SigningOffered, UnsignedRequestsAreServed) {
  const std::vector<Dialect> dialects = {Dialect::k202, Dialect::k302, Dialect::k311};
  for (const Dialect dialect : dialects) {
    const ConnectionPtr connection = co_await bed.Connect(bed.To(dialect));
    const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
    const TreePtr tree = co_await bed.Mount(session, "scratch");
    CallOptions options = tree->Options();
    options.session = Keyless(*session);
    const auto request = FileRequest(Bed::Fresh("unsigned"), smb2::CreateDisposition::kCreate);
    EXPECT_EQ(co_await StatusOf(connection, Command::kCreate, request, options), NtStatus::kSuccess)
        << smb2::DialectName(dialect);
    options.flags |= smb2::kFlagSigned;
    const NtStatus forged = co_await StatusOf(connection, Command::kCreate, request, options);
    EXPECT_EQ(forged, NtStatus::kAccessDenied) << smb2::DialectName(dialect);
  }
}

CASE(Admission, WrongSignatureIsRefused) {
  const std::vector<Dialect> dialects = {Dialect::k202, Dialect::k300, Dialect::k311};
  for (const Dialect dialect : dialects) {
    const ConnectionPtr connection = co_await bed.Connect(bed.To(dialect));
    const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
    const TreePtr tree = co_await bed.Mount(session, "scratch");
    CallOptions options = tree->Options();
    options.session = Keyless(*session);
    options.flags |= smb2::kFlagSigned;  // and a signature of zeros
    const std::string name = Bed::Fresh("forged");
    const auto request = FileRequest(name, smb2::CreateDisposition::kCreate);
    const NtStatus status = co_await StatusOf(connection, Command::kCreate, request, options);
    EXPECT_TRUE(status == NtStatus::kAccessDenied || status == NtStatus::kConnectionDisconnected)
        << smb2::DialectName(dialect) << ": " << NtStatusName(status);
    const TreePtr other = co_await bed.Mount("scratch");
    EXPECT_FALSE(co_await Exists(other, name)) << smb2::DialectName(dialect);
  }
}

CASE(Admission, ChangedCiphertextEndsTheConnection) {
  const std::vector<std::uint16_t> ciphers = {1, 2, 3, 4};
  for (const std::uint16_t cipher : ciphers) {
    ConnectOptions options = bed.To(Dialect::k311);
    options.ciphers = {cipher};
    const ConnectionPtr connection = co_await bed.Connect(options);
    const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
    smb2::Header header = RawHeader(Command::kEcho, 50);
    header.session_id = session->id();
    const Bytes echo = smb2::EncodeMessage(header, smb2::EchoRequest{});
    Bytes sealed = session->security()->encryptor->Encrypt(session->id(), 1, ByteView(echo));
    sealed.back() ^= 1;
    connection->SendRaw(sealed);
    co_await bed.UntilClosed(connection);
  }
  co_await bed.ExpectServerLives();
}

CASE(Admission, EncryptionForAnotherSessionEndsTheConnection) {
  const SessionPtr session = co_await bed.SignIn();
  smb2::Header header;
  header.command = Command::kEcho;
  header.message_id = 50;
  const Bytes echo = smb2::EncodeMessage(header, smb2::EchoRequest{});
  const Bytes sealed = session->security()->encryptor->Encrypt(session->id() + 1, 1, ByteView(echo));
  session->connection()->SendRaw(sealed);
  co_await bed.UntilClosed(session->connection());
}

// 3.3.5.2.1.1: Alice's key does not let anybody speak for Bob, on whose connection she is signed in too.
CASE(Admission, EncryptionSpeaksForItsOwnSessionOnly) {
  const SessionPtr alice = co_await bed.SignIn();
  const SessionPtr bob = co_await bed.SignIn(alice->connection(), Bed::Bob());
  smb2::Header header = RawHeader(Command::kEcho, 50);
  header.session_id = bob->id();
  const Bytes echo = smb2::EncodeMessage(header, smb2::EchoRequest{});
  const Bytes sealed = alice->security()->encryptor->Encrypt(alice->id(), 1, ByteView(echo));
  alice->connection()->SendRaw(sealed);
  co_await bed.UntilClosed(alice->connection());
}

CASE(Admission, UnknownIdsAreNamed) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const ConnectionPtr connection = tree->session()->connection();
  const auto request = FileRequest(Bed::Fresh("unknown"), smb2::CreateDisposition::kCreate);

  CallOptions foreign = tree->Options();
  foreign.tree_id = tree->id() + 1000;
  EXPECT_EQ(co_await StatusOf(connection, Command::kCreate, request, foreign), NtStatus::kNetworkNameDeleted);

  CallOptions nobody = tree->Options();
  nobody.session = std::make_shared<SessionSecurity>();
  nobody.session->session_id = tree->session()->id() ^ 0x5555;
  EXPECT_EQ(co_await StatusOf(connection, Command::kCreate, request, nobody), NtStatus::kUserSessionDeleted);

  smb2::FileId file = co_await Opened(tree, request);
  smb2::FileId other = file;
  other.volatile_id += 77;
  EXPECT_EQ(co_await tree->Close(other), NtStatus::kFileClosed);
  other = file;
  other.persistent_id += 77;
  EXPECT_EQ(co_await tree->Close(other), NtStatus::kFileClosed);
  EXPECT_EQ(co_await tree->Close(file), NtStatus::kSuccess);
  EXPECT_EQ(co_await tree->Close(file), NtStatus::kFileClosed);
}

CASE(Admission, SessionsOfOtherConnectionsAreNotOurs) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const ConnectionPtr other = co_await bed.Connect();
  CallOptions options = tree->Options();
  const auto request = FileRequest(Bed::Fresh("foreign"), smb2::CreateDisposition::kCreate);
  options.session = Keyless(*tree->session());
  EXPECT_EQ(co_await StatusOf(other, Command::kCreate, request, options), NtStatus::kUserSessionDeleted);
}

// docs/decisions/0009
CASE(Admission, RefusalsOfASessionThatIsGoneHaveTheFlagAndNoSignature) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const ConnectionPtr connection = tree->session()->connection();
  CallOptions options = tree->Options();
  const auto request = FileRequest(Bed::Fresh("gone"), smb2::CreateDisposition::kCreate);
  EXPECT_EQ(co_await tree->session()->Logoff(), NtStatus::kSuccess);
  const auto refused = co_await connection->Call(Command::kCreate, request, options);
  if (!refused.ok()) throw CannotGoOn("no answer that is let through");
  EXPECT_EQ(refused->header.status(), NtStatus::kUserSessionDeleted);
  EXPECT_TRUE(refused->header.is_signed());
  EXPECT_EQ(refused->header.signature, decltype(refused->header.signature){});
  options.session = Keyless(*tree->session());
  const auto plain = co_await connection->Call(Command::kCreate, request, options);
  if (!plain.ok()) throw CannotGoOn("no answer");
  EXPECT_EQ(plain->header.status(), NtStatus::kUserSessionDeleted);
  EXPECT_FALSE(plain->header.is_signed());
}

// docs/decisions/0009: the client lets no answer through that is not signed as its request was.
CASE(Admission, UnknownCommandsAreRefusedWithASignature) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const Bytes body(4);
  const auto refused = co_await tree->session()->connection()->CallEncoded(static_cast<Command>(0x30), body, tree->Options());
  if (!refused.ok()) throw CannotGoOn("no answer that is let through");
  EXPECT_EQ(refused->status(), NtStatus::kInvalidParameter);
  EXPECT_TRUE(refused->header.is_signed());
  EXPECT_EQ(co_await StatusOfEcho(tree->session()), NtStatus::kSuccess);
}

CASE(Admission, SharesAndServersThatAreNotThere) {
  const SessionPtr session = co_await bed.SignIn();
  const std::vector<std::string> wrong = {Bed::Unc("no-such-share"), "\\\\elsewhere.example.org\\scratch",
                                          "\\\\" + TheEnvironment().server_name, "scratch", "",
                                          Bed::Unc("scratch\\directory")};
  for (const std::string& path : wrong) {
    const auto tree = co_await Tree::Connect(session, path);
    EXPECT_TRUE(tree.status() == NtStatus::kBadNetworkName || tree.status() == NtStatus::kInvalidParameter)
        << path << ": " << NtStatusName(tree.status());
  }
  EXPECT_TRUE((co_await Tree::Connect(session, Bed::Unc("SCRATCH"))).ok());
}

// ---- FSCTL_VALIDATE_NEGOTIATE_INFO, 3.3.5.15.12 -------------------------------------------------------------------

namespace {

smb2::ValidateNegotiateInfoRequest WhatWeSent(const ConnectOptions& options) {
  smb2::ValidateNegotiateInfoRequest info;
  info.capabilities = smb2::capability::kLargeMtu | smb2::capability::kMultiChannel | smb2::capability::kPersistentHandles |
                      smb2::capability::kEncryption | smb2::capability::kLeasing;
  info.guid = options.client_guid;
  info.security_mode = smb2::security_mode::kSigningEnabled;
  info.dialects = options.dialects;
  return info;
}

Task<Result<Bytes>> Validate(TreePtr tree, smb2::ValidateNegotiateInfoRequest info) {
  return tree->Ioctl(smb2::kAllOnesFileId, fsctl::kValidateNegotiateInfo, wire::Encode(info), 24);
}

Task<TreePtr> MountIn(Bed& bed, ConnectOptions options) {
  const ConnectionPtr connection = co_await bed.Connect(std::move(options));
  const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
  co_return co_await bed.Mount(session, "scratch");
}

}  // namespace

CASE(ValidateNegotiate, TrueAnswerIsConfirmed) {
  const std::vector<Dialect> newest = {Dialect::k300, Dialect::k302};
  for (const Dialect dialect : newest) {
    ConnectOptions options = bed.To();
    options.dialects = {Dialect::k202, Dialect::k210, Dialect::k300};
    if (dialect == Dialect::k302) options.dialects.push_back(dialect);
    const TreePtr tree = co_await MountIn(bed, options);
    const auto answer = co_await Validate(tree, WhatWeSent(options));
    const auto info = wire::Decode<smb2::ValidateNegotiateInfoResponse>(Need(std::move(answer), "validation"));
    if (!info.ok()) throw CannotGoOn("malformed answer");
    const Connection& connection = *tree->session()->connection();
    EXPECT_EQ(info->dialect, dialect);
    EXPECT_EQ(info->guid, connection.server_guid());
    EXPECT_EQ(info->capabilities, connection.server_capabilities());
    EXPECT_TRUE(info->security_mode & smb2::security_mode::kSigningRequired);
  }
}

CASE(ValidateNegotiate, AnythingElseEndsTheConnection) {
  const ConnectOptions options = bed.To(Dialect::k302);
  for (int lie = 0; lie < 5; ++lie) {
    smb2::ValidateNegotiateInfoRequest info = WhatWeSent(options);
    if (lie == 0) info.dialects.push_back(Dialect::k300);
    if (lie == 1) info.dialects[0] = Dialect::k300;
    if (lie == 2) info.guid.bytes[0] ^= 1;
    if (lie == 3) info.capabilities ^= smb2::capability::kEncryption;
    if (lie == 4) info.security_mode ^= smb2::security_mode::kSigningRequired;
    const TreePtr tree = co_await MountIn(bed, options);
    const auto answer = co_await Validate(tree, info);
    EXPECT_EQ(answer.status(), NtStatus::kConnectionDisconnected) << "lie " << lie;
  }
  const ConnectOptions newest = bed.To(Dialect::k311);
  const TreePtr tree = co_await MountIn(bed, newest);
  const auto answer = co_await Validate(tree, WhatWeSent(newest));
  EXPECT_EQ(answer.status(), NtStatus::kConnectionDisconnected) << "out of place in 3.1.1";
  co_await bed.ExpectServerLives();
}

}  // namespace holdfast::client
