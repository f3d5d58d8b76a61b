#include <gtest/gtest.h>

#include "protocol/dtyp/access_mask.h"
#include "server/create/open_execution.h"
#include "server/create/path.h"

namespace holdfast {
namespace {

smb2::CreateRequest Sound() {
  smb2::CreateRequest message;
  message.desired_access = access::kMaximumAllowed;
  return message;
}

// [MS-SMB2] 2.2.13
TEST(CreateFields, OptionsAreJudgedBitByBit) {
  std::uint32_t not_supported = 0, invalid = 0, other = 0;
  for (int bit = 0; bit < 32; ++bit) {
    smb2::CreateRequest message = Sound();
    message.create_options = 1u << bit;
    const NtStatus status = CheckCreateFields(message);
    if (status == NtStatus::kNotSupported) not_supported |= 1u << bit;
    else if (status == NtStatus::kInvalidParameter) invalid |= 1u << bit;
    else if (status != NtStatus::kSuccess) other |= 1u << bit;
  }
  EXPECT_EQ(not_supported, 0x00102080u);
  EXPECT_EQ(invalid, 0xFF000000u);
  EXPECT_EQ(other, 0u);
}

TEST(CreateFields, UnknownRightsAreDenied) {
  std::uint32_t denied = 0;
  for (int bit = 0; bit < 32; ++bit) {
    smb2::CreateRequest message = Sound();
    message.desired_access = 1u << bit;
    if (CheckCreateFields(message) == NtStatus::kAccessDenied) denied |= 1u << bit;
  }
  EXPECT_EQ(denied, 0x0CE0FE00u);
  smb2::CreateRequest none = Sound();
  none.desired_access = 0;
  EXPECT_EQ(CheckCreateFields(none), NtStatus::kAccessDenied);
}

TEST(CreateFields, AttributesAreJudgedBitByBitAfterTheAccess) {
  std::uint32_t invalid = 0;
  for (int bit = 0; bit < 32; ++bit) {
    smb2::CreateRequest message = Sound();
    message.file_attributes = 1u << bit;
    if (CheckCreateFields(message) == NtStatus::kInvalidParameter) invalid |= 1u << bit;
  }
  EXPECT_EQ(invalid, 0xFFFF8048u);
  smb2::CreateRequest both = Sound();
  both.file_attributes = 0x8;
  both.desired_access = 0x08000000;
  EXPECT_EQ(CheckCreateFields(both), NtStatus::kAccessDenied);
}

TEST(CreateFields, EnumerationsEndSomewhere) {
  smb2::CreateRequest message = Sound();
  message.create_disposition = static_cast<smb2::CreateDisposition>(6);
  EXPECT_EQ(CheckCreateFields(message), NtStatus::kInvalidParameter);
  message = Sound();
  message.share_access = 8;
  EXPECT_EQ(CheckCreateFields(message), NtStatus::kInvalidParameter);
  message = Sound();
  message.impersonation_level = static_cast<smb2::ImpersonationLevel>(4);
  EXPECT_EQ(CheckCreateFields(message), NtStatus::kBadImpersonationLevel);
}

std::u16string Path(std::u16string_view path) {
  auto normalized = NormalizePath(path);
  return normalized.ok() ? *normalized : u"refused";
}

NtStatus Refusal(std::u16string_view path) { return NormalizePath(path).status(); }

// 3.3.5.9 with behaviour notes 303 and 304
TEST(CreatePath, IsRelativeToTheShare) {
  EXPECT_EQ(Path(u""), u"");
  EXPECT_EQ(Path(u"a\\b.txt"), u"a\\b.txt");
  EXPECT_EQ(Path(u"a\\b:stream:$DATA"), u"a\\b:stream:$DATA");
  EXPECT_EQ(Path(u"a\\"), u"a\\");
  EXPECT_EQ(Refusal(u"\\a"), NtStatus::kInvalidParameter);
}

TEST(CreatePath, LosesItsDotComponents) {
  EXPECT_EQ(Path(u"."), u"");
  EXPECT_EQ(Path(u"a\\.."), u"");
  EXPECT_EQ(Path(u"a\\b\\.."), u"a");
  EXPECT_EQ(Path(u"a\\b\\..\\c"), u"a\\c");
  EXPECT_EQ(Path(u"a\\.\\b"), u"a\\b");
  EXPECT_EQ(Path(u"a\\...\\.b"), u"a\\...\\.b");
}

TEST(CreatePath, DoesNotLeadOutOfTheShare) {
  EXPECT_EQ(Refusal(u".."), NtStatus::kObjectPathSyntaxBad);
  EXPECT_EQ(Refusal(u"..\\..\\.."), NtStatus::kObjectPathSyntaxBad);
  EXPECT_EQ(Refusal(u"a\\b\\..\\..\\..\\c"), NtStatus::kObjectPathSyntaxBad);
  EXPECT_EQ(Refusal(u"x\\..\\y.txt"), NtStatus::kInvalidParameter);
}

TEST(CreatePath, TakesSlashesForSeparators) {
  EXPECT_EQ(Path(u"a/b"), u"a\\b");
  EXPECT_EQ(Refusal(u"/a"), NtStatus::kInvalidParameter);
  EXPECT_EQ(Refusal(u"../a"), NtStatus::kObjectPathSyntaxBad);
}

TEST(CreatePath, IsNoDosDevice) {
  EXPECT_EQ(Refusal(u"nul"), NtStatus::kAccessDenied);
  EXPECT_EQ(Refusal(u"COM7"), NtStatus::kAccessDenied);
  EXPECT_EQ(Path(u"a\\nul"), u"a\\nul");
  EXPECT_EQ(Path(u"nul.txt"), u"nul.txt");
}

TEST(CreatePath, HoldsNoZero) { EXPECT_EQ(Refusal(std::u16string_view(u"a\0b", 3)), NtStatus::kObjectNameInvalid); }

}  // namespace
}  // namespace holdfast
