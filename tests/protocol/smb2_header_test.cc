#include "protocol/smb2/header.h"

#include <gtest/gtest.h>

#include "protocol/smb2/transform_header.h"
#include "tests/protocol/hex_bytes.h"

namespace holdfast::smb2 {
namespace {

// The header of the CREATE in [MS-SMB2] 4.9, replayed on another channel.
const char kReplayedCreate[] =
    "fe 53 4d 42 40 00 00 00  01 00 00 00 05 00 0a 00"
    "00 00 00 20 00 00 00 00  06 00 00 00 00 00 00 00"
    "0d 00 00 00 01 00 00 00  59 00 00 04 04 04 04 00"
    "00 11 22 33 44 55 66 77  88 99 aa bb cc dd ee ff";

TEST(Header, ReadsTheSyncForm) {
  const Bytes bytes = HexBytes(kReplayedCreate);
  const Result<Header> header = Header::Decode(bytes);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->command, Command::kCreate);
  EXPECT_EQ(header->credits, 10);
  EXPECT_EQ(header->channel_sequence(), 1);
  EXPECT_TRUE(header->is_replay());
  EXPECT_FALSE(header->is_async());
  EXPECT_FALSE(header->is_response());
  EXPECT_EQ(header->message_id, 6u);
  EXPECT_EQ(header->process_id, 13u);
  EXPECT_EQ(header->tree_id, 1u);
  EXPECT_EQ(header->session_id, 0x0004040404000059u);
  EXPECT_EQ(header->signature[15], 0xFF);
  Bytes again;
  header->AppendTo(again);
  EXPECT_EQ(again, bytes);
}

TEST(Header, WritesTheAsyncForm) {
  Header header;
  header.command = Command::kChangeNotify;
  header.flags = kFlagServerToRedir | kFlagAsyncCommand;
  header.set_status(NtStatus::kPending);
  header.message_id = 0x0102;
  header.async_id = 0x1122334455667788;
  header.tree_id = 0xEEEEEEEE;  // has no place in this form
  Bytes bytes;
  header.AppendTo(bytes);
  EXPECT_EQ(bytes, HexBytes("fe 53 4d 42 40 00 00 00  03 01 00 00 0f 00 00 00"
                            "03 00 00 00 00 00 00 00  02 01 00 00 00 00 00 00"
                            "88 77 66 55 44 33 22 11  00 00 00 00 00 00 00 00"
                            "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00"));
  const Result<Header> again = Header::Decode(bytes);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->status(), NtStatus::kPending);
  EXPECT_EQ(again->async_id, header.async_id);
  EXPECT_EQ(again->tree_id, 0u);
}

TEST(Header, RefusesAnotherProtocolOrSize) {
  Bytes bytes = HexBytes(kReplayedCreate);
  bytes[0] = 0xFD;
  EXPECT_EQ(Header::Decode(bytes).status(), NtStatus::kInvalidParameter);
  bytes = HexBytes(kReplayedCreate);
  bytes[4] = 65;
  EXPECT_EQ(Header::Decode(bytes).status(), NtStatus::kInvalidParameter);
  bytes = HexBytes(kReplayedCreate);
  bytes.pop_back();
  EXPECT_EQ(Header::Decode(bytes).status(), NtStatus::kInvalidParameter);
}

TEST(Header, KeepsAnUnknownCommand) {
  Bytes bytes = HexBytes(kReplayedCreate);
  bytes[12] = 0x13;
  const Result<Header> header = Header::Decode(bytes);
  ASSERT_TRUE(header.ok());
  EXPECT_FALSE(IsKnown(header->command));
  EXPECT_EQ(CommandName(header->command), "UNKNOWN");
}

TEST(CommandName, CoversTheFirstAndTheLast) {
  EXPECT_EQ(CommandName(Command::kNegotiate), "NEGOTIATE");
  EXPECT_EQ(CommandName(Command::kCreate), "CREATE");
  EXPECT_EQ(CommandName(Command::kOplockBreak), "OPLOCK_BREAK");
}

TEST(TransformHeader, HasFiftyTwoBytesInTheirPlaces) {
  TransformHeader header;
  header.signature[0] = 0xA1;
  header.nonce[0] = 0xB1;
  header.original_message_size = 0x01020304;
  header.session_id = 0x1122334455667788;
  Bytes bytes;
  header.AppendTo(bytes);
  EXPECT_EQ(bytes, HexBytes("fd 53 4d 42 a1 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                            "b1 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                            "04 03 02 01 00 00 01 00 88 77 66 55 44 33 22 11"));
  EXPECT_EQ(bytes.size(), TransformHeader::kSize);
  bytes.pop_back();
  EXPECT_FALSE(TransformHeader::Decode(bytes).ok());
}

TEST(Frame, IsClassifiedByItsFirstFourBytes) {
  EXPECT_EQ(ClassifyFrame(HexBytes("fe 53 4d 42")), FrameKind::kSmb2);
  EXPECT_EQ(ClassifyFrame(HexBytes("ff 53 4d 42")), FrameKind::kSmb1);
  EXPECT_EQ(ClassifyFrame(HexBytes("fd 53 4d 42")), FrameKind::kEncrypted);
  EXPECT_EQ(ClassifyFrame(HexBytes("fc 53 4d 42")), FrameKind::kCompressed);
  EXPECT_EQ(ClassifyFrame(HexBytes("fb 53 4d 42")), FrameKind::kUnknown);
  EXPECT_EQ(ClassifyFrame(HexBytes("fe 53 4d 43")), FrameKind::kUnknown);
  EXPECT_EQ(ClassifyFrame(HexBytes("fe 53 4d")), FrameKind::kUnknown);
  EXPECT_EQ(ClassifyFrame({}), FrameKind::kUnknown);
}

}  // namespace
}  // namespace holdfast::smb2
