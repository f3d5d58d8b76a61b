// Persistent opens over disconnects, crashes and timeouts: [MS-SMB2] 3.3.5.9.10, 3.3.5.9.12, 3.3.6.2, 3.3.7.1.
#include "storage/files/records.h"
#include "tests/storage/files/files_fixture.h"

namespace holdfast {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PersistentTest : public FilesTest {
 protected:
  void Wait(Duration duration) {
    clock().Advance(duration);
    Settle();
  }
};

TEST_F(PersistentTest, GrantNeedsShareClientAndFlag) {
  const auto granted = [this](CreateParameters p) {
    const auto outcome = Create(std::move(p));
    EXPECT_TRUE(outcome.ok());
    const bool persistent = outcome->open->is_persistent();
    EXPECT_EQ(outcome->durable_response, persistent);
    EXPECT_EQ(StoredRecords(outcome->open->file_number()), persistent ? 1u : 0u);
    EXPECT_EQ(Close(outcome->open), NtStatus::kSuccess);
    return persistent;
  };
  EXPECT_TRUE(granted(Persistent(u"f", 1)));
  auto p = Persistent(u"f", 2);
  p.share = plain_;
  EXPECT_FALSE(granted(p));
  p = Persistent(u"f", 3);
  p.requester.persistent_capable = false;
  EXPECT_FALSE(granted(p));
  p = Persistent(u"f", 4);
  p.durable.persistent_requested = false;  // without an oplock plain durability is not granted either
  EXPECT_FALSE(granted(p));
  p = Persistent(u"f", 5);
  p.durable.kind = DurableKind::kDurableV1;
  EXPECT_FALSE(granted(p));
  MakeDirectory(u"d");
  EXPECT_TRUE(granted(Persistent(u"d", 6)));
}

TEST_F(PersistentTest, TimeoutIsTheSharesOrTheClientsUpToFiveMinutes) {
  auto p = Persistent(u"f", 1);
  EXPECT_EQ(MustCreate(p)->durable_open_timeout_ms, 60'000u);
  p = Persistent(u"f", 2);
  p.durable.timeout_ms = 5'000;
  EXPECT_EQ(MustCreate(p)->durable_open_timeout_ms, 5'000u);
  p = Persistent(u"f", 3);
  p.durable.timeout_ms = 1'000'000;
  EXPECT_EQ(MustCreate(p)->durable_open_timeout_ms, 300'000u);
}

TEST_F(PersistentTest, OneWriteForAnExistingFileAndOneToClose) {
  MakeFile(u"f");
  const OpenPtr first = MustCreate(Persistent(u"f", 1));  // enters the index
  std::uint64_t before = store_->operations(EngineOp::kWrite);
  const OpenPtr second = MustCreate(Persistent(u"f", 2));
  EXPECT_EQ(store_->operations(EngineOp::kWrite) - before, 1u);
  before = store_->operations(EngineOp::kWrite);
  EXPECT_EQ(Close(second), NtStatus::kSuccess);
  EXPECT_EQ(store_->operations(EngineOp::kWrite) - before, 1u);
  EXPECT_EQ(Close(first), NtStatus::kSuccess);
}

TEST_F(PersistentTest, SurvivesADisconnect) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  EXPECT_TRUE(Disconnect(open));
  EXPECT_FALSE(open->attached);
  const auto back = Reconnect(ReconnectTo(open->persistent_id, 1));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, open);
  EXPECT_TRUE(open->attached);
  Wait(seconds(120));
  EXPECT_FALSE(open->closed);
  const OpenPtr plain = MustCreate(Parameters(u"g"));
  EXPECT_FALSE(Disconnect(plain));
  EXPECT_TRUE(plain->closed);
}

TEST_F(PersistentTest, SurvivesTheNodeWithEverythingItWasGranted) {
  auto p = Persistent(u"dir\\file", 7, disposition::kCreate);
  MakeDirectory(u"dir");
  p.desired_access = access::kReadData | access::kWriteData | access::kDelete;
  p.share_access = 1;
  p.file_attributes = file_attribute::kHidden;
  AppInstance instance;
  instance.id = MakeGuid(9);
  instance.version = {3, 4};
  p.app_instance = instance;
  const OpenPtr before = MustCreate(p);
  ASSERT_EQ(Write(before, "acknowledged"), NtStatus::kSuccess);
  before->lock_sequence[5] = {true, 3};
  std::vector<LockRange> ranges(1);
  ranges[0] = {10, 20, true, false, true};
  ASSERT_EQ(Run(files_->Lock(before, ranges, 0x7u << 4 | 2, true, nullptr)), NtStatus::kSuccess);
  const std::uint64_t id = before->persistent_id;
  Restart();

  const auto back = Reconnect(ReconnectTo(id, 7));
  ASSERT_TRUE(back.ok()) << NtStatusName(back.status());
  const Open& after = **back;
  EXPECT_NE(*back, before);
  EXPECT_EQ(after.persistent_id, id);
  EXPECT_EQ(after.granted_access, before->granted_access);
  EXPECT_EQ(after.desired_access, before->desired_access);
  EXPECT_EQ(after.maximal_access, before->maximal_access);
  EXPECT_EQ(after.share_access, 1u);
  EXPECT_EQ(after.create_options, before->create_options);
  EXPECT_EQ(after.create_disposition, disposition::kCreate);
  EXPECT_EQ(after.create_action, action::kCreated);
  EXPECT_EQ(after.file_attributes, file_attribute::kHidden);
  EXPECT_EQ(after.create_guid, MakeGuid(7));
  EXPECT_EQ(after.client_guid, MakeGuid(1));
  EXPECT_EQ(after.durable_owner, alice_->user);
  EXPECT_EQ(after.app_instance->id, MakeGuid(9));
  EXPECT_EQ(after.app_instance->version, instance.version);
  EXPECT_EQ(after.path, u"dir\\file");
  EXPECT_EQ(after.link.name, u"file");
  EXPECT_EQ(after.durable_open_timeout_ms, 60'000u);
  EXPECT_TRUE(after.lock_sequence[7].valid);
  EXPECT_EQ(after.lock_sequence[7].number, 2);
  EXPECT_FALSE(after.lock_sequence[8].valid);
  const auto& locks = after.file->Stream(kUnnamedStream)->locks;
  ASSERT_EQ(locks.size(), 1u);
  EXPECT_EQ(locks[0].offset, 10u);
  EXPECT_EQ(locks[0].length, 20u);
  EXPECT_TRUE(locks[0].exclusive);
  EXPECT_EQ(locks[0].owner, back->get());
  Bytes read(12);
  ASSERT_TRUE(Run(files_->Read(*back, 0, read, false)).ok());
  EXPECT_EQ(std::string(read.begin(), read.end()), "acknowledged");
  EXPECT_EQ(Close(*back), NtStatus::kSuccess);
  EXPECT_EQ(StoredRecords(id >> 20), 0u);
  EXPECT_TRUE(Run(volume_->LoadRecords(id >> 20, "b/"))->empty());
  EXPECT_EQ(CreateStatus(Parameters(u"dir\\file", disposition::kOpen)), NtStatus::kSuccess);
  EXPECT_TRUE(Findings().empty());
}

TEST_F(PersistentTest, IdsAreNotGivenTwice) {
  const OpenPtr first = MustCreate(Persistent(u"f", 1));
  const std::uint64_t id = first->persistent_id;
  ASSERT_EQ(Close(first), NtStatus::kSuccess);
  Restart();
  const OpenPtr second = MustCreate(Persistent(u"f", 2));
  EXPECT_NE(second->persistent_id, id);
  EXPECT_EQ(Reconnect(ReconnectTo(id, 1)).status(), NtStatus::kObjectNameNotFound);
}

TEST_F(PersistentTest, NobodySlipsInBeforeTheReconnect) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  const std::uint64_t id = open->persistent_id;
  Stop(true);
  Boot(false);  // not even recovered: the file's own records tell
  auto p = Parameters(u"f", disposition::kOpen);
  p.desired_access = access::kReadAttributes;
  EXPECT_EQ(CreateStatus(p), NtStatus::kFileNotAvailable);
  EXPECT_EQ(CreateStatus(Persistent(u"f", 2)), NtStatus::kFileNotAvailable);
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOverwrite)), NtStatus::kFileNotAvailable);
  EXPECT_EQ(CreateStatus(Parameters(u"f:s", disposition::kOpenIf)), NtStatus::kFileNotAvailable);
  const auto back = Reconnect(ReconnectTo(id, 1));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
}

TEST_F(PersistentTest, ADisconnectedDirectoryBlocksOnlyWhatConflicts) {
  MakeDirectory(u"d");
  auto p = Persistent(u"d", 1, disposition::kOpen);
  p.desired_access = access::kListDirectory;
  p.share_access = 3;
  const OpenPtr open = MustCreate(p);
  ASSERT_TRUE(Disconnect(open));
  auto q = Parameters(u"d", disposition::kOpen);
  q.desired_access = access::kListDirectory;
  EXPECT_EQ(CreateStatus(q), NtStatus::kSuccess);
  MakeFile(u"d\\f");
  q.desired_access = access::kDelete;
  EXPECT_EQ(CreateStatus(q), NtStatus::kFileNotAvailable);
}

TEST_F(PersistentTest, ExpiresAtItsTimeoutWhichATakeoverRestarts) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  const std::uint64_t id = open->persistent_id;
  ASSERT_TRUE(Disconnect(open));
  Wait(seconds(59));
  EXPECT_EQ(CreateStatus(Parameters(u"f")), NtStatus::kFileNotAvailable);
  Restart();
  Wait(seconds(59));
  EXPECT_EQ(CreateStatus(Parameters(u"f")), NtStatus::kFileNotAvailable);
  Wait(seconds(2));
  EXPECT_EQ(CreateStatus(Parameters(u"f")), NtStatus::kSuccess);
  EXPECT_EQ(StoredRecords(id >> 20), 0u);
  EXPECT_EQ(Reconnect(ReconnectTo(id, 1)).status(), NtStatus::kObjectNameNotFound);
}

TEST_F(PersistentTest, DeleteOnCloseSurvivesTheNodeAndRunsAtExpiry) {
  auto p = Persistent(u"f", 1);
  p.create_options = options::kDeleteOnClose;
  const OpenPtr open = MustCreate(p);
  Restart();
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kFileNotAvailable);
  Wait(seconds(61));
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kObjectNameNotFound);
  EXPECT_TRUE(Findings().empty());
}

TEST_F(PersistentTest, APendingDeleteSurvivesTheNode) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  const std::uint64_t id = open->persistent_id;
  ASSERT_EQ(Run(files_->SetDisposition(open, true, false, false)), NtStatus::kSuccess);
  Restart();
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kDeletePending);
  const auto back = Reconnect(ReconnectTo(id, 1));
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE((*back)->file->delete_pending);
  EXPECT_EQ(Run(files_->SetDisposition(*back, false, false, false)), NtStatus::kSuccess);
  Restart();
  const auto again = Reconnect(ReconnectTo(id, 1));
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE((*again)->file->delete_pending);
  EXPECT_EQ(Close(*again), NtStatus::kSuccess);
  EXPECT_TRUE(Exists(u"f"));
}

// The one who asked for it has closed; who still holds the file up carries the wish over the crash.
TEST_F(PersistentTest, ADeleteAskedForByAnotherSurvivesWithTheHolder) {
  const OpenPtr holder = MustCreate(Persistent(u"f", 1));
  auto p = Parameters(u"f", disposition::kOpen);
  p.create_options = options::kDeleteOnClose;
  ASSERT_EQ(CreateStatus(p), NtStatus::kSuccess);
  Restart();
  Wait(seconds(61));
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kObjectNameNotFound);
}

TEST_F(PersistentTest, AFileWithoutANameIsKeptForItsHolder) {
  const OpenPtr holder = MustCreate(Persistent(u"f", 1));
  const std::uint64_t id = holder->persistent_id;
  ASSERT_EQ(Write(holder, "kept"), NtStatus::kSuccess);
  const OpenPtr other = MustCreate(Parameters(u"f", disposition::kOpen));
  ASSERT_EQ(Run(files_->SetDisposition(other, true, true, false)), NtStatus::kSuccess);
  ASSERT_EQ(Close(other), NtStatus::kSuccess);
  Restart();
  EXPECT_FALSE(Exists(u"f"));
  const auto back = Reconnect(ReconnectTo(id, 1));
  ASSERT_TRUE(back.ok()) << NtStatusName(back.status());
  Bytes read(4);
  EXPECT_TRUE(Run(files_->Read(*back, 0, read, false)).ok());
  EXPECT_EQ(std::string(read.begin(), read.end()), "kept");
  EXPECT_EQ(Close(*back), NtStatus::kSuccess);
  EXPECT_EQ(Run(volume_->Load(id >> 20)).status(), NtStatus::kObjectNameNotFound);
  EXPECT_TRUE(Findings().empty());
}

TEST_F(PersistentTest, ARecordOfANewerServerKeepsTheFileClosed) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  const FileNumber number = open->file_number();
  auto records = Run(volume_->LoadRecords(number, "o/"));
  ASSERT_TRUE(records.ok() && records->size() == 1);
  pb::OpenRecord record;
  ASSERT_TRUE(record.ParseFromString((*records)[0].value));
  record.set_least_reader(kRecordLevel + 1);
  std::vector<RecordChange> change(1);
  change[0] = {(*records)[0].key, record.SerializeAsString()};
  ASSERT_EQ(Run(volume_->StoreRecords(number, change)), NtStatus::kSuccess);
  Restart();
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kFileNotAvailable);
  EXPECT_EQ(Reconnect(ReconnectTo(open->persistent_id, 1)).status(), NtStatus::kFileNotAvailable);
}

TEST_F(PersistentTest, UnknownFieldsOfARecordAreKept) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  const std::uint64_t id = open->persistent_id;
  auto records = Run(volume_->LoadRecords(id >> 20, "o/"));
  ASSERT_TRUE(records.ok() && records->size() == 1);
  std::vector<RecordChange> change(1);
  const std::string unknown = "\xC2\x3E\x03new";  // field 1000, three bytes
  change[0] = {(*records)[0].key, (*records)[0].value + unknown};
  ASSERT_EQ(Run(volume_->StoreRecords(id >> 20, change)), NtStatus::kSuccess);
  Restart();
  const auto back = Reconnect(ReconnectTo(id, 1));
  ASSERT_TRUE(back.ok());
  ASSERT_EQ(Run(files_->SetDisposition(*back, true, false, false)), NtStatus::kSuccess);  // writes the record again
  records = Run(volume_->LoadRecords(id >> 20, "o/"));
  ASSERT_TRUE(records.ok() && records->size() == 1);
  EXPECT_NE((*records)[0].value.find(unknown), std::string::npos);
}

TEST_F(PersistentTest, TheIndexFollowsTheOpens) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  auto index = Run(volume_->ReadIndex());
  ASSERT_TRUE(index.ok());
  EXPECT_EQ(*index, std::vector<FileNumber>{open->file_number()});
  ASSERT_EQ(Close(open), NtStatus::kSuccess);
  Wait(seconds(6));
  index = Run(volume_->ReadIndex());
  EXPECT_TRUE(index->empty());
}

TEST_F(PersistentTest, RecoveryLoadsWhatTheIndexNames) {
  MustCreate(Persistent(u"f", 1));
  MustCreate(Persistent(u"g", 2));
  Restart();
  EXPECT_EQ(files_->counts().persistent, 2u);
  EXPECT_EQ(files_->counts().disconnected, 2u);
}

TEST_F(PersistentTest, ShutdownClosesNothing) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  ASSERT_TRUE(Disconnect(open));
  files_->Shutdown();
  Wait(seconds(1000));
  EXPECT_FALSE(open->closed);
  EXPECT_EQ(StoredRecords(open->file_number()), 1u);
}

// ---- the table of DH2C, each row ----

TEST_F(PersistentTest, ReconnectRowUnknownId) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  ASSERT_TRUE(Disconnect(open));
  EXPECT_EQ(Reconnect(ReconnectTo(open->persistent_id + 77, 99)).status(), NtStatus::kObjectNameNotFound);
  EXPECT_EQ(Reconnect(ReconnectTo(std::uint64_t{999999} << 20 | 1, 99)).status(), NtStatus::kObjectNameNotFound);
  // By CreateGuid, where the id says nothing.
  auto p = ReconnectTo(std::uint64_t{999999} << 20 | 1, 1);
  const auto back = Reconnect(p);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, open);
  ASSERT_TRUE(Disconnect(open));
  p.share = plain_;
  EXPECT_EQ(Reconnect(p).status(), NtStatus::kObjectNameNotFound);
}

TEST_F(PersistentTest, ReconnectRowsThatDoNotFit) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  ASSERT_TRUE(Disconnect(open));
  auto p = ReconnectTo(open->persistent_id, 1);
  p.persistent_flag = false;
  EXPECT_EQ(Reconnect(p).status(), NtStatus::kObjectNameNotFound);
  p = ReconnectTo(open->persistent_id, 2);
  EXPECT_EQ(Reconnect(p).status(), NtStatus::kObjectNameNotFound);
  p = ReconnectTo(open->persistent_id, 1);
  p.caching.lease_key = MakeGuid(5);
  EXPECT_EQ(Reconnect(p).status(), NtStatus::kObjectNameNotFound);
  p = ReconnectTo(open->persistent_id, 1);
  p.requester.token = bob_;
  EXPECT_EQ(Reconnect(p).status(), NtStatus::kAccessDenied);
  // A wrong guid is told before a wrong user.
  p.create_guid = MakeGuid(2);
  EXPECT_EQ(Reconnect(p).status(), NtStatus::kObjectNameNotFound);
  EXPECT_TRUE(Reconnect(ReconnectTo(open->persistent_id, 1)).ok());
}

TEST_F(PersistentTest, ReconnectRowNotDurable) {
  auto q = Persistent(u"f", 1);
  q.share = plain_;
  const OpenPtr open = MustCreate(q);
  auto p = ReconnectTo(open->persistent_id, 1);
  p.share = plain_;
  EXPECT_EQ(Reconnect(p).status(), NtStatus::kObjectNameNotFound);
  // Resilient it may come back, but not as what it never was.
  ASSERT_EQ(Run(files_->RequestResiliency(open, 10'000)), NtStatus::kSuccess);
  ASSERT_TRUE(Disconnect(open));
  EXPECT_EQ(Reconnect(p).status(), NtStatus::kInvalidParameter);
  p.persistent_flag = false;
  EXPECT_TRUE(Reconnect(p).ok());
  EXPECT_EQ(Run(files_->RequestResiliency(open, 300'001)), NtStatus::kInvalidParameter);
  ASSERT_TRUE(Disconnect(open));
  Wait(seconds(11));
  EXPECT_TRUE(open->closed);
}

TEST_F(PersistentTest, ReconnectRowStillAttached) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  NtStatus told = NtStatus::kSuccess;
  open->on_forced_detach = [&told](NtStatus status) { told = status; };
  auto same = ReconnectTo(open->persistent_id, 1, 1);  // over its own connection
  EXPECT_EQ(Reconnect(same).status(), NtStatus::kObjectNameNotFound);
  auto stranger = ReconnectTo(open->persistent_id, 1);
  stranger.requester.client_guid = MakeGuid(2);
  EXPECT_EQ(Reconnect(stranger).status(), NtStatus::kObjectNameNotFound);
  EXPECT_EQ(told, NtStatus::kSuccess);
  const auto back = Reconnect(ReconnectTo(open->persistent_id, 1));
  ASSERT_TRUE(back.ok());
  EXPECT_NE(told, NtStatus::kSuccess);
  EXPECT_EQ(open->attached_connection, 2u);
}

TEST_F(PersistentTest, ReconnectWaitsForWhatTheOldConnectionBegan) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  ASSERT_TRUE(Disconnect(open));
  auto use = std::make_unique<OpenUse>(open);
  bool done = false;
  auto reconnect = [](Files& files, ReconnectParameters p, bool& flag) -> Task<void> {
    const auto back = co_await files.Reconnect(std::move(p));
    flag = back.ok();
  };
  Start(reconnect(*files_, ReconnectTo(open->persistent_id, 1), done));
  Settle();
  EXPECT_FALSE(done);
  use.reset();
  Settle();
  EXPECT_TRUE(done);
}

TEST_F(PersistentTest, ReconnectOfVersionOneNeedsNoGuid) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  ASSERT_TRUE(Disconnect(open));
  auto p = ReconnectTo(open->persistent_id, 0);
  p.v2 = false;
  p.persistent_flag = false;
  EXPECT_TRUE(Reconnect(p).ok());
}

TEST_F(PersistentTest, AStoreThatFailsDoesNotMakeAHandleUnknown) {
  const OpenPtr open = MustCreate(Persistent(u"f", 1));
  const std::uint64_t id = open->persistent_id;
  Stop(true);
  Boot(false);
  MemoryFault fault;
  fault.object_prefix = "i/";
  fault.times = 1000;
  store_->Inject(fault);
  EXPECT_EQ(Reconnect(ReconnectTo(id, 1)).status(), NtStatus::kFileNotAvailable);
  store_->ClearFaults();
  EXPECT_TRUE(Reconnect(ReconnectTo(id, 1)).ok());
}

// ---- application instances, 3.3.5.9.13 ----

TEST_F(PersistentTest, ANewerInstanceClosesTheOlderOne) {
  const auto instance = [this](std::uint8_t create, std::uint8_t client,
                               std::optional<std::pair<std::uint64_t, std::uint64_t>> version) {
    auto p = Persistent(u"f", create);
    p.requester.client_guid = MakeGuid(client);
    p.share_access = 0;
    AppInstance app;
    app.id = MakeGuid(50);
    app.version = version;
    p.app_instance = app;
    return p;
  };
  const OpenPtr first = MustCreate(instance(1, 1, std::pair<std::uint64_t, std::uint64_t>{1, 5}));
  EXPECT_EQ(CreateStatus(instance(2, 1, std::pair<std::uint64_t, std::uint64_t>{9, 9})), NtStatus::kSharingViolation);
  EXPECT_EQ(CreateStatus(instance(2, 2, std::pair<std::uint64_t, std::uint64_t>{1, 5})), NtStatus::kFileForcedClosed);
  EXPECT_EQ(CreateStatus(instance(2, 2, std::pair<std::uint64_t, std::uint64_t>{0, 9})), NtStatus::kFileForcedClosed);
  EXPECT_EQ(CreateStatus(instance(2, 2, std::nullopt)), NtStatus::kFileForcedClosed);
  bool detached = false;
  first->on_forced_detach = [&detached](NtStatus) { detached = true; };
  const OpenPtr second = MustCreate(instance(3, 2, std::pair<std::uint64_t, std::uint64_t>{1, 6}));
  EXPECT_TRUE(first->closed);
  EXPECT_TRUE(detached);
  EXPECT_EQ(StoredRecords(second->file_number()), 1u);
  // Also one whose host died with the node's memory.
  Restart();
  const OpenPtr third = MustCreate(instance(4, 3, std::pair<std::uint64_t, std::uint64_t>{2, 0}));
  EXPECT_TRUE(third);
  EXPECT_EQ(files_->counts().opens, 1u);
}

// ---- replay, 3.3.5.9 and 3.3.5.9.10 ----

TEST_F(PersistentTest, AReplayOnTheSameSessionGetsTheFirstAnswer) {
  auto p = Persistent(u"f", 1, disposition::kCreate);
  const OpenPtr open = MustCreate(p);
  EXPECT_EQ(Create(p).status(), NtStatus::kDuplicateObjectid);  // not said to be a replay
  p.replay = true;
  const auto again = Create(p);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->open, open);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->create_action, action::kCreated);
  EXPECT_TRUE(again->durable_response);
  p.requester.token = bob_;
  EXPECT_EQ(Create(p).status(), NtStatus::kAccessDenied);
  p.requester.token = alice_;
  p.requester.session = 2;
  EXPECT_EQ(Create(p).status(), NtStatus::kDuplicateObjectid);
  p.requester.session = 1;
  p.durable.persistent_requested = false;
  EXPECT_EQ(Create(p).status(), NtStatus::kInvalidParameter);
  // Used since, and still attached: there is nothing to replay.
  open->is_replay_eligible = false;
  p.durable.persistent_requested = true;
  EXPECT_EQ(Create(p).status(), NtStatus::kFileNotAvailable);
}

TEST_F(PersistentTest, AReplayAcrossTheNodesDeathGetsTheFirstAnswer) {
  auto p = Persistent(u"f", 1, disposition::kCreate);
  const OpenPtr open = MustCreate(p);
  const std::uint64_t id = open->persistent_id;
  Restart();
  p.replay = true;
  p.requester.session = 2;
  auto other = p;
  other.requester.token = bob_;
  EXPECT_EQ(Create(other).status(), NtStatus::kAccessDenied);
  other = p;
  other.share_access = 3;
  EXPECT_EQ(Create(other).status(), NtStatus::kContextMismatch);
  other = p;
  other.desired_access = access::kReadData;
  EXPECT_EQ(Create(other).status(), NtStatus::kContextMismatch);
  other = p;
  other.create_options = options::kNonDirectory;
  EXPECT_EQ(Create(other).status(), NtStatus::kContextMismatch);
  const auto again = Create(p);
  ASSERT_TRUE(again.ok()) << NtStatusName(again.status());
  EXPECT_EQ(again->open->persistent_id, id);
  EXPECT_EQ(again->create_action, action::kCreated);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(Create(p).status(), NtStatus::kFileNotAvailable);  // attached now, to a session that may have used it
}

TEST_F(PersistentTest, AReplayAfterALostConnectionGetsTheFirstAnswer) {
  auto p = Persistent(u"f", 1, disposition::kCreate);
  const OpenPtr open = MustCreate(p);
  ASSERT_TRUE(Disconnect(open));
  p.replay = true;
  p.requester.session = 2;
  const auto again = Create(p);
  ASSERT_TRUE(again.ok()) << NtStatusName(again.status());
  EXPECT_EQ(again->open, open);
}

TEST_F(PersistentTest, AReplayOfWhatNeverRanRuns) {
  auto p = Persistent(u"f", 1, disposition::kCreate);
  p.replay = true;
  const auto outcome = Create(p);
  ASSERT_TRUE(outcome.ok());
  EXPECT_FALSE(outcome->replayed);
  EXPECT_EQ(outcome->create_action, action::kCreated);
}

// Something slow of the old connection is still under way when the client is back.
TEST_F(PersistentTest, ItsTimeDoesNotRunOutWhileItIsClaimed) {
  const OpenPtr open = MustCreate(Persistent(u"slow", 1));
  ASSERT_TRUE(Disconnect(open));
  std::optional<OpenUse> slow(std::in_place, open);
  std::optional<Result<OpenPtr>> claimed;
  const auto claim = [](Files* files, ReconnectParameters p, std::optional<Result<OpenPtr>>* out) -> Task<void> {
    *out = co_await files->Reconnect(std::move(p));
  };
  Spawn(executor(), claim(files_.get(), ReconnectTo(open->persistent_id, 1), &claimed));
  Settle();
  EXPECT_FALSE(claimed);
  clock().Advance(std::chrono::seconds(61));
  Settle();
  slow.reset();
  Settle();
  ASSERT_TRUE(claimed);
  EXPECT_TRUE(claimed->ok()) << NtStatusName(claimed->status());
}

TEST_F(PersistentTest, AReplayBesideItsOriginalTakesItsAnswer) {
  auto outcome = std::make_shared<OneShot<Result<CreateOutcome>>>();
  auto create = [](Files& files, CreateParameters p,
                   std::shared_ptr<OneShot<Result<CreateOutcome>>> done) -> Task<void> {
    auto result = co_await files.Create(std::move(p));
    done->Set(std::move(result));
  };
  auto p = Persistent(u"f", 1, disposition::kCreate);
  Start(create(*files_, p, outcome));
  context().restart();
  context().run_one();  // the original is under way
  ASSERT_FALSE(outcome->is_set());
  EXPECT_EQ(Create(p).status(), NtStatus::kDuplicateObjectid);
  ASSERT_FALSE(outcome->is_set());
  p.replay = true;
  const auto again = Create(p);
  ASSERT_TRUE(again.ok());
  ASSERT_TRUE(outcome->is_set());
  const auto original = Run(outcome->Wait());
  ASSERT_TRUE(original.ok());
  EXPECT_EQ(again->open, original->open);
  EXPECT_TRUE(again->replayed);
  EXPECT_FALSE(original->replayed);
}

}  // namespace
}  // namespace holdfast
