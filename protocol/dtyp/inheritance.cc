#include "protocol/dtyp/inheritance.h"

#include <algorithm>

#include "protocol/dtyp/access_mask.h"

namespace holdfast {
namespace {

using namespace ace_flags;

constexpr std::uint8_t kInheritable = kObjectInherit | kContainerInherit;
constexpr std::uint8_t kInheritanceFlags = kInheritable | kNoPropagateInherit | kInheritOnly | kInherited;
constexpr std::uint32_t kGenericBits =
    access::kGenericAll | access::kGenericExecute | access::kGenericWrite | access::kGenericRead;

struct NewObject {
  Sid owner;
  Sid group;
  bool is_container;
};

bool IsCreatorSid(const Sid& sid) { return sid == well_known::CreatorOwner() || sid == well_known::CreatorGroup(); }

// Whether the ACE says something else on the object itself than to what is below: then a container needs it twice.
bool NeedsResolving(const Ace& ace) {
  return ace.HasMaskAndSid() && (IsCreatorSid(ace.sid) || (ace.mask & kGenericBits));
}

// [MS-DTYP] 2.5.3.4.7: CREATOR OWNER and CREATOR GROUP become the persons, generic rights those of a file.
Ace Resolve(Ace ace, const NewObject& object) {
  if (!ace.HasMaskAndSid()) return ace;
  if (ace.sid == well_known::CreatorOwner())
    ace.sid = object.owner;
  else if (ace.sid == well_known::CreatorGroup())
    ace.sid = object.group;
  ace.mask = access::MapGeneric(ace.mask);
  return ace;
}

Ace WithFlags(Ace ace, unsigned flags) {
  ace.flags = static_cast<std::uint8_t>((ace.flags & ~kInheritanceFlags) | flags);
  return ace;
}

// The table in 2.5.3.4.4: what a child gets of one ACE of its parent. `mark` is INHERITED_ACE or nothing.
void AppendInherited(std::vector<Ace>& out, const Ace& ace, const NewObject& object, std::uint8_t mark) {
  const bool effective = ace.flags & (object.is_container ? kContainerInherit : kObjectInherit);
  const bool propagates = object.is_container && (ace.flags & kInheritable) && !(ace.flags & kNoPropagateInherit);
  const unsigned below = ace.flags & kInheritable;
  if (effective && propagates && !NeedsResolving(ace)) {
    out.push_back(WithFlags(ace, below | mark));
    return;
  }
  if (effective) out.push_back(WithFlags(Resolve(ace, object), mark));
  if (propagates) out.push_back(WithFlags(ace, below | kInheritOnly | mark));
}

// An ACE that somebody gave: as it is, but as `resolved` where it takes effect.
void AppendGiven(std::vector<Ace>& out, const Ace& ace, Ace resolved, bool is_container) {
  if (ace == resolved || (ace.flags & kInheritOnly)) {
    out.push_back(ace);
    return;
  }
  if (!is_container || !(ace.flags & kInheritable)) {
    out.push_back(std::move(resolved));
    return;
  }
  out.push_back(WithFlags(std::move(resolved), ace.flags & kInherited));
  out.push_back(WithFlags(ace, (ace.flags & (kInheritable | kNoPropagateInherit | kInherited)) | kInheritOnly));
}

// An ACE that the creator gave.
void AppendExplicit(std::vector<Ace>& out, const Ace& ace, const NewObject& object) {
  if ((ace.flags & kInheritOnly) && !object.is_container) return;
  AppendGiven(out, ace, Resolve(ace, object), object.is_container);
}

struct AclBits {
  std::uint16_t present, defaulted, is_protected, auto_inherited, auto_inherit_required;
};
constexpr AclBits kDaclBits = {sd_control::kDaclPresent, sd_control::kDaclDefaulted, sd_control::kDaclProtected,
                               sd_control::kDaclAutoInherited, sd_control::kDaclAutoInheritRequired};
constexpr AclBits kSaclBits = {sd_control::kSaclPresent, sd_control::kSaclDefaulted, sd_control::kSaclProtected,
                               sd_control::kSaclAutoInherited, sd_control::kSaclAutoInheritRequired};

// [MS-DTYP] 2.5.3.4.2 for one of the two lists. nullopt: the new object has none.
std::optional<Acl> ComputeAcl(const std::optional<Acl>& parent, std::uint16_t parent_control,
                              const std::optional<Acl>& creator, std::uint16_t creator_control, const AclBits& bits,
                              const NewObject& object, std::uint16_t& control) {
  if (creator_control & bits.present) {
    // Neither DACL_AUTO_INHERIT nor SACL_AUTO_INHERIT is set for a file: what the creator gives is all there is, and an
    // ACE that it marks as inherited is as good as the others, so that a descriptor read elsewhere comes back as it was.
    control |= bits.present;
    control |= static_cast<std::uint16_t>(creator_control & (bits.is_protected | bits.defaulted));
    if ((creator_control & bits.auto_inherited) && (creator_control & bits.auto_inherit_required))
      control |= bits.auto_inherited;
    if (!creator) return std::nullopt;  // the NULL ACL, meant so
    Acl acl;
    acl.revision = creator->revision;
    for (const Ace& ace : creator->aces) AppendExplicit(acl.aces, ace, object);
    return acl;
  }
  if (!parent || std::none_of(parent->aces.begin(), parent->aces.end(),
                              [](const Ace& ace) { return ace.flags & kInheritable; })) {
    return std::nullopt;
  }
  // Windows marks what it inherits under a parent that was itself auto-inherited.
  const bool auto_inherit = parent_control & bits.auto_inherited;
  control |= bits.present;
  if (auto_inherit) control |= bits.auto_inherited;
  Acl acl;
  acl.revision = std::max(acl.revision, parent->revision);
  for (const Ace& ace : parent->aces)
    AppendInherited(acl.aces, ace, object, auto_inherit ? kInherited : std::uint8_t{0});
  return acl;
}

}  // namespace

bool MayAssignOwner(const SecurityToken& token, const Sid& owner) {
  if (token.user == owner || token.restore) return true;
  // Of a token's groups only Administrators is assignable as owner (SE_GROUP_OWNER).
  return owner == well_known::Administrators() && token.is_administrator();
}

Result<SecurityDescriptor> CreateSecurityDescriptor(const SecurityDescriptor* parent,
                                                    const SecurityDescriptor* explicit_descriptor, bool is_container,
                                                    const SecurityToken& creator) {
  static const SecurityDescriptor kNothing;
  const SecurityDescriptor& from_parent = parent ? *parent : kNothing;
  const SecurityDescriptor& from_creator = explicit_descriptor ? *explicit_descriptor : kNothing;

  if (from_creator.owner && !MayAssignOwner(creator, *from_creator.owner)) return NtStatus::kInvalidOwner;
  if (from_creator.sacl_present() && from_creator.sacl) {
    // A mandatory label may be set by anyone, the audit list only with the privilege.
    const bool audits = std::any_of(from_creator.sacl->aces.begin(), from_creator.sacl->aces.end(),
                                    [](const Ace& ace) { return ace.type != AceType::kMandatoryLabel; });
    if (audits && !creator.security) return NtStatus::kPrivilegeNotHeld;
  }

  SecurityDescriptor sd;
  sd.owner = from_creator.owner ? *from_creator.owner : creator.user;
  sd.group = from_creator.group ? *from_creator.group : creator.primary_group;
  const NewObject object{*sd.owner, *sd.group, is_container};
  sd.dacl = ComputeAcl(from_parent.dacl, from_parent.control, from_creator.dacl, from_creator.control, kDaclBits,
                       object, sd.control);
  sd.sacl = ComputeAcl(from_parent.sacl, from_parent.control, from_creator.sacl, from_creator.control, kSaclBits,
                       object, sd.control);
  // An ACE may have become two.
  for (const auto* acl : {&sd.dacl, &sd.sacl})
    if (*acl && (*acl)->EncodedSize() > Acl::kMaximumSize) return NtStatus::kInvalidAcl;
  if (!sd.dacl_present()) {
    // Nothing inheritable and nothing given: the default DACL of the token.
    sd.dacl = DefaultDescriptor(*sd.owner, *sd.group).dacl;
    sd.control |= sd_control::kDaclPresent;
  }
  return sd;
}

Acl WithMappedRights(const Acl& given, bool is_container) {
  Acl acl;
  acl.revision = given.revision;
  for (const Ace& ace : given.aces) {
    Ace mapped = ace;
    if (mapped.HasMaskAndSid()) mapped.mask = access::MapGeneric(mapped.mask);
    AppendGiven(acl.aces, ace, std::move(mapped), is_container);
  }
  return acl;
}

SecurityDescriptor DefaultDescriptor(const Sid& owner, const Sid& group) {
  SecurityDescriptor sd;
  sd.owner = owner;
  sd.group = group;
  sd.control = sd_control::kDaclPresent;
  sd.dacl = Acl{};
  sd.dacl->aces = {AllowAce(owner, access::kFileAllAccess),
                   AllowAce(well_known::LocalSystem(), access::kFileAllAccess)};
  if (owner != well_known::Administrators())
    sd.dacl->aces.push_back(AllowAce(well_known::Administrators(), access::kFileAllAccess));
  return sd;
}

SecurityDescriptor ShareRootDescriptor() {
  constexpr std::uint8_t kAll = kObjectInherit | kContainerInherit;
  // "Modify" of the Windows dialogs: all but changing permissions and owner.
  constexpr std::uint32_t kModify =
      access::kFileGenericRead | access::kFileGenericWrite | access::kFileGenericExecute | access::kDelete;
  SecurityDescriptor sd;
  sd.owner = well_known::Administrators();
  sd.group = well_known::LocalSystem();
  // Auto-inherited, so that what is made below is marked as inherited and later changes can be propagated.
  sd.control = sd_control::kDaclPresent | sd_control::kDaclProtected | sd_control::kDaclAutoInherited;
  sd.dacl = Acl{};
  sd.dacl->aces = {AllowAce(well_known::Administrators(), access::kFileAllAccess, kAll),
                   AllowAce(well_known::LocalSystem(), access::kFileAllAccess, kAll),
                   AllowAce(well_known::AuthenticatedUsers(), kModify, kAll),
                   AllowAce(well_known::CreatorOwner(), access::kFileAllAccess, kAll | kInheritOnly)};
  return sd;
}

}  // namespace holdfast
