#include "protocol/dtyp/access_check.h"

#include <algorithm>

#include "protocol/dtyp/access_mask.h"
#include "protocol/wire/endian.h"

namespace holdfast {
namespace {

enum class Effect { kNone, kAllow, kDeny };

struct AceView {
  Effect effect = Effect::kNone;
  std::uint32_t mask = 0;
  Sid sid;
};

// An object ACE without object type applies as an ordinary one; with a type it is about parts that a file lacks.
// Layout after the header, [MS-DTYP] 2.4.4.3: mask, flags, GUIDs that the flags announce, SID.
AceView ReadObjectAce(const Ace& ace, Effect effect) {
  if (ace.data.size() < 8) return {};
  const auto mask = wire::LoadLe<std::uint32_t>(ace.data.data());
  const auto flags = wire::LoadLe<std::uint32_t>(ace.data.data() + 4);
  constexpr std::uint32_t kObjectTypePresent = 1, kInheritedObjectTypePresent = 2;
  if (flags & kObjectTypePresent) return {};
  const std::size_t at = 8 + (flags & kInheritedObjectTypePresent ? 16u : 0u);
  if (at >= ace.data.size()) return {};
  const auto sid = Sid::Decode(ByteView(ace.data).subspan(at));
  return sid ? AceView{effect, mask, *sid} : AceView{};
}

AceView ReadAce(const Ace& ace) {
  if (ace.flags & ace_flags::kInheritOnly) return {};
  switch (ace.type) {
    case AceType::kAccessAllowed:
      return {Effect::kAllow, ace.mask, ace.sid};
    case AceType::kAccessDenied:
    // A condition that nobody evaluates counts as not met where it would allow, and as met where it would deny.
    case AceType::kAccessDeniedCallback:
      return {Effect::kDeny, ace.mask, ace.sid};
    case AceType::kAccessAllowedObject:
      return ReadObjectAce(ace, Effect::kAllow);
    case AceType::kAccessDeniedObject:
      return ReadObjectAce(ace, Effect::kDeny);
    default:
      return {};
  }
}

// [MS-FSA] 2.1.5.1: what the backup and restore privileges give to an open for backup intent.
std::uint32_t BackupAccess(const SecurityToken& token, const AccessCheckOptions& options) {
  if (!options.backup_intent) return 0;
  std::uint32_t access = 0;
  if (token.backup)
    access |= access::kReadControl | access::kAccessSystemSecurity | access::kFileGenericRead | access::kTraverse;
  if (token.restore)
    access |= access::kWriteDac | access::kWriteOwner | access::kAccessSystemSecurity | access::kFileGenericWrite |
              access::kAddFile | access::kAddSubdirectory | access::kDelete;
  return access;
}

}  // namespace

AccessCheckResult AccessCheck(const SecurityDescriptor& descriptor, const SecurityToken& token, std::uint32_t desired,
                              const AccessCheckOptions& options) {
  const bool maximum = desired & access::kMaximumAllowed;
  desired = access::MapGeneric(desired) & ~access::kMaximumAllowed;

  std::uint32_t granted = BackupAccess(token, options);
  if (!maximum) granted &= desired;
  granted &= ~access::kAccessSystemSecurity;
  if (desired & access::kAccessSystemSecurity) {
    const bool by_backup = BackupAccess(token, options) & access::kAccessSystemSecurity;
    if (!token.security && !by_backup) return {NtStatus::kPrivilegeNotHeld, 0};
    granted |= access::kAccessSystemSecurity;
  }
  if ((desired & access::kWriteOwner) && token.take_ownership) granted |= access::kWriteOwner;

  if (!descriptor.dacl_present() || !descriptor.dacl) {
    granted |= maximum ? access::kFileAllAccess | desired : desired;
    return {NtStatus::kSuccess, granted};
  }

  const bool is_owner = descriptor.owner && token.Contains(*descriptor.owner);
  const Acl& dacl = *descriptor.dacl;
  const bool owner_rights = std::any_of(dacl.aces.begin(), dacl.aces.end(), [](const Ace& ace) {
    const AceView view = ReadAce(ace);
    return view.effect != Effect::kNone && view.sid == well_known::OwnerRights();
  });
  if (is_owner && !owner_rights) {
    const std::uint32_t implicit = access::kReadControl | access::kWriteDac;
    granted |= maximum ? implicit : implicit & desired;
  }

  // In order: a right granted stays granted, one denied before it was granted stays denied.
  std::uint32_t denied = 0;
  for (const Ace& ace : dacl.aces) {
    const AceView view = ReadAce(ace);
    if (view.effect == Effect::kNone) continue;
    const bool matches = view.sid == well_known::OwnerRights() ? is_owner : token.Contains(view.sid);
    if (!matches) continue;
    // ACCESS_SYSTEM_SECURITY comes from the privilege alone.
    std::uint32_t mask = access::MapGeneric(view.mask) & ~(access::kAccessSystemSecurity | access::kMaximumAllowed);
    if (!maximum) mask &= desired;
    if (view.effect == Effect::kAllow)
      granted |= mask & ~denied;
    else
      denied |= mask & ~granted;
  }
  if ((desired & ~granted) != 0) return {NtStatus::kAccessDenied, 0};
  if (granted == 0) return {NtStatus::kAccessDenied, 0};
  return {NtStatus::kSuccess, granted};
}

std::uint32_t MaximalAccess(const SecurityDescriptor& descriptor, const SecurityToken& token) {
  return AccessCheck(descriptor, token, access::kMaximumAllowed).granted;
}

}  // namespace holdfast
