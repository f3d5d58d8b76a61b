#include "tests/storage/files/files_fixture.h"

#include "protocol/dtyp/inheritance.h"
#include "protocol/fscc/reparse.h"

namespace holdfast {
namespace {

using CreateTest = FilesTest;

// [MS-FSA] 2.1.5.1: what each disposition does where something is and where nothing is.
TEST_F(CreateTest, DispositionsOnFiles) {
  struct Row {
    std::uint32_t disposition;
    NtStatus when_absent;
    NtStatus when_present;
    std::uint32_t action_when_present;
    bool truncates;
  };
  const Row rows[] = {
      {disposition::kSupersede, NtStatus::kSuccess, NtStatus::kSuccess, action::kSuperseded, true},
      {disposition::kOpen, NtStatus::kObjectNameNotFound, NtStatus::kSuccess, action::kOpened, false},
      {disposition::kCreate, NtStatus::kSuccess, NtStatus::kObjectNameCollision, 0, false},
      {disposition::kOpenIf, NtStatus::kSuccess, NtStatus::kSuccess, action::kOpened, false},
      {disposition::kOverwrite, NtStatus::kObjectNameNotFound, NtStatus::kSuccess, action::kOverwritten, true},
      {disposition::kOverwriteIf, NtStatus::kSuccess, NtStatus::kSuccess, action::kOverwritten, true},
  };
  for (const Row& row : rows) {
    const std::u16string name = u"f" + std::u16string(1, static_cast<char16_t>(u'0' + row.disposition));
    const auto absent = Create(Parameters(name, row.disposition));
    EXPECT_EQ(absent.status(), row.when_absent) << row.disposition;
    OpenPtr open;
    if (absent.ok()) {
      EXPECT_EQ(absent->create_action, action::kCreated);
      open = absent->open;
    } else {
      open = MustCreate(Parameters(name));
    }
    ASSERT_EQ(Write(open, "data"), NtStatus::kSuccess);
    ASSERT_EQ(Close(open), NtStatus::kSuccess);
    const auto present = Create(Parameters(name, row.disposition));
    EXPECT_EQ(present.status(), row.when_present) << row.disposition;
    if (!present.ok()) continue;
    EXPECT_EQ(present->create_action, row.action_when_present);
    EXPECT_EQ(Size(present->open), row.truncates ? 0u : 4u);
    EXPECT_EQ(Close(present->open), NtStatus::kSuccess);
  }
  EXPECT_TRUE(Findings().empty());
}

TEST_F(CreateTest, DispositionsOnDirectories) {
  MakeDirectory(u"d");
  for (const std::uint32_t kind : {0u, options::kDirectory}) {
    auto p = Parameters(u"d", disposition::kOpen);
    p.create_options = kind;
    EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
    p.create_disposition = disposition::kOpenIf;
    EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
    p.create_disposition = disposition::kCreate;
    EXPECT_EQ(CreateStatus(p), NtStatus::kObjectNameCollision);
    p.create_disposition = disposition::kOverwriteIf;
    EXPECT_EQ(CreateStatus(p), kind ? NtStatus::kInvalidParameter : NtStatus::kObjectNameCollision);
  }
}

TEST_F(CreateTest, KindOfWhatIsThere) {
  MakeDirectory(u"d");
  MakeFile(u"f");
  auto p = Parameters(u"f", disposition::kOpen);
  p.create_options = options::kDirectory;
  EXPECT_EQ(CreateStatus(p), NtStatus::kNotADirectory);
  p.create_disposition = disposition::kCreate;
  EXPECT_EQ(CreateStatus(p), NtStatus::kObjectNameCollision);
  p = Parameters(u"d", disposition::kOpen);
  p.create_options = options::kNonDirectory;
  EXPECT_EQ(CreateStatus(p), NtStatus::kFileIsADirectory);
  EXPECT_EQ(CreateStatus(Parameters(u"d::$DATA", disposition::kOpen)), NtStatus::kFileIsADirectory);
  EXPECT_EQ(CreateStatus(Parameters(u"d::$INDEX_ALLOCATION", disposition::kOpen)), NtStatus::kSuccess);
  EXPECT_EQ(CreateStatus(Parameters(u"f\\", disposition::kOpen)), NtStatus::kObjectNameInvalid);
  EXPECT_EQ(CreateStatus(Parameters(u"d\\", disposition::kOpen)), NtStatus::kSuccess);
  p.path = u"new:stream";
  p.create_options = options::kDirectory;
  p.create_disposition = disposition::kCreate;
  EXPECT_EQ(CreateStatus(p), NtStatus::kNotADirectory);
}

TEST_F(CreateTest, PathAndNameNotFoundAreDifferent) {
  MakeFile(u"f");
  EXPECT_EQ(CreateStatus(Parameters(u"none\\x", disposition::kCreate)), NtStatus::kObjectPathNotFound);
  EXPECT_EQ(CreateStatus(Parameters(u"f\\x", disposition::kOpen)), NtStatus::kObjectPathNotFound);
  EXPECT_EQ(CreateStatus(Parameters(u"none", disposition::kOpen)), NtStatus::kObjectNameNotFound);
}

TEST_F(CreateTest, AFailingStoreIsNotAMissingName) {
  MakeFile(u"f");
  MemoryFault fault;
  fault.object_prefix = "d/";
  fault.times = 1000;
  store_->Inject(fault);
  const NtStatus status = CreateStatus(Parameters(u"f", disposition::kOpen));
  store_->ClearFaults();
  EXPECT_TRUE(IsError(status));
  EXPECT_NE(status, NtStatus::kObjectNameNotFound);
  EXPECT_NE(status, NtStatus::kObjectPathNotFound);
}

TEST_F(CreateTest, RefusesWhatNobodyMayAsk) {
  auto p = Parameters(u"f");
  p.desired_access = 0;
  EXPECT_EQ(CreateStatus(p), NtStatus::kAccessDenied);
  p.desired_access = 0x08000000;
  EXPECT_EQ(CreateStatus(p), NtStatus::kAccessDenied);
  p = Parameters(u"f");
  p.create_disposition = 6;
  EXPECT_EQ(CreateStatus(p), NtStatus::kInvalidParameter);
  p = Parameters(u"f");
  p.share_access = 8;
  EXPECT_EQ(CreateStatus(p), NtStatus::kInvalidParameter);
  p = Parameters(u"f");
  p.file_attributes = 0x40;
  EXPECT_EQ(CreateStatus(p), NtStatus::kInvalidParameter);
  p = Parameters(u"f");
  p.create_options = 0x01000000;
  EXPECT_EQ(CreateStatus(p), NtStatus::kInvalidParameter);
  p.create_options = 0x2000;
  EXPECT_EQ(CreateStatus(p), NtStatus::kNotSupported);
  p.create_options = options::kDirectory | options::kNonDirectory;
  EXPECT_EQ(CreateStatus(p), NtStatus::kInvalidParameter);
  p.create_options = options::kDeleteOnClose;
  p.desired_access = access::kReadData;
  EXPECT_EQ(CreateStatus(p), NtStatus::kInvalidParameter);
  EXPECT_FALSE(Exists(u"f"));
}

TEST_F(CreateTest, NewFilesGetArchiveAndTheAttributesAsked) {
  auto p = Parameters(u"f", disposition::kCreate);
  p.file_attributes = file_attribute::kHidden | file_attribute::kNormal | file_attribute::kSparseFile;
  const OpenPtr file = MustCreate(p);
  EXPECT_EQ(file->file->inode.file_attributes, file_attribute::kHidden | file_attribute::kArchive);
  EXPECT_EQ(Close(file), NtStatus::kSuccess);
  p = Parameters(u"d", disposition::kCreate);
  p.create_options = options::kDirectory;
  p.file_attributes = file_attribute::kTemporary;
  EXPECT_EQ(CreateStatus(p), NtStatus::kInvalidParameter);
}

TEST_F(CreateTest, OverwriteAsksForTheHiddenAndSystemBitsAgain) {
  auto p = Parameters(u"f", disposition::kCreate);
  p.file_attributes = file_attribute::kHidden | file_attribute::kSystem;
  ASSERT_EQ(CreateStatus(p), NtStatus::kSuccess);
  p.create_disposition = disposition::kOverwrite;
  p.file_attributes = file_attribute::kHidden;
  EXPECT_EQ(CreateStatus(p), NtStatus::kAccessDenied);
  p.file_attributes = file_attribute::kHidden | file_attribute::kSystem;
  EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
}

TEST_F(CreateTest, ReadonlyFilesTakeNoWritersAndNoDeleteOnClose) {
  auto p = Parameters(u"f", disposition::kCreate);
  p.file_attributes = file_attribute::kReadonly;
  p.create_options = options::kDeleteOnClose;
  EXPECT_EQ(CreateStatus(p), NtStatus::kCannotDelete);
  p.create_options = 0;
  const OpenPtr creator = MustCreate(p);  // who makes it may write it
  EXPECT_EQ(Write(creator, "x"), NtStatus::kSuccess);
  EXPECT_EQ(Close(creator), NtStatus::kSuccess);
  p = Parameters(u"f", disposition::kOpen);
  p.desired_access = access::kWriteData;
  EXPECT_EQ(CreateStatus(p), NtStatus::kAccessDenied);
  p.desired_access = access::kReadData | access::kDelete;
  EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
  p.create_options = options::kDeleteOnClose;
  EXPECT_EQ(CreateStatus(p), NtStatus::kCannotDelete);
  p = Parameters(u"f", disposition::kOpen);
  p.desired_access = access::kMaximumAllowed;
  const OpenPtr most = MustCreate(p);
  EXPECT_EQ(most->granted_access & (access::kWriteData | access::kAppendData), 0u);
  EXPECT_NE(most->granted_access & access::kReadData, 0u);
}

TEST_F(CreateTest, TheDescriptorDecides) {
  auto p = Parameters(u"private", disposition::kCreate);
  SecurityDescriptor descriptor = DefaultDescriptor(alice_->user, alice_->primary_group);
  descriptor.control |= sd_control::kDaclProtected;  // nothing from the directory
  p.security_descriptor = descriptor.Encode();
  ASSERT_EQ(CreateStatus(p), NtStatus::kSuccess);
  auto q = Parameters(u"private", disposition::kOpen);
  q.requester.token = bob_;
  q.desired_access = access::kReadData;
  EXPECT_EQ(CreateStatus(q), NtStatus::kAccessDenied);
  // Attributes come with the right to list the directory, [MS-FSA] 2.1.5.1.2.1.
  q.desired_access = access::kReadAttributes;
  EXPECT_EQ(CreateStatus(q), NtStatus::kSuccess);
  q.desired_access = access::kMaximumAllowed;
  const OpenPtr most = MustCreate(q);
  EXPECT_EQ(most->granted_access & access::kReadData, 0u);
  EXPECT_NE(most->granted_access & access::kReadAttributes, 0u);
  p.create_disposition = disposition::kOpen;
  EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
}

TEST_F(CreateTest, TheShareMaskCutsWhatTheDescriptorGives) {
  MakeFile(u"f");
  auto p = Parameters(u"f", disposition::kOpen);
  p.share_mask = access::kFileGenericRead | access::kFileGenericExecute;
  p.desired_access = access::kGenericRead;
  EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
  p.desired_access = access::kWriteData;
  EXPECT_EQ(CreateStatus(p), NtStatus::kAccessDenied);
  p.desired_access = access::kGenericRead;
  p.create_disposition = disposition::kOverwrite;
  EXPECT_EQ(CreateStatus(p), NtStatus::kAccessDenied);
  p.path = u"new";
  p.create_disposition = disposition::kCreate;
  EXPECT_EQ(CreateStatus(p), NtStatus::kAccessDenied);
  p = Parameters(u"f", disposition::kOpen);
  p.share_mask = access::kFileGenericRead;
  p.desired_access = access::kMaximumAllowed;
  const OpenPtr most = MustCreate(p);
  EXPECT_EQ(most->granted_access, access::kFileGenericRead);
  EXPECT_EQ(most->maximal_access, access::kFileGenericRead);
}

TEST_F(CreateTest, NamedStreamsComeAndGoWithTheFile) {
  const OpenPtr stream = MustCreate(Parameters(u"f:info", disposition::kCreate));
  EXPECT_EQ(Write(stream, "12345"), NtStatus::kSuccess);
  EXPECT_EQ(Close(stream), NtStatus::kSuccess);
  EXPECT_TRUE(Exists(u"f"));
  EXPECT_EQ(CreateStatus(Parameters(u"f:none", disposition::kOpen)), NtStatus::kObjectNameNotFound);
  const OpenPtr again = MustCreate(Parameters(u"F:INFO:$data", disposition::kOpen));
  EXPECT_EQ(Size(again), 5u);
  EXPECT_EQ(Close(again), NtStatus::kSuccess);
  const auto second = Create(Parameters(u"f:second", disposition::kOpenIf));
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->create_action, action::kCreated);
  EXPECT_EQ(Close(second->open), NtStatus::kSuccess);
  // The contents of the file are all its streams.
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOverwrite)), NtStatus::kSuccess);
  EXPECT_EQ(CreateStatus(Parameters(u"f:info", disposition::kOpen)), NtStatus::kObjectNameNotFound);
  EXPECT_TRUE(Findings().empty());
}

TEST_F(CreateTest, StreamsOfADirectory) {
  MakeDirectory(u"d");
  const OpenPtr stream = MustCreate(Parameters(u"d:info", disposition::kCreate));
  EXPECT_FALSE(stream->is_directory);
  EXPECT_EQ(Close(stream), NtStatus::kSuccess);
  auto p = Parameters(u":root stream", disposition::kOpenIf);
  p.desired_access = access::kReadData | access::kWriteData;
  EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
}

TEST_F(CreateTest, StopsAtReparsePoints) {
  MakeDirectory(u"link");
  auto p = Parameters(u"link", disposition::kOpen);
  const OpenPtr open = MustCreate(p);
  fscc::SymbolicLink link;
  link.substitute_name = u"elsewhere";
  link.print_name = u"elsewhere";
  link.relative = true;
  ASSERT_EQ(Run(files_->SetReparsePoint(open, link.ToReparsePoint().Encode())), NtStatus::kSuccess);
  ASSERT_EQ(Close(open), NtStatus::kSuccess);
  p = Parameters(u"link\\a\\bc", disposition::kOpen);
  p.stopped = std::make_shared<SymlinkStop>();
  EXPECT_EQ(CreateStatus(p), NtStatus::kStoppedOnSymlink);
  EXPECT_FALSE(p.stopped->reparse_data.empty());
  EXPECT_EQ(p.stopped->unparsed_path_bytes, 10);
  EXPECT_EQ(CreateStatus(Parameters(u"link", disposition::kOpen)), NtStatus::kStoppedOnSymlink);
  p = Parameters(u"link", disposition::kOpen);
  p.create_options = options::kOpenReparsePoint;
  EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
}

TEST_F(CreateTest, TwoCreatorsOfOneNameMeetInOneFile) {
  auto first = std::make_shared<OneShot<Result<CreateOutcome>>>();
  auto create = [](Files& files, CreateParameters p,
                   std::shared_ptr<OneShot<Result<CreateOutcome>>> done) -> Task<void> {
    auto outcome = co_await files.Create(std::move(p));
    done->Set(std::move(outcome));
  };
  Start(create(*files_, Parameters(u"f", disposition::kOpenIf), first));
  const auto second = Create(Parameters(u"f", disposition::kOpenIf));
  const auto other = Run(first->Wait());
  ASSERT_TRUE(second.ok() && other.ok());
  EXPECT_EQ(second->open->file, other->open->file);
  EXPECT_EQ(second->create_action + other->create_action, action::kCreated + action::kOpened);
}

TEST_F(CreateTest, PersistentIdsAreUniqueAndLeadToTheFile) {
  const OpenPtr a = MustCreate(Parameters(u"f"));
  const OpenPtr b = MustCreate(Parameters(u"f"));
  EXPECT_NE(a->persistent_id, b->persistent_id);
  EXPECT_EQ(a->file_number(), a->file->number);
  EXPECT_EQ(b->file_number(), a->file->number);
}

TEST_F(CreateTest, FilesWithoutOpensAreLetGo) {
  for (int i = 0; i < 10; ++i) MakeFile(u"f" + std::u16string(1, static_cast<char16_t>(u'0' + i)));
  EXPECT_GE(files_->counts().files, 10u);
  for (int i = 0; i < 3; ++i) {
    clock().Advance(std::chrono::seconds(6));
    Settle();
  }
  EXPECT_EQ(files_->counts().files, 0u);
  EXPECT_TRUE(Exists(u"f3"));
}

}  // namespace
}  // namespace holdfast
