#include "tests/storage/files/operations_fixture.h"

#include "storage/files/locks.h"

namespace holdfast {
namespace {

constexpr std::uint64_t kEnd = 0xFFFFFFFFFFFFFFFF;

LockRange Exclusive(std::uint64_t offset, std::uint64_t length) { return {offset, length, true, false, true}; }
LockRange Shared(std::uint64_t offset, std::uint64_t length) { return {offset, length, false, false, true}; }
LockRange Unlock(std::uint64_t offset, std::uint64_t length) { return {offset, length, false, true, false}; }
LockRange Blocking(std::uint64_t offset, std::uint64_t length) { return {offset, length, true, false, false}; }

class LocksTest : public OperationsTest {
 public:
  NtStatus Lock(const OpenPtr& open, std::vector<LockRange> ranges, std::uint32_t sequence = 0) {
    return Run(files().Lock(open, std::move(ranges), sequence, sequence != 0, nullptr));
  }
  NtStatus Lock(const OpenPtr& open, LockRange range, std::uint32_t sequence = 0) {
    return Lock(open, std::vector<LockRange>{range}, sequence);
  }

  struct Waiter {
    PendingWaitPtr wait = std::make_shared<PendingWait>();
    bool pending = false;
    std::optional<NtStatus> result;
  };
  std::shared_ptr<Waiter> LockAndWait(const OpenPtr& open, LockRange range, std::uint32_t sequence = 0) {
    auto waiter = std::make_shared<Waiter>();
    waiter->wait->on_pending = [waiter] { waiter->pending = true; };
    Start(Wait(open, range, sequence, waiter));
    Settle();
    return waiter;
  }
  Task<void> Wait(OpenPtr open, LockRange range, std::uint32_t sequence, std::shared_ptr<Waiter> waiter) {
    std::vector<LockRange> ranges{range};
    const NtStatus result = co_await files().Lock(open, std::move(ranges), sequence, sequence != 0, waiter->wait);
    waiter->result = result;
    waiter->wait->on_pending = nullptr;
  }
};

struct Conflict {
  std::uint64_t offset1, length1;
  std::uint64_t offset2, length2;
  bool conflicts;
};

TEST_F(LocksTest, RangesConflictWhereTheyOverlap) {
  constexpr Conflict kRows[] = {
      {0, 10, 10, 10, false},       {0, 10, 9, 1, true},           {10, 10, 0, 11, true},
      {0, kEnd, kEnd, 1, false},    {0, kEnd, kEnd - 1, 1, true},  {kEnd, 1, kEnd, 1, true},
      {0, 0, 0, 10, false},         {0, 10, 0, 0, false},          {0, 0, 0, 0, false},
      {10, 0, 5, 10, true},         {10, 0, 10, 10, false},        {10, 0, 0, 10, false},
      {5, 10, 10, 0, true},         {10, 10, 10, 0, false},        {10, 0, 10, 0, false},
      {10, 0, 9, 2, true},          {10, 1, 10, 0, false},         {10, 0, 10, 1, false},
  };
  const auto a = Open(u"f");
  const auto b = Open(u"f");
  for (const Conflict& row : kRows) {
    ASSERT_EQ(Lock(a, Exclusive(row.offset1, row.length1)), NtStatus::kSuccess);
    for (const OpenPtr& second : {a, b}) {
      const NtStatus status = Lock(second, Exclusive(row.offset2, row.length2));
      EXPECT_EQ(status, row.conflicts ? NtStatus::kLockNotGranted : NtStatus::kSuccess)
          << row.offset1 << "+" << row.length1 << " against " << row.offset2 << "+" << row.length2;
      if (status == NtStatus::kSuccess) {
        EXPECT_EQ(Lock(second, Unlock(row.offset2, row.length2)), NtStatus::kSuccess);
      }
    }
    ASSERT_EQ(Lock(a, Unlock(row.offset1, row.length1)), NtStatus::kSuccess);
  }
}

TEST_F(LocksTest, SharedAndExclusiveStackAsOnWindows) {
  const auto a = Open(u"f");
  const auto b = Open(u"f");
  // Shared on shared: everybody. Exclusive on shared: nobody, the owner neither.
  EXPECT_EQ(Lock(a, Shared(0, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, Shared(0, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(b, Shared(5, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, Exclusive(0, 10)), NtStatus::kLockNotGranted);
  EXPECT_EQ(Write(a, 0, "x"), NtStatus::kFileLockConflict);
  EXPECT_EQ(Lock(b, Unlock(5, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, Unlock(0, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, Unlock(0, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, Unlock(0, 10)), NtStatus::kRangeNotLocked);
  // Shared on exclusive: the owner only; of the two the exclusive one goes first.
  EXPECT_EQ(Lock(a, Exclusive(0, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, Exclusive(0, 10)), NtStatus::kLockNotGranted);
  EXPECT_EQ(Lock(a, Shared(0, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(b, Shared(0, 10)), NtStatus::kLockNotGranted);
  EXPECT_EQ(Lock(a, Unlock(0, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(b, Shared(0, 10)), NtStatus::kSuccess);
}

TEST_F(LocksTest, OnlyTheExactRangeOfTheSameOpenUnlocks) {
  const auto a = Open(u"f");
  const auto b = Open(u"f");
  ASSERT_EQ(Lock(a, Exclusive(0, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, Unlock(0, 5)), NtStatus::kRangeNotLocked);
  EXPECT_EQ(Lock(b, Unlock(0, 10)), NtStatus::kRangeNotLocked);
  EXPECT_EQ(Lock(a, Unlock(0, 10)), NtStatus::kSuccess);
}

TEST_F(LocksTest, RangesEndWithTheLastOffset) {
  const auto a = Open(u"f");
  EXPECT_EQ(Lock(a, Exclusive(kEnd, 1)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, Exclusive(kEnd, 2)), NtStatus::kInvalidLockRange);
  EXPECT_EQ(Lock(a, Exclusive(kEnd, kEnd)), NtStatus::kInvalidLockRange);
  EXPECT_EQ(Lock(a, Unlock(kEnd, kEnd)), NtStatus::kInvalidLockRange);
  EXPECT_EQ(Lock(a, Exclusive(kEnd, 0)), NtStatus::kSuccess);
}

TEST_F(LocksTest, AnArrayOfLocksIsAllOrNothing) {
  const auto a = Open(u"f");
  const auto b = Open(u"f");
  ASSERT_EQ(Lock(b, Exclusive(20, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, {Exclusive(0, 10), Exclusive(20, 10)}), NtStatus::kLockNotGranted);
  EXPECT_EQ(Lock(b, Exclusive(0, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, {Exclusive(40, 10), Blocking(60, 10)}), NtStatus::kInvalidParameter);
  EXPECT_EQ(Lock(a, {Exclusive(40, 10), Unlock(40, 10)}), NtStatus::kInvalidParameter);
  EXPECT_EQ(Lock(b, Exclusive(40, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, std::vector<LockRange>{}), NtStatus::kInvalidParameter);
}

TEST_F(LocksTest, AnArrayOfUnlocksKeepsWhatItHasDone) {
  const auto a = Open(u"f");
  ASSERT_EQ(Lock(a, {Exclusive(0, 10), Exclusive(10, 10)}), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, {Unlock(0, 10), Unlock(0, 10), Unlock(10, 10)}), NtStatus::kRangeNotLocked);
  EXPECT_EQ(Lock(a, Exclusive(0, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, Exclusive(10, 10)), NtStatus::kLockNotGranted);
  EXPECT_EQ(Lock(a, {Unlock(0, 10), Exclusive(30, 1)}), NtStatus::kInvalidParameter);
  EXPECT_EQ(Lock(a, Exclusive(0, 10)), NtStatus::kSuccess);
  LockRange malformed = Unlock(0, 10);
  malformed.valid = false;
  EXPECT_EQ(Lock(a, malformed), NtStatus::kInvalidParameter);
}

TEST_F(LocksTest, DirectoriesAndAttributeOpensCannotLock) {
  EXPECT_EQ(Lock(MakeDirectory(u"d"), Exclusive(0, 1)), NtStatus::kInvalidParameter);
  OpenOptions options;
  options.access = access::kReadAttributes;
  EXPECT_EQ(Lock(Open(u"f", options), Exclusive(0, 1)), NtStatus::kAccessDenied);
}

TEST_F(LocksTest, WaitersAreServedInOrder) {
  const auto a = Open(u"f");
  const auto b = Open(u"f");
  const auto c = Open(u"f");
  ASSERT_EQ(Lock(a, Exclusive(0, 10)), NtStatus::kSuccess);
  const auto first = LockAndWait(b, Blocking(0, 10));
  const auto second = LockAndWait(c, Blocking(5, 10));
  EXPECT_TRUE(first->pending);
  EXPECT_TRUE(second->pending);
  EXPECT_FALSE(first->result);
  ASSERT_EQ(Lock(a, Unlock(0, 10)), NtStatus::kSuccess);
  Settle();
  ASSERT_TRUE(first->result);
  EXPECT_EQ(*first->result, NtStatus::kSuccess);
  EXPECT_FALSE(second->result);
  ASSERT_EQ(Close(b), NtStatus::kSuccess);
  Settle();
  ASSERT_TRUE(second->result);
  EXPECT_EQ(*second->result, NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, Exclusive(14, 1)), NtStatus::kLockNotGranted);
}

TEST_F(LocksTest, ALockThatIsFreeDoesNotPend) {
  const auto waiter = LockAndWait(Open(u"f"), Blocking(0, 10));
  EXPECT_FALSE(waiter->pending);
  EXPECT_EQ(waiter->result, NtStatus::kSuccess);
}

TEST_F(LocksTest, ACancelledWaitLeavesNothing) {
  const auto a = Open(u"f");
  const auto b = Open(u"f");
  ASSERT_EQ(Lock(a, Exclusive(0, 10)), NtStatus::kSuccess);
  const auto waiter = LockAndWait(b, Blocking(0, 10));
  EXPECT_EQ(Lock(b, Unlock(0, 10)), NtStatus::kRangeNotLocked);
  waiter->wait->Cancel();
  Settle();
  EXPECT_EQ(waiter->result, NtStatus::kCancelled);
  EXPECT_TRUE(b->waits.empty());
  ASSERT_EQ(Lock(a, Unlock(0, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(a, Exclusive(0, 10)), NtStatus::kSuccess);
}

TEST_F(LocksTest, ClosingEndsTheWait) {
  const auto a = Open(u"f");
  const auto b = Open(u"f");
  ASSERT_EQ(Lock(a, Exclusive(0, 10)), NtStatus::kSuccess);
  const auto waiter = LockAndWait(b, Blocking(0, 10));
  ASSERT_EQ(Close(b), NtStatus::kSuccess);
  Settle();
  EXPECT_EQ(waiter->result, NtStatus::kRangeNotLocked);
}

TEST_F(LocksTest, ASequenceNumberIsServedOnce) {
  const auto open = OpenPersistent(u"f");
  const std::uint32_t sequence = 3 << 4 | 7;
  ASSERT_EQ(Lock(open, Exclusive(0, 10), sequence), NtStatus::kSuccess);
  EXPECT_EQ(Lock(open, Exclusive(0, 10), sequence), NtStatus::kSuccess);
  EXPECT_EQ(Lock(open, Exclusive(0, 10)), NtStatus::kLockNotGranted);
  ASSERT_EQ(Lock(open, Unlock(0, 10), 3 << 4 | 8), NtStatus::kSuccess);
  EXPECT_EQ(Lock(open, Unlock(0, 10), 3 << 4 | 8), NtStatus::kSuccess);
  // Failures are not remembered, and make the entry invalid.
  EXPECT_EQ(Lock(open, Unlock(0, 10), 3 << 4 | 9), NtStatus::kRangeNotLocked);
  EXPECT_EQ(Lock(open, Unlock(0, 10), 3 << 4 | 8), NtStatus::kRangeNotLocked);
  // Index 0 and those above 64 are no sequence.
  for (const std::uint32_t index : {0u, 65u, 0x1234567u}) {
    EXPECT_EQ(Lock(open, Exclusive(100, 10), index << 4 | 1), NtStatus::kSuccess);
    EXPECT_EQ(Lock(open, Exclusive(100, 10), index << 4 | 1), NtStatus::kLockNotGranted);
    EXPECT_EQ(Lock(open, Unlock(100, 10)), NtStatus::kSuccess);
  }
  EXPECT_EQ(Lock(open, Exclusive(0, 10), 64 << 4 | 1), NtStatus::kSuccess);
  EXPECT_EQ(Lock(open, Exclusive(0, 10), 64 << 4 | 1), NtStatus::kSuccess);
}

TEST_F(LocksTest, PersistentLocksAndTheirSequenceSurviveThePower) {
  const auto open = OpenPersistent(u"f");
  const std::uint32_t sequence = 5 << 4 | 2;
  ASSERT_EQ(Lock(open, {Exclusive(0, 10), Shared(20, 10), Shared(20, 10)}, sequence), NtStatus::kSuccess);
  ASSERT_EQ(Lock(open, {Exclusive(50, 10)}), NtStatus::kSuccess);
  ASSERT_EQ(Lock(open, {Unlock(50, 10)}), NtStatus::kSuccess);
  store().PowerCut();
  Remount();
  const auto survivor = Survivor(open->persistent_id);
  ASSERT_TRUE(survivor);
  EXPECT_EQ(Lock(survivor, {Exclusive(0, 10), Shared(20, 10), Shared(20, 10)}, sequence), NtStatus::kSuccess);
  EXPECT_EQ(files().counts().locks, 3u);
  EXPECT_EQ(Lock(survivor, Exclusive(0, 10)), NtStatus::kLockNotGranted);
  EXPECT_EQ(Lock(survivor, Exclusive(50, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(survivor, {Unlock(20, 10), Unlock(20, 10)}), NtStatus::kSuccess);
  EXPECT_EQ(Lock(survivor, Unlock(20, 10)), NtStatus::kRangeNotLocked);
}

TEST_F(LocksTest, AnUnlockThatSurvivedIsNotUndone) {
  const auto open = OpenPersistent(u"f");
  ASSERT_EQ(Lock(open, Exclusive(0, 10), 1 << 4 | 1), NtStatus::kSuccess);
  ASSERT_EQ(Lock(open, Unlock(0, 10), 1 << 4 | 2), NtStatus::kSuccess);
  store().PowerCut();
  Remount();
  const auto survivor = Survivor(open->persistent_id);
  ASSERT_TRUE(survivor);
  EXPECT_EQ(files().counts().locks, 0u);
  EXPECT_EQ(Lock(survivor, Unlock(0, 10), 1 << 4 | 2), NtStatus::kSuccess);
}

TEST_F(LocksTest, ALockThatCannotBeStoredIsNotHeld) {
  const auto open = OpenPersistent(u"f");
  const auto other = Open(u"f");
  MemoryFault fault;
  fault.op = EngineOp::kWrite;
  store().Inject(fault);
  EXPECT_EQ(Lock(open, Exclusive(0, 10), 1 << 4 | 1), NtStatus::kUnexpectedIoError);
  EXPECT_EQ(files().counts().locks, 0u);
  EXPECT_EQ(Lock(other, Exclusive(0, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Lock(open, Exclusive(0, 10), 1 << 4 | 1), NtStatus::kLockNotGranted);
}

TEST_F(LocksTest, ALockWaitedForIsStoredBeforeItIsAcknowledged) {
  const auto holder = Open(u"f");
  const auto open = OpenPersistent(u"f");
  ASSERT_EQ(Lock(holder, Exclusive(0, 10)), NtStatus::kSuccess);
  const auto waiter = LockAndWait(open, Blocking(0, 10), 1 << 4 | 1);
  ASSERT_TRUE(waiter->pending);
  ASSERT_EQ(Close(holder), NtStatus::kSuccess);
  Settle();
  ASSERT_EQ(waiter->result, NtStatus::kSuccess);
  store().PowerCut();
  Remount();
  const auto survivor = Survivor(open->persistent_id);
  ASSERT_TRUE(survivor);
  EXPECT_EQ(files().counts().locks, 1u);
  EXPECT_EQ(Lock(survivor, Blocking(0, 10), 1 << 4 | 1), NtStatus::kSuccess);
}

}  // namespace
}  // namespace holdfast
