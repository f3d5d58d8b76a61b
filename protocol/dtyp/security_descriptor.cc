#include "protocol/dtyp/security_descriptor.h"

#include <algorithm>

#include "protocol/base/check.h"
#include "protocol/dtyp/access_mask.h"
#include "protocol/wire/endian.h"

namespace holdfast {
namespace {

using wire::AppendLe;
using wire::LoadLe;

constexpr std::size_t kHeaderSize = 20;
constexpr std::size_t kAclHeaderSize = 8;
constexpr std::size_t kAceHeaderSize = 4;

Result<Ace> ParseAce(ByteView bytes) {
  Ace ace;
  ace.type = static_cast<AceType>(bytes[0]);
  ace.flags = bytes[1];
  ByteView body = bytes.subspan(kAceHeaderSize);
  if (ace.HasMaskAndSid()) {
    if (body.size() < 4) return NtStatus::kInvalidAcl;
    ace.mask = LoadLe<std::uint32_t>(body.data());
    body = body.subspan(4);
    std::size_t used = 0;
    const auto sid = Sid::Decode(body, &used);
    if (!sid) return NtStatus::kInvalidAcl;
    ace.sid = *sid;
    body = body.subspan(used);
    // Only callback and attribute ACEs carry data; on the others bytes after the SID are slack of the maker.
    if (ace.type == AceType::kAccessAllowed || ace.type == AceType::kAccessDenied || ace.type == AceType::kSystemAudit)
      body = {};
  }
  ace.data.assign(body.begin(), body.end());
  return ace;
}

Result<Acl> ParseAcl(ByteView bytes) {
  if (bytes.size() < kAclHeaderSize) return NtStatus::kInvalidAcl;
  Acl acl;
  acl.revision = bytes[0];
  const std::size_t size = LoadLe<std::uint16_t>(bytes.data() + 2);
  const std::size_t count = LoadLe<std::uint16_t>(bytes.data() + 4);
  if (acl.revision < 2 || acl.revision > 4 || size < kAclHeaderSize || size > bytes.size())
    return NtStatus::kInvalidAcl;
  bytes = bytes.first(size);
  std::size_t at = kAclHeaderSize;
  for (std::size_t i = 0; i < count; ++i) {
    if (size - at < kAceHeaderSize) return NtStatus::kInvalidAcl;
    const std::size_t ace_size = LoadLe<std::uint16_t>(bytes.data() + at + 2);
    if (ace_size < kAceHeaderSize || ace_size % 4 != 0 || ace_size > size - at) return NtStatus::kInvalidAcl;
    auto ace = ParseAce(bytes.subspan(at, ace_size));
    if (!ace.ok()) return ace.status();
    acl.aces.push_back(*std::move(ace));
    at += ace_size;
  }
  return acl;
}

void AppendAcl(Bytes& out, const Acl& acl) {
  out.push_back(acl.revision);
  out.push_back(0);
  HOLDFAST_CHECK(acl.EncodedSize() <= Acl::kMaximumSize);
  AppendLe(out, static_cast<std::uint16_t>(acl.EncodedSize()));
  AppendLe(out, static_cast<std::uint16_t>(acl.aces.size()));
  AppendLe(out, std::uint16_t{0});
  for (const Ace& ace : acl.aces) {
    const auto start = out.size();
    out.push_back(static_cast<std::uint8_t>(ace.type));
    out.push_back(ace.flags);
    AppendLe(out, static_cast<std::uint16_t>(ace.EncodedSize()));
    if (ace.HasMaskAndSid()) {
      AppendLe(out, ace.mask);
      ace.sid.AppendTo(out);
    }
    wire::AppendBytes(out, ace.data);
    wire::PadTo(out, 4, start);
  }
}

}  // namespace

bool Ace::HasMaskAndSid(AceType type) {
  switch (type) {
    case AceType::kAccessAllowed:
    case AceType::kAccessDenied:
    case AceType::kSystemAudit:
    case AceType::kAccessAllowedCallback:
    case AceType::kAccessDeniedCallback:
    case AceType::kSystemAuditCallback:
    case AceType::kMandatoryLabel:
    case AceType::kResourceAttribute:
    case AceType::kScopedPolicyId:
      return true;
    default:
      return false;
  }
}

std::size_t Ace::EncodedSize() const {
  const std::size_t size = kAceHeaderSize + (HasMaskAndSid() ? 4 + sid.EncodedSize() : 0) + data.size();
  return (size + 3) / 4 * 4;
}

Ace AllowAce(const Sid& sid, std::uint32_t mask, std::uint8_t flags) {
  return Ace{AceType::kAccessAllowed, flags, mask, sid, {}};
}

Ace DenyAce(const Sid& sid, std::uint32_t mask, std::uint8_t flags) {
  return Ace{AceType::kAccessDenied, flags, mask, sid, {}};
}

std::size_t Acl::EncodedSize() const {
  std::size_t size = kAclHeaderSize;
  for (const Ace& ace : aces) size += ace.EncodedSize();
  return size;
}

std::uint32_t AccessToQuerySecurity(std::uint32_t info) {
  using namespace security_information;
  std::uint32_t access = 0;
  if (info & (kOwner | kGroup | kDacl | kLabel | kAttribute | kScope)) access |= access::kReadControl;
  if (info & kSacl) access |= access::kAccessSystemSecurity;
  if (info & kBackup) access |= access::kReadControl | access::kAccessSystemSecurity;
  return access;
}

std::uint32_t AccessToSetSecurity(std::uint32_t info) {
  using namespace security_information;
  std::uint32_t access = 0;
  if (info & (kOwner | kGroup | kLabel)) access |= access::kWriteOwner;
  if (info & (kDacl | kAttribute)) access |= access::kWriteDac;
  if (info & (kSacl | kScope)) access |= access::kAccessSystemSecurity;
  if (info & kBackup) access |= access::kWriteDac | access::kWriteOwner | access::kAccessSystemSecurity;
  return access;
}

Result<SecurityDescriptor> SecurityDescriptor::Parse(ByteView bytes) {
  if (bytes.size() < kHeaderSize || bytes[0] != 1) return NtStatus::kInvalidSecurityDescr;
  SecurityDescriptor sd;
  sd.rm_control = bytes[1];
  sd.control = LoadLe<std::uint16_t>(bytes.data() + 2);
  if (!(sd.control & sd_control::kSelfRelative)) return NtStatus::kInvalidSecurityDescr;
  sd.control &= static_cast<std::uint16_t>(~sd_control::kSelfRelative);
  const auto offset = [&](std::size_t at) { return std::size_t{LoadLe<std::uint32_t>(bytes.data() + at)}; };
  const auto inside = [&](std::size_t at) { return at >= kHeaderSize && at < bytes.size(); };

  const auto read_sid = [&](std::size_t at, std::optional<Sid>& out) {
    if (at == 0) return NtStatus::kSuccess;
    if (!inside(at)) return NtStatus::kInvalidSecurityDescr;
    out = Sid::Decode(bytes.subspan(at));
    return out ? NtStatus::kSuccess : NtStatus::kInvalidSid;
  };
  const auto read_acl = [&](std::size_t at, std::uint16_t present, std::optional<Acl>& out) {
    if (!(sd.control & present) || at == 0) return NtStatus::kSuccess;
    if (!inside(at)) return NtStatus::kInvalidSecurityDescr;
    auto acl = ParseAcl(bytes.subspan(at));
    if (!acl.ok()) return acl.status();
    out = *std::move(acl);
    return NtStatus::kSuccess;
  };
  NtStatus status = read_sid(offset(4), sd.owner);
  if (status == NtStatus::kSuccess) status = read_sid(offset(8), sd.group);
  if (status == NtStatus::kSuccess) status = read_acl(offset(12), sd_control::kSaclPresent, sd.sacl);
  if (status == NtStatus::kSuccess) status = read_acl(offset(16), sd_control::kDaclPresent, sd.dacl);
  if (status != NtStatus::kSuccess) return status;
  return sd;
}

std::size_t SecurityDescriptor::EncodedSize() const {
  std::size_t size = kHeaderSize;
  if (owner) size += owner->EncodedSize();
  if (group) size += group->EncodedSize();
  if (sacl_present() && sacl) size += sacl->EncodedSize();
  if (dacl_present() && dacl) size += dacl->EncodedSize();
  return size;
}

Bytes SecurityDescriptor::Encode() const {
  Bytes out;
  out.reserve(EncodedSize());
  out.push_back(1);
  out.push_back(rm_control);
  AppendLe(out, static_cast<std::uint16_t>(control | sd_control::kSelfRelative));
  out.resize(kHeaderSize);
  const auto here = [&](std::size_t field) {
    wire::StoreLe(out.data() + field, static_cast<std::uint32_t>(out.size()));
  };
  // SACL and DACL before the SIDs, as Windows lays them out.
  if (sacl_present() && sacl) here(12), AppendAcl(out, *sacl);
  if (dacl_present() && dacl) here(16), AppendAcl(out, *dacl);
  if (owner) here(4), owner->AppendTo(out);
  if (group) here(8), group->AppendTo(out);
  return out;
}

SecurityDescriptor SecurityDescriptor::Select(std::uint32_t info) const {
  using namespace security_information;
  using namespace sd_control;
  if (info & kBackup) info |= kOwner | kGroup | kDacl | kSacl;
  SecurityDescriptor out;
  std::uint16_t keep = 0;
  if (info & kOwner) {
    out.owner = owner;
    keep |= kOwnerDefaulted;
  }
  if (info & kGroup) {
    out.group = group;
    keep |= kGroupDefaulted;
  }
  if (info & kDacl) {
    out.dacl = dacl;
    keep |= kDaclPresent | kDaclDefaulted | kDaclAutoInherited | kDaclProtected;
  }
  constexpr std::uint32_t kSaclParts = kLabel | kAttribute | kScope;
  if (info & kSacl) {
    out.sacl = sacl;
    keep |= kSaclPresent | kSaclDefaulted | kSaclAutoInherited | kSaclProtected;
  } else if ((info & kSaclParts) && sacl) {
    Acl parts;
    parts.revision = sacl->revision;
    for (const Ace& ace : sacl->aces) {
      const bool wanted = ((info & kLabel) && ace.type == AceType::kMandatoryLabel) ||
                          ((info & kAttribute) && ace.type == AceType::kResourceAttribute) ||
                          ((info & kScope) && ace.type == AceType::kScopedPolicyId);
      if (wanted) parts.aces.push_back(ace);
    }
    if (!parts.aces.empty()) {
      out.sacl = std::move(parts);
      keep |= kSaclPresent;
    }
  }
  out.control = static_cast<std::uint16_t>(control & keep);
  if (control & kRmControlValid) {
    out.control |= kRmControlValid;
    out.rm_control = rm_control;
  }
  return out;
}

NtStatus SecurityDescriptor::Merge(const SecurityDescriptor& from, std::uint32_t info) {
  using namespace security_information;
  using namespace sd_control;
  if (info & kBackup) info |= kOwner | kGroup | kDacl | kSacl;
  if ((info & kOwner) && !from.owner) return NtStatus::kInvalidOwner;
  if ((info & kGroup) && !from.group) return NtStatus::kInvalidPrimaryGroup;
  const auto take = [&](std::uint16_t bits) {
    control = static_cast<std::uint16_t>((control & ~bits) | (from.control & bits));
  };
  // AUTO_INHERITED is kept only when the sender asks for it with AUTO_INHERIT_REQ, [MS-DTYP] 2.4.6.
  const auto auto_inherited = [&](std::uint16_t required, std::uint16_t inherited) {
    control &= static_cast<std::uint16_t>(~inherited);
    if ((from.control & required) && (from.control & inherited)) control |= inherited;
  };
  const auto protect = [&](std::uint32_t on, std::uint32_t off, std::uint16_t bit) {
    if (info & on)
      control |= bit;
    else if (info & off)
      control &= static_cast<std::uint16_t>(~bit);
  };
  // The only part that can still fail comes first.
  if (info & kSacl) {
    sacl = from.sacl;
    take(kSaclPresent | kSaclDefaulted | sd_control::kSaclProtected);
    auto_inherited(kSaclAutoInheritRequired, kSaclAutoInherited);
    protect(security_information::kProtectedSacl, kUnprotectedSacl, sd_control::kSaclProtected);
  } else if (info & (kLabel | kAttribute | kScope)) {
    const auto named = [&](const Ace& ace) {
      return ((info & kLabel) && ace.type == AceType::kMandatoryLabel) ||
             ((info & kAttribute) && ace.type == AceType::kResourceAttribute) ||
             ((info & kScope) && ace.type == AceType::kScopedPolicyId);
    };
    Acl merged = sacl.value_or(Acl{});
    std::erase_if(merged.aces, named);
    if (from.sacl) std::copy_if(from.sacl->aces.begin(), from.sacl->aces.end(), std::back_inserter(merged.aces), named);
    if (merged.EncodedSize() > Acl::kMaximumSize) return NtStatus::kInvalidAcl;
    sacl = std::move(merged);
    control |= kSaclPresent;
  }
  if (info & kDacl) {
    dacl = from.dacl;
    take(kDaclPresent | kDaclDefaulted | sd_control::kDaclProtected);
    control |= kDaclPresent;  // what is set is present, be it the NULL DACL
    auto_inherited(kDaclAutoInheritRequired, kDaclAutoInherited);
    protect(security_information::kProtectedDacl, kUnprotectedDacl, sd_control::kDaclProtected);
  }
  if (info & kOwner) owner = from.owner;
  if (info & kGroup) group = from.group;
  return NtStatus::kSuccess;
}

}  // namespace holdfast
