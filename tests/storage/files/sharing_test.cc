#include "storage/files/create_access.h"
#include "tests/storage/files/files_fixture.h"

namespace holdfast {
namespace {

using SharingTest = FilesTest;

constexpr std::uint32_t kAccesses[] = {access::kReadData,  access::kExecute,
                                       access::kWriteData, access::kAppendData,
                                       access::kDelete,    access::kReadData | access::kWriteData,
                                       access::kReadAttributes | access::kReadControl};

// The rule as [MS-FSA] 2.1.5.1.2.2 has it, kind by kind.
bool Compatible(std::uint32_t access, std::uint32_t share) {
  if ((access & (access::kReadData | access::kExecute)) && !(share & 1)) return false;
  if ((access & (access::kWriteData | access::kAppendData)) && !(share & 2)) return false;
  if ((access & access::kDelete) && !(share & 4)) return false;
  return true;
}

TEST_F(SharingTest, EveryPairOfOpensFollowsTheRule) {
  MakeFile(u"f");
  const std::uint32_t attributes_only = kAccesses[6];
  for (const std::uint32_t first_access : kAccesses) {
    for (std::uint32_t first_share = 0; first_share < 8; ++first_share) {
      auto first = Parameters(u"f", disposition::kOpen);
      first.desired_access = first_access;
      first.share_access = first_share;
      const OpenPtr held = MustCreate(first);
      ASSERT_TRUE(held);
      for (const std::uint32_t access : kAccesses) {
        for (std::uint32_t share = 0; share < 8; ++share) {
          auto second = Parameters(u"f", disposition::kOpen);
          second.desired_access = access;
          second.share_access = share;
          const bool free = first_access == attributes_only || access == attributes_only ||
                            (Compatible(access, first_share) && Compatible(first_access, share));
          ASSERT_EQ(CreateStatus(second), free ? NtStatus::kSuccess : NtStatus::kSharingViolation)
              << std::hex << first_access << "/" << first_share << " then " << access << "/" << share;
        }
      }
      ASSERT_EQ(Close(held), NtStatus::kSuccess);
    }
  }
}

TEST_F(SharingTest, OverwriteNeedsTheSharingOfAWriter) {
  MakeFile(u"f");
  auto held = Parameters(u"f", disposition::kOpen);
  held.desired_access = access::kReadData;
  held.share_access = 1;
  const OpenPtr open = MustCreate(held);
  auto p = Parameters(u"f", disposition::kOverwrite);
  p.desired_access = access::kReadData;
  EXPECT_EQ(CreateStatus(p), NtStatus::kSharingViolation);
  p.create_disposition = disposition::kSupersede;
  EXPECT_EQ(CreateStatus(p), NtStatus::kSharingViolation);
  // 3.3.5.9 <315>: on a CA share it becomes a plain open.
  p.share = ca_;
  const auto outcome = Create(p);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->create_action, action::kOpened);
  EXPECT_EQ(Close(open), NtStatus::kSuccess);
}

TEST_F(SharingTest, StreamsShareOnlyDeletion) {
  MakeFile(u"f");
  auto p = Parameters(u"f:s", disposition::kOpenIf);
  p.desired_access = access::kReadData | access::kWriteData;
  p.share_access = 0;
  const OpenPtr stream = MustCreate(p);
  p = Parameters(u"f", disposition::kOpen);
  p.desired_access = access::kReadData | access::kWriteData;
  p.share_access = 0;
  EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
  p.desired_access = access::kDelete;
  p.share_access = 7;
  EXPECT_EQ(CreateStatus(p), NtStatus::kSharingViolation);
  p.path = u"f:other";
  p.create_disposition = disposition::kOpenIf;
  p.desired_access = access::kDelete | access::kWriteData;
  EXPECT_EQ(CreateStatus(p), NtStatus::kSuccess);
  EXPECT_EQ(Close(stream), NtStatus::kSuccess);
}

}  // namespace
}  // namespace holdfast
