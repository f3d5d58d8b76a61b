// [MS-DTYP] 2.4.4-2.4.6: security descriptors and access control lists as values, and their self-relative form.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/dtyp/sid.h"
#include "protocol/erref/result.h"

namespace holdfast {

// AceType, 2.4.4.1.
enum class AceType : std::uint8_t {
  kAccessAllowed = 0x00,
  kAccessDenied = 0x01,
  kSystemAudit = 0x02,
  kAccessAllowedObject = 0x05,
  kAccessDeniedObject = 0x06,
  kSystemAuditObject = 0x07,
  kAccessAllowedCallback = 0x09,
  kAccessDeniedCallback = 0x0A,
  kSystemAuditCallback = 0x0D,
  kMandatoryLabel = 0x11,
  kResourceAttribute = 0x12,
  kScopedPolicyId = 0x13,
};

// AceFlags, 2.4.4.1.
namespace ace_flags {
inline constexpr std::uint8_t kObjectInherit = 0x01;
inline constexpr std::uint8_t kContainerInherit = 0x02;
inline constexpr std::uint8_t kNoPropagateInherit = 0x04;
inline constexpr std::uint8_t kInheritOnly = 0x08;
inline constexpr std::uint8_t kInherited = 0x10;
inline constexpr std::uint8_t kSuccessfulAccess = 0x40;
inline constexpr std::uint8_t kFailedAccess = 0x80;
}  // namespace ace_flags

struct Ace {
  AceType type = AceType::kAccessAllowed;
  std::uint8_t flags = 0;
  // Valid when HasMaskAndSid(): the types that are a mask, a SID and possibly data (conditions, attributes).
  std::uint32_t mask = 0;
  Sid sid;
  // What follows the SID; for object and unknown types everything after the four bytes of the header.
  Bytes data;

  static bool HasMaskAndSid(AceType type);
  bool HasMaskAndSid() const { return HasMaskAndSid(type); }
  std::size_t EncodedSize() const;  // rounded up to 4
  bool operator==(const Ace&) const = default;
};

Ace AllowAce(const Sid& sid, std::uint32_t mask, std::uint8_t flags = 0);
Ace DenyAce(const Sid& sid, std::uint32_t mask, std::uint8_t flags = 0);

struct Acl {
  static constexpr std::size_t kMaximumSize = 0xFFFF;  // AclSize has 16 bits; Encode takes no larger ones

  std::uint8_t revision = 2;  // 4 (ACL_REVISION_DS) when object ACEs are inside
  std::vector<Ace> aces;

  std::size_t EncodedSize() const;
  bool operator==(const Acl&) const = default;
};

// Control, 2.4.6.
namespace sd_control {
inline constexpr std::uint16_t kOwnerDefaulted = 0x0001;
inline constexpr std::uint16_t kGroupDefaulted = 0x0002;
inline constexpr std::uint16_t kDaclPresent = 0x0004;
inline constexpr std::uint16_t kDaclDefaulted = 0x0008;
inline constexpr std::uint16_t kSaclPresent = 0x0010;
inline constexpr std::uint16_t kSaclDefaulted = 0x0020;
inline constexpr std::uint16_t kDaclTrusted = 0x0040;
inline constexpr std::uint16_t kServerSecurity = 0x0080;
inline constexpr std::uint16_t kDaclAutoInheritRequired = 0x0100;
inline constexpr std::uint16_t kSaclAutoInheritRequired = 0x0200;
inline constexpr std::uint16_t kDaclAutoInherited = 0x0400;
inline constexpr std::uint16_t kSaclAutoInherited = 0x0800;
inline constexpr std::uint16_t kDaclProtected = 0x1000;
inline constexpr std::uint16_t kSaclProtected = 0x2000;
inline constexpr std::uint16_t kRmControlValid = 0x4000;
inline constexpr std::uint16_t kSelfRelative = 0x8000;
}  // namespace sd_control

// SECURITY_INFORMATION, 2.4.7.
namespace security_information {
inline constexpr std::uint32_t kOwner = 0x00000001;
inline constexpr std::uint32_t kGroup = 0x00000002;
inline constexpr std::uint32_t kDacl = 0x00000004;
inline constexpr std::uint32_t kSacl = 0x00000008;
inline constexpr std::uint32_t kLabel = 0x00000010;
inline constexpr std::uint32_t kAttribute = 0x00000020;
inline constexpr std::uint32_t kScope = 0x00000040;
inline constexpr std::uint32_t kBackup = 0x00010000;
inline constexpr std::uint32_t kUnprotectedSacl = 0x10000000;
inline constexpr std::uint32_t kUnprotectedDacl = 0x20000000;
inline constexpr std::uint32_t kProtectedSacl = 0x40000000;
inline constexpr std::uint32_t kProtectedDacl = 0x80000000;
}  // namespace security_information

// The rights that querying or setting these parts asks of the open, [MS-SMB2] 3.3.5.20.3 and 3.3.5.21.3.
std::uint32_t AccessToQuerySecurity(std::uint32_t security_information);
std::uint32_t AccessToSetSecurity(std::uint32_t security_information);

struct SecurityDescriptor {
  std::uint16_t control = 0;    // kSelfRelative is set by Encode and need not be kept
  std::uint8_t rm_control = 0;  // Sbz1, meaningful with kRmControlValid
  std::optional<Sid> owner;
  std::optional<Sid> group;
  // With kDaclPresent and no value this is the NULL DACL, which allows everything; an empty one allows nothing.
  std::optional<Acl> dacl;
  std::optional<Acl> sacl;

  bool dacl_present() const { return control & sd_control::kDaclPresent; }
  bool sacl_present() const { return control & sd_control::kSaclPresent; }

  // Strict: offsets inside the bytes, ACL and ACE sizes that agree, SIDs of revision 1. kInvalidSecurityDescr,
  // kInvalidAcl or kInvalidSid otherwise.
  static Result<SecurityDescriptor> Parse(ByteView bytes);
  Bytes Encode() const;
  std::size_t EncodedSize() const;

  // What a query for `security_information` shows, [MS-FSA] 2.1.5.14.
  SecurityDescriptor Select(std::uint32_t security_information) const;
  // Takes over the parts named from `from`, as SET_INFO does, [MS-FSA] 2.1.5.17: absent parts stay as they were.
  // kInvalidOwner when the owner is named and `from` has none; kInvalidAcl when the result grows too large. Nothing is
  // changed then.
  NtStatus Merge(const SecurityDescriptor& from, std::uint32_t security_information);

  bool operator==(const SecurityDescriptor&) const = default;
};

}  // namespace holdfast
