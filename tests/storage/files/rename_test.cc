#include "protocol/fscc/attributes.h"
#include "tests/storage/files/files_fixture.h"

namespace holdfast {
namespace {

class RenameTest : public FilesTest {
 protected:
  NtStatus Rename(const OpenPtr& open, std::u16string target, bool replace = false, bool posix = false) {
    return Run(files_->Rename(open, std::move(target), replace, posix));
  }
  OpenPtr Opened(std::u16string path) { return MustCreate(Parameters(std::move(path), disposition::kOpenIf)); }
};

TEST_F(RenameTest, MovesAndFollowsTheOpen) {
  MakeDirectory(u"d");
  const OpenPtr open = Opened(u"a");
  EXPECT_EQ(Rename(open, u"d\\b"), NtStatus::kSuccess);
  EXPECT_EQ(open->path, u"d\\b");
  EXPECT_EQ(Rename(open, u"d\\b"), NtStatus::kSuccess);  // the replay
  EXPECT_EQ(Rename(open, u"d\\B"), NtStatus::kSuccess);
  EXPECT_EQ(open->link.name, u"B");
  EXPECT_FALSE(Exists(u"a"));
  EXPECT_TRUE(Exists(u"d\\b"));
  EXPECT_EQ(Close(open), NtStatus::kSuccess);
  EXPECT_TRUE(Findings().empty());
}

TEST_F(RenameTest, ReplacesOnlyWhenAskedAndNotOpen) {
  MakeFile(u"b");
  const OpenPtr open = Opened(u"a");
  EXPECT_EQ(Rename(open, u"b"), NtStatus::kObjectNameCollision);
  const OpenPtr target = Opened(u"b");
  EXPECT_EQ(Rename(open, u"b", true), NtStatus::kAccessDenied);
  EXPECT_EQ(Close(target), NtStatus::kSuccess);
  EXPECT_EQ(Rename(open, u"b", true), NtStatus::kSuccess);
  EXPECT_FALSE(Exists(u"a"));
  EXPECT_EQ(Opened(u"b")->file, open->file);
  MakeDirectory(u"d");
  EXPECT_EQ(Rename(open, u"d", true), NtStatus::kAccessDenied);
  EXPECT_TRUE(Findings().empty());
}

TEST_F(RenameTest, PosixSemanticsReplaceAnOpenFile) {
  const OpenPtr target = Opened(u"b");
  ASSERT_EQ(Write(target, "old"), NtStatus::kSuccess);
  const OpenPtr open = Opened(u"a");
  EXPECT_EQ(Rename(open, u"b", true, true), NtStatus::kSuccess);
  Bytes read(3);
  EXPECT_TRUE(Run(files_->Read(target, 0, read, false)).ok());
  EXPECT_EQ(std::string(read.begin(), read.end()), "old");
  EXPECT_EQ(Close(target), NtStatus::kSuccess);
  EXPECT_TRUE(Exists(u"b"));
  EXPECT_EQ(Close(open), NtStatus::kSuccess);
  EXPECT_TRUE(Findings().empty());
}

TEST_F(RenameTest, PosixSemanticsTakeNoNameFromWhoDoesNotShareDeletion) {
  const OpenPtr open = Opened(u"a");
  CreateParameters parameters = Parameters(u"b", disposition::kOpenIf);
  parameters.share_access = 3;
  const OpenPtr holder = MustCreate(std::move(parameters));
  EXPECT_EQ(Rename(open, u"b", true, true), NtStatus::kAccessDenied);
  EXPECT_EQ(Close(holder), NtStatus::kSuccess);
  EXPECT_EQ(Rename(open, u"b", true, true), NtStatus::kSuccess);
  EXPECT_TRUE(Findings().empty());
}

TEST_F(RenameTest, AReadOnlyFileIsReplacedOnlyWhenThatIsIgnored) {
  const OpenPtr open = Opened(u"a");
  const OpenPtr target = Opened(u"b");
  ASSERT_EQ(Run(files_->SetBasic(target, {.file_attributes = file_attribute::kReadonly})), NtStatus::kSuccess);
  ASSERT_EQ(Close(target), NtStatus::kSuccess);
  EXPECT_EQ(Rename(open, u"b", true), NtStatus::kAccessDenied);
  EXPECT_EQ(Rename(open, u"b", true, true), NtStatus::kAccessDenied);
  EXPECT_EQ(Run(files_->Rename(open, u"b", true, false, nullptr, true)), NtStatus::kSuccess);
  EXPECT_EQ(Opened(u"b")->file, open->file);
  EXPECT_TRUE(Findings().empty());
}

TEST_F(RenameTest, ADirectoryWithOpenFilesInsideStays) {
  MakeDirectory(u"d");
  MakeDirectory(u"d\\e");
  const OpenPtr inside = Opened(u"d\\e\\f");
  const OpenPtr directory = Opened(u"d");
  EXPECT_EQ(Rename(directory, u"x"), NtStatus::kAccessDenied);
  EXPECT_EQ(Close(inside), NtStatus::kSuccess);
  EXPECT_EQ(Rename(directory, u"d\\e\\y"), NtStatus::kAccessDenied);
  EXPECT_EQ(Rename(directory, u"x"), NtStatus::kSuccess);
  EXPECT_TRUE(Exists(u"x\\e\\f"));
  EXPECT_TRUE(Findings().empty());
}

TEST_F(RenameTest, ADirectoryWithADisconnectedHandleInsideStays) {
  MakeDirectory(u"d");
  const OpenPtr inside = MustCreate(Persistent(u"d\\f", 1));
  Restart();
  auto p = Parameters(u"d", disposition::kOpen);
  p.requester.client_guid = MakeGuid(2);
  const OpenPtr directory = MustCreate(p);
  EXPECT_EQ(Rename(directory, u"x"), NtStatus::kAccessDenied);
}

TEST_F(RenameTest, NeedsAccess) {
  auto p = Parameters(u"a");
  p.desired_access = access::kReadData | access::kWriteData;
  const OpenPtr open = MustCreate(p);
  EXPECT_EQ(Rename(open, u"b"), NtStatus::kAccessDenied);
  const OpenPtr other = Opened(u"a");
  EXPECT_EQ(Rename(other, u"none\\b"), NtStatus::kObjectPathNotFound);
  EXPECT_EQ(Rename(other, u"a*b"), NtStatus::kObjectNameInvalid);
  EXPECT_EQ(Rename(other, u""), NtStatus::kInvalidParameter);
  EXPECT_EQ(Rename(other, u"\\b"), NtStatus::kInvalidParameter);
}

// The destination directory is opened sharing all but deletion, [MS-FSA] 2.1.5.15.12.
TEST_F(RenameTest, ADirectoryOpenForDeletionTakesNoName) {
  MakeDirectory(u"d");
  const OpenPtr open = Opened(u"a");
  const OpenPtr directory = Opened(u"d");  // all access
  EXPECT_EQ(Rename(open, u"d\\a"), NtStatus::kSharingViolation);
  EXPECT_EQ(Close(directory), NtStatus::kSuccess);
  EXPECT_EQ(Rename(open, u"d\\a"), NtStatus::kSuccess);
}

TEST_F(RenameTest, StreamsHaveNamesToo) {
  MakeFile(u"f");
  const OpenPtr stream = Opened(u"f:one");
  MakeFile(u"f:two");
  EXPECT_EQ(Rename(stream, u":three:$DATA"), NtStatus::kSuccess);
  EXPECT_EQ(stream->path, u"f:three");
  EXPECT_EQ(CreateStatus(Parameters(u"f:one", disposition::kOpen)), NtStatus::kObjectNameNotFound);
  EXPECT_EQ(Rename(stream, u":two"), NtStatus::kObjectNameCollision);
  EXPECT_EQ(Rename(stream, u":two", true), NtStatus::kSuccess);
  EXPECT_EQ(Close(stream), NtStatus::kSuccess);
  EXPECT_EQ(CreateStatus(Parameters(u"f:three", disposition::kOpen)), NtStatus::kObjectNameNotFound);
  EXPECT_TRUE(Findings().empty());
}

TEST_F(RenameTest, HardLinks) {
  const OpenPtr open = Opened(u"a");
  EXPECT_EQ(Run(files_->Link(open, u"b", false)), NtStatus::kSuccess);
  EXPECT_EQ(Run(files_->Link(open, u"b", false)), NtStatus::kSuccess);  // the replay
  EXPECT_EQ(Opened(u"b")->file, open->file);
  MakeFile(u"c");
  EXPECT_EQ(Run(files_->Link(open, u"c", false)), NtStatus::kObjectNameCollision);
  EXPECT_EQ(Run(files_->Link(open, u"c", true)), NtStatus::kSuccess);
  EXPECT_EQ(open->file->inode.links.size(), 3u);
  MakeDirectory(u"d");
  EXPECT_EQ(Run(files_->Link(Opened(u"d"), u"e", false)), NtStatus::kFileIsADirectory);
  EXPECT_TRUE(Findings().empty());
}

TEST_F(RenameTest, ARecordFollowsTheName) {
  const OpenPtr open = MustCreate(Persistent(u"a", 1));
  const std::uint64_t id = open->persistent_id;
  ASSERT_EQ(Rename(open, u"b"), NtStatus::kSuccess);
  Restart();
  const auto back = Reconnect(ReconnectTo(id, 1));
  ASSERT_TRUE(back.ok()) << NtStatusName(back.status());
  EXPECT_EQ((*back)->path, u"b");
  EXPECT_EQ((*back)->link.name, u"b");
}


TEST_F(RenameTest, ARefusedLinkReplacesNothing) {
  MakeFile(u"target");
  const OpenPtr open = Opened(u"a");
  ASSERT_EQ(Run(files_->SetDisposition(open, true, false, false)), NtStatus::kSuccess);
  EXPECT_EQ(Run(files_->Link(open, u"target", true)), NtStatus::kAccessDenied);
  EXPECT_TRUE(Exists(u"target"));
}

// Else the index grows for ever, and every start reads all of it.
TEST_F(RenameTest, WhatWasReplacedLeavesTheIndex) {
  ASSERT_EQ(CreateStatus(Persistent(u"old", 1)), NtStatus::kSuccess);
  ASSERT_EQ(Run(volume_->ReadIndex())->size(), 1u);
  MakeFile(u"new");
  const OpenPtr open = Opened(u"new");
  ASSERT_EQ(Rename(open, u"old", true), NtStatus::kSuccess);
  clock().Advance(std::chrono::seconds(6));
  Settle();
  EXPECT_TRUE(Run(volume_->ReadIndex())->empty());
}

TEST_F(RenameTest, AStreamIsRenamedBesideAWriterWhoExtendsIt) {
  MakeFile(u"f");
  auto p = Parameters(u"f:s");
  p.create_options = options::kWriteThrough;
  const OpenPtr open = MustCreate(p);
  ASSERT_EQ(Write(open, "x"), NtStatus::kSuccess);
  const std::uint64_t far = kExtendStepBytes + 1;
  const Bytes byte(1, 7);
  const auto write = [&]() -> Task<void> {
    EXPECT_EQ(co_await files_->Write(open, far, byte, true, false), NtStatus::kSuccess);
  };
  Start(write());
  EXPECT_EQ(Rename(open, u":t"), NtStatus::kSuccess);
  Settle();
  ASSERT_EQ(Size(open), far + 1);
  Restart();
  EXPECT_EQ(Size(MustCreate(Parameters(u"f:t", disposition::kOpen))), far + 1);
}

}  // namespace
}  // namespace holdfast
