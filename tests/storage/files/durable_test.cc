// Durable handles with their oplocks and leases, leases that outlive the process, and what an open meets whose client is
// away: [MS-SMB2] 3.3.4.6, 3.3.4.7, 3.3.5.9, 3.3.5.9.6, .7, .10 and .12, 3.3.7.1.
#include <gmock/gmock.h>

#include "protocol/dtyp/security_descriptor.h"
#include "storage/files/records.h"
#include "tests/storage/files/caching_fixture.h"

namespace holdfast {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class DurableTest : public CachingTest {
 protected:
  CreateParameters V1(CreateParameters p) {
    p.durable.kind = DurableKind::kDurableV1;
    return p;
  }
  CreateParameters V2(CreateParameters p, std::uint8_t create_guid = 1) {
    p.durable.kind = DurableKind::kDurableV2;
    p.durable.create_guid = MakeGuid(create_guid);
    return p;
  }
  ReconnectParameters Back(const OpenPtr& open, bool v2) {
    ReconnectParameters p = ReconnectTo(open->persistent_id, 1);
    p.share = open->is_persistent() ? ca_ : plain_;
    p.v2 = v2;
    p.persistent_flag = v2 && open->is_persistent();
    p.path = open->path;
    p.create_guid = v2 ? open->create_guid : Guid{};
    if (open->has_lease()) {
      p.caching.oplock_level = oplock::kLease;
      p.caching.lease_key = open->caching->lease_key;
      p.caching.lease_state = open->caching->state;
      p.caching.lease_epoch = open->caching->epoch;
      p.caching.lease_version = open->caching->version;
    }
    return p;
  }
  // What the store holds of the leases of a file.
  std::vector<CachingGrantPtr> StoredLeases(FileNumber number) {
    auto records = Run(volume_->LoadRecords(number, "z/"));
    EXPECT_TRUE(records.ok());
    std::vector<CachingGrantPtr> leases;
    for (const KeyValue& record : *records) leases.push_back(DecodeLease(record.value));
    return leases;
  }
};

// ---- grants -------------------------------------------------------------------------------------------------------

TEST_F(DurableTest, IsGrantedForBatchAndHandleLeases) {
  const auto granted = [this](CreateParameters p) {
    const auto outcome = Create(std::move(p));
    EXPECT_TRUE(outcome.ok());
    EXPECT_EQ(outcome->durable_response, outcome->open->durable != DurableKind::kNone);
    EXPECT_EQ(StoredRecords(outcome->open->file_number()), 0u);
    EXPECT_EQ(Close(outcome->open), NtStatus::kSuccess);
    return outcome->durable_response;
  };
  for (const std::uint8_t level : {oplock::kNone, oplock::kLevelII, oplock::kExclusive, oplock::kBatch}) {
    EXPECT_EQ(granted(V1(WithOplock(Parameters(u"f"), level))), level == oplock::kBatch);
    EXPECT_EQ(granted(V2(WithOplock(Parameters(u"f"), level))), level == oplock::kBatch);
  }
  for (const std::uint32_t state : {0u, kR, kRW, kRH, kRWH}) {
    EXPECT_EQ(granted(V1(First(u"f", state))), (state & kH) != 0);
    EXPECT_EQ(granted(V2(First(u"f", state))), (state & kH) != 0);
  }
  auto directory = V2(First(u"d", kRH));
  directory.create_options = options::kDirectory;
  EXPECT_FALSE(granted(directory));
  const OpenPtr other = MustCreate(WithOplock(Parameters(u"f"), oplock::kLevelII));
  EXPECT_FALSE(granted(V2(OfClient(First(u"f", kRWH), 2)))) << "H is not granted beside an oplock";
}

// ---- reconnects ---------------------------------------------------------------------------------------------------

TEST_F(DurableTest, ComesBackWithItsOplock) {
  for (const bool v2 : {false, true}) {
    const OpenPtr open = MustCreate(WithOplock(v2 ? V2(Parameters(u"f")) : V1(Parameters(u"f")), oplock::kBatch));
    ASSERT_EQ(Write(open, "data"), NtStatus::kSuccess);
    EXPECT_TRUE(Disconnect(open));
    auto wrong = Back(open, v2);
    wrong.caching.lease_key = MakeGuid(1);
    wrong.caching.lease_version = 2;
    EXPECT_EQ(Reconnect(wrong).status(), NtStatus::kObjectNameNotFound);
    wrong = Back(open, v2);
    wrong.requester.token = bob_;
    EXPECT_EQ(Reconnect(wrong).status(), NtStatus::kAccessDenied);
    wrong = Back(open, v2);
    wrong.persistent_id ^= 1;
    EXPECT_EQ(Reconnect(wrong).status(), NtStatus::kObjectNameNotFound);
    if (v2) {
      wrong = Back(open, v2);
      wrong.create_guid = MakeGuid(99);
      EXPECT_EQ(Reconnect(wrong).status(), NtStatus::kObjectNameNotFound);
      wrong = Back(open, v2);
      wrong.persistent_flag = true;
      EXPECT_EQ(Reconnect(wrong).status(), NtStatus::kInvalidParameter);
    }
    auto right = Back(open, v2);
    right.path = u"any name";  // without a lease it is not looked at
    ASSERT_TRUE(Reconnect(right).ok());
    EXPECT_EQ(open->oplock_level(), oplock::kBatch);
    EXPECT_EQ(Reconnect(right).status(), NtStatus::kObjectNameNotFound) << "it is attached";
    EXPECT_EQ(Close(open), NtStatus::kSuccess);
  }
}

TEST_F(DurableTest, ComesBackWithItsLease) {
  for (const std::uint8_t version : {std::uint8_t{1}, std::uint8_t{2}}) {
    const OpenPtr open = MustCreate(V2(WithLease(Parameters(u"f"), 1, kRWH, version)));
    EXPECT_TRUE(Disconnect(open));
    auto wrong = Back(open, true);
    wrong.caching = {};
    EXPECT_EQ(Reconnect(wrong).status(), NtStatus::kObjectNameNotFound);
    wrong.path = u"g";
    EXPECT_EQ(Reconnect(wrong).status(), NtStatus::kObjectNameNotFound) << "the lease comes first";
    wrong = Back(open, true);
    wrong.caching.lease_key = MakeGuid(2);
    EXPECT_EQ(Reconnect(wrong).status(), NtStatus::kObjectNameNotFound);
    wrong = Back(open, true);
    wrong.caching.lease_version = 3 - version;
    EXPECT_EQ(Reconnect(wrong).status(), NtStatus::kObjectNameNotFound);
    wrong = Back(open, true);
    wrong.requester.client_guid = MakeGuid(2);
    EXPECT_EQ(Reconnect(wrong).status(), NtStatus::kObjectNameNotFound);
    wrong = Back(open, true);
    wrong.path = u"g";
    EXPECT_EQ(Reconnect(wrong).status(), NtStatus::kInvalidParameter);
    auto right = Back(open, true);
    right.caching.lease_state = 0;  // the server has not forgotten
    right.path = u"F";
    ASSERT_TRUE(Reconnect(right).ok());
    EXPECT_EQ(StateOf(open), kRWH);
    EXPECT_EQ(Close(open), NtStatus::kSuccess);
  }
}

TEST_F(DurableTest, AnswersALaterEpochWhenReadsMayBeStale) {
  const OpenPtr open = MustCreate(V2(WithLease(Parameters(u"f"), 1, kRH)));
  EXPECT_TRUE(Disconnect(open));
  auto back = Back(open, true);
  back.caching.lease_epoch = 0xFFF0;  // an older one in serial arithmetic
  ASSERT_TRUE(Reconnect(back).ok());
  EXPECT_EQ(open->caching->epoch, 2);
  EXPECT_TRUE(Disconnect(open));
  back.caching.lease_epoch = 40;
  ASSERT_TRUE(Reconnect(back).ok());
  EXPECT_EQ(open->caching->epoch, 41);
}

TEST_F(DurableTest, ExpiresAfterItsTimeout) {
  const OpenPtr open = MustCreate(V1(WithOplock(Parameters(u"f"), oplock::kBatch)));
  EXPECT_TRUE(Disconnect(open));
  Wait(seconds(59));
  EXPECT_FALSE(open->closed);
  Wait(seconds(2));
  EXPECT_TRUE(open->closed);
  EXPECT_EQ(Reconnect(Back(open, false)).status(), NtStatus::kObjectNameNotFound);
}

TEST_F(DurableTest, IsNotPreservedWithoutHandleCaching) {
  const OpenPtr open = MustCreate(V2(WithOplock(Parameters(u"f"), oplock::kBatch)));
  const AskedPtr asked = Ask(Second(u"f"));
  EXPECT_EQ(*AcknowledgeOplock(open, oplock::kLevelII), oplock::kLevelII);
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
  EXPECT_FALSE(Disconnect(open));
  EXPECT_TRUE(open->closed);
}

TEST_F(DurableTest, LosingTheConnectionWhileItBreaksEndsIt) {
  const OpenPtr open = MustCreate(V2(First(u"f", kRWH)));
  const AskedPtr asked = Ask(Second(u"f"));
  EXPECT_FALSE(asked->done());
  Disconnect(open);
  Settle();
  EXPECT_TRUE(open->closed);
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
}

// ---- opens that meet a durable handle whose client is away -----------------------------------------------------------

TEST_F(DurableTest, AConflictPurgesWhatIsAwayAndCannotBeReclaimed) {
  struct Row {
    std::uint32_t held;
    std::uint32_t disposition, access, share_of_holder;
    bool kept;
  };
  const std::uint32_t stat = access::kReadAttributes | access::kSynchronize;
  for (const Row& row : {Row{kRH, disposition::kOpen, stat, 7, true}, Row{kRWH, disposition::kOpen, stat, 7, true},
                         Row{kRH, disposition::kOpen, access::kReadData, 7, true},
                         Row{kRWH, disposition::kOpen, access::kReadData, 7, false},
                         Row{kRH, disposition::kOverwrite, access::kWriteData, 7, false},
                         Row{kRH, disposition::kOpen, access::kReadData, 0, false}}) {
    SCOPED_TRACE(testing::Message() << Letters(row.held) << " access " << row.access << " share "
                                    << row.share_of_holder << " disposition " << row.disposition);
    auto p = V2(First(u"f", row.held));
    p.share_access = row.share_of_holder;
    const OpenPtr away = MustCreate(p);
    EXPECT_TRUE(Disconnect(away));
    auto second = Second(u"f");
    second.desired_access = row.access;
    second.create_disposition = row.disposition;
    const AskedPtr asked = Ask(second);
    ASSERT_EQ(asked->status(), NtStatus::kSuccess);
    Settle();
    EXPECT_EQ(away->closed, !row.kept);
    EXPECT_EQ(Reconnect(Back(away, true)).ok(), row.kept);
    if (!away->closed) {
      EXPECT_EQ(Close(away), NtStatus::kSuccess);
    }
    EXPECT_EQ(Close(asked->open()), NtStatus::kSuccess);
  }
  EXPECT_THAT(Breaks(), IsEmpty()) << "there was nobody to tell";
}

TEST_F(DurableTest, AWriteOfAnotherPurgesWhatIsAway) {
  const OpenPtr away = MustCreate(V2(First(u"f", kRH)));
  const OpenPtr writer = MustCreate(Second(u"f"));
  EXPECT_TRUE(Disconnect(away));
  EXPECT_EQ(Write(writer, "x"), NtStatus::kSuccess);
  Settle();
  EXPECT_TRUE(away->closed);
}

// ---- persistent handles whose client is away: the break is kept for it ------------------------------------------------

struct AwayRow {
  std::uint32_t held;
  std::uint32_t share;        // of the holder
  std::uint32_t access;       // of the contender
  bool overwrites;
  bool locks;
  NtStatus at_once;           // kPending: it waits
  std::uint32_t told;         // when the holder is back: what it is to come down to; 8: nothing
  NtStatus in_the_end;
};

class AwayTest : public DurableTest, public testing::WithParamInterface<AwayRow> {};

TEST_P(AwayTest, FollowsTheTable) {
  const AwayRow& row = GetParam();
  auto p = Persistent(u"f", 1);
  if (row.held != 8) p = WithLease(p, 1, row.held);
  p.share_access = row.share;
  const OpenPtr away = MustCreate(p);
  if (row.locks) {
    std::vector<LockRange> range(1);
    range[0] = {0, 10, true, false, true};
    ASSERT_EQ(Run(files_->Lock(away, range, 0, false, nullptr)), NtStatus::kSuccess);
  }
  EXPECT_TRUE(Disconnect(away));
  auto second = Second(u"f");
  second.desired_access = row.access;
  if (row.overwrites) second.create_disposition = disposition::kOverwrite;
  const AskedPtr asked = Ask(second);
  EXPECT_EQ(asked->status(), row.at_once);
  EXPECT_THAT(Breaks(), IsEmpty());
  auto back = Back(away, true);
  ASSERT_TRUE(Reconnect(back).ok());
  if (row.told == 8) {
    EXPECT_THAT(Breaks(), IsEmpty());
  } else {
    EXPECT_THAT(Breaks(), ElementsAre(Letters(row.held) + ">" + Letters(row.told) + "!"));
    EXPECT_EQ(Acknowledge(1, row.told).status(), NtStatus::kSuccess);
  }
  EXPECT_EQ(asked->status(), row.in_the_end);
}

constexpr std::uint32_t kReads = access::kReadData, kWrites = access::kWriteData;
constexpr NtStatus kBlocked = NtStatus::kFileNotAvailable, kGoes = NtStatus::kSuccess, kWaits = NtStatus::kPending,
                   kViolation = NtStatus::kSharingViolation;
INSTANTIATE_TEST_SUITE_P(
    Rows, AwayTest,
    testing::Values(AwayRow{8, 7, kReads, false, false, kBlocked, 8, kBlocked},
                    AwayRow{0, 7, kReads, false, false, kBlocked, 8, kBlocked},
                    AwayRow{1, 7, kReads, false, false, kBlocked, 8, kBlocked},
                    AwayRow{5, 7, kReads, false, false, kBlocked, 8, kBlocked},
                    AwayRow{3, 7, kReads, false, false, kGoes, 8, kGoes},
                    AwayRow{3, 7, kWrites, true, false, kGoes, 0, kGoes},
                    AwayRow{3, 1, kWrites, false, false, kWaits, 1, kViolation},
                    AwayRow{3, 0, kReads, false, false, kWaits, 1, kViolation},
                    AwayRow{7, 7, kReads, false, false, kWaits, 3, kGoes},
                    AwayRow{7, 7, kWrites, true, false, kWaits, 0, kGoes},
                    AwayRow{7, 1, kWrites, false, false, kWaits, 5, kViolation},
                    AwayRow{7, 7, kReads, false, true, kWaits, 3, kGoes}));

TEST_F(DurableTest, AKeptBreakIsToldToTheNextOpenOfTheLease) {
  const OpenPtr away = MustCreate(WithLease(Persistent(u"f", 1), 1, kRWH));
  EXPECT_TRUE(Disconnect(away));
  const AskedPtr asked = Ask(Second(u"f"));
  EXPECT_THAT(Breaks(), IsEmpty());
  const OpenPtr own = MustCreate(WithLease(Persistent(u"f", 2), 1, kRWH));
  EXPECT_EQ(own->caching, away->caching);
  EXPECT_THAT(Breaks(), ElementsAre("RWH>RH!"));
  EXPECT_EQ(Acknowledge(1, kRH).status(), NtStatus::kSuccess);
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
}

TEST_F(DurableTest, ExpiryOfTheHolderLetsTheContenderIn) {
  const OpenPtr away = MustCreate(WithLease(Persistent(u"f", 1), 1, kRWH));
  EXPECT_TRUE(Disconnect(away));
  const AskedPtr asked = Ask(Second(u"f"));
  EXPECT_FALSE(asked->done());
  Wait(seconds(61));
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
  EXPECT_TRUE(away->closed);
}

// Of a handle that the client does not claim when it is back and asks for the file.
TEST_F(DurableTest, WhatItsOwnClientHasForgottenIsClosed) {
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted);
    const OpenPtr forgotten = MustCreate(WithLease(Persistent(u"f", 1), 1, kRWH));
    const auto back = Back(forgotten, true);
    EXPECT_TRUE(Disconnect(forgotten));
    if (restarted) Restart();
    auto deletes = Parameters(u"f", disposition::kOpen);
    deletes.share = ca_;
    deletes.desired_access = access::kDelete;
    deletes.create_options = options::kDeleteOnClose;
    const AskedPtr asked = Ask(deletes);
    Wait(seconds(9));
    EXPECT_FALSE(asked->done());
    Wait(seconds(2));
    ASSERT_EQ(asked->status(), NtStatus::kSuccess);
    EXPECT_EQ(Reconnect(back).status(), NtStatus::kObjectNameNotFound);
    EXPECT_EQ(Close(asked->open()), NtStatus::kSuccess);
    EXPECT_FALSE(Exists(u"f"));
  }
}

TEST_F(DurableTest, WhatItsClientClaimsInTimeIsNotForgotten) {
  const OpenPtr away = MustCreate(WithLease(Persistent(u"f", 1), 1, kRWH));
  EXPECT_TRUE(Disconnect(away));
  const AskedPtr asked = Ask(Parameters(u"f", disposition::kOpen));
  Wait(seconds(9));
  ASSERT_TRUE(Reconnect(Back(away, true)).ok());
  EXPECT_THAT(Breaks(), ElementsAre("RWH>RH!"));
  Wait(seconds(30));
  EXPECT_FALSE(away->closed);
  EXPECT_FALSE(asked->done());
  EXPECT_EQ(Acknowledge(1, kRH).status(), NtStatus::kSuccess);
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
}

TEST_F(DurableTest, AClientThatIsCutOffAgainHasForgottenNothing) {
  const OpenPtr away = MustCreate(WithLease(Persistent(u"f", 1), 1, kRWH));
  EXPECT_TRUE(Disconnect(away));
  const AskedPtr asked = Ask(Parameters(u"f", disposition::kOpen));
  Wait(seconds(5));
  asked->wait->Cancel(NtStatus::kCancelled);
  Settle();
  Wait(seconds(30));
  EXPECT_FALSE(away->closed);
  EXPECT_TRUE(Reconnect(Back(away, true)).ok());
}

TEST_F(DurableTest, NobodyElseDecidesWhatIsForgotten) {
  const OpenPtr away = MustCreate(WithLease(Persistent(u"f", 1), 1, kRWH));
  SecurityDescriptor descriptor;
  descriptor.control = sd_control::kDaclPresent;
  descriptor.dacl = Acl{};
  descriptor.dacl->aces = {AllowAce(well_known::Everyone(), access::kFileAllAccess)};
  ASSERT_EQ(Run(files_->SetSecurity(away, security_information::kDacl, descriptor.Encode())), NtStatus::kSuccess);
  EXPECT_TRUE(Disconnect(away));
  auto other_user = Parameters(u"f", disposition::kOpen);
  other_user.requester.token = bob_;
  const AskedPtr by_client = Ask(Second(u"f"));
  const AskedPtr by_user = Ask(other_user);
  Wait(seconds(50));
  EXPECT_FALSE(by_client->done());
  EXPECT_FALSE(by_user->done());
  EXPECT_TRUE(Reconnect(Back(away, true)).ok());
}

TEST_F(DurableTest, ADeletionDoesNotWaitForWhatItsClientHasForgotten) {
  const OpenPtr forgotten = MustCreate(WithLease(Persistent(u"f", 1), 1, kRH));
  EXPECT_TRUE(Disconnect(forgotten));
  const OpenPtr own = MustCreate(Parameters(u"f", disposition::kOpen));
  std::optional<NtStatus> done;
  const auto run = [](Task<NtStatus> task, std::optional<NtStatus>* into) -> Task<void> {
    *into = co_await std::move(task);
  };
  Spawn(executor(), run(files_->SetDisposition(own, true, false, false), &done));
  Settle();
  Wait(seconds(9));
  EXPECT_FALSE(done.has_value());
  Wait(seconds(2));
  EXPECT_EQ(done, NtStatus::kSuccess);
  EXPECT_TRUE(forgotten->closed);
}

TEST_F(DurableTest, ADirectoryIsRenamedPastWhatItsClientHasForgotten) {
  MakeDirectory(u"d");
  for (const bool claimed : {true, false}) {
    SCOPED_TRACE(claimed);
    const OpenPtr inside = MustCreate(WithLease(Persistent(u"d\\f", 1), 1, kRWH));
    EXPECT_TRUE(Disconnect(inside));
    auto p = Parameters(u"d", disposition::kOpen);
    p.create_options = options::kDirectory;
    p.desired_access = access::kDelete;
    const OpenPtr directory = MustCreate(p);
    std::optional<NtStatus> status;
    const auto run = [](Task<NtStatus> task, std::optional<NtStatus>* into) -> Task<void> {
      *into = co_await std::move(task);
    };
    Spawn(executor(), run(files_->Rename(directory, u"e", false, false), &status));
    Settle();
    EXPECT_FALSE(status.has_value());
    if (claimed) {
      ASSERT_TRUE(Reconnect(Back(inside, true)).ok());
    }
    Wait(seconds(11));
    if (claimed) {
      EXPECT_FALSE(inside->closed);
      EXPECT_THAT(Breaks(), ElementsAre("RWH>RW!"));
      EXPECT_EQ(Acknowledge(1, kRW).status(), NtStatus::kSuccess);
      EXPECT_EQ(status, NtStatus::kAccessDenied) << "the handle is still open";
      EXPECT_EQ(Close(inside), NtStatus::kSuccess);
    } else {
      EXPECT_TRUE(inside->closed);
      EXPECT_EQ(status, NtStatus::kSuccess);
    }
    EXPECT_EQ(Close(directory), NtStatus::kSuccess);
  }
}

TEST_F(DurableTest, PersistentHoldersHaveLongerToAcknowledge) {
  const OpenPtr lease = MustCreate(WithLease(Persistent(u"f", 1), 1, kRWH));
  const OpenPtr batch = MustCreate(WithOplock(Persistent(u"g", 2), oplock::kBatch));
  const AskedPtr first = Ask(Second(u"f"));
  const AskedPtr second = Ask(Second(u"g"));
  Wait(seconds(59));
  EXPECT_FALSE(second->done());
  Wait(seconds(2));
  EXPECT_EQ(second->status(), NtStatus::kSuccess);
  Wait(seconds(118));
  EXPECT_FALSE(first->done());
  Wait(seconds(2));
  EXPECT_EQ(first->status(), NtStatus::kSuccess);
  EXPECT_EQ(batch->oplock_level(), oplock::kNone);
  EXPECT_EQ(StoredLeases(lease->file_number())[0]->state, 0u);
}

// ---- leases and oplocks of persistent handles outlive the process -----------------------------------------------------

TEST_F(DurableTest, PersistentLeasesAreKeptOnceForAllTheirOpens) {
  const OpenPtr one = MustCreate(WithLease(Persistent(u"f", 1), 1, kRH));
  const OpenPtr two = MustCreate(WithLease(Persistent(u"f", 2), 1, kRWH));
  EXPECT_EQ(one->caching, two->caching);
  const auto stored = StoredLeases(one->file_number());
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0]->state, kRWH);
  EXPECT_EQ(stored[0]->epoch, one->caching->epoch);
  EXPECT_EQ(Close(one), NtStatus::kSuccess);
  EXPECT_EQ(StoredLeases(two->file_number()).size(), 1u);
  EXPECT_EQ(Close(two), NtStatus::kSuccess);
  EXPECT_THAT(StoredLeases(two->file_number()), IsEmpty());
}

TEST_F(DurableTest, ARestartGivesTheLeaseBack) {
  auto p = WithLease(Persistent(u"f", 1), 1, kRWH);
  p.caching.parent_lease_key = MakeGuid(77);
  p.caching.lease_epoch = 9;
  const OpenPtr before = MustCreate(p);
  const auto back = Back(before, true);
  Restart();
  EXPECT_EQ(CreateStatus(OfClient(WithLease(Parameters(u"other"), 1, kR), 1)), NtStatus::kInvalidParameter)
      << "the key is still in use";
  const auto reclaimed = Reconnect(back);
  ASSERT_TRUE(reclaimed.ok()) << NtStatusName(reclaimed.status());
  const CachingGrant& lease = *(*reclaimed)->caching;
  EXPECT_EQ(lease.state, kRWH);
  EXPECT_EQ(lease.version, 2);
  EXPECT_EQ(lease.epoch, 10);
  EXPECT_EQ(lease.parent_lease_key, MakeGuid(77));
  const AskedPtr asked = Ask(Second(u"f"));
  EXPECT_THAT(Breaks(), ElementsAre("RWH>RH!"));
  EXPECT_EQ(Acknowledge(1, kRH).status(), NtStatus::kSuccess);
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
}

TEST_F(DurableTest, ARestartGivesNoMoreThanTheClientClaims) {
  const OpenPtr before = MustCreate(WithLease(Persistent(u"f", 1), 1, kRWH));
  auto back = Back(before, true);
  Restart();
  back.caching.lease_state = kRH;  // it had given W up, and the server died with its acknowledgment
  const auto reclaimed = Reconnect(back);
  ASSERT_TRUE(reclaimed.ok());
  EXPECT_EQ(StateOf(*reclaimed), kRH);
}

TEST_F(DurableTest, ARestartGivesTheOplockBack) {
  const OpenPtr before = MustCreate(WithOplock(Persistent(u"f", 1), oplock::kBatch));
  const auto back = Back(before, true);
  Restart();
  const auto reclaimed = Reconnect(back);
  ASSERT_TRUE(reclaimed.ok());
  EXPECT_EQ((*reclaimed)->oplock_level(), oplock::kBatch);
  const AskedPtr asked = Ask(Second(u"f"));
  EXPECT_FALSE(asked->done());
  EXPECT_EQ(*AcknowledgeOplock(*reclaimed, oplock::kLevelII), oplock::kLevelII);
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
  EXPECT_EQ(Close(asked->open()), NtStatus::kSuccess);
  Restart();
  const auto again = Reconnect(back);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->oplock_level(), oplock::kLevelII);
}

TEST_F(DurableTest, AnAcknowledgedBreakIsDurable) {
  const OpenPtr before = MustCreate(WithLease(Persistent(u"f", 1), 1, kRWH));
  const auto back = Back(before, true);
  const AskedPtr asked = Ask(Second(u"f"));
  EXPECT_EQ(*Acknowledge(1, kRH), kRH);
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
  EXPECT_EQ(StoredLeases(before->file_number())[0]->state, kRH);
  Restart();
  const auto reclaimed = Reconnect(back);  // which still claims RWH
  ASSERT_TRUE(reclaimed.ok());
  EXPECT_EQ(StateOf(*reclaimed), kRH);
}

TEST_F(DurableTest, AnAcknowledgmentThatCannotBeStoredIsNoneAndCanBeRepeated) {
  const OpenPtr open = MustCreate(WithLease(Persistent(u"f", 1), 1, kRWH));
  const AskedPtr asked = Ask(Second(u"f"));
  FailNextWrite();
  EXPECT_FALSE(Acknowledge(1, kRH).ok());
  EXPECT_FALSE(asked->done());
  EXPECT_EQ(StateOf(open), kRWH);
  EXPECT_EQ(*Acknowledge(1, kRH), kRH);
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
}

TEST_F(DurableTest, ATimeoutLetsNobodyInBeforeItIsStored) {
  const OpenPtr open = MustCreate(WithLease(Persistent(u"f", 1), 1, kRWH));
  const AskedPtr asked = Ask(Second(u"f"));
  FailNextWrite();
  Wait(seconds(180));
  EXPECT_FALSE(asked->done());
  Wait(seconds(2));
  EXPECT_EQ(asked->status(), NtStatus::kSuccess);
  EXPECT_EQ(StoredLeases(open->file_number())[0]->state, 0u);
}

TEST_F(DurableTest, TheSecondOpenOfALeaseWithoutHandleCachingIsNotReclaimed) {
  const OpenPtr one = MustCreate(WithLease(Persistent(u"f", 1), 1, kR));
  const OpenPtr two = MustCreate(WithLease(Persistent(u"f", 2), 1, kR));
  EXPECT_TRUE(Disconnect(one));
  EXPECT_TRUE(Disconnect(two));
  EXPECT_EQ(Reconnect(Back(one, true)).status(), NtStatus::kFileNotAvailable);
}

// ---- replay, 3.3.5.9 ----------------------------------------------------------------------------------------------

TEST_F(DurableTest, AReplayWaitsASecondForItsOriginal) {
  const OpenPtr holder = MustCreate(First(u"f", kRWH));
  CreateParameters p = V2(WithOplock(Second(u"f"), oplock::kBatch), 2);
  const AskedPtr original = Ask(p);
  EXPECT_TRUE(original->pending);
  EXPECT_THAT(Breaks(), ElementsAre("RWH>RH!"));
  p.replay = true;
  const AskedPtr late = Ask(p);
  EXPECT_FALSE(late->done());
  Wait(seconds(1));
  EXPECT_EQ(late->status(), NtStatus::kFileNotAvailable);
  EXPECT_FALSE(original->done());
  // Two that wait take the one answer, and nobody is asked a second time.
  const AskedPtr first = Ask(p), second = Ask(p);
  ASSERT_TRUE(Acknowledge(1, kRH).ok());
  ASSERT_TRUE(original->open());
  EXPECT_EQ(first->open(), original->open());
  EXPECT_EQ(second->open(), original->open());
  EXPECT_THAT(Breaks(), IsEmpty());
  EXPECT_EQ(files_->counts().opens, 2u);
}

TEST_F(DurableTest, AReplayThatWaitsEndsWithItsConnection) {
  const OpenPtr holder = MustCreate(First(u"f", kRWH));
  CreateParameters p = V2(Second(u"f"), 2);
  const AskedPtr original = Ask(p);
  p.replay = true;
  const AskedPtr replay = Ask(p);
  replay->wait->Cancel(NtStatus::kCancelled);
  Settle();
  EXPECT_EQ(replay->status(), NtStatus::kCancelled);
  EXPECT_FALSE(original->done());
  // A refusal is no answer to replay: it is tried again.
  original->wait->Cancel(NtStatus::kCancelled);
  Settle();
  EXPECT_EQ(original->status(), NtStatus::kCancelled);
  const AskedPtr next = Ask(p);
  EXPECT_TRUE(next->pending);
  ASSERT_TRUE(Acknowledge(1, kRH).ok());
  ASSERT_TRUE(next->open());
  EXPECT_FALSE((*next->outcome)->replayed);
}

TEST_F(DurableTest, AReplayThatAsksForLessIsToldOfLess) {
  CreateParameters p = V2(WithOplock(Parameters(u"f"), oplock::kBatch));
  p.share_access = 0;
  const OpenPtr open = MustCreate(p);
  p.replay = true;
  const auto told = [&](std::uint8_t level) {
    p.caching.oplock_level = level;
    const auto again = Create(p);
    EXPECT_TRUE(again.ok());
    EXPECT_EQ(again->open, open);
    return std::pair(int{again->oplock_level.value_or(0xFE)}, again->durable_response);
  };
  EXPECT_EQ(told(oplock::kNone), std::pair(0, false));
  EXPECT_EQ(told(oplock::kLevelII), std::pair(1, false));
  EXPECT_EQ(told(oplock::kExclusive), std::pair(8, false));
  EXPECT_EQ(told(oplock::kBatch), std::pair(9, true));
  // It holds the batch oplock all the same.
  EXPECT_EQ(StateOf(open), kRWH);
  const AskedPtr other = Ask(Second(u"f"));
  EXPECT_THAT(Breaks(), ElementsAre("RWH>R!"));
  EXPECT_FALSE(other->done());
}

TEST_F(DurableTest, AReplayOfAnOplockAsksForNoLease) {
  CreateParameters p = V2(WithOplock(Parameters(u"f"), oplock::kBatch));
  const OpenPtr open = MustCreate(p);
  p.replay = true;
  EXPECT_EQ(Create(WithLease(p, 5, kRH)).status(), NtStatus::kAccessDenied);
  const auto again = Create(p);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->open, open);
  // The reverse, and another lease.
  CreateParameters leased = V2(WithLease(Parameters(u"g"), 6, kRH), 2);
  ASSERT_TRUE(MustCreate(leased));
  leased.replay = true;
  EXPECT_TRUE(Create(leased).ok());
  EXPECT_EQ(Create(WithLease(leased, 7, kRH)).status(), NtStatus::kAccessDenied);
  leased.caching = {};
  leased.caching.oplock_level = oplock::kBatch;
  EXPECT_EQ(Create(leased).status(), NtStatus::kAccessDenied);
}

}  // namespace
}  // namespace holdfast
