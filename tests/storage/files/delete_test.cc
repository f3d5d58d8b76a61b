#include "tests/storage/files/files_fixture.h"

namespace holdfast {
namespace {

class DeleteTest : public FilesTest {
 protected:
  // Opens it with FILE_DELETE_ON_CLOSE and closes it.
  void DeleteAtClose(std::u16string path) {
    auto p = Parameters(std::move(path), disposition::kOpen);
    p.create_options = options::kDeleteOnClose;
    ASSERT_EQ(CreateStatus(std::move(p)), NtStatus::kSuccess);
  }
};

TEST_F(DeleteTest, DeleteOnCloseRemovesTheNameAtTheLastClose) {
  auto p = Parameters(u"f", disposition::kCreate);
  p.create_options = options::kDeleteOnClose;
  const OpenPtr deleter = MustCreate(p);
  const OpenPtr other = MustCreate(Parameters(u"f", disposition::kOpen));  // nothing pends before the close
  EXPECT_EQ(Close(deleter), NtStatus::kSuccess);
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kDeletePending);
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kCreate)), NtStatus::kDeletePending);
  EXPECT_EQ(Close(other), NtStatus::kSuccess);
  EXPECT_FALSE(Exists(u"f"));
  EXPECT_TRUE(Findings().empty());
}

TEST_F(DeleteTest, DispositionPendsAtOnceAndCanBeTakenBack) {
  const OpenPtr open = MustCreate(Parameters(u"f", disposition::kCreate));
  EXPECT_EQ(Run(files_->SetDisposition(open, true, false, false)), NtStatus::kSuccess);
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kDeletePending);
  EXPECT_EQ(Run(files_->SetDisposition(open, false, false, false)), NtStatus::kSuccess);
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kSuccess);
  EXPECT_EQ(Close(open), NtStatus::kSuccess);
  EXPECT_TRUE(Exists(u"f"));
}

TEST_F(DeleteTest, DispositionNeedsDeleteAccessAndAWritableFile) {
  auto p = Parameters(u"f", disposition::kCreate);
  p.file_attributes = file_attribute::kReadonly;
  const OpenPtr open = MustCreate(p);
  EXPECT_EQ(Run(files_->SetDisposition(open, true, false, false)), NtStatus::kCannotDelete);
  EXPECT_EQ(Run(files_->SetDisposition(open, true, false, true)), NtStatus::kSuccess);
  EXPECT_EQ(Run(files_->SetDisposition(open, false, false, false)), NtStatus::kSuccess);
  p = Parameters(u"f", disposition::kOpen);
  p.desired_access = access::kReadData;
  const OpenPtr reader = MustCreate(p);
  EXPECT_EQ(Run(files_->SetDisposition(reader, true, false, false)), NtStatus::kAccessDenied);
}

TEST_F(DeleteTest, PosixSemanticsTakeTheNameAtThisClose) {
  const OpenPtr open = MustCreate(Parameters(u"f", disposition::kCreate));
  const OpenPtr other = MustCreate(Parameters(u"f", disposition::kOpen));
  ASSERT_EQ(Write(other, "still here"), NtStatus::kSuccess);
  EXPECT_EQ(Run(files_->SetDisposition(open, true, true, false)), NtStatus::kSuccess);
  EXPECT_EQ(Close(open), NtStatus::kSuccess);
  EXPECT_FALSE(Exists(u"f"));
  Bytes read(10);
  const auto got = Run(files_->Read(other, 0, read, false));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(std::string(read.begin(), read.end()), "still here");
  MakeFile(u"f");  // the name is free
  EXPECT_EQ(Close(other), NtStatus::kSuccess);
  EXPECT_TRUE(Exists(u"f"));
  EXPECT_TRUE(Findings().empty());
}

TEST_F(DeleteTest, DirectoriesWithEntriesStay) {
  MakeDirectory(u"d");
  MakeFile(u"d\\f");
  const OpenPtr directory = MustCreate(Parameters(u"d", disposition::kOpen));
  EXPECT_EQ(Run(files_->SetDisposition(directory, true, false, false)), NtStatus::kDirectoryNotEmpty);
  EXPECT_EQ(Close(directory), NtStatus::kSuccess);
  auto p = Parameters(u"d", disposition::kOpen);
  p.create_options = options::kDirectory | options::kDeleteOnClose;
  EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
  EXPECT_TRUE(Exists(u"d\\f"));
  p.path = u"d\\f";
  p.create_options = options::kDeleteOnClose;
  EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
  p.path = u"d";
  EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
  EXPECT_FALSE(Exists(u"d"));
  EXPECT_TRUE(Findings().empty());
}

TEST_F(DeleteTest, NothingIsMadeInADirectoryThatGoes) {
  MakeDirectory(u"d");
  const OpenPtr directory = MustCreate(Parameters(u"d", disposition::kOpen));
  ASSERT_EQ(Run(files_->SetDisposition(directory, true, false, false)), NtStatus::kSuccess);
  EXPECT_EQ(CreateStatus(Parameters(u"d\\f", disposition::kCreate)), NtStatus::kDeletePending);
  EXPECT_EQ(Close(directory), NtStatus::kSuccess);
  EXPECT_FALSE(Exists(u"d"));
}

TEST_F(DeleteTest, AStreamGoesAlone) {
  MakeFile(u"f");
  const OpenPtr stream = MustCreate(Parameters(u"f:s", disposition::kCreate));
  EXPECT_EQ(Run(files_->SetDisposition(stream, true, false, false)), NtStatus::kSuccess);
  EXPECT_EQ(CreateStatus(Parameters(u"f:s", disposition::kOpen)), NtStatus::kDeletePending);
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kSuccess);
  EXPECT_EQ(Close(stream), NtStatus::kSuccess);
  EXPECT_EQ(CreateStatus(Parameters(u"f:s", disposition::kOpen)), NtStatus::kObjectNameNotFound);
  EXPECT_TRUE(Exists(u"f"));
}

TEST_F(DeleteTest, AnOpenStreamHoldsADeletedFile) {
  const OpenPtr stream = MustCreate(Parameters(u"f:s", disposition::kCreate));
  DeleteAtClose(u"f");
  EXPECT_EQ(CreateStatus(Parameters(u"f:s", disposition::kOpen)), NtStatus::kDeletePending);
  EXPECT_EQ(Write(stream, "x"), NtStatus::kSuccess);
  EXPECT_EQ(Close(stream), NtStatus::kSuccess);
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kObjectNameNotFound);
}

TEST_F(DeleteTest, OneOfTwoNames) {
  MakeFile(u"a");
  const OpenPtr open = MustCreate(Parameters(u"a", disposition::kOpen));
  ASSERT_EQ(Run(files_->Link(open, u"b", false)), NtStatus::kSuccess);
  EXPECT_EQ(Run(files_->SetDisposition(open, true, false, false)), NtStatus::kSuccess);
  EXPECT_EQ(Close(open), NtStatus::kSuccess);
  EXPECT_FALSE(Exists(u"a"));
  EXPECT_TRUE(Exists(u"b"));
  EXPECT_TRUE(Findings().empty());
}

TEST_F(DeleteTest, ADeleteThatTheStoreRefusedIsTriedAgain) {
  auto p = Parameters(u"f", disposition::kCreate);
  p.create_options = options::kDeleteOnClose;
  const OpenPtr open = MustCreate(p);
  MemoryFault fault;
  fault.op = EngineOp::kWrite;
  fault.times = 100;
  store_->Inject(fault);
  EXPECT_TRUE(IsError(Close(open)));
  store_->ClearFaults();
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kDeletePending);
  clock().Advance(std::chrono::seconds(6));
  Settle();
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kObjectNameNotFound);
}

// The one who asked for it has closed; who still holds the stream carries the wish over the crash.
TEST_F(DeleteTest, ADeleteOfAStreamSurvivesWithItsHolder) {
  MakeFile(u"f");
  const OpenPtr holder = MustCreate(Persistent(u"f:s", 1));
  const std::uint64_t id = holder->persistent_id;
  DeleteAtClose(u"f:s");
  Restart();
  const auto back = Reconnect(ReconnectTo(id, 1));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(CreateStatus(Parameters(u"f:s", disposition::kOpen)), NtStatus::kDeletePending);
  EXPECT_EQ(Close(*back), NtStatus::kSuccess);
  EXPECT_EQ(CreateStatus(Parameters(u"f:s", disposition::kOpen)), NtStatus::kObjectNameNotFound);
  EXPECT_TRUE(Exists(u"f"));
}

TEST_F(DeleteTest, ADeleteOfAFileSurvivesWithTheHolderOfAStream) {
  MakeFile(u"f");
  const OpenPtr holder = MustCreate(Persistent(u"f:s", 1));
  const std::uint64_t id = holder->persistent_id;
  DeleteAtClose(u"f");
  Restart();
  const auto back = Reconnect(ReconnectTo(id, 1));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kDeletePending);
  EXPECT_FALSE((*back)->file->Stream((*back)->stream)->delete_pending);
  EXPECT_EQ(Close(*back), NtStatus::kSuccess);
  EXPECT_FALSE(Exists(u"f"));
  EXPECT_TRUE(Findings().empty());
}

TEST_F(DeleteTest, ADeleteThatIsDoneDoesNotComeBackWithAnotherHandle) {
  MakeFile(u"f");
  {
    const OpenPtr open = MustCreate(Parameters(u"f", disposition::kOpen));
    ASSERT_EQ(Run(files_->Link(open, u"g", false)), NtStatus::kSuccess);
    ASSERT_EQ(Close(open), NtStatus::kSuccess);
  }
  const OpenPtr holder = MustCreate(Persistent(u"g", 1));
  const std::uint64_t id = holder->persistent_id;
  const OpenPtr other = MustCreate(Parameters(u"f", disposition::kOpen));
  ASSERT_EQ(Run(files_->SetDisposition(other, true, true, false)), NtStatus::kSuccess);
  ASSERT_EQ(Close(other), NtStatus::kSuccess);
  EXPECT_FALSE(Exists(u"f"));
  Restart();
  const auto back = Reconnect(ReconnectTo(id, 1));
  ASSERT_TRUE(back.ok());
  EXPECT_FALSE((*back)->file->delete_pending);
  EXPECT_TRUE(Exists(u"g"));
}

}  // namespace
}  // namespace holdfast
