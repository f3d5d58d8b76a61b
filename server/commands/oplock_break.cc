// [MS-SMB2] 3.3.5.22: acknowledgements of oplock and lease breaks. None is ever outstanding while no oplock and no
// lease is granted, and the specification has an answer for an acknowledgement that nobody asked for.
#include "protocol/smb2/messages/oplock_break.h"

#include "server/commands/registry.h"

namespace holdfast {

Task<Reply> HandleOplockBreak(RequestPtr request) {
  constexpr std::uint16_t kLeaseBreakAcknowledgment = 36;
  if (smb2::PeekStructureSize(request->message) == kLeaseBreakAcknowledgment) {
    if (!smb2::Decode<smb2::LeaseBreakAcknowledgment>(request->message).ok()) co_return NtStatus::kInvalidParameter;
    co_return NtStatus::kObjectNameNotFound;  // 3.3.5.22.2: no such lease
  }
  const auto acknowledgment = smb2::Decode<smb2::OplockBreakAcknowledgment>(request->message);
  if (!acknowledgment.ok()) co_return NtStatus::kInvalidParameter;
  const auto found = request->session->handles.find(acknowledgment->file_id.volatile_id);
  if (found == request->session->handles.end()) co_return NtStatus::kFileClosed;
  // 3.3.5.22.1: a level that cannot be acknowledged, else no break is in progress.
  if (acknowledgment->oplock_level == smb2::OplockLevel::kLease) co_return NtStatus::kInvalidParameter;
  co_return NtStatus::kInvalidDeviceState;
}

}  // namespace holdfast
