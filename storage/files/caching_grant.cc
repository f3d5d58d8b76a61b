// What an open is granted, [MS-FSA] 2.1.5.18 and [MS-SMB2] 3.3.5.9.8 and .11, and who holds it.
#include <algorithm>

#include "protocol/dtyp/access_mask.h"
#include "storage/files/files_impl.h"

namespace holdfast {
namespace {

using caching::kHandle;
using caching::kRead;
using caching::kWrite;

constexpr std::uint32_t kStatAccess = access::kReadAttributes | access::kWriteAttributes | access::kSynchronize;

// What the other opens of the stream leave.
struct Others {
  bool forbid_write = false;    // somebody has or had a grant, or looks at the data
  bool exclusive = false;       // held or not yet given up: nothing beside it, 2.1.5.18.2
  bool handle_lease = false;
  bool oplock = false;
};

Others Survey(const FileState& file, const StreamState& stream, const Open& own, const CachingGrant* own_lease) {
  Others others;
  for (const OpenPtr& open : file.opens) {
    if (open.get() == &own || open->closed || open->stream != stream.facts.id) continue;
    if (own_lease && open->caching.get() == own_lease) continue;
    const CachingGrant* grant = open->caching.get();
    const bool counts = grant && (grant->is_lease || grant->state != 0);
    if (counts || !IsStatOpen(open->granted_access)) others.forbid_write = true;
    if (!counts) continue;
    if (grant->state & kWrite) others.exclusive = true;
    if (!grant->is_lease) others.oplock = true;
    if (grant->is_lease && (grant->state & kHandle)) others.handle_lease = true;
  }
  return others;
}

}  // namespace

bool IsStatOpen(std::uint32_t access) { return (access & ~kStatAccess) == 0; }

bool IsLeaseStatOpen(std::uint32_t access) { return (access & ~(kStatAccess | access::kReadControl)) == 0; }

bool CachingGrant::HasPersistentOpen(const Open* except) const {
  return std::ranges::any_of(opens, [&](const Open* open) { return open != except && open->is_persistent(); });
}

bool CachingGrant::IsAttached() const {
  return std::ranges::any_of(opens, [](const Open* open) { return open->attached; });
}

CachingGrantPtr Files::Impl::FindLease(const Guid& client_guid, const Guid& lease_key) const {
  const auto found = leases.find({client_guid, lease_key});
  return found == leases.end() ? nullptr : found->second;
}

NtStatus Files::Impl::CheckLeaseKey(const Guid& client_guid, const CachingRequest& request, FileNumber file,
                                    StreamId stream) {
  if (!request.lease_key) return NtStatus::kSuccess;
  const CachingGrantPtr lease = FindLease(client_guid, *request.lease_key);
  if (!lease || lease->file_delete_on_close) return NtStatus::kSuccess;
  return lease->file == file && lease->stream == stream ? NtStatus::kSuccess : NtStatus::kInvalidParameter;
}

Files::Impl::CachingPlan Files::Impl::PlanCaching(FileState& file, StreamState& stream, Open& open,
                                                  const CachingRequest& request, bool overwritten) {
  CachingPlan plan;
  const bool wants_lease = request.lease_key.has_value();
  if (!wants_lease && StateOfOplock(request.oplock_level) == 0) return plan;

  CachingGrantPtr existing;
  if (wants_lease) existing = FindLease(open.client_guid, *request.lease_key);
  if (existing && (existing->file != file.number || existing->stream != stream.facts.id)) existing = nullptr;
  const std::uint32_t requested =
      wants_lease ? ValidLeaseState(request.lease_state) : StateOfOplock(request.oplock_level);
  std::uint32_t granted = open.share->scale_out ? requested & kRead : requested;
  const Others others = Survey(file, stream, open, existing.get());
  if (others.forbid_write) granted &= ~kWrite;
  if (others.exclusive) granted = caching::kNone;
  // Shared oplocks do not go with byte-range locks; an exclusive one's holder made the locks itself.
  if (!(granted & kWrite) && !stream.locks.empty() && !overwritten) granted = caching::kNone;

  if (!wants_lease) {
    if (others.handle_lease) granted = caching::kNone;
    if (!(granted & kWrite)) granted &= kRead;
    if (granted == 0) return plan;
    open.caching = std::make_shared<CachingGrant>();
    open.caching->state = plan.state = granted;
    return plan;
  }
  if (others.oplock) granted &= ~kHandle;
  if (existing) {
    open.caching = existing;
    plan.extends = true;
    plan.seen_state = plan.state = existing->state;
    plan.seen_epoch = plan.epoch = existing->epoch;
    // Up, all of what was asked for, or not at all; never while it breaks.
    const bool superset = (existing->state & requested) == existing->state;
    if (superset && granted == requested && granted != existing->state && !existing->breaking) {
      plan.state = granted;
      ++plan.epoch;
    }
    return plan;
  }
  auto lease = std::make_shared<CachingGrant>();
  lease->is_lease = true;
  lease->client_guid = open.client_guid;
  lease->lease_key = *request.lease_key;
  lease->parent_lease_key = request.parent_lease_key;
  lease->version = request.lease_version;
  lease->state = plan.state = granted;
  if (lease->version == 2) lease->epoch = plan.epoch = static_cast<std::uint16_t>(request.lease_epoch + 1);
  open.caching = std::move(lease);
  return plan;
}

void Files::Impl::Attach(const OpenPtr& open, const CachingPlan& plan) {
  const CachingGrantPtr grant = open->caching;
  if (!grant) return;
  if (plan.extends) {
    // A write of somebody else may have begun to break it while the record was being stored.
    if (!grant->breaking && grant->state == plan.seen_state && grant->epoch == plan.seen_epoch) {
      grant->state = plan.state;
      grant->epoch = plan.epoch;
    }
  } else {
    grant->file = open->file->number;
    grant->stream = open->stream;
    if (grant->is_lease) {
      auto& entry = leases[{grant->client_guid, grant->lease_key}];
      if (entry && !entry->file_delete_on_close) {
        // The same key at the same time for another file: that one was first.
        open->caching = nullptr;
        return;
      }
      entry = grant;
    }
    open->file->Stream(open->stream)->grants.push_back(grant);
  }
  if (grant->is_lease && open->delete_on_close) grant->file_delete_on_close = true;
  grant->opens.push_back(open.get());
  open->answer_pending = HoldBreaks(grant);
  // Of a break that nobody could be told of this client hears now, behind its answer.
  if (grant->breaking && grant->timer == 0) {
    grant->parked = true;
    ResumeParked(grant);
  }
}

void Files::Impl::Detach(Open& open) {
  const CachingGrantPtr grant = open.caching;
  if (!grant || std::erase(grant->opens, &open) == 0) return;
  open.answer_pending = nullptr;
  FileState& file = *open.file;
  if (grant->opens.empty()) {
    StopBreakTimer(*grant);
    grant->state = caching::kNone;
    grant->breaking = grant->parked = false;
    if (const auto stream = file.streams.find(grant->stream); stream != file.streams.end()) {
      std::erase(stream->second->grants, grant);
    }
    if (grant->is_lease) {
      const LeaseId id{grant->client_guid, grant->lease_key};
      if (FindLease(id.first, id.second) == grant) leases.erase(id);
    }
  } else {
    LoseClient(grant);
  }
}

std::shared_ptr<void> Files::Impl::HoldBreaks(const CachingGrantPtr& grant) {
  ++grant->unanswered;
  const auto release = [this, grant, alive = std::weak_ptr(alive)](void*) {
    if (--grant->unanswered != 0 || alive.expired()) return;
    for (CachingBreak& notice : std::exchange(grant->held_back, {})) Deliver(grant, std::move(notice));
  };
  return std::shared_ptr<void>(grant.get(), release);
}

}  // namespace holdfast
