#include "protocol/smb2/smb1_negotiate.h"

#include <gtest/gtest.h>

#include "tests/protocol/hex_bytes.h"

namespace holdfast::smb2 {
namespace {

// As a real client sends it: "NT LANMAN 1.0", "NT LM 0.12", "SMB 2.002", "SMB 2.???".
const char kMultiProtocol[] =
    "ff534d4272000000001843c80000000000000000000000000000feff0000000000"
    "3100 024e54204c414e4d414e20312e3000 024e54204c4d20302e313200 02534d4220322e30303200 02534d4220322e3f3f3f00";

TEST(Smb1Negotiate, ListsTheDialectsOfARealClient) {
  const Bytes frame = HexBytes(kMultiProtocol);
  const Result<Smb1Negotiate> negotiate = Smb1Negotiate::Decode(frame);
  ASSERT_TRUE(negotiate.ok());
  EXPECT_EQ(negotiate->dialects,
            (std::vector<std::string>{"NT LANMAN 1.0", "NT LM 0.12", "SMB 2.002", "SMB 2.???"}));
  EXPECT_TRUE(negotiate->offers_202());
  EXPECT_TRUE(negotiate->offers_wildcard());
}

// The dialects of [MS-SMB2] 4.1.
TEST(Smb1Negotiate, KnowsWhatIsNotOffered) {
  const Bytes frame = EncodeSmb1Negotiate({"PC NETWORK PROGRAM 1.0", "LANMAN1.0", "Windows for Workgroups 3.1a",
                                           "LM1.2X002", "LANMAN2.1", "NT LM 0.12", "SMB 2.002"});
  const Result<Smb1Negotiate> negotiate = Smb1Negotiate::Decode(frame);
  ASSERT_TRUE(negotiate.ok());
  EXPECT_EQ(negotiate->dialects.size(), 7u);
  EXPECT_TRUE(negotiate->offers_202());
  EXPECT_FALSE(negotiate->offers_wildcard());
}

TEST(Smb1Negotiate, AcceptsAnEmptyList) {
  const Result<Smb1Negotiate> negotiate = Smb1Negotiate::Decode(EncodeSmb1Negotiate({}));
  ASSERT_TRUE(negotiate.ok());
  EXPECT_TRUE(negotiate->dialects.empty());
}

TEST(Smb1Negotiate, RefusesEveryTruncation) {
  const Bytes frame = HexBytes(kMultiProtocol);
  for (std::size_t size = 0; size < frame.size(); ++size) {
    const Bytes cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(Smb1Negotiate::Decode(cut).status(), NtStatus::kInvalidParameter) << size;
  }
}

TEST(Smb1Negotiate, RefusesOtherMessages) {
  const auto with = [](std::size_t at, std::uint8_t value) {
    Bytes frame = HexBytes(kMultiProtocol);
    frame[at] = value;
    return Smb1Negotiate::Decode(frame).ok();
  };
  EXPECT_TRUE(with(33, 0x31));
  EXPECT_FALSE(with(0, 0xFE));   // not SMB1
  EXPECT_FALSE(with(4, 0x73));   // SESSION_SETUP_ANDX
  EXPECT_FALSE(with(9, 0x98));   // a reply
  EXPECT_FALSE(with(32, 1));     // a NEGOTIATE has no parameter words
  EXPECT_FALSE(with(33, 0x32));  // more data than there is
  EXPECT_FALSE(with(33, 0x30));  // cuts the last dialect's terminator off
  EXPECT_FALSE(with(35, 0x04));  // not a dialect string
}

}  // namespace
}  // namespace holdfast::smb2
