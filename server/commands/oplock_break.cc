// [MS-SMB2] 3.3.5.22: OPLOCK_BREAK, the acknowledgment of a broken oplock or lease.
#include "protocol/smb2/messages/oplock_break.h"

#include "server/commands/handler.h"
#include "server/commands/registry.h"

namespace holdfast {
namespace {

// 3.3.5.22.2
Task<Reply> AcknowledgeLease(RequestPtr request) {
  HOLDFAST_DECODE(smb2::LeaseBreakAcknowledgment, acknowledgment, request);
  if (!request->tree->share->files) co_return NtStatus::kObjectNameNotFound;
  std::shared_ptr<void> until_sent;
  const auto state = co_await FilesOf(*request).AcknowledgeLease(
      request->connection->client_guid, acknowledgment.lease_key, acknowledgment.lease_state, &until_sent);
  Reply reply(state.status());
  if (state.ok()) {
    reply = Answer(smb2::LeaseBreakResponse{.lease_key = acknowledgment.lease_key, .lease_state = *state});
  }
  reply.until_sent = std::move(until_sent);
  co_return reply;
}

// 3.3.5.22.1
Task<Reply> AcknowledgeOplock(RequestPtr request) {
  HOLDFAST_DECODE(smb2::OplockBreakAcknowledgment, acknowledgment, request);
  const HandlePtr handle = request->session->FindHandle(acknowledgment.file_id);
  if (!handle) co_return NtStatus::kFileClosed;
  if (!handle->open) co_return NtStatus::kInvalidDeviceState;
  const auto level = co_await handle->tree->share->files->AcknowledgeOplock(
      handle->open, static_cast<std::uint8_t>(acknowledgment.oplock_level));
  if (!level.ok()) co_return level.status();
  co_return Answer(smb2::OplockBreakResponse{.oplock_level = static_cast<smb2::OplockLevel>(*level),
                                             .file_id = acknowledgment.file_id});
}

}  // namespace

Task<Reply> HandleOplockBreak(RequestPtr request) {
  constexpr std::uint16_t kLeaseBreakAcknowledgment = 36;
  const bool lease = smb2::PeekStructureSize(request->message) == kLeaseBreakAcknowledgment;
  if (lease && request->connection->dialect != 0x0202) co_return co_await AcknowledgeLease(request);
  co_return co_await AcknowledgeOplock(request);
}

}  // namespace holdfast
