#include "auth/pac.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "protocol/dtyp/unicode.h"
#include "tests/auth/logon_info_writer.h"
#include "tests/auth/minted_ticket.h"

namespace holdfast {
namespace {

Bytes ReadHex(const std::string& name) {
  std::ifstream file(std::string(HOLDFAST_SOURCE_DIR) + "/tests/golden/auth/" + name);
  Bytes bytes;
  std::string word;
  while (file >> word)
    for (std::size_t i = 0; i + 1 < word.size(); i += 2) bytes.push_back(static_cast<std::uint8_t>(std::stoi(word.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::vector<std::string> Texts(const std::vector<PacGroup>& groups) {
  std::vector<std::string> texts;
  for (const PacGroup& g : groups) texts.push_back(g.sid.ToString());
  return texts;
}

// [MS-PAC] 2.5, bytes of a Samba 4.17 KDC.
TEST(DecodeLogonInfo, ReadsWhatAKdcWrote) {
  const Bytes bytes = ReadHex("logon_info_alice.hex");
  ASSERT_FALSE(bytes.empty());
  const auto info = DecodeLogonInfo(bytes);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(Utf16ToUtf8(info->effective_name), "alice");
  EXPECT_EQ(Utf16ToUtf8(info->logon_domain_name), "CONTOSO");
  EXPECT_EQ(info->user_sid().ToString(), "S-1-5-21-1004336348-1177238915-682003330-1601");
  EXPECT_EQ(info->primary_group_id, 513u);
  EXPECT_EQ(info->kick_off_time, kPacNever);
  const std::string domain = "S-1-5-21-1004336348-1177238915-682003330-";
  const auto groups = Texts(info->groups);
  for (const char* rid : {"513", "2001", "2002", "2003", "2004"})
    EXPECT_NE(std::find(groups.begin(), groups.end(), domain + rid), groups.end()) << rid;
  const auto extra = Texts(info->extra_sids);
  EXPECT_NE(std::find(extra.begin(), extra.end(), "S-1-12-1-3903889858-1190515684-689440646-1834765114"), extra.end());
}

TEST(DecodeLogonInfo, ReadsBackWhatTheWriterWrote) {
  for (const PacLogonInfo& original : {CloudLogonInfo(), HybridLogonInfo()}) {
    const auto info = DecodeLogonInfo(EncodeLogonInfo(original));
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->effective_name, original.effective_name);
    EXPECT_EQ(info->logon_domain_name, original.logon_domain_name);
    EXPECT_EQ(info->user_sid(), original.user_sid());
    EXPECT_EQ(Texts(info->groups), Texts(original.groups));
    EXPECT_EQ(Texts(info->extra_sids), Texts(original.extra_sids));
    EXPECT_EQ(Texts(info->resource_groups), Texts(original.resource_groups));
  }
}

TEST(DecodeLogonInfo, RefusesEveryTruncation) {
  for (const Bytes& whole : {EncodeLogonInfo(HybridLogonInfo()), ReadHex("logon_info_alice.hex")}) {
    ASSERT_TRUE(DecodeLogonInfo(whole).ok());
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(DecodeLogonInfo(part).ok()) << size;
    }
  }
}

TEST(DecodeLogonInfo, SurvivesRandomChanges) {
  const Bytes whole = EncodeLogonInfo(HybridLogonInfo());
  std::mt19937 random(2);
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes = whole;
    for (unsigned n = 0; n <= random() % 4; ++n) bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    const auto info = DecodeLogonInfo(bytes);
    if (info.ok()) {
      EXPECT_LE(info->groups.size(), whole.size());
    }
  }
}

TEST(DecodeLogonInfo, RefusesCountsThatDisagree) {
  Bytes bytes = EncodeLogonInfo(HybridLogonInfo());
  constexpr std::size_t kGroupCount = 16 + 4 + 48 + 48 + 4 + 4 + 4;
  ASSERT_EQ(bytes[kGroupCount], 2);
  bytes[kGroupCount] = 3;
  EXPECT_FALSE(DecodeLogonInfo(bytes).ok());
}

TEST(DecodeLogonInfo, BoundsAllocationsByTheInput) {
  Bytes bytes = EncodeLogonInfo(HybridLogonInfo());
  constexpr std::size_t kGroupCount = 16 + 4 + 48 + 48 + 4 + 4 + 4;
  for (std::size_t i = 0; i < 4; ++i) bytes[kGroupCount + i] = 0xFF;
  for (std::size_t at = kGroupCount + 4; at + 4 <= bytes.size(); at += 4) {
    Bytes changed = bytes;
    for (std::size_t i = 0; i < 4; ++i) changed[at + i] = 0xFF;
    EXPECT_FALSE(DecodeLogonInfo(changed).ok());
  }
}

}  // namespace
}  // namespace holdfast
