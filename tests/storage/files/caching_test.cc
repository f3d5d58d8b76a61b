// Oplocks and leases: grants, breaks, acknowledgments, timeouts. [MS-FSA] 2.1.4.12, 2.1.5.18, 2.1.5.19;
// [MS-SMB2] 3.3.4.6, 3.3.4.7, 3.3.5.9.8, 3.3.5.9.11, 3.3.5.22, 3.3.6.1, 3.3.6.5.
#include <gmock/gmock.h>

#include "protocol/dtyp/security_descriptor.h"

#include "tests/storage/files/caching_fixture.h"

namespace holdfast {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

// ---- grants -------------------------------------------------------------------------------------------------------

TEST_F(CachingTest, TheOnlyOpenGetsWhatItAsksFor) {
  for (const std::uint8_t level : {oplock::kLevelII, oplock::kExclusive, oplock::kBatch}) {
    const OpenPtr open = MustCreate(WithOplock(Parameters(u"f"), level));
    EXPECT_EQ(open->oplock_level(), level);
    EXPECT_EQ(Close(open), NtStatus::kSuccess);
  }
  for (const std::uint32_t state : {0u, kR, kRH, kRW, kRWH}) {
    const OpenPtr open = MustCreate(First(u"f", state));
    EXPECT_EQ(open->oplock_level(), oplock::kLease);
    EXPECT_EQ(StateOf(open), state);
    EXPECT_EQ(Close(open), NtStatus::kSuccess);
  }
  for (const std::uint32_t state : {kH, kW, kW | kH, 8u}) {
    const OpenPtr open = MustCreate(First(u"f", state));
    EXPECT_EQ(StateOf(open), 0u) << state;
    EXPECT_EQ(Close(open), NtStatus::kSuccess);
  }
  EXPECT_THAT(Breaks(), IsEmpty());
}

TEST_F(CachingTest, DirectoriesGetNone) {
  auto p = First(u"d", kRH);
  p.create_options = options::kDirectory;
  EXPECT_EQ(MustCreate(p)->oplock_level(), oplock::kNone);
}

TEST_F(CachingTest, OthersThatMayUseTheDataKeepWriteCachingAway) {
  const OpenPtr plain = MustCreate(Parameters(u"f"));
  EXPECT_EQ(StateOf(MustCreate(OfClient(First(u"f", kRWH), 3))), kRH);
  EXPECT_EQ(MustCreate(OfClient(WithOplock(Parameters(u"f"), oplock::kBatch), 4))->oplock_level(), oplock::kNone)
      << "beside a handle lease there are no oplocks";
  const OpenPtr other = MustCreate(Parameters(u"g"));
  EXPECT_EQ(MustCreate(OfClient(WithOplock(Parameters(u"g"), oplock::kBatch), 4))->oplock_level(), oplock::kLevelII);
  EXPECT_EQ(StateOf(MustCreate(OfClient(WithLease(Parameters(u"g"), 5, kRWH), 3))), kR) << "beside an oplock there is no H";
}

TEST_F(CachingTest, WhoOnlyLooksAtAttributesDoesNotCount) {
  auto stat = Parameters(u"f");
  stat.desired_access = access::kReadAttributes | access::kSynchronize;
  const OpenPtr looking = MustCreate(stat);
  const OpenPtr open = MustCreate(OfClient(WithOplock(Parameters(u"f"), oplock::kBatch), 2));
  EXPECT_EQ(open->oplock_level(), oplock::kBatch);
  EXPECT_EQ(MustCreate(OfClient(WithOplock(stat, oplock::kBatch), 3))->oplock_level(), oplock::kNone);
  EXPECT_THAT(Breaks(), IsEmpty());
}

TEST_F(CachingTest, LeasesAreSharedByTheirKeyAndOnlyRise) {
  const OpenPtr first = MustCreate(First(u"f", kR));
  EXPECT_EQ(first->caching->epoch, 1);
  const OpenPtr second = MustCreate(First(u"f", kRWH));
  EXPECT_EQ(first->caching, second->caching);
  EXPECT_EQ(StateOf(first), kRWH);
  EXPECT_EQ(first->caching->epoch, 2);
  const OpenPtr third = MustCreate(First(u"f", kR));
  EXPECT_EQ(StateOf(third), kRWH);
  EXPECT_EQ(first->caching->epoch, 2);
  EXPECT_EQ(Close(first), NtStatus::kSuccess);
  EXPECT_EQ(Close(second), NtStatus::kSuccess);
  EXPECT_EQ(StateOf(third), kRWH);
  EXPECT_THAT(Breaks(), IsEmpty());
}

TEST_F(CachingTest, AKeyBelongsToOneFile) {
  const OpenPtr first = MustCreate(First(u"f", kRWH));
  EXPECT_EQ(CreateStatus(First(u"other", kR)), NtStatus::kInvalidParameter);
  EXPECT_FALSE(Exists(u"other"));
  MakeFile(u"other");
  EXPECT_EQ(CreateStatus(First(u"other", kR)), NtStatus::kInvalidParameter);
  EXPECT_EQ(CreateStatus(OfClient(First(u"other", kR), 2)), NtStatus::kSuccess) << "of another client";
  EXPECT_EQ(Close(first), NtStatus::kSuccess);
  EXPECT_EQ(CreateStatus(First(u"other", kR)), NtStatus::kSuccess);
}

TEST_F(CachingTest, LocksKeepSharedCachingAway) {
  const OpenPtr holder = MustCreate(Parameters(u"f"));
  std::vector<LockRange> range(1);
  range[0] = {0, 10, true, false, true};
  ASSERT_EQ(Run(files_->Lock(holder, range, 0, false, nullptr)), NtStatus::kSuccess);
  EXPECT_EQ(StateOf(MustCreate(OfClient(First(u"f", kRH), 2))), 0u);
  EXPECT_EQ(MustCreate(OfClient(WithOplock(Parameters(u"f"), oplock::kLevelII), 3))->oplock_level(), oplock::kNone);
}

TEST_F(CachingTest, ScaleOutSharesGiveReadCachingOnly) {
  auto share = std::make_shared<ShareContext>(*plain_);
  share->scale_out = true;
  auto p = First(u"f", kRWH);
  p.share = share;
  EXPECT_EQ(StateOf(MustCreate(p)), kR);
  p = WithOplock(Parameters(u"g"), oplock::kBatch);
  p.share = share;
  EXPECT_EQ(MustCreate(p)->oplock_level(), oplock::kLevelII);
}

// ---- opens that conflict --------------------------------------------------------------------------------------------

struct OpenRow {
  std::uint32_t held;
  std::uint32_t disposition;
  std::uint32_t share;       // of the first open
  const char* told;          // nullptr: nothing
  bool waits;
  std::uint32_t left;        // held when all is over
};

class OpenConflictTest : public CachingTest, public testing::WithParamInterface<OpenRow> {};

TEST_P(OpenConflictTest, BreaksWhatTheOpenCannotLiveWith) {
  const OpenRow& row = GetParam();
  auto p = First(u"f", row.held);
  p.share_access = row.share;
  const OpenPtr first = MustCreate(p);
  ASSERT_EQ(StateOf(first), row.held);
  auto second = Second(u"f");
  second.create_disposition = row.disposition;
  second.desired_access = access::kReadData | access::kWriteData;
  const AskedPtr asked = Ask(second);
  const auto told = Breaks();
  if (row.told) {
    EXPECT_THAT(told, ElementsAre(row.told));
  } else {
    EXPECT_THAT(told, IsEmpty());
  }
  EXPECT_EQ(asked->pending, row.waits);
  EXPECT_EQ(asked->done(), !row.waits);
  if (row.told && std::string(row.told).ends_with("!")) {
    EXPECT_EQ(Acknowledge(1, row.left).status(), NtStatus::kSuccess);
  }
  EXPECT_EQ(asked->status(), row.share == 7 ? NtStatus::kSuccess : NtStatus::kSharingViolation);
  EXPECT_EQ(StateOf(first), row.left);
  EXPECT_FALSE(first->caching->breaking);
  EXPECT_THAT(Breaks(), IsEmpty());
}

constexpr std::uint32_t kROnly = 1, kRHOnly = 3, kRWOnly = 5, kRWHAll = 7;
INSTANTIATE_TEST_SUITE_P(
    Rows, OpenConflictTest,
    testing::Values(OpenRow{kROnly, disposition::kOpen, 7, nullptr, false, kROnly},
                    OpenRow{kRHOnly, disposition::kOpen, 7, nullptr, false, kRHOnly},
                    OpenRow{kRWOnly, disposition::kOpen, 7, "RW>R!", true, kROnly},
                    OpenRow{kRWHAll, disposition::kOpen, 7, "RWH>RH!", true, kRHOnly},
                    OpenRow{kROnly, disposition::kOverwrite, 7, "R>", false, 0},
                    OpenRow{kRHOnly, disposition::kOverwrite, 7, "RH>!", false, 0},
                    OpenRow{kRWOnly, disposition::kOverwrite, 7, "RW>!", true, 0},
                    OpenRow{kRWHAll, disposition::kOverwrite, 7, "RWH>!", true, 0},
                    OpenRow{kROnly, disposition::kOpen, 0, nullptr, false, kROnly},
                    OpenRow{kRHOnly, disposition::kOpen, 0, "RH>R!", true, kROnly},
                    OpenRow{kRWOnly, disposition::kOpen, 0, nullptr, false, kRWOnly},
                    OpenRow{kRWHAll, disposition::kOpen, 0, "RWH>RW!", true, kRWOnly},
                    OpenRow{kRWHAll, disposition::kOverwrite, 0, "RWH>RW!", true, kRWOnly}));

TEST_F(CachingTest, AClosedHandleEndsTheSharingViolation) {
  auto p = First(u"f", kRWH);
  p.share_access = 0;
  const OpenPtr first = MustCreate(p);
  const AskedPtr asked = Ask(Second(u"f"));
  EXPECT_THAT(Breaks(), ElementsAre("RWH>RW!"));
  EXPECT_FALSE(asked->done());
  EXPECT_EQ(Close(first), NtStatus::kSuccess);
  Settle();
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
}

TEST_F(CachingTest, TheSameKeyNeverWaitsForItsOwnBreak) {
  const OpenPtr first = MustCreate(First(u"f", kRWH));
  const AskedPtr asked = Ask(Second(u"f"));
  ASSERT_FALSE(asked->done());
  const AskedPtr own = Ask(First(u"f", kRWH));
  ASSERT_EQ(own->status(), NtStatus::kSuccess);
  EXPECT_FALSE(own->pending);
  EXPECT_EQ(StateOf(own->open()), kRWH);
  EXPECT_TRUE(own->open()->caching->breaking);
  EXPECT_THAT(Breaks(), ElementsAre("RWH>RH!")) << "one for the lease, not one for each open";
  EXPECT_EQ(Acknowledge(1, kRH).status(), NtStatus::kSuccess);
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
}

TEST_F(CachingTest, ALaterConflictIsToldInSteps) {
  const OpenPtr first = MustCreate(First(u"f", kRWH));
  const AskedPtr opens = Ask(Second(u"f"));
  auto p = OfClient(Parameters(u"f", disposition::kOverwrite), 3);
  const AskedPtr overwrites = Ask(p);
  EXPECT_THAT(Breaks(), ElementsAre("RWH>RH!"));
  EXPECT_EQ(*Acknowledge(1, kRH), kRH);
  EXPECT_THAT(Breaks(), ElementsAre("RH>R!"));
  EXPECT_FALSE(opens->done());
  EXPECT_FALSE(overwrites->done());
  EXPECT_EQ(*Acknowledge(1, kR), kR);
  EXPECT_THAT(Breaks(), ElementsAre("R>"));
  EXPECT_EQ(opens->status(), NtStatus::kSuccess);
  EXPECT_EQ(overwrites->status(), NtStatus::kSuccess);
  EXPECT_EQ(StateOf(first), 0u);
}

TEST_F(CachingTest, OplocksBreakToLevelIIOrNone) {
  const OpenPtr batch = MustCreate(WithOplock(Parameters(u"f"), oplock::kBatch));
  const AskedPtr asked = Ask(WithOplock(Second(u"f"), oplock::kBatch));
  EXPECT_TRUE(asked->pending);
  ASSERT_EQ(breaks_.size(), 1u);
  EXPECT_FALSE(breaks_[0].is_lease);
  EXPECT_EQ(breaks_[0].new_oplock, oplock::kLevelII);
  EXPECT_EQ(*AcknowledgeOplock(batch, oplock::kLevelII), oplock::kLevelII);
  ASSERT_EQ(asked->status(), NtStatus::kSuccess);
  EXPECT_EQ(asked->open()->oplock_level(), oplock::kLevelII);
  breaks_.clear();
  const AskedPtr overwrites = Ask(OfClient(Parameters(u"f", disposition::kOverwrite), 3));
  EXPECT_EQ(overwrites->status(), NtStatus::kSuccess);
  EXPECT_THAT(Breaks(), ElementsAre("R>", "R>"));
  EXPECT_EQ(batch->oplock_level(), oplock::kNone);
}

TEST_F(CachingTest, CancelEndsTheWait) {
  const OpenPtr first = MustCreate(First(u"f", kRWH));
  const AskedPtr asked = Ask(Second(u"f"));
  asked->wait->Cancel();
  Settle();
  EXPECT_EQ(asked->status(), NtStatus::kCancelled);
  EXPECT_TRUE(first->caching->breaking);
  EXPECT_EQ(Acknowledge(1, kRH).status(), NtStatus::kSuccess);
}

TEST_F(CachingTest, TimeoutTakesAllAway) {
  const OpenPtr first = MustCreate(First(u"f", kRWH));
  const AskedPtr asked = Ask(Second(u"f"));
  Wait(seconds(34));
  EXPECT_FALSE(asked->done());
  Wait(seconds(2));
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
  EXPECT_EQ(StateOf(first), 0u);
  EXPECT_EQ(Acknowledge(1, kRH).status(), NtStatus::kUnsuccessful);
}

TEST_F(CachingTest, BreakWaitsForTheAnswerOfTheGrant) {
  auto outcome = Run(files_->Create(First(u"f", kRWH)));
  ASSERT_TRUE(outcome.ok());
  const AskedPtr asked = Ask(Second(u"f"));
  EXPECT_THAT(Breaks(), IsEmpty());
  EXPECT_TRUE(outcome->open->caching->breaking);
  outcome->open->answer_pending = nullptr;
  EXPECT_THAT(Breaks(), ElementsAre("RWH>RH!"));
  EXPECT_EQ(Acknowledge(1, kRH).status(), NtStatus::kSuccess);
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
}

// ---- changes of data and names --------------------------------------------------------------------------------------

TEST_F(CachingTest, ChangesOfDataTakeReadCachingFromOthers) {
  const auto lock = [this](const OpenPtr& open) {
    std::vector<LockRange> range(1);
    range[0] = {100, 1, true, false, true};
    return Run(files_->Lock(open, range, 0, false, nullptr));
  };
  using Change = std::function<NtStatus(const OpenPtr&)>;
  const std::vector<Change> changes = {
      [this](const OpenPtr& open) { return Write(open, "x"); },
      lock,
      [this](const OpenPtr& open) { return Run(files_->SetEndOfFile(open, 77)); },
      [this](const OpenPtr& open) { return Run(files_->SetAllocation(open, 1 << 20)); },
      [this](const OpenPtr& open) { return Run(files_->ZeroRange(open, 0, 10)); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    SCOPED_TRACE(i);
    const std::u16string name = u"f" + std::u16string(1, static_cast<char16_t>(u'a' + i));
    const OpenPtr writer = MustCreate(WithLease(Parameters(name), 1, kR));
    ASSERT_EQ(Write(writer, "contents"), NtStatus::kSuccess);
    const OpenPtr reader = MustCreate(OfClient(WithLease(Parameters(name), 2, kR), 2));
    const OpenPtr keeper = MustCreate(OfClient(WithLease(Parameters(name), 3, kRH), 3));
    ASSERT_EQ(StateOf(keeper), kRH);
    EXPECT_THAT(Breaks(), IsEmpty());
    EXPECT_EQ(changes[i](writer), NtStatus::kSuccess) << "waits for nobody";
    EXPECT_THAT(Breaks(), testing::UnorderedElementsAre("R>", "RH>!"));
    EXPECT_EQ(StateOf(writer), kR);
    EXPECT_EQ(StateOf(reader), 0u);
    EXPECT_EQ(Acknowledge(3, 0, 3).status(), NtStatus::kSuccess);
    for (const OpenPtr& open : {writer, reader, keeper}) EXPECT_EQ(Close(open), NtStatus::kSuccess);
  }
}

TEST_F(CachingTest, WritersLoseTheirOwnLevelIIAndKeepWhatIsExclusive) {
  const OpenPtr batch = MustCreate(WithOplock(Parameters(u"f"), oplock::kBatch));
  EXPECT_EQ(Write(batch, "x"), NtStatus::kSuccess);
  EXPECT_EQ(batch->oplock_level(), oplock::kBatch);
  const OpenPtr second = MustCreate(WithOplock(Parameters(u"g"), oplock::kLevelII));
  EXPECT_EQ(Write(second, "x"), NtStatus::kSuccess);
  EXPECT_EQ(second->oplock_level(), oplock::kNone);
  EXPECT_THAT(Breaks(), ElementsAre("R>"));
  EXPECT_EQ(AcknowledgeOplock(second, oplock::kNone).status(), NtStatus::kInvalidOplockProtocol);
  EXPECT_EQ(AcknowledgeOplock(second, oplock::kNone).status(), NtStatus::kInvalidDeviceState);
}

TEST_F(CachingTest, ChangesOfNamesTakeHandleCachingFromOthersFirst) {
  struct Done {
    std::optional<NtStatus> status;
  };
  const auto start = [this](Task<NtStatus> task) {
    auto done = std::make_shared<Done>();
    const auto run = [](Task<NtStatus> t, std::shared_ptr<Done> d) -> Task<void> { d->status = co_await std::move(t); };
    Spawn(executor(), run(std::move(task), done));
    Settle();
    return done;
  };
  MakeDirectory(u"d");
  for (int i = 0; i < 3; ++i) {
    SCOPED_TRACE(i);
    const OpenPtr own = MustCreate(WithLease(Parameters(u"f"), 1, kRH));
    const OpenPtr other = MustCreate(OfClient(WithLease(Parameters(u"f"), 2, kRH), 2));
    EXPECT_THAT(Breaks(), IsEmpty());
    std::shared_ptr<Done> done;
    if (i == 0) done = start(files_->Rename(own, u"d\\g", false, false));
    if (i == 1) done = start(files_->SetDisposition(own, true, false, false));
    if (i == 2) {
      SecurityDescriptor descriptor;
      descriptor.owner = alice_->user;
      done = start(files_->SetSecurity(own, 1, descriptor.Encode()));
    }
    EXPECT_THAT(Breaks(), ElementsAre("RH>R!"));
    EXPECT_FALSE(done->status.has_value());
    EXPECT_EQ(Acknowledge(2, kR, 2).status(), NtStatus::kSuccess);
    ASSERT_TRUE(done->status.has_value());
    EXPECT_EQ(*done->status, NtStatus::kSuccess);
    EXPECT_EQ(StateOf(own), kRH);
    EXPECT_EQ(Close(own), NtStatus::kSuccess);
    EXPECT_EQ(Close(other), NtStatus::kSuccess);
  }
}

TEST_F(CachingTest, ClosingADeleteOnCloseAsksTheOthersFirst) {
  const OpenPtr kept = MustCreate(First(u"f", kRH));
  auto p = Second(u"f");
  p.desired_access = access::kDelete;
  p.create_options = options::kDeleteOnClose;
  const OpenPtr deleting = MustCreate(p);
  EXPECT_THAT(Breaks(), IsEmpty());
  bool asked = false;
  const auto run = [](Files* files, OpenPtr open, bool* done) -> Task<void> {
    co_await files->AskBeforeDelete(open, nullptr);
    *done = true;
  };
  Spawn(executor(), run(files_.get(), deleting, &asked));
  EXPECT_THAT(Breaks(), ElementsAre("RH>R!"));
  EXPECT_FALSE(asked);
  EXPECT_EQ(Close(kept), NtStatus::kSuccess);
  Settle();
  EXPECT_TRUE(asked);
  EXPECT_EQ(Close(deleting), NtStatus::kSuccess);
  EXPECT_FALSE(Exists(u"f"));
}

TEST_F(CachingTest, RenamingADirectoryAsksForTheHandlesBelow) {
  MakeDirectory(u"d");
  const OpenPtr kept = MustCreate(OfClient(WithLease(Parameters(u"d\\f"), 2, kRH), 2));
  auto p = Parameters(u"d", disposition::kOpen);
  p.create_options = options::kDirectory;
  p.desired_access = access::kDelete;
  const OpenPtr directory = MustCreate(p);
  std::optional<NtStatus> status;
  const auto run = [](Files* files, OpenPtr open, std::optional<NtStatus>* out) -> Task<void> {
    *out = co_await files->Rename(open, u"e", false, false);
  };
  Spawn(executor(), run(files_.get(), directory, &status));
  EXPECT_THAT(Breaks(), ElementsAre("RH>R!"));
  EXPECT_FALSE(status.has_value());
  EXPECT_EQ(Close(kept), NtStatus::kSuccess);
  Settle();
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(*status, NtStatus::kSuccess);

  const OpenPtr stays = MustCreate(OfClient(WithLease(Parameters(u"e\\f"), 2, kRH), 2));
  status.reset();
  const auto back = [](Files* files, OpenPtr open, std::optional<NtStatus>* out) -> Task<void> {
    *out = co_await files->Rename(open, u"d", false, false);
  };
  Spawn(executor(), back(files_.get(), directory, &status));
  EXPECT_THAT(Breaks(), ElementsAre("RH>R!"));
  EXPECT_EQ(Acknowledge(2, kR, 2).status(), NtStatus::kSuccess);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(*status, NtStatus::kAccessDenied) << "the handle is still open";
}

// ---- acknowledgments ------------------------------------------------------------------------------------------------

TEST_F(CachingTest, LeaseAcknowledgmentsAreChecked) {
  EXPECT_EQ(Acknowledge(1, 0).status(), NtStatus::kObjectNameNotFound);
  const OpenPtr first = MustCreate(First(u"f", kRWH));
  EXPECT_EQ(Acknowledge(1, 0).status(), NtStatus::kUnsuccessful);
  EXPECT_EQ(Acknowledge(1, 0, 2).status(), NtStatus::kObjectNameNotFound) << "of another client";
  const AskedPtr asked = Ask(Second(u"f"));
  EXPECT_EQ(Acknowledge(1, kRWH).status(), NtStatus::kRequestNotAccepted);
  EXPECT_EQ(Acknowledge(1, kRW).status(), NtStatus::kRequestNotAccepted);
  EXPECT_FALSE(asked->done());
  EXPECT_EQ(*Acknowledge(1, kR), kR) << "less than asked for is welcome";
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
  EXPECT_EQ(Acknowledge(1, kR).status(), NtStatus::kUnsuccessful);
}

TEST_F(CachingTest, OplockAcknowledgmentsAreChecked) {
  const auto broken = [this](std::uint8_t level) {
    const OpenPtr open = MustCreate(WithOplock(Parameters(u"f"), level));
    EXPECT_EQ(AcknowledgeOplock(open, oplock::kLevelII).status(), NtStatus::kInvalidDeviceState);
    const AskedPtr asked = Ask(Second(u"f"));
    EXPECT_FALSE(asked->done());
    return std::pair(open, asked);
  };
  struct Row {
    std::uint8_t held, acknowledged;
    NtStatus status;
    std::uint8_t left;
  };
  for (const Row& row : {Row{oplock::kBatch, oplock::kLevelII, NtStatus::kSuccess, oplock::kLevelII},
                         Row{oplock::kBatch, oplock::kNone, NtStatus::kSuccess, oplock::kNone},
                         Row{oplock::kBatch, oplock::kExclusive, NtStatus::kSuccess, oplock::kNone},
                         Row{oplock::kBatch, oplock::kBatch, NtStatus::kInvalidOplockProtocol, oplock::kNone},
                         Row{oplock::kBatch, oplock::kLease, NtStatus::kInvalidParameter, oplock::kNone},
                         Row{oplock::kExclusive, oplock::kExclusive, NtStatus::kInvalidOplockProtocol, oplock::kNone},
                         Row{oplock::kExclusive, oplock::kLevelII, NtStatus::kSuccess, oplock::kLevelII}}) {
    SCOPED_TRACE(testing::Message() << int{row.held} << " acknowledged " << int{row.acknowledged});
    const auto [open, asked] = broken(row.held);
    EXPECT_EQ(AcknowledgeOplock(open, row.acknowledged).status(), row.status);
    EXPECT_EQ(open->oplock_level(), row.left);
    EXPECT_EQ(asked->status(), NtStatus::kSuccess);
    EXPECT_EQ(Close(open), NtStatus::kSuccess);
    EXPECT_EQ(Close(asked->open()), NtStatus::kSuccess);
  }
}

TEST_F(CachingTest, NobodyToTellClosesWhatIsNotDurable) {
  const OpenPtr first = MustCreate(First(u"f", kRWH));
  connected_ = false;
  const AskedPtr asked = Ask(Second(u"f"));
  EXPECT_TRUE(first->closed);
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
}

}  // namespace
}  // namespace holdfast
