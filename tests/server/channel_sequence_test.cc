// [MS-SMB2] 3.3.5.2.10: requests counted, and refused when an older or a doubled one could overtake.
#include "server/request/channel_sequence.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

smb2::Header HeaderOf(std::uint16_t sequence, bool replay) {
  smb2::Header header;
  header.set_channel_sequence(sequence);
  if (replay) header.flags |= smb2::kFlagReplayOperation;
  return header;
}

struct Entered {
  bool runs = false;
  bool counted = false;
};

Entered Enter(Open& open, std::uint16_t sequence, bool replay, bool subject = true) {
  Entered entered;
  entered.runs = EnterChannelSequence(open, HeaderOf(sequence, replay), subject, &entered.counted);
  return entered;
}

}  // namespace

TEST(ChannelSequence, ReplayWaitsForTheFirstCopy) {
  Open open;
  EXPECT_TRUE(Enter(open, 0, false).runs);  // the first copy, on a channel that dies
  EXPECT_EQ(open.outstanding_request_count, 1u);
  EXPECT_FALSE(Enter(open, 1, true).runs);
  EXPECT_EQ(open.outstanding_pre_request_count, 1u);
  EXPECT_EQ(open.outstanding_request_count, 0u);
  EXPECT_EQ(open.channel_sequence, 1u);
  EXPECT_FALSE(Enter(open, 1, true).runs);
  LeaveChannelSequence(open, 0);
  EXPECT_EQ(open.outstanding_pre_request_count, 0u);
  const Entered replayed = Enter(open, 1, true);
  EXPECT_TRUE(replayed.runs);
  EXPECT_TRUE(replayed.counted);
}

TEST(ChannelSequence, NewRequestsDoNotWait) {
  Open open;
  EXPECT_TRUE(Enter(open, 0, false).runs);
  EXPECT_TRUE(Enter(open, 1, false).runs);
  EXPECT_EQ(open.outstanding_pre_request_count, 1u);
  EXPECT_EQ(open.outstanding_request_count, 1u);
  LeaveChannelSequence(open, 0);
  LeaveChannelSequence(open, 1);
  EXPECT_EQ(open.outstanding_pre_request_count, 0u);
  EXPECT_EQ(open.outstanding_request_count, 0u);
}

TEST(ChannelSequence, StaleOnesRunOnlyWhenTheyChangeNothing) {
  Open open;
  open.channel_sequence = 5;
  EXPECT_FALSE(Enter(open, 4, false).runs);
  EXPECT_FALSE(Enter(open, 4, true).runs);
  const Entered read = Enter(open, 4, false, false);
  EXPECT_TRUE(read.runs);
  EXPECT_FALSE(read.counted);
  EXPECT_EQ(open.channel_sequence, 5u);
  EXPECT_FALSE(Enter(open, static_cast<std::uint16_t>(5 + 0x8000), false).runs);
  EXPECT_TRUE(Enter(open, 5 + 0x7FFF, false).runs);
  EXPECT_TRUE(Enter(open, 2, false).runs);  // 16-bit arithmetic
}

TEST(ChannelSequence, ReplayOfWhatIsNotUnderWayRuns) {
  Open open;
  EXPECT_TRUE(Enter(open, 0, true).runs);
  LeaveChannelSequence(open, 0);
  EXPECT_TRUE(Enter(open, 3, true).runs);
  EXPECT_EQ(open.channel_sequence, 3u);
  LeaveChannelSequence(open, 3);
  LeaveChannelSequence(open, 3);  // never below nothing
  EXPECT_EQ(open.outstanding_request_count, 0u);
}

}  // namespace holdfast
