// One application on one host at a time, [MS-SMB2] 3.3.5.9.13: a newer instance closes what an older one left open.
#include "protocol/dtyp/access_mask.h"
#include "protocol/dtyp/upcase.h"
#include "storage/files/creation.h"

namespace holdfast {

Task<NtStatus> Creation::EndOtherInstance() {
  co_await impl_.AwaitRecovery();
  OpenPtr other;
  const auto [begin, end] = impl_.by_app_instance.equal_range(p_.app_instance->id);
  for (auto it = begin; it != end; ++it) {
    const Open& open = *it->second;
    if (open.closed || open.client_guid == p_.requester.client_guid) continue;
    if (!EqualsIgnoringCase(open.share->name, p_.share->name) || !EqualsIgnoringCase(open.path, p_.path)) continue;
    other = it->second;
    break;
  }
  if (!other) co_return NtStatus::kSuccess;
  if (const auto& held = other->app_instance->version) {
    // High, then low: pairs compare in that order.
    if (!p_.app_instance->version || *held >= *p_.app_instance->version) co_return NtStatus::kFileForcedClosed;
  }
  const FileStatePtr file = other->file;
  const std::uint32_t maximal =
      MaximalAccessOf(file->inode, nullptr, *p_.requester.token, p_.share_mask);
  const bool readable = (maximal & access::kFileGenericRead) == access::kFileGenericRead;
  const bool plain = other->create_guid.IsZero() && !other->share->continuous_availability;
  if (!readable && !plain) co_return NtStatus::kSuccess;
  // Its writes under way end before the new instance sees the file: Close() waits for them.
  if (other->on_forced_detach) std::exchange(other->on_forced_detach, nullptr)(NtStatus::kFileForcedClosed);
  const NtStatus closed = co_await files_.Close(other);
  // Somebody else may have been faster.
  co_return closed == NtStatus::kFileClosed ? NtStatus::kSuccess : closed;
}

}  // namespace holdfast
