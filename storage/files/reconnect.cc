// A handle comes back, [MS-SMB2] 3.3.5.9.7 (DHnC) and 3.3.5.9.12 (DH2C), and how it is kept until then, 3.3.7.1.
#include <algorithm>

#include "protocol/base/fault_point.h"
#include "protocol/dtyp/upcase.h"
#include "storage/files/files_impl.h"

namespace holdfast {
namespace {

constexpr std::uint32_t kDefaultResiliencyMs = 120'000;
constexpr std::uint32_t kMaxResiliencyMs = 300'000;

// Batch oplock or lease with H, which keep a durable open over a disconnect.
bool HoldsHandleCaching(const Open& open) { return open.caching && open.caching->HoldsHandle(); }

bool IsDurable(const Open& open) { return open.durable != DurableKind::kNone; }

// The name in the request, against that of the lease: 3.3.5.9.7, 3.3.5.9.12.
bool NamesOther(const Open& open, std::u16string_view path) {
  while (path.ends_with(u'\\')) path.remove_suffix(1);
  return open.has_lease() && !open.caching->file_delete_on_close && !EqualsIgnoringCase(open.path, path);
}

// Whether the lease the client asks back is the one the open has.
bool SameLease(const Open& open, const CachingRequest& request) {
  if (!open.has_lease()) return !request.lease_key;
  return request.lease_key == open.caching->lease_key && request.lease_version == open.caching->version;
}

// Another persistent open with the same lease, note 350.
bool IsShared(const Open& open) {
  return open.has_lease() && std::ranges::any_of(open.caching->opens, [&](const Open* other) {
    return other != &open && other->is_persistent() && !other->closed;
  });
}

bool IsLater(std::uint16_t a, std::uint16_t b) { return static_cast<std::int16_t>(a - b) > 0; }

// What the client is answered of its lease, note 353: it must purge what it may have missed a break for. A server that
// has restarted gives no more than the client still claims, which may have given up the rest already.
void ReviveLease(CachingGrant& lease, const CachingRequest& request) {
  if (lease.restored) {
    lease.state &= request.lease_state;
    if (!(lease.state & caching::kRead)) lease.state = caching::kNone;
    lease.restored = false;
  }
  if (lease.version != 2) return;
  if (IsLater(request.lease_epoch, lease.epoch)) lease.epoch = request.lease_epoch;
  if (request.lease_state != 0 && !(request.lease_state & caching::kWrite) && lease.state != 0) ++lease.epoch;
}

}  // namespace

Task<bool> Files::Disconnect(OpenPtr open) {
  if (open->closed) co_return false;
  open->attached = false;
  open->attached_connection = 0;
  open->attached_session = 0;
  open->on_forced_detach = nullptr;
  open->answer_pending = nullptr;
  EndWaits(*open, NtStatus::kCancelled);
  const bool preserved =
      open->is_persistent() || open->is_resilient || (IsDurable(*open) && HoldsHandleCaching(*open));
  if (!preserved) {
    static_cast<void>(co_await Close(open));
    co_return false;
  }
  if (const CachingGrantPtr grant = open->caching) impl_->LoseClient(grant);
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
  const bool owner = open->durable_owner == p.requester.token->user;

  if (open->has_lease() && open->client_guid != p.requester.client_guid) co_return NtStatus::kObjectNameNotFound;
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
    if (open->caching && open->caching->breaking && !open->caching->parked) impl_->NoConnection(open->caching);
    impl_->StartTimer(open, std::max(open->durable_open_timeout_ms, open->resilient_open_timeout_ms));
  }
  if (!SameLease(*open, p.caching)) co_return NtStatus::kObjectNameNotFound;
  if (!open->is_persistent() && !open->is_resilient && !HoldsHandleCaching(*open)) {
    co_return NtStatus::kObjectNameNotFound;
  }
  if (open->is_persistent() && !HoldsHandleCaching(*open) && IsShared(*open)) co_return NtStatus::kFileNotAvailable;
  if (NamesOther(*open, p.path)) co_return NtStatus::kInvalidParameter;
  if (p.v2 && p.persistent_flag && !open->is_persistent()) co_return NtStatus::kInvalidParameter;
  if (!owner) co_return NtStatus::kAccessDenied;

  // Nothing that the old connection asked for may take effect behind this answer.
  EndWaits(*open, NtStatus::kCancelled);
  // From here on it is claimed: its time does not run out while something slow of the old connection ends.
  impl_->StopTimer(*open);
  co_await impl_->Drain(open);
  if (open->closed) co_return NtStatus::kObjectNameNotFound;
  if (open->attached) co_return NtStatus::kFileNotAvailable;  // two reconnects raced, the other one has it
  open->share = p.share;
  open->token = p.requester.token;
  open->attached = true;
  open->attached_connection = p.requester.connection;
  open->attached_session = p.requester.session;
  impl_->Readmit(open, p.caching);
  FAULT_POINT("reconnect.attached");
  co_return open;
}

void Files::Impl::Readmit(const OpenPtr& open, const CachingRequest& request) {
  const CachingGrantPtr grant = open->caching;
  if (!grant) return;
  if (grant->is_lease) ReviveLease(*grant, request);
  open->answer_pending = HoldBreaks(grant);
  ResumeParked(grant);
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
