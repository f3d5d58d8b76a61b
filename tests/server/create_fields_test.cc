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

// 3.3.5.9 with behaviour notes 303 and 304
TEST(CreatePath, IsRelativeToTheShare) {
  EXPECT_EQ(CheckPath(u""), NtStatus::kSuccess);
  EXPECT_EQ(CheckPath(u"a\\b.txt"), NtStatus::kSuccess);
  EXPECT_EQ(CheckPath(u"a\\b:stream:$DATA"), NtStatus::kSuccess);
  EXPECT_EQ(CheckPath(u"\\a"), NtStatus::kInvalidParameter);
}

TEST(CreatePath, HasNoDotComponents) {
  EXPECT_EQ(CheckPath(u"."), NtStatus::kObjectPathSyntaxBad);
  EXPECT_EQ(CheckPath(u"a\\..\\b"), NtStatus::kObjectPathSyntaxBad);
  EXPECT_EQ(CheckPath(u"a\\.."), NtStatus::kObjectPathSyntaxBad);
  EXPECT_EQ(CheckPath(u"a\\...\\.b"), NtStatus::kSuccess);
}

TEST(CreatePath, IsNoDosDevice) {
  EXPECT_EQ(CheckPath(u"nul"), NtStatus::kAccessDenied);
  EXPECT_EQ(CheckPath(u"COM7"), NtStatus::kAccessDenied);
  EXPECT_EQ(CheckPath(u"a\\nul"), NtStatus::kSuccess);
  EXPECT_EQ(CheckPath(u"nul.txt"), NtStatus::kSuccess);
}

TEST(CreatePath, HoldsNoZero) {
  EXPECT_EQ(CheckPath(std::u16string_view(u"a\0b", 3)), NtStatus::kObjectNameInvalid);
}

}  // namespace
}  // namespace holdfast
