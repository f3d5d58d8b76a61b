// Taking oplocks and leases back: [MS-FSA] 2.1.4.12 and 2.1.5.19, [MS-SMB2] 3.3.4.6, 3.3.4.7, 3.3.5.22, 3.3.6.1, 3.3.6.5.
//
// Nothing here waits for a client with a file's mutex held. Who has to wait lets go of it, waits in AwaitCaching() for
// any change, and then decides anew: the acknowledgement, the close, the timeout and the loss of the holder all end it.
#include <algorithm>

#include "protocol/base/fault_point.h"
#include "storage/files/files_impl.h"
#include "storage/files/records.h"

namespace holdfast {
namespace {

using caching::kHandle;
using caching::kRead;
using caching::kWrite;

constexpr Duration kRetryStore = std::chrono::seconds(1);

OpenPtr Shared(const Open* open) {
  const auto& opens = open->file->opens;
  const auto held = std::ranges::find_if(opens, [open](const OpenPtr& each) { return each.get() == open; });
  return held == opens.end() ? nullptr : *held;
}

// Those that nobody has claimed meanwhile. `done`: who waited looks again, also where all have been claimed.
Task<void> CloseForgotten(Files* files, std::vector<std::weak_ptr<Open>> left_behind, std::weak_ptr<int> alive,
                          std::shared_ptr<OneShot<NtStatus>> done) {
  for (const auto& weak : left_behind) {
    if (alive.expired()) co_return;
    const OpenPtr open = weak.lock();
    // Without a timer somebody is just claiming it.
    if (!open || open->attached || open->closed || open->scavenge_timer == 0) continue;
    static_cast<void>(co_await files->Close(open));
  }
  done->Set(NtStatus::kSuccess);
}

Task<void> CloseLost(Files* files, OpenPtr open, std::weak_ptr<int> alive) {
  if (alive.expired() || open->closed) co_return;
  if (open->on_forced_detach) std::exchange(open->on_forced_detach, nullptr)(NtStatus::kFileForcedClosed);
  static_cast<void>(co_await files->Close(open));
}

}  // namespace

void Files::SetBreakSender(CachingBreakSender sender) { impl_->break_sender = std::move(sender); }

// ---- deciding -----------------------------------------------------------------------------------------------------

bool Files::Impl::Break(const CachingGrantPtr& grant, std::uint32_t remove, std::uint32_t awaited,
                        bool first_attempt) {
  std::uint32_t to = grant->state & ~remove;
  // Who waited already goes on when the break is over, not in between its steps.
  if (to == grant->state) return grant->breaking && !first_attempt;
  if (!grant->is_lease) to &= kRead;
  const bool wait = (grant->state & awaited) != 0 || (grant->breaking && !first_attempt);
  if (grant->breaking) {
    grant->required &= to;
  } else {
    StartBreak(grant, to);
  }
  return wait;
}

// 3.3.5.9: a persistent open whose client is away keeps its file, unless a break can be kept for it. That takes H, and W
// where it has locks, which it could not have back without. Directories hold no data that a client caches: there only a
// sharing conflict counts, else one dead host would close the root of the share to everybody.
bool Files::Impl::IsKept(const FileState& file, const Contender& contender) const {
  if (file.inode.directory) return false;
  for (const OpenPtr& open : file.opens) {
    if (!open->is_persistent() || open->attached || open->closed) continue;
    const CachingGrant* grant = open->caching.get();
    if (grant && contender.lease_key && grant->Is(contender.client_guid, *contender.lease_key)) continue;
    const auto held = file.streams.find(open->stream);
    const bool locks = held != file.streams.end() && !held->second->locks.empty();
    const std::uint32_t need = kHandle | (locks ? kWrite : 0);
    if (!grant || (grant->state & need) != need) return true;
  }
  return false;
}

Files::Impl::Verdict Files::Impl::BreakForOpen(FileState& file, StreamState& stream, const Contender& contender) {
  if (IsKept(file, contender)) return Verdict::kNotAvailable;
  if (IsStatOpen(contender.access) && !contender.sharing_violation) return Verdict::kGo;

  std::uint32_t remove = kWrite, awaited = kWrite;
  if (contender.sharing_violation) {
    remove = awaited = kHandle;
  } else if (contender.overwrites) {
    remove = caching::kAll;
  }
  bool wait = false;
  const auto grants = stream.grants;
  for (const CachingGrantPtr& grant : grants) {
    if (contender.lease_key && grant->Is(contender.client_guid, *contender.lease_key)) continue;
    if (grant->is_lease && IsLeaseStatOpen(contender.access)) continue;
    if (Break(grant, remove, awaited, contender.first_attempt)) wait = true;
  }
  return wait ? Verdict::kWait : Verdict::kGo;
}

bool Files::Impl::BreakHandleCaching(FileState& file, const Open* except, bool first_attempt) {
  bool wait = false;
  for (const auto& [id, stream] : file.streams) {
    if (except && except->stream != kUnnamedStream && except->stream != id) continue;
    const auto grants = stream->grants;
    for (const CachingGrantPtr& grant : grants) {
      if (except && except->caching == grant) continue;
      if (Break(grant, kHandle, kHandle, first_attempt)) wait = true;
    }
  }
  return wait;
}

Task<NtStatus> Files::Impl::GiveUpHandleCaching(FileStatePtr file, Open* open, AsyncMutex::Guard* turn,
                                                PendingWaitPtr wait) {
  for (bool first_attempt = true; BreakHandleCaching(*file, open, first_attempt); first_attempt = false) {
    turn->Release();
    const NtStatus waited = co_await AwaitCaching(file, open, wait);
    if (waited != NtStatus::kSuccess) co_return waited;
    *turn = co_await file->mutex.Lock();
  }
  co_return NtStatus::kSuccess;
}

Task<void> Files::AskBeforeDelete(OpenPtr open, PendingWaitPtr wait) {
  if (!open->delete_on_close || open->is_directory) co_return;
  const OpenUse use(open);
  const FileStatePtr file = open->file;
  for (bool first_attempt = true; !open->closed && !file->unlinked; first_attempt = false) {
    if (!impl_->BreakHandleCaching(*file, open.get(), first_attempt)) co_return;
    const NtStatus waited = co_await impl_->AwaitCaching(file, open.get(), wait);
    if (waited != NtStatus::kSuccess) co_return;
  }
}

void Files::BreakReadCaching(const OpenPtr& open, StreamState& stream) {
  // One's own level II goes too, [MS-FSA] 2.1.4.12; what is exclusive is one's own or nobody's.
  const auto stays = [&open](const CachingGrantPtr& grant) {
    return grant->state == 0 || (grant == open->caching && (grant->is_lease || (grant->state & kWrite)));
  };
  if (std::ranges::all_of(stream.grants, stays)) return;
  const auto grants = stream.grants;
  for (const CachingGrantPtr& grant : grants) {
    if (stays(grant)) continue;
    static_cast<void>(impl_->Break(grant, caching::kAll, caching::kNone, true));
  }
}

// ---- waiting ------------------------------------------------------------------------------------------------------

std::vector<std::weak_ptr<Open>> Files::Impl::LeftBehind(const FileState& file, const Guid& client_guid,
                                                         const Sid& user) const {
  std::vector<std::weak_ptr<Open>> left_behind;
  for (const OpenPtr& open : file.opens) {
    if (open->attached || open->closed || !open->is_persistent()) continue;
    if (open->client_guid == client_guid && open->durable_owner == user) left_behind.push_back(open);
  }
  return left_behind;
}

Task<NtStatus> Files::Impl::AwaitCaching(FileStatePtr file, Open* open, PendingWaitPtr wait) {
  return AwaitCaching(std::move(file), open, std::move(wait), open->client_guid, open->durable_owner);
}

Task<NtStatus> Files::Impl::AwaitCaching(FileStatePtr file, Open* open, PendingWaitPtr wait, Guid client_guid,
                                         Sid user) {
  auto changed = std::make_shared<OneShot<NtStatus>>();
  file->caching_waiters.push_back(changed);
  if (wait) {
    if (wait->cancelled()) {
      std::erase(file->caching_waiters, changed);
      co_return *wait->cancelled();
    }
    wait->SetWake([changed, waited = wait.get()] { changed->Set(waited->cancelled().value_or(NtStatus::kCancelled)); });
    if (open) open->waits.push_back(wait);
    if (wait->on_pending) wait->on_pending();
  }
  // The timer ends with the wait: a client that is cut off again may still come back for what it left behind.
  Clock::TimerId timer = 0;
  if (auto left_behind = LeftBehind(*file, client_guid, user); !left_behind.empty() && !files.stopping_) {
    timer = files.clock_.Schedule(
        files.clock_.Now() + files.options_.forgotten_after,
        [this, changed, left_behind = std::move(left_behind), guard = std::weak_ptr(alive)] {
          if (guard.expired() || files.stopping_) return;
          Spawn(files.executor_, CloseForgotten(&files, left_behind, guard, changed));
        });
  }
  const NtStatus status = co_await changed->Wait();
  if (timer != 0) files.clock_.Cancel(timer);
  std::erase(file->caching_waiters, changed);
  if (wait) {
    wait->SetWake(nullptr);
    if (open) std::erase(open->waits, wait);
  }
  co_return status;
}

void Files::Impl::WakeCaching(FileState& file) {
  for (const auto& waiter : std::exchange(file.caching_waiters, {})) waiter->Set(NtStatus::kSuccess);
}

// ---- telling ------------------------------------------------------------------------------------------------------

void Files::Impl::StartBreak(const CachingGrantPtr& grant, std::uint32_t to) {
  const std::uint32_t from = grant->state;
  ++grant->epoch;
  if (from == kRead) {
    grant->state = caching::kNone;
    grant->told = true;
    Notify(grant, from, to, false);
    return;
  }
  grant->breaking = true;
  grant->break_to = grant->required = to;
  if (!grant->IsAttached()) {
    NoConnection(grant);
    return;
  }
  StartBreakTimer(grant);
  Notify(grant, from, to, true);
}

void Files::Impl::Notify(const CachingGrantPtr& grant, std::uint32_t from, std::uint32_t to, bool acknowledge) {
  CachingBreak notice;
  notice.is_lease = grant->is_lease;
  notice.client_guid = grant->is_lease || grant->opens.empty() ? grant->client_guid : grant->opens[0]->client_guid;
  for (Open* open : grant->opens) {
    if (const OpenPtr held = Shared(open)) notice.opens.push_back(held);
  }
  notice.lease_key = grant->lease_key;
  notice.new_epoch = grant->version == 2 ? grant->epoch : std::uint16_t{0};
  notice.current_state = from;
  notice.new_state = to;
  notice.acknowledge = acknowledge;
  notice.new_oplock = to & kRead ? oplock::kLevelII : oplock::kNone;
  if (grant->unanswered != 0) {
    grant->held_back.push_back(std::move(notice));
  } else {
    Deliver(grant, std::move(notice));
  }
}

void Files::Impl::Deliver(const CachingGrantPtr& grant, CachingBreak notice) {
  if (!break_sender) return;
  const bool acknowledge = notice.acknowledge;
  const std::uint16_t epoch = grant->epoch;
  notice.wanted = [grant, acknowledge, epoch] {
    return grant->epoch == epoch && (!acknowledge || (grant->breaking && !grant->parked));
  };
  break_sender(std::move(notice), [this, grant, acknowledge, epoch, guard = std::weak_ptr(alive)](bool sent) {
    if (sent || !acknowledge || guard.expired()) return;
    if (grant->breaking && !grant->parked && grant->epoch == epoch) NoConnection(grant);
  });
}

void Files::Impl::NoConnection(const CachingGrantPtr& grant) {
  StopBreakTimer(*grant);
  const bool persistent = grant->HasPersistentOpen();
  grant->parked = persistent;
  bool remains = persistent;
  std::vector<OpenPtr> lost;
  const auto opens = grant->opens;
  for (const Open* open : opens) {
    if (open->is_persistent()) continue;
    // What is durable cannot be reclaimed without the handle caching that it was granted for.
    if (open->is_resilient && open->durable == DurableKind::kNone) {
      remains = true;
      continue;
    }
    if (OpenPtr held = Shared(open)) lost.push_back(std::move(held));
  }
  for (const OpenPtr& open : lost) Spawn(files.executor_, CloseLost(&files, open, alive));
  if (persistent || !remains) return;
  grant->state = caching::kNone;
  grant->breaking = false;
  if (!opens.empty()) WakeCaching(*opens[0]->file);
}

void Files::Impl::LoseClient(const CachingGrantPtr& grant) {
  if (grant->breaking && !grant->parked && !grant->IsAttached()) NoConnection(grant);
}

void Files::Impl::ResumeParked(const CachingGrantPtr& grant) {
  if (!grant->breaking || !grant->parked) return;
  grant->parked = false;
  ++grant->epoch;
  StartBreakTimer(grant);
  Notify(grant, grant->state, grant->break_to, true);
}

// ---- what ends a break --------------------------------------------------------------------------------------------

void Files::Impl::StartBreakTimer(const CachingGrantPtr& grant) {
  StopBreakTimer(*grant);
  if (files.stopping_) return;
  Duration timeout = files.options_.break_timeout;
  if (grant->HasPersistentOpen()) {
    timeout = grant->is_lease ? files.options_.persistent_lease_break_timeout
                              : files.options_.persistent_oplock_break_timeout;
  }
  ScheduleBreakTimeout(grant, timeout);
}

void Files::Impl::ScheduleBreakTimeout(const CachingGrantPtr& grant, Duration timeout) {
  grant->timer = files.clock_.Schedule(files.clock_.Now() + timeout, [this, weak = std::weak_ptr(grant)] {
    const CachingGrantPtr expired = weak.lock();
    if (!expired || files.stopping_) return;
    expired->timer = 0;
    Spawn(files.executor_, BreakTimedOut(expired));
  });
}

void Files::Impl::StopBreakTimer(CachingGrant& grant) {
  if (grant.timer != 0) files.clock_.Cancel(std::exchange(grant.timer, 0));
}

Task<void> Files::Impl::BreakTimedOut(CachingGrantPtr grant) {
  if (!grant->breaking || grant->parked || grant->timer != 0) co_return;
  const NtStatus stored = co_await Settle(grant, caching::kNone);
  if (stored == NtStatus::kSuccess || !grant->breaking || grant->timer != 0 || files.stopping_) co_return;
  // Nobody may be let in before it is known that a restart would not give it back.
  ScheduleBreakTimeout(grant, kRetryStore);
}

Task<NtStatus> Files::Impl::Settle(CachingGrantPtr grant, std::uint32_t state) {
  if (grant->opens.empty()) co_return NtStatus::kSuccess;
  const FileStatePtr file = grant->opens[0]->file;
  if (grant->HasPersistentOpen()) {
    const auto turn = co_await file->mutex.Lock();
    if (grant->opens.empty()) co_return NtStatus::kSuccess;
    std::vector<RecordChange> records = CachingRecords(*grant, state);
    FAULT_POINT("caching.before_store");
    const NtStatus stored = co_await StoreInode(file, std::move(records), Durability::kStable);
    if (stored != NtStatus::kSuccess) co_return stored;
    FAULT_POINT("caching.stored");
  }
  StopBreakTimer(*grant);
  const std::uint32_t required = grant->required;
  grant->breaking = false;
  grant->state = state;
  const std::uint32_t beyond = state & ~required;
  if (beyond != 0) {
    // Later conflicts need more. Windows goes down in steps, and keeps R for the last of them.
    StartBreak(grant, state == kRead ? required : required | kRead);
    if (grant->breaking) {
      grant->required = required;
      co_return NtStatus::kSuccess;
    }
  }
  WakeCaching(*file);
  co_return NtStatus::kSuccess;
}

Task<Result<std::uint32_t>> Files::AcknowledgeLease(Guid client_guid, Guid lease_key, std::uint32_t state,
                                                    std::shared_ptr<void>* until_answered) {
  const CachingGrantPtr lease = impl_->FindLease(client_guid, lease_key);
  if (!lease) co_return NtStatus::kObjectNameNotFound;
  for (Open* open : lease->opens) open->is_replay_eligible = false;
  if (!lease->breaking || lease->parked) co_return NtStatus::kUnsuccessful;
  if (state & ~lease->break_to) co_return NtStatus::kRequestNotAccepted;
  *until_answered = impl_->HoldBreaks(lease);
  const NtStatus stored = co_await impl_->Settle(lease, state);
  if (stored != NtStatus::kSuccess) co_return stored;
  co_return state;
}

Task<Result<std::uint8_t>> Files::AcknowledgeOplock(OpenPtr open, std::uint8_t level) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  open->is_replay_eligible = false;
  const CachingGrantPtr grant = open->caching;
  if (!grant || grant->is_lease) co_return NtStatus::kInvalidDeviceState;
  if (!grant->breaking || grant->parked) {
    // 3.3.4.6 calls that state breaking too, and the object store has nothing that it could complete.
    co_return std::exchange(grant->told, false) ? NtStatus::kInvalidOplockProtocol : NtStatus::kInvalidDeviceState;
  }
  const std::uint8_t held = grant->OplockLevel();
  NtStatus refused = NtStatus::kSuccess;
  if (level == oplock::kLease) {
    refused = NtStatus::kInvalidParameter;
  } else if (level != oplock::kNone && level != oplock::kLevelII &&
             !(level == oplock::kExclusive && held == oplock::kBatch)) {
    refused = NtStatus::kInvalidOplockProtocol;
  }
  // What cannot be given ends the oplock all the same, 3.3.5.22.1.
  const bool keeps = refused == NtStatus::kSuccess && level == oplock::kLevelII && (grant->break_to & kRead);
  const NtStatus stored = co_await impl_->Settle(grant, keeps ? kRead : caching::kNone);
  if (refused != NtStatus::kSuccess) co_return refused;
  if (stored != NtStatus::kSuccess) co_return stored;
  co_return grant->OplockLevel();
}

}  // namespace holdfast
