// [MS-SMB2] 3.3.5.14: LOCK.
#include "protocol/smb2/messages/lock.h"

#include "protocol/smb2/constants.h"
#include "server/commands/handler.h"
#include "server/commands/registry.h"

namespace holdfast {
namespace {

using smb2::lock_flag::kExclusiveLock;
using smb2::lock_flag::kFailImmediately;
using smb2::lock_flag::kSharedLock;
using smb2::lock_flag::kUnlock;

// 3.3.5.14: whether the lock sequence of the request is verified and remembered.
bool IsSequenceChecked(const Request& request) {
  const Connection& connection = *request.connection;
  const Open& open = *request.handle->open;
  if (connection.dialect == 0x0202) return false;
  if (open.is_resilient || open.durable != DurableKind::kNone) return true;
  return connection.smb3() && (connection.server_capabilities & smb2::capability::kMultiChannel) != 0;
}

// storage/files judges the ranges in their turn: of an array of unlocks those before a malformed one are carried out.
LockRange RangeOf(const smb2::LockElement& element) {
  const bool unlock = (element.flags & kUnlock) != 0;
  const std::uint32_t kind = element.flags & ~kFailImmediately;
  return {.offset = element.offset,
          .length = element.length,
          .exclusive = kind == kExclusiveLock,
          .unlock = unlock,
          .fail_immediately = (element.flags & kFailImmediately) != 0,
          .valid = unlock ? element.flags == kUnlock : kind == kSharedLock || kind == kExclusiveLock};
}

}  // namespace

Task<Reply> HandleLock(RequestPtr request) {
  HOLDFAST_DECODE(smb2::LockRequest, lock, request);
  if (lock.locks.empty()) co_return NtStatus::kInvalidParameter;
  if (request->handle->pipe) co_return NtStatus::kInvalidDeviceRequest;
  std::vector<LockRange> ranges;
  for (const smb2::LockElement& element : lock.locks) ranges.push_back(RangeOf(element));
  const NtStatus status = co_await FilesOf(*request).Lock(request->open(), std::move(ranges), lock.lock_sequence,
                                                          IsSequenceChecked(*request), request->wait);
  if (status != NtStatus::kSuccess) co_return status;
  co_return Answer(smb2::LockResponse{});
}

}  // namespace holdfast
