// The server dies in the middle of one request on a persistent handle and comes back; our client goes on. Whatever the
// moment, the request has had one effect, and its answer is the first one.
//
// tests/system/client_test.py kills and restarts the server: each case is run once for each fault point that lies in
// the way of the request in its middle. Without a crash the cases hold all the same.
#include "conformance/cases/bed.h"

#include "protocol/fscc/attributes.h"
#include "protocol/fscc/file_information.h"
#include "protocol/fscc/fsctl.h"
#include "protocol/smb2/ioctl/file_ranges.h"
#include "protocol/smb2/messages/read.h"

namespace holdfast::client {
namespace {

using smb2::CreateAction;
using smb2::CreateDisposition;
using FilePtr = std::shared_ptr<PersistentFile>;
namespace lock_flag = smb2::lock_flag;

constexpr std::uint32_t kExclusiveNow = lock_flag::kExclusiveLock | lock_flag::kFailImmediately;

OpenOptions Options(const std::string& path, CreateDisposition disposition) {
  OpenOptions options;
  options.path = path;
  options.desired_access = kReadWriteDelete;
  options.disposition = disposition;
  return options;
}

// Waits until the crash, if there is one, is over: the handle is back.
Task<void> UntilBack(FilePtr file) { Need(co_await file->Flush(), "FLUSH"); }

Task<void> ExpectClosedAndOpenable(Bed& bed, FilePtr file, std::string name) {
  EXPECT_EQ(co_await file->Close(), NtStatus::kSuccess);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_EQ(co_await StatusOfOpen(other, name), NtStatus::kSuccess);
}

// A file with contents, made by an ordinary handle: one CREATE, one WRITE, one CLOSE.
Task<void> Prepare(Bed& bed, std::string name, Bytes data) {
  const TreePtr tree = co_await bed.Mount("profiles");
  const smb2::FileId id = co_await Opened(tree, FileRequest(name, CreateDisposition::kCreate));
  co_await WriteAll(tree, id, 0, data);
  Need(co_await tree->Close(id), "CLOSE");
}

}  // namespace

CASE(Persist, CreateOfANewFile) {
  const std::string name = Bed::Fresh("new");
  // Not OPEN_IF: a second execution would collide with the first.
  const FilePtr file = co_await bed.OpenPersistent(Options(name, CreateDisposition::kCreate));
  EXPECT_EQ(file->create_action(), CreateAction::kCreated);
  EXPECT_NE(file->timeout_ms(), 0u);
  const Bytes data = Pattern(5000, 1);
  EXPECT_EQ(co_await file->Write(0, data), NtStatus::kSuccess);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_EQ(co_await StatusOfOpen(other, name), NtStatus::kSharingViolation) << "the handle shares nothing";
  EXPECT_EQ((co_await List(other, "", name)).size(), 1u);
  co_await ExpectClosedAndOpenable(bed, file, name);
  EXPECT_EQ(co_await Contents(other, name), data);
}

CASE(Persist, CreateThatOpens) {
  const std::string name = Bed::Fresh("old");
  const Bytes data = Pattern(5000, 2);
  co_await Prepare(bed, name, data);
  const FilePtr file = co_await bed.OpenPersistent(Options(name, CreateDisposition::kOpenIf));
  EXPECT_EQ(file->create_action(), CreateAction::kOpened);
  EXPECT_EQ(Need(co_await file->Read(0, 5000), "READ"), data);
  co_await ExpectClosedAndOpenable(bed, file, name);
}

CASE(Persist, CreateThatOverwrites) {
  const std::string name = Bed::Fresh("over");
  co_await Prepare(bed, name, Pattern(300'000, 3));
  const FilePtr file = co_await bed.OpenPersistent(Options(name, CreateDisposition::kOverwriteIf));
  EXPECT_EQ(file->create_action(), CreateAction::kOverwritten);
  const Bytes data = Pattern(700, 4);
  EXPECT_EQ(co_await file->Write(0, data), NtStatus::kSuccess);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  co_await ExpectClosedAndOpenable(bed, file, name);
  EXPECT_EQ(co_await Contents(other, name), data) << "overwritten once, before the write";
}

CASE(Persist, CreateInADirectoryOfItsOwn) {
  const std::string top = Bed::Fresh("dir");
  const TreePtr before = co_await bed.Mount("profiles");
  Need(co_await StatusOfCreate(before, DirectoryRequest(top, CreateDisposition::kCreate)), "directory");
  const std::string name = top + "/profile.vhdx";
  const FilePtr file = co_await bed.OpenPersistent(Options(name, CreateDisposition::kCreate));
  EXPECT_EQ(file->create_action(), CreateAction::kCreated);
  co_await UntilBack(file);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_EQ((co_await List(other, top, "*")).size(), 3u);
  co_await ExpectClosedAndOpenable(bed, file, name);
}

CASE(Persist, Write) {
  const std::string name = Bed::Fresh("write");
  const FilePtr file = co_await bed.OpenPersistent(Options(name, CreateDisposition::kCreate));
  Bytes expected = Pattern(100'000, 5);
  EXPECT_EQ(co_await file->Write(0, expected), NtStatus::kSuccess);
  // The second overlaps the end and extends the file.
  const Bytes second = Pattern(200'000, 6);
  EXPECT_EQ(co_await file->Write(60'000, second), NtStatus::kSuccess);
  expected.resize(260'000);
  std::copy(second.begin(), second.end(), expected.begin() + 60'000);
  const Bytes third = Pattern(10, 7);
  EXPECT_EQ(co_await file->Write(99'995, third), NtStatus::kSuccess);
  std::copy(third.begin(), third.end(), expected.begin() + 99'995);

  EXPECT_TRUE(Need(co_await file->Read(0, 260'000), "READ") == expected);
  EXPECT_EQ(co_await EndOfFile(file->tree(), file->id()), expected.size());
  co_await ExpectClosedAndOpenable(bed, file, name);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_TRUE(co_await Contents(other, name) == expected);
}

CASE(Persist, DuplicateExtents) {
  const std::string name = Bed::Fresh("duplicate");
  const FilePtr file = co_await bed.OpenPersistent(Options(name, CreateDisposition::kCreate));
  Bytes expected = Pattern(16 * 4096, 8);
  EXPECT_EQ(co_await file->Write(0, expected), NtStatus::kSuccess);
  std::function<Bytes(smb2::FileId)> input = [](smb2::FileId self) {
    return wire::Encode(smb2::DuplicateExtentsData{self, 0, 8 * 4096, 8 * 4096});
  };
  EXPECT_EQ(co_await file->Control(fsctl::kDuplicateExtentsToFile, input), NtStatus::kSuccess);
  std::copy(expected.begin(), expected.begin() + 8 * 4096, expected.begin() + 8 * 4096);
  EXPECT_TRUE(Need(co_await file->Read(0, 16 * 4096), "READ") == expected);
  co_await ExpectClosedAndOpenable(bed, file, name);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_TRUE(co_await Contents(other, name) == expected);
}

CASE(Persist, Lock) {
  const std::string name = Bed::Fresh("lock");
  OpenOptions options = Options(name, CreateDisposition::kCreate);
  options.share_access = smb2::share_access::kAll;
  const FilePtr file = co_await bed.OpenPersistent(options);
  EXPECT_EQ(co_await file->Lock(10, 50, true), NtStatus::kSuccess);

  co_await UntilBack(file);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  const smb2::FileId theirs = co_await Opened(other, FileRequest(name, CreateDisposition::kOpen));
  EXPECT_EQ(co_await LockRange(other, theirs, 10, 50, kExclusiveNow), NtStatus::kLockNotGranted);
  EXPECT_EQ(co_await LockRange(other, theirs, 59, 1, kExclusiveNow), NtStatus::kLockNotGranted);
  EXPECT_EQ(co_await LockRange(other, theirs, 60, 1, kExclusiveNow), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Unlock(10, 50), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Unlock(10, 50), NtStatus::kRangeNotLocked) << "it was held once";
  EXPECT_EQ(co_await LockRange(other, theirs, 10, 50, kExclusiveNow), NtStatus::kSuccess);
  EXPECT_EQ(co_await other->Close(theirs), NtStatus::kSuccess);
  co_await ExpectClosedAndOpenable(bed, file, name);
}

// A shared lock may be taken twice, so that a second execution would show.
CASE(Persist, SharedLock) {
  const std::string name = Bed::Fresh("shared lock");
  const FilePtr file = co_await bed.OpenPersistent(Options(name, CreateDisposition::kCreate));
  EXPECT_EQ(co_await file->Lock(0, 10, false), NtStatus::kSuccess);
  co_await UntilBack(file);
  EXPECT_EQ(co_await file->Unlock(0, 10), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Unlock(0, 10), NtStatus::kRangeNotLocked) << "it was held once";
  co_await ExpectClosedAndOpenable(bed, file, name);
}

CASE(Persist, Unlock) {
  const std::string name = Bed::Fresh("unlock");
  OpenOptions options = Options(name, CreateDisposition::kCreate);
  options.share_access = smb2::share_access::kAll;
  const FilePtr file = co_await bed.OpenPersistent(options);
  EXPECT_EQ(co_await file->Lock(0, 10, true), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Unlock(0, 10), NtStatus::kSuccess);

  co_await UntilBack(file);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  const smb2::FileId theirs = co_await Opened(other, FileRequest(name, CreateDisposition::kOpen));
  EXPECT_EQ(co_await LockRange(other, theirs, 0, 10, kExclusiveNow), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Lock(0, 10, true), NtStatus::kLockNotGranted);
  EXPECT_EQ(co_await other->Close(theirs), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Lock(0, 10, true), NtStatus::kSuccess);
  co_await ExpectClosedAndOpenable(bed, file, name);
}

CASE(Persist, EndOfFileShrinks) {
  const std::string name = Bed::Fresh("shrink");
  const FilePtr file = co_await bed.OpenPersistent(Options(name, CreateDisposition::kCreate));
  Bytes data = Pattern(300'000, 8);
  EXPECT_EQ(co_await file->Write(0, data), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->SetEndOfFile(100'001), NtStatus::kSuccess);
  co_await UntilBack(file);
  EXPECT_EQ(co_await EndOfFile(file->tree(), file->id()), 100'001u);
  // What was cut off does not come back.
  EXPECT_EQ(co_await file->SetEndOfFile(200'000), NtStatus::kSuccess);
  data.resize(100'001);
  data.resize(200'000);
  EXPECT_TRUE(Need(co_await file->Read(0, 200'000), "READ") == data);
  co_await ExpectClosedAndOpenable(bed, file, name);
}

CASE(Persist, EndOfFileGrows) {
  const std::string name = Bed::Fresh("grow");
  const FilePtr file = co_await bed.OpenPersistent(Options(name, CreateDisposition::kCreate));
  Bytes data = Pattern(1000, 9);
  EXPECT_EQ(co_await file->Write(0, data), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->SetEndOfFile(50'000), NtStatus::kSuccess);
  data.resize(50'000);
  EXPECT_TRUE(Need(co_await file->Read(0, 60'000), "READ") == data);
  co_await ExpectClosedAndOpenable(bed, file, name);
}

CASE(Persist, BasicInformation) {
  const std::string name = Bed::Fresh("basic");
  const FilePtr file = co_await bed.OpenPersistent(Options(name, CreateDisposition::kCreate));
  fscc::FileBasicInformation basic;
  basic.creation_time = 130'000'000'000'000'000;
  basic.last_write_time = 131'000'000'000'000'000;
  basic.file_attributes = file_attribute::kHidden | file_attribute::kReadonly;
  constexpr auto kBasicClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kBasic);
  EXPECT_EQ(co_await file->SetInfo(kBasicClass, fscc::Encode(basic)), NtStatus::kSuccess);
  co_await UntilBack(file);
  EXPECT_EQ(co_await file->Close(), NtStatus::kSuccess);

  const TreePtr other = co_await bed.MountWhenUp("profiles");
  const auto entries = co_await List(other, "", name);
  EXPECT_EQ(entries.size(), 1u);
  if (entries.size() != 1) co_return;
  EXPECT_EQ(entries[0].creation_time, basic.creation_time);
  EXPECT_EQ(entries[0].last_write_time, basic.last_write_time);
  EXPECT_EQ(entries[0].file_attributes, basic.file_attributes);
}

CASE(Persist, Rename) {
  const std::string from = Bed::Fresh("from"), to = Bed::Fresh("to");
  const FilePtr file = co_await bed.OpenPersistent(Options(from, CreateDisposition::kCreate));
  const Bytes data = Pattern(3000, 10);
  EXPECT_EQ(co_await file->Write(0, data), NtStatus::kSuccess);
  constexpr auto kRenameClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kRename);
  EXPECT_EQ(co_await file->SetInfo(kRenameClass, RenameTo(to, false)), NtStatus::kSuccess);

  co_await UntilBack(file);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_FALSE(co_await Exists(other, from));
  EXPECT_TRUE(co_await Exists(other, to));
  // The old name is free for others.
  EXPECT_EQ(co_await StatusOfCreate(other, FileRequest(from, CreateDisposition::kCreate)), NtStatus::kSuccess);
  EXPECT_EQ(Need(co_await file->Read(0, 3000), "READ"), data);
  co_await ExpectClosedAndOpenable(bed, file, to);
  EXPECT_EQ(co_await Contents(other, to), data);
}

CASE(Persist, RenameThatReplaces) {
  const std::string from = Bed::Fresh("from"), to = Bed::Fresh("replaced");
  co_await Prepare(bed, to, Pattern(9000, 11));
  const FilePtr file = co_await bed.OpenPersistent(Options(from, CreateDisposition::kCreate));
  const Bytes data = Pattern(3000, 12);
  EXPECT_EQ(co_await file->Write(0, data), NtStatus::kSuccess);
  constexpr auto kRenameClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kRename);
  EXPECT_EQ(co_await file->SetInfo(kRenameClass, RenameTo(to, true)), NtStatus::kSuccess);

  co_await UntilBack(file);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_FALSE(co_await Exists(other, from));
  EXPECT_EQ((co_await List(other, "", to)).size(), 1u);
  co_await ExpectClosedAndOpenable(bed, file, to);
  EXPECT_EQ(co_await Contents(other, to), data);
}

CASE(Persist, Disposition) {
  const std::string name = Bed::Fresh("disposed");
  const FilePtr file = co_await bed.OpenPersistent(Options(name, CreateDisposition::kCreate));
  constexpr auto kDispositionClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kDisposition);
  EXPECT_EQ(co_await file->SetInfo(kDispositionClass, Disposition(true)), NtStatus::kSuccess);
  co_await UntilBack(file);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_EQ(co_await StatusOfOpen(other, name), NtStatus::kDeletePending);
  EXPECT_EQ(co_await file->Close(), NtStatus::kSuccess);
  EXPECT_FALSE(co_await Exists(other, name));
}

CASE(Persist, Close) {
  const std::string name = Bed::Fresh("close");
  const FilePtr file = co_await bed.OpenPersistent(Options(name, CreateDisposition::kCreate));
  const Bytes data = Pattern(4000, 13);
  EXPECT_EQ(co_await file->Write(0, data), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Lock(0, 10, true), NtStatus::kSuccess);
  co_await ExpectClosedAndOpenable(bed, file, name);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_EQ(co_await Contents(other, name), data) << "and no lock is left";
}

CASE(Persist, CloseThatDeletes) {
  const std::string name = Bed::Fresh("delete");
  OpenOptions options = Options(name, CreateDisposition::kCreate);
  options.create_options = smb2::create_option::kDeleteOnClose;
  const FilePtr file = co_await bed.OpenPersistent(options);
  EXPECT_EQ(co_await file->Write(0, Pattern(100'000, 14)), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Close(), NtStatus::kSuccess);
  const TreePtr other = co_await bed.MountWhenUp("profiles");
  EXPECT_FALSE(co_await Exists(other, name));
  // Nothing of it is in the way of a new one.
  EXPECT_EQ(co_await StatusOfCreate(other, FileRequest(name, CreateDisposition::kCreate)), NtStatus::kSuccess);
}

}  // namespace holdfast::client
