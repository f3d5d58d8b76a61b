// What holds while the server was away and the owner of a persistent handle has not come back yet.
//
// The server of these cases dies at an ECHO (HOLDFAST_FAULT=ECHO.received) and is started again at once.
#include "conformance/cases/bed.h"

namespace holdfast::client {
namespace {

using smb2::CreateDisposition;
using FilePtr = std::shared_ptr<PersistentFile>;
namespace lock_flag = smb2::lock_flag;

constexpr std::uint32_t kShortTimeout = 5000;

Task<void> KillServer(Bed& bed) {
  const SessionPtr session = co_await bed.SignIn();
  if (co_await StatusOfEcho(session) == NtStatus::kSuccess) throw CannotGoOn("the server survives an ECHO");
}

OpenOptions Options(const std::string& path, std::uint32_t share_access) {
  OpenOptions options;
  options.path = path;
  options.desired_access = kReadWriteDelete;
  options.share_access = share_access;
  options.disposition = CreateDisposition::kCreate;
  return options;
}

// Until the name can be opened, or is no longer there; the status that came then, and how long it took.
Task<NtStatus> WhenReleased(Bed& bed, TreePtr tree, std::string name) {
  for (int i = 0; i < 400; ++i) {
    const NtStatus status = co_await StatusOfOpen(tree, name);
    if (status != NtStatus::kFileNotAvailable) co_return status;
    co_await bed.Pause(std::chrono::milliseconds(50));
  }
  co_return NtStatus::kIoTimeout;
}

}  // namespace

CASE(Outage, FileWaitsForItsOwner) {
  const std::string name = Bed::Fresh("owned");
  const FilePtr file = co_await bed.OpenPersistent(Options(name, 0));
  const Bytes data = Pattern(1000, 1);
  EXPECT_EQ(co_await file->Write(0, data), NtStatus::kSuccess);
  co_await KillServer(bed);

  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_EQ(co_await StatusOfOpen(other, name), NtStatus::kFileNotAvailable);
  auto overwrite = FileRequest(name, CreateDisposition::kOverwriteIf);
  EXPECT_EQ(co_await StatusOfCreate(other, overwrite), NtStatus::kFileNotAvailable);
  EXPECT_EQ(Need(co_await file->Read(0, 1000), "READ"), data);
  EXPECT_EQ(file->history().reconnects, 1u);
  EXPECT_EQ(co_await StatusOfOpen(other, name), NtStatus::kSharingViolation);
  EXPECT_EQ(co_await file->Close(), NtStatus::kSuccess);
  EXPECT_EQ(co_await StatusOfOpen(other, name), NtStatus::kSuccess);
}

CASE(Outage, SharedFileWaitsToo) {
  const std::string name = Bed::Fresh("shared");
  const FilePtr file = co_await bed.OpenPersistent(Options(name, smb2::share_access::kAll));
  co_await KillServer(bed);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_EQ(co_await StatusOfOpen(other, name), NtStatus::kFileNotAvailable);
  EXPECT_EQ(co_await file->Flush(), NtStatus::kSuccess);
  EXPECT_EQ(co_await StatusOfOpen(other, name), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Close(), NtStatus::kSuccess);
}

CASE(Outage, TimeoutFreesTheFile) {
  const std::string name = Bed::Fresh("timeout");
  OpenOptions options = Options(name, 0);
  options.timeout_ms = kShortTimeout;
  const FilePtr file = co_await bed.OpenPersistent(options);
  EXPECT_EQ(file->timeout_ms(), kShortTimeout);
  co_await KillServer(bed);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_EQ(co_await StatusOfOpen(other, name), NtStatus::kFileNotAvailable);
  EXPECT_EQ(co_await WhenReleased(bed, other, name), NtStatus::kSuccess);
  EXPECT_EQ((co_await file->Read(0, 10)).status(), NtStatus::kObjectNameNotFound) << "the owner is too late";
}

CASE(Outage, DeleteOnCloseIsKept) {
  const std::string name = Bed::Fresh("doc");
  OpenOptions options = Options(name, 0);
  options.create_options = smb2::create_option::kDeleteOnClose;
  const FilePtr file = co_await bed.OpenPersistent(options);
  co_await KillServer(bed);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_EQ(co_await file->Write(0, Pattern(10, 1)), NtStatus::kSuccess);
  EXPECT_TRUE(co_await Exists(other, name)) << "a crash is no close";
  EXPECT_EQ(co_await file->Close(), NtStatus::kSuccess);
  EXPECT_FALSE(co_await Exists(other, name));
}

CASE(Outage, DeleteOnCloseHappensAtTheTimeout) {
  const std::string name = Bed::Fresh("doc timeout");
  OpenOptions options = Options(name, 0);
  options.create_options = smb2::create_option::kDeleteOnClose;
  options.timeout_ms = kShortTimeout;
  const FilePtr file = co_await bed.OpenPersistent(options);
  co_await KillServer(bed);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_TRUE(co_await Exists(other, name));
  EXPECT_EQ(co_await WhenReleased(bed, other, name), NtStatus::kObjectNameNotFound);
  EXPECT_FALSE(co_await Exists(other, name));
}

CASE(Outage, LocksAreKept) {
  const std::string name = Bed::Fresh("locks");
  const FilePtr file = co_await bed.OpenPersistent(Options(name, smb2::share_access::kAll));
  EXPECT_EQ(co_await file->Write(0, Pattern(1000, 1)), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Lock(0, 100, true), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Lock(200, 100, false), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Lock(400, 100, true), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Unlock(400, 100), NtStatus::kSuccess);
  co_await KillServer(bed);
  EXPECT_EQ(co_await file->Flush(), NtStatus::kSuccess);

  const TreePtr other = co_await bed.MountWhenUp("profiles");
  const smb2::FileId theirs = co_await Opened(other, FileRequest(name, CreateDisposition::kOpen));
  constexpr std::uint32_t kNow = lock_flag::kFailImmediately;
  EXPECT_EQ(co_await LockRange(other, theirs, 50, 1, kNow | lock_flag::kSharedLock), NtStatus::kLockNotGranted);
  EXPECT_EQ(co_await LockRange(other, theirs, 250, 1, kNow | lock_flag::kExclusiveLock), NtStatus::kLockNotGranted);
  EXPECT_EQ(co_await LockRange(other, theirs, 250, 1, kNow | lock_flag::kSharedLock), NtStatus::kSuccess);
  EXPECT_EQ(co_await LockRange(other, theirs, 400, 100, kNow | lock_flag::kExclusiveLock), NtStatus::kSuccess);
  const auto written = co_await other->Write(theirs, 0, Pattern(10, 2));
  EXPECT_EQ(written.status(), NtStatus::kFileLockConflict);
  EXPECT_EQ((co_await other->Read(theirs, 0, 10)).status(), NtStatus::kFileLockConflict);
  EXPECT_EQ(co_await file->Unlock(0, 100), NtStatus::kSuccess);
  EXPECT_TRUE((co_await other->Read(theirs, 0, 10)).ok());
  EXPECT_EQ(co_await file->Close(), NtStatus::kSuccess);
}

CASE(Outage, OrdinaryHandlesEnd) {
  const TreePtr before = co_await bed.Mount("scratch");
  const std::string name = Bed::Fresh("ordinary");
  auto exclusive = FileRequest(name, CreateDisposition::kCreate);
  exclusive.share_access = 0;
  const smb2::FileId id = co_await Opened(before, exclusive);
  const Bytes data = Pattern(70'000, 3);
  co_await WriteAll(before, id, 0, data);
  co_await KillServer(bed);
  const TreePtr after = co_await bed.MountWhenUp("scratch");
  EXPECT_EQ(co_await Contents(after, name), data) << "what was acknowledged survives the process";
}

// Twenty handles of one client, half of them reclaimed at once, with writes before, between and after.
CASE(Outage, ManyHandlesOverTwoOutages) {
  std::vector<FilePtr> files;
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) {
    names.push_back(Bed::Fresh("many"));
    files.push_back(co_await bed.OpenPersistent(Options(names.back(), 0)));
    EXPECT_EQ(co_await files.back()->Write(0, Pattern(5000, static_cast<std::uint64_t>(i))), NtStatus::kSuccess);
  }
  for (std::uint64_t round = 1; round <= 2; ++round) {
    co_await KillServer(bed);
    (void)co_await bed.MountWhenUp("profiles");
    for (std::size_t i = 0; i < files.size(); i += round == 1 ? 2 : 1) {
      EXPECT_EQ(co_await files[i]->Write(5000 * round, Pattern(5000, i + 100 * round)), NtStatus::kSuccess);
    }
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    Bytes expected = Pattern(5000, i);
    const Bytes first = i % 2 == 0 ? Pattern(5000, i + 100) : Bytes(5000);
    const Bytes second = Pattern(5000, i + 200);
    expected.insert(expected.end(), first.begin(), first.end());
    expected.insert(expected.end(), second.begin(), second.end());
    EXPECT_TRUE(Need(co_await files[i]->Read(0, 20'000), "READ") == expected) << i;
    EXPECT_EQ(co_await files[i]->Close(), NtStatus::kSuccess);
  }
}

}  // namespace holdfast::client
