// A session whose ticket ends, [MS-SMB2] 3.3.5.2.9 and 3.3.5.5.2. Tickets of an hour make this everyday life.
#include "conformance/cases/bed.h"

#include <filesystem>

namespace holdfast::client {
namespace {

namespace lock_flag = smb2::lock_flag;

constexpr std::uint32_t kTicketSeconds = 6;

// From a copy of the cache: the service ticket of another life that a sign-in before has left there would be used again.
Credentials WithTicket(std::uint32_t seconds) {
  Credentials credentials = Bed::Alice();
  credentials.password.clear();
  std::string cache = TheEnvironment().ccache;
  if (cache.starts_with("FILE:")) cache.erase(0, 5);
  credentials.ccache = cache + Bed::Fresh(".copy");
  std::filesystem::copy_file(cache, credentials.ccache);
  credentials.ticket_seconds = seconds;
  return credentials;
}

Task<NtStatus> StatusOfRead(TreePtr tree, smb2::FileId file) {
  const auto answer = co_await tree->Read(file, 0, 10);
  co_return answer.ok() ? answer->status() : answer.status();
}

// A tree over a session by Kerberos whose ticket ends within seconds.
Task<TreePtr> MountBriefly(Bed& bed) {
  if (TheEnvironment().ccache.empty()) throw CannotGoOn("HOLDFAST_CCACHE names no tickets");
  const ConnectionPtr connection = co_await bed.Connect();
  const SessionPtr session = co_await bed.SignIn(connection, WithTicket(kTicketSeconds));
  co_return co_await bed.Mount(session, "scratch");
}

Task<void> UntilExpired(Bed& bed, TreePtr tree, smb2::FileId file) {
  NtStatus status = NtStatus::kSuccess;
  for (int i = 0; i < 600 && status == NtStatus::kSuccess; ++i) {
    co_await bed.Pause(std::chrono::milliseconds(50));
    status = co_await StatusOfRead(tree, file);
  }
  EXPECT_EQ(status, NtStatus::kNetworkSessionExpired);
}

}  // namespace

CASE(Expiry, RenewedTheSessionGoesOnWithItsHandles) {
  const TreePtr tree = co_await MountBriefly(bed);
  const TreePtr other = co_await MountBriefly(bed);
  const std::string name = Bed::Fresh("expires");
  const smb2::FileId kept = co_await Opened(tree, FileRequest(name, smb2::CreateDisposition::kCreate));
  const smb2::FileId closed = co_await Opened(tree, FileRequest(name, smb2::CreateDisposition::kOpen));
  const Bytes data = Pattern(1000, 1);
  co_await WriteAll(tree, kept, 0, data);
  Need(co_await LockRange(tree, kept, 0, 10, lock_flag::kExclusiveLock), "LOCK");
  co_await UntilExpired(bed, tree, kept);

  EXPECT_EQ((co_await tree->Write(kept, 0, data)).status(), NtStatus::kNetworkSessionExpired);
  EXPECT_EQ(co_await tree->Flush(kept), NtStatus::kNetworkSessionExpired);
  EXPECT_EQ(co_await StatusOfOpen(tree, name), NtStatus::kNetworkSessionExpired);
  EXPECT_EQ((co_await Tree::Connect(tree->session(), Bed::Unc("scratch"))).status(), NtStatus::kNetworkSessionExpired);
  EXPECT_EQ(co_await tree->Disconnect(), NtStatus::kNetworkSessionExpired);
  // What only gives back is served all the same.
  EXPECT_EQ(co_await LockRange(tree, kept, 0, 10, lock_flag::kUnlock), NtStatus::kSuccess);
  EXPECT_EQ(co_await tree->Close(closed), NtStatus::kSuccess);
  EXPECT_EQ((co_await Tree::Connect(other->session(), Bed::Unc("scratch"))).status(), NtStatus::kNetworkSessionExpired);
  EXPECT_EQ(co_await other->session()->Logoff(), NtStatus::kSuccess);

  EXPECT_EQ(co_await tree->session()->Renew(WithTicket(3600)), NtStatus::kSuccess);
  EXPECT_EQ(co_await ReadAll(tree, kept, 0, data.size()), data);
  EXPECT_EQ(co_await StatusOfOpen(tree, name), NtStatus::kSuccess);
  EXPECT_EQ(co_await tree->Close(kept), NtStatus::kSuccess);
}

// A renewal that the server cannot judge, as it cannot write its replay cache, ends nothing.
CASE(Expiry, AFaultOfTheServerAtTheRenewalCostsNoHandle) {
  const TreePtr tree = co_await MountBriefly(bed);
  const smb2::FileId file = co_await Opened(tree, FileRequest(Bed::Fresh("renewed"), smb2::CreateDisposition::kCreate));
  const Bytes data = Pattern(10, 2);
  co_await WriteAll(tree, file, 0, data);

  const std::filesystem::path cache = TheEnvironment().replay_cache;
  std::filesystem::remove(cache);
  std::filesystem::create_directory(cache);
  const NtStatus broken = co_await tree->session()->Renew(WithTicket(3600));
  std::filesystem::remove(cache);
  EXPECT_EQ(broken, NtStatus::kInsufficientResources);
  EXPECT_EQ(co_await ReadAll(tree, file, 0, data.size()), data);
  co_await UntilExpired(bed, tree, file);
  EXPECT_EQ(co_await tree->session()->Renew(WithTicket(3600)), NtStatus::kSuccess);
  EXPECT_EQ(co_await ReadAll(tree, file, 0, data.size()), data);
}

}  // namespace holdfast::client
