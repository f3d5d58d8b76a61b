#include "storage/files/create_access.h"

#include "protocol/dtyp/access_check.h"
#include "protocol/dtyp/access_mask.h"
#include "protocol/fscc/attributes.h"

namespace holdfast {
namespace {

// A file whose descriptor cannot be read is nobody's: fail closed.
Result<SecurityDescriptor> ParseDescriptor(const Bytes& bytes) { return SecurityDescriptor::Parse(bytes); }

// The rights that [MS-FSA] 2.1.5.1.2.1 takes from the parent directory.
std::uint32_t RightsFromParent(const Bytes* parent, const SecurityToken& token) {
  if (!parent) return 0;
  std::uint32_t rights = 0;
  if (HasAccess(*parent, token, access::kDeleteChild)) rights |= access::kDelete;
  if (HasAccess(*parent, token, access::kListDirectory)) rights |= access::kReadAttributes;
  return rights;
}

}  // namespace

bool HasAccess(const Bytes& descriptor, const SecurityToken& token, std::uint32_t wanted, bool backup_intent) {
  const auto parsed = ParseDescriptor(descriptor);
  if (!parsed.ok()) return false;
  AccessCheckOptions options;
  options.backup_intent = backup_intent;
  return AccessCheck(*parsed, token, wanted, options).status == NtStatus::kSuccess;
}

AccessOutcome CheckExistingAccess(const Inode& file, const Bytes* parent, const SecurityToken& token,
                                  const AccessRequest& request) {
  AccessOutcome outcome;
  const std::uint32_t desired = access::MapGeneric(request.desired);
  const bool maximum = (desired & access::kMaximumAllowed) != 0;
  const bool readonly = (file.file_attributes & file_attribute::kReadonly) != 0;
  constexpr std::uint32_t kWrites = access::kWriteData | access::kAppendData;
  if (readonly && !file.directory && ((desired | request.implied) & kWrites)) return outcome;
  if (readonly && request.delete_on_close) {
    outcome.status = NtStatus::kCannotDelete;
    return outcome;
  }
  const std::uint32_t wanted = (desired | request.implied) & ~access::kMaximumAllowed;
  if (wanted & ~request.share_mask & ~access::kAccessSystemSecurity) return outcome;

  const auto descriptor = ParseDescriptor(file.security_descriptor);
  if (!descriptor.ok()) return outcome;
  AccessCheckOptions options;
  options.backup_intent = request.backup_intent;
  const std::uint32_t inherited = RightsFromParent(parent, token);
  if (const std::uint32_t remaining = wanted & ~inherited; remaining != 0) {
    const AccessCheckResult result = AccessCheck(*descriptor, token, remaining, options);
    if (result.status != NtStatus::kSuccess) {
      outcome.status = result.status;
      return outcome;
    }
  }
  outcome.granted = desired & ~access::kMaximumAllowed;
  if (maximum) {
    const AccessCheckResult result = AccessCheck(*descriptor, token, access::kMaximumAllowed, options);
    if (result.status == NtStatus::kSuccess) outcome.granted |= result.granted & request.share_mask;
    outcome.granted |= inherited & request.share_mask;
    if (readonly) outcome.granted &= ~(kWrites | access::kDeleteChild);
  }
  if (outcome.granted == 0 || (request.delete_on_close && !(outcome.granted & access::kDelete))) {
    outcome.granted = 0;
    return outcome;
  }
  outcome.status = NtStatus::kSuccess;
  return outcome;
}

std::uint32_t MaximalAccessOf(const Inode& file, const Bytes* parent, const SecurityToken& token,
                              std::uint32_t share_mask) {
  const auto descriptor = ParseDescriptor(file.security_descriptor);
  if (!descriptor.ok()) return 0;
  return (MaximalAccess(*descriptor, token) | RightsFromParent(parent, token)) & share_mask;
}

bool SharingConflict(const SharingRequest& request, const Open& existing) {
  constexpr std::uint32_t kShareRead = 1, kShareWrite = 2, kShareDelete = 4;
  if (!(request.access & kAnySharing) || !(existing.granted_access & kAnySharing)) return false;
  const auto refuses = [](std::uint32_t access, std::uint32_t share) {
    return ((access & kReadSharing) && !(share & kShareRead)) || ((access & kWriteSharing) && !(share & kShareWrite)) ||
           ((access & kDeleteSharing) && !(share & kShareDelete));
  };
  if (request.stream == existing.stream) {
    return refuses(request.access, existing.share_access) || refuses(existing.granted_access, request.share_access);
  }
  // Deleting the file deletes every stream of it, so that DELETE on the file meets the sharing of all its streams.
  const auto deletes_all = [](StreamId stream, std::uint32_t access) {
    return stream == kUnnamedStream && (access & kDeleteSharing);
  };
  return (deletes_all(request.stream, request.access) && !(existing.share_access & kShareDelete)) ||
         (deletes_all(existing.stream, existing.granted_access) && !(request.share_access & kShareDelete));
}

NtStatus CheckSharing(const FileState& file, const SharingRequest& request) {
  bool conflict = false;
  for (const OpenPtr& existing : file.opens) {
    if (!SharingConflict(request, *existing)) continue;
    // One that is away and has handle caching can be asked to close, if only when it is back.
    const bool asked = existing->caching && (existing->caching->state & caching::kHandle);
    if (existing->is_persistent() && !existing->attached && !existing->closed && !asked) {
      return NtStatus::kFileNotAvailable;
    }
    conflict = true;
  }
  return conflict ? NtStatus::kSharingViolation : NtStatus::kSuccess;
}

}  // namespace holdfast
