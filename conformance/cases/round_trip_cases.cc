// One round of daily work in every dialect, with every way to protect it.
#include <tuple>

#include "conformance/cases/bed.h"

#include "protocol/dtyp/unicode.h"

namespace holdfast::client {
namespace {

using crypto::Cipher;
using crypto::SigningAlgorithm;
using smb2::Dialect;

constexpr auto kRenameClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kRename);
constexpr auto kDispositionClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kDisposition);

// Make, write, read, list, rename, delete.
Task<void> WorkADay(TreePtr tree) {
  const std::string top = Bed::Fresh("day");
  const auto directory = DirectoryRequest(top, smb2::CreateDisposition::kCreate);
  EXPECT_EQ(co_await StatusOfCreate(tree, directory), NtStatus::kSuccess);

  // Over 64 KiB: several requests in 2.0.2, one with several credits in the others.
  const Bytes data = Pattern(300'001, 7);
  const auto request = FileRequest(top + "/first name", smb2::CreateDisposition::kCreate);
  const smb2::FileId file = co_await Opened(tree, request);
  co_await WriteAll(tree, file, 0, data);
  EXPECT_EQ(co_await tree->Flush(file), NtStatus::kSuccess);
  EXPECT_EQ(co_await ReadAll(tree, file, 0, data.size()), data);
  EXPECT_EQ(co_await EndOfFile(tree, file), data.size());

  auto entries = co_await List(tree, top, "*.*");
  EXPECT_EQ(entries.size(), 3u) << ". and .. and the file";
  EXPECT_EQ(co_await tree->SetInfo(file, kRenameClass, RenameTo(top + "/second name", false)), NtStatus::kSuccess);
  EXPECT_EQ(co_await tree->Close(file), NtStatus::kSuccess);

  entries = co_await List(tree, top, "*name");
  EXPECT_EQ(entries.size(), 1u);
  if (!entries.empty()) {
    EXPECT_EQ(Utf16ToUtf8(entries[0].file_name), "second name");
    EXPECT_EQ(entries[0].end_of_file, data.size());
  }
  EXPECT_EQ(co_await StatusOfOpen(tree, top + "/first name"), NtStatus::kObjectNameNotFound);
  EXPECT_EQ(co_await Contents(tree, top + "/SECOND NAME"), data);

  const std::vector<std::string> names = {top + "/second name", top};
  for (const std::string& name : names) {
    auto removal = FileRequest(name, smb2::CreateDisposition::kOpen);
    removal.create_options = 0;
    const smb2::FileId id = co_await Opened(tree, removal);
    EXPECT_EQ(co_await tree->SetInfo(id, kDispositionClass, Disposition(true)), NtStatus::kSuccess);
    EXPECT_EQ(co_await tree->Close(id), NtStatus::kSuccess);
  }
  EXPECT_FALSE(co_await Exists(tree, top));
}

struct Protection {
  Dialect dialect;
  SigningAlgorithm signing = SigningAlgorithm::kHmacSha256;
  Cipher cipher = Cipher::kNone;  // other than kNone: the whole session is encrypted
};

Task<TreePtr> MountProtected(Bed& bed, const Protection& protection, const std::string& share) {
  ConnectOptions options = bed.To(protection.dialect);
  options.signing_algorithms = {static_cast<std::uint16_t>(protection.signing)};
  if (protection.cipher != Cipher::kNone) options.ciphers = {static_cast<std::uint16_t>(protection.cipher)};
  const ConnectionPtr connection = co_await bed.Connect(options);
  EXPECT_EQ(connection->dialect(), protection.dialect);
  const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
  if (protection.cipher == Cipher::kNone) {
    EXPECT_EQ(connection->signing_algorithm(), protection.signing);
  } else {
    EXPECT_EQ(connection->cipher(), protection.cipher);
    session->set_encrypt(share != "secure");
  }
  co_return co_await bed.Mount(session, share);
}

Task<void> WorkProtected(Bed& bed, Protection protection, std::string share) {
  const TreePtr tree = co_await MountProtected(bed, protection, share);
  EXPECT_EQ(tree->encrypted(), share == "secure");
  co_await WorkADay(tree);
  EXPECT_EQ(co_await tree->Disconnect(), NtStatus::kSuccess);
  EXPECT_EQ(co_await tree->session()->Logoff(), NtStatus::kSuccess);
}

}  // namespace

#define SIGNED(name, dialect, algorithm)                                                       \
  CASE(Signed, name) {                                                                         \
    const Protection protection{dialect, SigningAlgorithm::algorithm};                         \
    co_await WorkProtected(bed, protection, "scratch");                                        \
  }
SIGNED(Dialect202, Dialect::k202, kHmacSha256)
SIGNED(Dialect210, Dialect::k210, kHmacSha256)
SIGNED(Dialect300, Dialect::k300, kAesCmac)
SIGNED(Dialect302, Dialect::k302, kAesCmac)
SIGNED(Dialect311WithHmacSha256, Dialect::k311, kHmacSha256)
SIGNED(Dialect311WithAesCmac, Dialect::k311, kAesCmac)
SIGNED(Dialect311WithAesGmac, Dialect::k311, kAesGmac)

#define ENCRYPTED(name, dialect, cipher)                                                  \
  CASE(EncryptedSession, name) {                                                          \
    const Protection protection{dialect, SigningAlgorithm::kAesCmac, Cipher::cipher};     \
    co_await WorkProtected(bed, protection, "scratch");                                   \
  }                                                                                       \
  CASE(EncryptedShare, name) {                                                            \
    const Protection protection{dialect, SigningAlgorithm::kAesCmac, Cipher::cipher};     \
    co_await WorkProtected(bed, protection, "secure");                                    \
  }
ENCRYPTED(Dialect300, Dialect::k300, kAes128Ccm)
ENCRYPTED(Dialect302, Dialect::k302, kAes128Ccm)
ENCRYPTED(Dialect311WithAes128Ccm, Dialect::k311, kAes128Ccm)
ENCRYPTED(Dialect311WithAes128Gcm, Dialect::k311, kAes128Gcm)
ENCRYPTED(Dialect311WithAes256Ccm, Dialect::k311, kAes256Ccm)
ENCRYPTED(Dialect311WithAes256Gcm, Dialect::k311, kAes256Gcm)

CASE(Signed, KerberosSignIn) {
  if (TheEnvironment().ccache.empty()) co_return;
  Credentials credentials = Bed::Alice();
  credentials.password.clear();
  credentials.ccache = TheEnvironment().ccache;
  const TreePtr tree = co_await bed.MountAs(credentials, "scratch");
  co_await WorkADay(tree);
}

CASE(EncryptedShare, KerberosSignIn) {
  if (TheEnvironment().ccache.empty()) co_return;
  Credentials credentials = Bed::Alice();
  credentials.password.clear();
  credentials.ccache = TheEnvironment().ccache;
  const TreePtr tree = co_await bed.MountAs(credentials, "secure");
  co_await WorkADay(tree);
}

// The configuration asks for encryption everywhere: group "required encryption" of tests/system/client_test.py.
CASE(RequiredEncryption, IsAskedOfEverySession) {
  const SessionPtr session = co_await bed.SignIn();
  EXPECT_TRUE(session->security()->encrypt);
  const TreePtr tree = co_await bed.Mount(session, "scratch");
  co_await WorkADay(tree);

  session->set_encrypt(false);
  EXPECT_EQ(co_await StatusOfEcho(session), NtStatus::kAccessDenied);
  session->set_encrypt(true);
  EXPECT_EQ(co_await StatusOfEcho(session), NtStatus::kSuccess);
}

CASE(RequiredEncryption, RefusesDialectsWithoutIt) {
  const std::vector<Dialect> dialects = {Dialect::k202, Dialect::k210};
  for (const Dialect dialect : dialects) {
    const ConnectionPtr connection = co_await bed.Connect(bed.To(dialect));
    const auto session = co_await Session::SignIn(connection, Bed::Alice());
    EXPECT_EQ(session.status(), NtStatus::kAccessDenied) << smb2::DialectName(dialect);
  }
}

}  // namespace holdfast::client
