#include "protocol/dtyp/access_check.h"

#include <gtest/gtest.h>

#include "protocol/dtyp/access_mask.h"
#include "protocol/dtyp/inheritance.h"

namespace holdfast {
namespace {

using namespace access;
using namespace ace_flags;

const Sid kAlice(5, {21, 1, 2, 3, 1001});
const Sid kBob(5, {21, 1, 2, 3, 1002});
const Sid kStaff(5, {21, 1, 2, 3, 2000});

SecurityToken Token(const Sid& user) {
  SecurityToken token;
  token.user = user;
  token.primary_group = kStaff;
  token.groups = {kStaff, well_known::Everyone(), well_known::AuthenticatedUsers()};
  return token;
}

SecurityDescriptor Descriptor(const Sid& owner, std::vector<Ace> aces) {
  SecurityDescriptor sd;
  sd.owner = owner;
  sd.group = kStaff;
  sd.control = sd_control::kDaclPresent;
  sd.dacl = Acl{2, std::move(aces)};
  return sd;
}

void ExpectGranted(const AccessCheckResult& result, std::uint32_t granted) {
  EXPECT_EQ(result.status, NtStatus::kSuccess);
  EXPECT_EQ(result.granted, granted) << std::hex << result.granted << " for " << granted;
}

TEST(AccessCheck, NullDaclAllowsEverythingEmptyDaclNothing) {
  SecurityDescriptor sd = Descriptor(kBob, {});
  EXPECT_EQ(AccessCheck(sd, Token(kAlice), kReadData).status, NtStatus::kAccessDenied);
  EXPECT_EQ(AccessCheck(sd, Token(kAlice), kMaximumAllowed).status, NtStatus::kAccessDenied);
  sd.dacl.reset();
  ExpectGranted(AccessCheck(sd, Token(kAlice), kReadData | kDelete), kReadData | kDelete);
  ExpectGranted(AccessCheck(sd, Token(kAlice), kMaximumAllowed), kFileAllAccess);
}

TEST(AccessCheck, OwnerMayReadAndChangePermissions) {
  const auto sd = Descriptor(kAlice, {});
  ExpectGranted(AccessCheck(sd, Token(kAlice), kReadControl | kWriteDac), kReadControl | kWriteDac);
  ExpectGranted(AccessCheck(sd, Token(kAlice), kMaximumAllowed), kReadControl | kWriteDac);
  EXPECT_EQ(AccessCheck(sd, Token(kAlice), kReadControl | kReadData).status, NtStatus::kAccessDenied);
}

TEST(AccessCheck, OwnerRightsReplaceTheImplicitOnes) {
  const auto sd = Descriptor(kAlice, {AllowAce(well_known::OwnerRights(), kReadControl)});
  EXPECT_EQ(AccessCheck(sd, Token(kAlice), kWriteDac).status, NtStatus::kAccessDenied);
  ExpectGranted(AccessCheck(sd, Token(kAlice), kReadControl), kReadControl);
  EXPECT_EQ(AccessCheck(sd, Token(kBob), kReadControl).status, NtStatus::kAccessDenied) << "not the owner";
}

TEST(AccessCheck, OrderOfDenyAndAllowDecides) {
  const auto deny_first = Descriptor(kBob, {DenyAce(kStaff, kWriteData), AllowAce(kAlice, kReadData | kWriteData)});
  EXPECT_EQ(AccessCheck(deny_first, Token(kAlice), kWriteData).status, NtStatus::kAccessDenied);
  ExpectGranted(AccessCheck(deny_first, Token(kAlice), kReadData), kReadData);
  ExpectGranted(AccessCheck(deny_first, Token(kAlice), kMaximumAllowed), kReadData);
  const auto allow_first = Descriptor(kBob, {AllowAce(kAlice, kReadData | kWriteData), DenyAce(kStaff, kWriteData)});
  ExpectGranted(AccessCheck(allow_first, Token(kAlice), kWriteData), kWriteData);
  ExpectGranted(AccessCheck(allow_first, Token(kAlice), kMaximumAllowed), kReadData | kWriteData);
}

TEST(AccessCheck, RightsOfSeveralAcesAddUp) {
  const auto sd = Descriptor(kBob, {AllowAce(kAlice, kReadData), AllowAce(kStaff, kWriteData)});
  ExpectGranted(AccessCheck(sd, Token(kAlice), kReadData | kWriteData), kReadData | kWriteData);
  EXPECT_EQ(AccessCheck(sd, Token(kAlice), kReadData | kWriteData | kDelete).status, NtStatus::kAccessDenied);
}

TEST(AccessCheck, InheritOnlyAcesDoNotCount) {
  const auto sd = Descriptor(kBob, {AllowAce(kAlice, kReadData, kInheritOnly | kObjectInherit)});
  EXPECT_EQ(AccessCheck(sd, Token(kAlice), kReadData).status, NtStatus::kAccessDenied);
}

TEST(AccessCheck, GenericRightsMeanThoseOfFiles) {
  const auto sd = Descriptor(kBob, {AllowAce(kAlice, kGenericRead)});
  ExpectGranted(AccessCheck(sd, Token(kAlice), kGenericRead), kFileGenericRead);
  EXPECT_EQ(AccessCheck(sd, Token(kAlice), kGenericWrite).status, NtStatus::kAccessDenied);
}

TEST(AccessCheck, MaximumAllowedStillNeedsTheRightsNamedBeside) {
  const auto sd = Descriptor(kBob, {AllowAce(kAlice, kReadData)});
  EXPECT_EQ(AccessCheck(sd, Token(kAlice), kMaximumAllowed | kDelete).status, NtStatus::kAccessDenied);
  ExpectGranted(AccessCheck(sd, Token(kAlice), kMaximumAllowed | kReadData), kReadData);
}

TEST(AccessCheck, SystemSecurityComesFromThePrivilegeAlone) {
  const auto sd = Descriptor(kBob, {AllowAce(kAlice, kFileAllAccess | kAccessSystemSecurity)});
  SecurityToken token = Token(kAlice);
  EXPECT_EQ(AccessCheck(sd, token, kAccessSystemSecurity).status, NtStatus::kPrivilegeNotHeld);
  token.security = true;
  ExpectGranted(AccessCheck(sd, token, kAccessSystemSecurity | kReadData), kAccessSystemSecurity | kReadData);
  ExpectGranted(AccessCheck(sd, token, kMaximumAllowed), kFileAllAccess);
}

TEST(AccessCheck, TakeOwnershipGivesWriteOwner) {
  const auto sd = Descriptor(kBob, {});
  SecurityToken token = Token(kAlice);
  token.take_ownership = true;
  ExpectGranted(AccessCheck(sd, token, kWriteOwner), kWriteOwner);
  EXPECT_EQ(AccessCheck(sd, token, kWriteOwner | kReadData).status, NtStatus::kAccessDenied);
}

TEST(AccessCheck, BackupAndRestoreCountOnlyForBackupIntent) {
  const auto sd = Descriptor(kBob, {});
  SecurityToken token = Token(kAlice);
  token.backup = true;
  EXPECT_EQ(AccessCheck(sd, token, kReadData).status, NtStatus::kAccessDenied);
  ExpectGranted(AccessCheck(sd, token, kReadData, {.backup_intent = true}), kReadData);
  EXPECT_EQ(AccessCheck(sd, token, kWriteData, {.backup_intent = true}).status, NtStatus::kAccessDenied);
  token.restore = true;
  ExpectGranted(AccessCheck(sd, token, kWriteData | kDelete, {.backup_intent = true}), kWriteData | kDelete);
}

TEST(AccessCheck, ConditionsNeverAllowAndAlwaysDeny) {
  Ace allow = AllowAce(kAlice, kReadData);
  allow.type = AceType::kAccessAllowedCallback;
  allow.data = {'a', 'r', 't', 'x'};
  EXPECT_EQ(AccessCheck(Descriptor(kBob, {allow}), Token(kAlice), kReadData).status, NtStatus::kAccessDenied);
  Ace deny = allow;
  deny.type = AceType::kAccessDeniedCallback;
  const auto sd = Descriptor(kBob, {deny, AllowAce(kAlice, kReadData)});
  EXPECT_EQ(AccessCheck(sd, Token(kAlice), kReadData).status, NtStatus::kAccessDenied);
}

TEST(AccessCheck, MaximalAccessIsWhatSingleChecksGrant) {
  const auto sd = Descriptor(kBob, {AllowAce(kAlice, kFileGenericRead), DenyAce(kStaff, kReadEa | kDelete),
                                    AllowAce(well_known::Everyone(), kFileAllAccess)});
  const std::uint32_t maximal = MaximalAccess(sd, Token(kAlice));
  for (std::uint32_t bit = 1; bit <= kSynchronize; bit <<= 1) {
    if ((kFileAllAccess & bit) == 0) continue;
    EXPECT_EQ(AccessCheck(sd, Token(kAlice), bit).status == NtStatus::kSuccess, (maximal & bit) != 0) << bit;
  }
}

// [MS-DTYP] 2.5.3.4.4: flags of the parent's ACE, flags on a child directory and on a child file.
TEST(Inheritance, FollowsTheTableOfFlags) {
  constexpr int kNone = -1;
  struct Row {
    unsigned parent;
    int directory, file;
  };
  const Row rows[] = {
      {0, kNone, kNone},
      {kInheritOnly, kNone, kNone},
      {kObjectInherit, kInheritOnly | kObjectInherit, 0},
      {kObjectInherit | kNoPropagateInherit, kNone, 0},
      {kContainerInherit, kContainerInherit, kNone},
      {kContainerInherit | kNoPropagateInherit, 0, kNone},
      {kContainerInherit | kObjectInherit, kContainerInherit | kObjectInherit, 0},
      {kContainerInherit | kObjectInherit | kInheritOnly, kContainerInherit | kObjectInherit, 0},
      {kContainerInherit | kObjectInherit | kNoPropagateInherit, 0, 0},
  };
  // A second ACE keeps the list from being empty, which would call for the default DACL.
  const Ace always = AllowAce(well_known::LocalSystem(), kFileAllAccess, kContainerInherit | kObjectInherit);
  for (const Row& row : rows)
    for (const bool is_directory : {true, false}) {
      SCOPED_TRACE(testing::Message() << "parent flags " << row.parent << " directory " << is_directory);
      const auto parent =
          Descriptor(kBob, {AllowAce(kStaff, kReadData, static_cast<std::uint8_t>(row.parent)), always});
      const auto child = CreateSecurityDescriptor(&parent, nullptr, is_directory, Token(kAlice));
      ASSERT_TRUE(child.ok());
      const auto& aces = child->dacl->aces;
      const int expected = is_directory ? row.directory : row.file;
      ASSERT_EQ(aces.size(), expected == kNone ? 1u : 2u);
      if (expected == kNone) continue;
      EXPECT_EQ(aces[0], AllowAce(kStaff, kReadData, static_cast<std::uint8_t>(expected)));
    }
}

TEST(Inheritance, CreatorOwnerBecomesTheCreatorAndStaysForThoseBelow) {
  constexpr std::uint8_t kAll = kContainerInherit | kObjectInherit;
  const auto parent = Descriptor(kBob, {AllowAce(well_known::CreatorOwner(), kGenericAll, kAll | kInheritOnly)});
  const auto directory = CreateSecurityDescriptor(&parent, nullptr, true, Token(kAlice));
  ASSERT_TRUE(directory.ok());
  EXPECT_EQ(directory->owner, kAlice);
  EXPECT_EQ(directory->group, kStaff);
  EXPECT_EQ(directory->dacl->aces,
            (std::vector<Ace>{AllowAce(kAlice, kFileAllAccess),
                              AllowAce(well_known::CreatorOwner(), kGenericAll, kAll | kInheritOnly)}));
  const auto file = CreateSecurityDescriptor(&*directory, nullptr, false, Token(kBob));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->dacl->aces, (std::vector<Ace>{AllowAce(kBob, kFileAllAccess)}));
}

TEST(Inheritance, MarksAcesUnderAnAutoInheritedParent) {
  const auto root = ShareRootDescriptor();
  const auto file = CreateSecurityDescriptor(&root, nullptr, false, Token(kAlice));
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->control & sd_control::kDaclAutoInherited);
  EXPECT_FALSE(file->control & sd_control::kDaclProtected) << "protection is the parent's own";
  for (const Ace& ace : file->dacl->aces) EXPECT_EQ(ace.flags, kInherited);
  ExpectGranted(AccessCheck(*file, Token(kAlice), kFileAllAccess), kFileAllAccess);
  const std::uint32_t others = MaximalAccess(*file, Token(kBob));
  EXPECT_EQ(others & (kWriteData | kDelete), kWriteData | kDelete);
  EXPECT_EQ(others & (kWriteDac | kWriteOwner), 0u);
}

TEST(Inheritance, ExplicitListIsTakenAsItIs) {
  const auto root = ShareRootDescriptor();
  SecurityDescriptor given;
  given.control = sd_control::kDaclPresent;
  given.dacl = Acl{2, {AllowAce(kBob, kReadData, kInherited), AllowAce(kStaff, kGenericRead), DenyAce(kAlice, kReadData)}};
  const auto file = CreateSecurityDescriptor(&root, &given, false, Token(kAlice));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->dacl->aces, (std::vector<Ace>{AllowAce(kBob, kReadData, kInherited),
                                                AllowAce(kStaff, kFileGenericRead), DenyAce(kAlice, kReadData)}));
  EXPECT_FALSE(file->control & (sd_control::kDaclProtected | sd_control::kDaclAutoInherited));
  given.control |= sd_control::kDaclProtected;
  const auto own = CreateSecurityDescriptor(&root, &given, false, Token(kAlice));
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(own->dacl, file->dacl);
  EXPECT_TRUE(own->control & sd_control::kDaclProtected);
}

TEST(Inheritance, GivenGenericRightsAreMappedWhereTheyTakeEffect) {
  constexpr std::uint8_t kAll = kContainerInherit | kObjectInherit;
  const Acl given{2, {AllowAce(kBob, kGenericRead), AllowAce(well_known::CreatorOwner(), kGenericAll, kAll)}};
  EXPECT_EQ(WithMappedRights(given, false).aces,
            (std::vector<Ace>{AllowAce(kBob, kFileGenericRead),
                              AllowAce(well_known::CreatorOwner(), kFileAllAccess, kAll)}));
  EXPECT_EQ(WithMappedRights(given, true).aces,
            (std::vector<Ace>{AllowAce(kBob, kFileGenericRead), AllowAce(well_known::CreatorOwner(), kFileAllAccess),
                              AllowAce(well_known::CreatorOwner(), kGenericAll, kAll | kInheritOnly)}));
}

TEST(Inheritance, WithoutAnythingInheritableTheDefaultApplies) {
  const auto parent = Descriptor(kBob, {AllowAce(kStaff, kReadData)});
  const auto file = CreateSecurityDescriptor(&parent, nullptr, false, Token(kAlice));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->dacl, DefaultDescriptor(kAlice, kStaff).dacl);
}

TEST(Inheritance, RefusesForeignOwnersAndSaclsWithoutPrivilege) {
  SecurityDescriptor given;
  given.owner = kBob;
  EXPECT_EQ(CreateSecurityDescriptor(nullptr, &given, false, Token(kAlice)).status(), NtStatus::kInvalidOwner);
  SecurityToken restorer = Token(kAlice);
  restorer.restore = true;
  EXPECT_TRUE(CreateSecurityDescriptor(nullptr, &given, false, restorer).ok());
  SecurityDescriptor audited;
  audited.control = sd_control::kSaclPresent;
  audited.sacl = Acl{2, {Ace{AceType::kSystemAudit, kFailedAccess, 1, well_known::Everyone(), {}}}};
  EXPECT_EQ(CreateSecurityDescriptor(nullptr, &audited, false, Token(kAlice)).status(), NtStatus::kPrivilegeNotHeld);
}

}  // namespace
}  // namespace holdfast
