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

// 3.3.5.14.2: a lock may wait only when it is alone, and all of a request is checked before any of it is taken.
Result<std::vector<LockRange>> LocksOf(const std::vector<smb2::LockElement>& elements) {
  std::vector<LockRange> ranges;
  for (const smb2::LockElement& element : elements) {
    const std::uint32_t kind = element.flags & ~kFailImmediately;
    if (kind != kSharedLock && kind != kExclusiveLock) return NtStatus::kInvalidParameter;
    const bool fail_immediately = (element.flags & kFailImmediately) != 0;
    if (elements.size() > 1 && !fail_immediately) return NtStatus::kInvalidParameter;
    ranges.push_back({.offset = element.offset,
                      .length = element.length,
                      .exclusive = kind == kExclusiveLock,
                      .unlock = false,
                      .fail_immediately = fail_immediately});
  }
  return ranges;
}

// 3.3.5.14.1: the unlocks before a malformed one are carried out, hence the count of the sound ones.
std::vector<LockRange> UnlocksOf(const std::vector<smb2::LockElement>& elements) {
  std::vector<LockRange> ranges;
  for (const smb2::LockElement& element : elements) {
    if (element.flags != kUnlock) break;
    ranges.push_back({.offset = element.offset,
                      .length = element.length,
                      .exclusive = false,
                      .unlock = true,
                      .fail_immediately = true});
  }
  return ranges;
}

}  // namespace

Task<Reply> HandleLock(RequestPtr request) {
  HOLDFAST_DECODE(smb2::LockRequest, lock, request);
  if (lock.locks.empty()) co_return NtStatus::kInvalidParameter;
  if (request->handle->pipe) co_return NtStatus::kInvalidDeviceRequest;
  const OpenPtr open = request->open();
  if (open->directory()) co_return NtStatus::kInvalidDeviceRequest;

  std::vector<LockRange> ranges;
  bool malformed_rest = false;
  if ((lock.locks.front().flags & kUnlock) != 0) {
    ranges = UnlocksOf(lock.locks);
    malformed_rest = ranges.size() != lock.locks.size();
    if (ranges.empty()) co_return NtStatus::kInvalidParameter;
  } else {
    auto locks = LocksOf(lock.locks);
    if (!locks.ok()) co_return locks.status();
    ranges = std::move(*locks);
  }
  // A request that fails in the end must not be remembered as done.
  const bool sequence_checked = !malformed_rest && IsSequenceChecked(*request);
  const NtStatus status = co_await FilesOf(*request).Lock(open, std::move(ranges), lock.lock_sequence,
                                                          sequence_checked, request->wait);
  if (status != NtStatus::kSuccess) co_return status;
  if (malformed_rest) co_return NtStatus::kInvalidParameter;
  co_return Answer(smb2::LockResponse{});
}

}  // namespace holdfast
