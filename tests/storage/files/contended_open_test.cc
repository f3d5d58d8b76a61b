// An open that meets a persistent handle whose client is away: the whole table of leases, share modes, access, overwriting and
// locks, against the rule in words. [MS-SMB2] 3.3.5.9 and its note 301.
#include "tests/storage/files/caching_fixture.h"

namespace holdfast {
namespace {

constexpr std::uint32_t kShareRead = 1, kShareWrite = 2, kShareDelete = 4;

struct Row {
  std::uint32_t lease;         // of the holder; 0: none
  std::uint32_t share_access;  // of the holder
  std::uint32_t access;        // of the contender
  bool overwrites;
  bool locks;
};

}  // namespace

class ContendedOpen : public CachingTest {
 protected:
  // What the rule says.
  struct Expected {
    NtStatus status = NtStatus::kSuccess;
    bool waits = false;
    std::uint32_t left = 0;  // to the holder when he is back
  };

  static Expected Rule(const Row& row) {
    const std::uint32_t needed = kH | (row.locks ? kW : 0u);
    if ((row.lease & needed) != needed) return {NtStatus::kFileNotAvailable, false, 0};
    std::uint32_t wanted = 0;
    if (row.access & access::kReadData) wanted |= kShareRead;
    if ((row.access & access::kWriteData) || row.overwrites) wanted |= kShareWrite;
    if (row.access & access::kDelete) wanted |= kShareDelete;
    if ((wanted & row.share_access) != wanted) return {NtStatus::kSharingViolation, true, row.lease & ~kH};
    if (row.overwrites) return {NtStatus::kSuccess, (row.lease & kW) != 0, 0};
    // Who only looks at attributes disturbs nobody.
    if (wanted == 0) return {NtStatus::kSuccess, false, row.lease};
    return {NtStatus::kSuccess, (row.lease & kW) != 0, row.lease & ~kW};
  }

  static std::string Describe(const Row& row) {
    return "lease " + Letters(row.lease) + ", share access " + std::to_string(row.share_access) + ", access " +
           std::to_string(row.access) + (row.overwrites ? ", overwrites" : "") + (row.locks ? ", locks" : "");
  }

  void Check(const Row& row) {
    SCOPED_TRACE(Describe(row));
    const std::u16string path = u"file" + NumberText(++count_);
    const auto key = static_cast<std::uint8_t>(count_ % 250 + 1);
    CreateParameters p = Persistent(path, key, disposition::kCreate);
    p.share_access = row.share_access;
    if (row.lease != 0) p = WithLease(std::move(p), key, row.lease);
    const CachingRequest asked_for = p.caching;
    const OpenPtr holder = MustCreate(std::move(p));
    ASSERT_NE(holder, nullptr);
    ASSERT_TRUE(holder->is_persistent());
    if (row.locks) {
      const LockRange range{.offset = 0, .length = 10, .exclusive = true};
      ASSERT_EQ(Run(files_->Lock(holder, {range}, 0, false, nullptr)), NtStatus::kSuccess);
    }
    if (row.lease != 0) {
      ASSERT_EQ(StateOf(holder), row.lease);
    }
    const std::uint64_t id = holder->persistent_id;
    ASSERT_TRUE(Disconnect(holder));
    connected_ = false;

    const Expected expected = Rule(row);
    CreateParameters contender = Second(path);
    contender.desired_access = row.access;
    if (row.overwrites) contender.create_disposition = disposition::kOverwrite;
    const AskedPtr asked = Ask(std::move(contender));
    EXPECT_EQ(asked->done(), !expected.waits);
    if (!expected.waits) {
      EXPECT_EQ(asked->status(), expected.status);
    }
    EXPECT_TRUE(Breaks().empty());

    connected_ = true;
    ReconnectParameters back = ReconnectTo(id, key);
    back.path = path;
    back.caching = asked_for;
    const auto reclaimed = Reconnect(std::move(back));
    ASSERT_TRUE(reclaimed.ok()) << NtStatusName(reclaimed.status());
    std::vector<std::string> kept;
    if (expected.status != NtStatus::kFileNotAvailable && expected.left != row.lease) {
      kept = {Letters(row.lease) + ">" + Letters(expected.left) + "!"};
    }
    EXPECT_EQ(Breaks(), kept);
    if (expected.waits) {
      EXPECT_FALSE(asked->done());
      EXPECT_TRUE(Acknowledge(key, expected.left).ok());
      EXPECT_TRUE(asked->done());
      EXPECT_EQ(asked->status(), expected.status);
    }
    if (asked->open()) {
      EXPECT_EQ(Close(asked->open()), NtStatus::kSuccess);
    }
    EXPECT_EQ(Close(*reclaimed), NtStatus::kSuccess);
  }

  static std::u16string NumberText(std::size_t n) {
    const std::string digits = std::to_string(n);
    return {digits.begin(), digits.end()};
  }

 private:
  std::size_t count_ = 0;
};

TEST_F(ContendedOpen, FollowsTheRuleInEveryRow) {
  constexpr std::uint32_t kAccesses[] = {access::kReadAttributes, access::kReadData, access::kWriteData, access::kDelete,
                                         access::kReadData | access::kWriteData,
                                         access::kReadData | access::kWriteData | access::kDelete};
  for (const std::uint32_t lease : {0u, kR, kRW, kRH, kRWH}) {
    for (std::uint32_t share_access = 0; share_access < 8; ++share_access) {
      for (const std::uint32_t access : kAccesses) {
        for (const bool overwrites : {false, true}) {
          for (const bool locks : {false, true}) {
            Check({.lease = lease, .share_access = share_access, .access = access, .overwrites = overwrites, .locks = locks});
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

}  // namespace holdfast
