#include "protocol/dtyp/security_descriptor.h"

#include <gtest/gtest.h>

#include "protocol/dtyp/access_mask.h"
#include "protocol/dtyp/inheritance.h"
#include "tests/protocol/crypto_vectors.h"

namespace holdfast {
namespace {

using namespace security_information;
using test::Hex;

const Sid kUser(5, {21, 1, 2, 3, 1001});
const Sid kGroup21(5, {21, 1, 2, 3, 513});

SecurityDescriptor Sample() {
  SecurityDescriptor sd = DefaultDescriptor(kUser, kGroup21);
  sd.dacl->aces.push_back(DenyAce(well_known::Everyone(), access::kDelete, ace_flags::kInherited));
  sd.sacl = Acl{2,
                {Ace{AceType::kSystemAudit, ace_flags::kFailedAccess, 1, well_known::Everyone(), {}},
                 Ace{AceType::kMandatoryLabel, 0, 1, Sid(16, {8192}), {}}}};
  sd.control |= sd_control::kSaclPresent | sd_control::kDaclAutoInherited;
  return sd;
}

// "O:BAG:SYD:PAI(A;OICI;FA;;;BA)(A;;FR;;;WD)" as Windows writes it.
constexpr std::string_view kWindowsBytes =
    "01000494 48000000 58000000 00000000 14000000"
    "0200 3400 0200 0000"
    "00 03 1800 FF011F00 0102000000000005 2000000020020000"
    "00 00 1400 89001200 0101000000000001 00000000"
    "0102000000000005 2000000020020000"
    "0101000000000005 12000000";

TEST(SecurityDescriptor, ReadsAndWritesTheBytesOfWindows) {
  const Bytes bytes = Hex(kWindowsBytes);
  const auto sd = SecurityDescriptor::Parse(bytes);
  ASSERT_TRUE(sd.ok());
  EXPECT_EQ(sd->owner, well_known::Administrators());
  EXPECT_EQ(sd->group, well_known::LocalSystem());
  EXPECT_EQ(sd->control, sd_control::kDaclPresent | sd_control::kDaclProtected | sd_control::kDaclAutoInherited);
  ASSERT_EQ(sd->dacl->aces.size(), 2u);
  EXPECT_EQ(sd->dacl->aces[0], AllowAce(well_known::Administrators(), access::kFileAllAccess,
                                        ace_flags::kObjectInherit | ace_flags::kContainerInherit));
  EXPECT_EQ(sd->dacl->aces[1], AllowAce(well_known::Everyone(), access::kFileGenericRead));
  EXPECT_EQ(sd->Encode(), bytes);
}

TEST(SecurityDescriptor, ComesBackFromItsBytes) {
  const SecurityDescriptor sd = Sample();
  const Bytes bytes = sd.Encode();
  EXPECT_EQ(bytes.size(), sd.EncodedSize());
  const auto parsed = SecurityDescriptor::Parse(bytes);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, sd);
}

TEST(SecurityDescriptor, RefusesEveryTruncation) {
  const Bytes bytes = Sample().Encode();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(SecurityDescriptor::Parse(ByteView(bytes).first(size)).ok()) << size;
}

TEST(SecurityDescriptor, NeverReadsOutsideWhateverByteIsWrong) {
  const Bytes bytes = Sample().Encode();
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (const int value : {0x00, 0x01, 0x7F, 0xFF}) {
      Bytes changed = bytes;
      changed[i] = static_cast<std::uint8_t>(value);
      if (const auto sd = SecurityDescriptor::Parse(changed); sd.ok()) {
        EXPECT_EQ(sd->Encode().size(), sd->EncodedSize());
      }
    }
}

TEST(SecurityDescriptor, NamesWhatIsWrong) {
  Bytes bytes = Hex(kWindowsBytes);
  bytes[3] = 0x14;  // not self-relative
  EXPECT_EQ(SecurityDescriptor::Parse(bytes).status(), NtStatus::kInvalidSecurityDescr);
  bytes = Hex(kWindowsBytes);
  bytes[20] = 1;  // ACL revision
  EXPECT_EQ(SecurityDescriptor::Parse(bytes).status(), NtStatus::kInvalidAcl);
  bytes = Hex(kWindowsBytes);
  bytes[30] = 0x1A;  // AceSize not a multiple of four
  EXPECT_EQ(SecurityDescriptor::Parse(bytes).status(), NtStatus::kInvalidAcl);
  bytes = Hex(kWindowsBytes);
  bytes[72] = 2;  // SID revision of the owner
  EXPECT_EQ(SecurityDescriptor::Parse(bytes).status(), NtStatus::kInvalidSid);
}

TEST(SecurityDescriptor, KeepsUnknownAcesAsTheyAre) {
  SecurityDescriptor sd = DefaultDescriptor(kUser, kGroup21);
  sd.dacl->aces.push_back(
      Ace{static_cast<AceType>(0x05), 0, 0, {}, Hex("01000000 00000000 0101000000000001 00000000")});
  sd.dacl->aces.push_back(Ace{static_cast<AceType>(0x40), 3, 0, {}, Hex("DEADBEEF")});
  const auto parsed = SecurityDescriptor::Parse(sd.Encode());
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, sd);
}

TEST(SecurityDescriptor, DistinguishesTheNullFromTheEmptyDacl) {
  SecurityDescriptor null_dacl;
  null_dacl.control = sd_control::kDaclPresent;
  SecurityDescriptor empty = null_dacl;
  empty.dacl = Acl{};
  EXPECT_EQ(SecurityDescriptor::Parse(null_dacl.Encode())->dacl, std::nullopt);
  EXPECT_EQ(SecurityDescriptor::Parse(empty.Encode())->dacl, Acl{});
}

TEST(SecurityDescriptor, ShowsOnlyThePartsAskedFor) {
  const SecurityDescriptor sd = Sample();
  const auto owner = sd.Select(kOwner);
  EXPECT_EQ(owner.owner, kUser);
  EXPECT_FALSE(owner.group || owner.dacl || owner.sacl);
  EXPECT_EQ(owner.control, 0);
  const auto dacl = sd.Select(kDacl);
  EXPECT_EQ(dacl.dacl, sd.dacl);
  EXPECT_EQ(dacl.control, sd_control::kDaclPresent | sd_control::kDaclAutoInherited);
  const auto label = sd.Select(kLabel);
  ASSERT_TRUE(label.sacl);
  ASSERT_EQ(label.sacl->aces.size(), 1u);
  EXPECT_EQ(label.sacl->aces[0].type, AceType::kMandatoryLabel);
}

TEST(SecurityDescriptor, SettingOnePartKeepsTheOthers) {
  SecurityDescriptor sd = Sample();
  const SecurityDescriptor before = sd;
  SecurityDescriptor set;
  set.owner = well_known::Users();
  set.dacl = Acl{2, {AllowAce(well_known::Everyone(), access::kFileAllAccess)}};
  set.control = sd_control::kDaclPresent;
  ASSERT_EQ(sd.Merge(set, kDacl), NtStatus::kSuccess);
  EXPECT_EQ(sd.owner, before.owner);
  EXPECT_EQ(sd.sacl, before.sacl);
  EXPECT_EQ(sd.dacl, set.dacl);
  EXPECT_FALSE(sd.control & sd_control::kDaclAutoInherited) << "not asked for with AUTO_INHERIT_REQ";
  EXPECT_EQ(sd.Merge(SecurityDescriptor{}, kOwner), NtStatus::kInvalidOwner);
  EXPECT_EQ(sd.owner, before.owner);
}

TEST(SecurityDescriptor, AutoInheritedIsKeptOnlyWithTheRequest) {
  SecurityDescriptor sd = DefaultDescriptor(kUser, kGroup21);
  SecurityDescriptor set = sd;
  set.control |= sd_control::kDaclAutoInherited;
  ASSERT_EQ(sd.Merge(set, kDacl), NtStatus::kSuccess);
  EXPECT_FALSE(sd.control & sd_control::kDaclAutoInherited);
  set.control |= sd_control::kDaclAutoInheritRequired;
  ASSERT_EQ(sd.Merge(set, kDacl), NtStatus::kSuccess);
  EXPECT_TRUE(sd.control & sd_control::kDaclAutoInherited);
  EXPECT_FALSE(sd.control & sd_control::kDaclAutoInheritRequired) << "a request is not kept";
  ASSERT_EQ(sd.Merge(set, kDacl | security_information::kProtectedDacl), NtStatus::kSuccess);
  EXPECT_TRUE(sd.control & sd_control::kDaclProtected);
}

TEST(SecurityDescriptor, ListsThatGrowTooLargeAreRefused) {
  const auto large = [](AceType type) {
    Acl acl;
    for (int i = 0; i < 1100; ++i) {
      Ace ace = AllowAce(kUser, access::kGenericRead, ace_flags::kObjectInherit);
      ace.type = type;
      acl.aces.push_back(ace);
    }
    return acl;
  };
  // Of a directory each becomes two: one that takes effect, one for what is made below.
  SecurityDescriptor given;
  given.control = sd_control::kDaclPresent;
  given.dacl = large(AceType::kAccessAllowed);
  SecurityToken creator;
  creator.user = kUser;
  EXPECT_TRUE(CreateSecurityDescriptor(nullptr, &given, false, creator).ok());
  EXPECT_EQ(CreateSecurityDescriptor(nullptr, &given, true, creator).status(), NtStatus::kInvalidAcl);

  SecurityDescriptor sd = Sample();
  sd.sacl = large(AceType::kSystemAudit);
  const SecurityDescriptor before = sd;
  SecurityDescriptor set;
  set.control = sd_control::kSaclPresent;
  set.owner = kGroup21;
  set.sacl = large(AceType::kResourceAttribute);
  EXPECT_EQ(sd.Merge(set, kOwner | kAttribute), NtStatus::kInvalidAcl);
  EXPECT_EQ(sd, before);
}

TEST(SecurityDescriptor, AsksForTheRightsOfEachPart) {
  EXPECT_EQ(AccessToQuerySecurity(kOwner | kDacl), access::kReadControl);
  EXPECT_EQ(AccessToQuerySecurity(kSacl), access::kAccessSystemSecurity);
  EXPECT_EQ(AccessToSetSecurity(kOwner | kDacl), access::kWriteOwner | access::kWriteDac);
  EXPECT_EQ(AccessToSetSecurity(kSacl), access::kAccessSystemSecurity);
}

}  // namespace
}  // namespace holdfast
