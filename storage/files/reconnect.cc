// A handle comes back, [MS-SMB2] 3.3.5.9.7 (DHnC) and 3.3.5.9.12 (DH2C), and how it is kept until then, 3.3.7.1.
#include <algorithm>

#include "protocol/base/fault_point.h"
#include "protocol/dtyp/upcase.h"
#include "storage/files/files_impl.h"

namespace holdfast {
namespace {

constexpr std::uint32_t kDefaultResiliencyMs = 120'000;
constexpr std::uint32_t kMaxResiliencyMs = 300'000;

// Batch oplock or lease with H, which keep a durable open over a disconnect; neither is granted yet.
bool HoldsHandleCaching(const Open&) { return false; }
bool HasLease(const Open&) { return false; }

bool IsDurable(const Open& open) { return open.durable != DurableKind::kNone; }

}  // namespace

Task<bool> Files::Disconnect(OpenPtr open) {
  if (open->closed) co_return false;
  open->attached = false;
  open->attached_connection = 0;
  open->attached_session = 0;
  open->on_forced_detach = nullptr;
  EndWaits(*open, NtStatus::kCancelled);
  const bool preserved =
      open->is_persistent() || open->is_resilient || (IsDurable(*open) && HoldsHandleCaching(*open));
  if (!preserved) {
    static_cast<void>(co_await Close(open));
    co_return false;
  }
  // Nothing is written: after a crash every deadline starts anew.
  impl_->StartTimer(open, std::max(open->is_resilient ? open->resilient_open_timeout_ms : 0,
                                   IsDurable(*open) ? open->durable_open_timeout_ms : 0));
  co_return true;
}

// Which open is meant: rows 2 and, where the tests need no more than the open, 3 to 6 of the table.
Task<Result<OpenPtr>> Files::Impl::FindForReconnect(const ReconnectParameters& p) {
  const bool persistent = p.v2 && p.persistent_flag && p.share->continuous_availability &&
                          p.requester.persistent_capable;
  const auto file = co_await files.Acquire(p.persistent_id >> 20);
  if (file.ok()) {
    for (const OpenPtr& open : (*file)->opens) {
      if (open->persistent_id == p.persistent_id && !open->closed) co_return open;
    }
  } else if (file.status() != NtStatus::kObjectNameNotFound) {
    // The store could not tell: the client must not take the handle for lost.
    co_return NtStatus::kFileNotAvailable;
  }
  if (!persistent) co_return NtStatus::kObjectNameNotFound;
  co_await AwaitRecovery();
  const auto [begin, end] = by_create_guid.equal_range(p.create_guid);
  for (auto it = begin; it != end; ++it) {
    if (!it->second->closed) co_return it->second;
  }
  co_return NtStatus::kObjectNameNotFound;
}

Task<Result<OpenPtr>> Files::Reconnect(ReconnectParameters p) {
  const auto found = co_await impl_->FindForReconnect(p);
  if (!found.ok()) co_return found.status();
  const OpenPtr open = *found;
  const bool asks_lease = p.caching.lease_key.has_value();
  const bool owner = open->durable_owner == p.requester.token->user;

  if (HasLease(*open) && open->client_guid != p.requester.client_guid) co_return NtStatus::kObjectNameNotFound;
  if (p.v2 && open->is_persistent() && !p.persistent_flag) co_return NtStatus::kObjectNameNotFound;
  if (p.v2 && open->create_guid != p.create_guid) co_return NtStatus::kObjectNameNotFound;
  if (!EqualsIgnoringCase(open->share->name, p.share->name)) co_return NtStatus::kObjectNameNotFound;
  if (!IsDurable(*open) && !open->is_resilient) co_return NtStatus::kObjectNameNotFound;
  if (open->attached) {
    // Its old connection may be dead without our having heard of it. Only the client it belongs to may say so, over
    // another connection, and with the guid that it alone knows.
    if (!p.v2 || !owner || open->client_guid != p.requester.client_guid ||
        open->attached_connection == p.requester.connection || !open->on_forced_detach) {
      co_return NtStatus::kObjectNameNotFound;
    }
    std::exchange(open->on_forced_detach, nullptr)(NtStatus::kNetworkNameDeleted);
    open->attached = false;
    impl_->StartTimer(open, std::max(open->durable_open_timeout_ms, open->resilient_open_timeout_ms));
  }
  if (HasLease(*open) != asks_lease) co_return NtStatus::kObjectNameNotFound;
  if (!open->is_persistent() && !open->is_resilient && !HoldsHandleCaching(*open)) {
    co_return NtStatus::kObjectNameNotFound;
  }
  if (p.v2 && p.persistent_flag && !open->is_persistent()) co_return NtStatus::kInvalidParameter;
  if (!owner) co_return NtStatus::kAccessDenied;

  // Nothing that the old connection asked for may take effect behind this answer.
  EndWaits(*open, NtStatus::kCancelled);
  co_await impl_->Drain(open);
  if (open->closed) co_return NtStatus::kObjectNameNotFound;
  if (open->attached) co_return NtStatus::kFileNotAvailable;  // two reconnects raced, the other one has it
  impl_->StopTimer(*open);
  open->share = p.share;
  open->token = p.requester.token;
  open->attached = true;
  open->attached_connection = p.requester.connection;
  open->attached_session = p.requester.session;
  FAULT_POINT("reconnect.attached");
  co_return open;
}

Task<NtStatus> Files::RequestResiliency(OpenPtr open, std::uint32_t timeout_ms) {
  if (timeout_ms > kMaxResiliencyMs) co_return NtStatus::kInvalidParameter;
  const OpenUse use(open);
  const FileStatePtr file = open->file;
  const auto guard = co_await file->mutex.Lock();
  if (open->closed) co_return NtStatus::kFileClosed;
  open->is_resilient = true;
  open->resilient_open_timeout_ms = timeout_ms == 0 ? kDefaultResiliencyMs : timeout_ms;
  open->durable_owner = open->token->user;
  if (!open->is_persistent()) {
    open->durable = DurableKind::kNone;
    co_return NtStatus::kSuccess;
  }
  std::vector<RecordChange> records;
  records.push_back(OpenRecord(*open));
  co_return co_await impl_->StoreInode(file, std::move(records), Durability::kStable);
}

}  // namespace holdfast
