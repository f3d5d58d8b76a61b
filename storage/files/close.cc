// The end of an open, [MS-FSA] 2.1.5.5 and [MS-SMB2] 3.3.5.10: by its client, by a lost connection, by its timeout.
//
// What a close does is durable before it is answered: the name of a deleted file, or the record of a persistent open.
// A crash before leaves the record, so that the client closes again; a crash after finds nothing left to do.
#include <algorithm>

#include "protocol/base/fault_point.h"
#include "protocol/dtyp/access_mask.h"
#include "protocol/dtyp/upcase.h"
#include "storage/files/files_impl.h"
#include "storage/files/records.h"

namespace holdfast {
namespace {

constexpr std::uint32_t kNotifyFileName = 1, kNotifyDirName = 2, kNotifyStreamName = 0x200;
constexpr std::uint32_t kFileActionRemoved = 2, kFileActionRemovedStream = 7;

bool SameLink(const LinkFacts& link, FileNumber parent, std::u16string_view name) {
  return link.parent == parent && EqualsIgnoringCase(link.name, name);
}

}  // namespace

Task<NtStatus> Files::Close(OpenPtr open) {
  if (open->closed) co_return NtStatus::kFileClosed;
  open->closed = true;
  open->attached = false;
  open->on_forced_detach = nullptr;
  open->answer_pending = nullptr;
  impl_->StopTimer(*open);
  SettleWriteTime(*open);
  // [MS-SMB2] 3.3.5.10 and [MS-FSA] 2.1.5.5: what still waits on the handle is told so.
  EndWaits(*open, open->is_directory ? NtStatus::kNotifyCleanup : NtStatus::kRangeNotLocked);
  co_await impl_->Drain(open);
  const FileStatePtr file = open->file;
  NtStatus status = NtStatus::kSuccess;
  {
    const auto guard = co_await file->mutex.Lock();
    status = co_await impl_->CloseLocked(open);
  }
  ReleaseIfUnused(file);
  co_return status;
}

Task<void> Files::Impl::Drain(OpenPtr open) {
  while (open->requests_in_flight != 0) {
    co_await Await<int>([&open](std::function<void(int)> resume) {
      open->on_drained.push_back([resume = std::move(resume)] { resume(0); });
    });
  }
}

Task<NtStatus> Files::Impl::CloseLocked(OpenPtr open) {
  const FileStatePtr file = open->file;
  StreamState* stream = file->Stream(open->stream);
  std::vector<RecordChange> records;
  if (open->is_persistent()) {
    RecordChange own;
    own.key = OpenRecordKey(open->persistent_id);
    records.push_back(std::move(own));
    if (open->has_lease() && !open->caching->HasPersistentOpen(open.get())) {
      RecordChange lease;
      lease.key = LeaseRecordKey(*open->caching);
      records.push_back(std::move(lease));
    }
    for (const ByteRangeLock& lock : stream ? stream->locks : std::vector<ByteRangeLock>()) {
      if (lock.owner == open.get()) records.push_back(files.LockRecord(*open, lock, true));
    }
  }
  const auto leave_records = [&] {
    for (const RecordChange& record : records) {
      if (!record.value) file->leftover_records.push_back(record.key);
    }
  };
  files.DropLocks(open);
  const bool was_pending = file->delete_pending;
  const bool stream_was_pending = stream && stream->delete_pending;
  const bool posix = open->posix_delete && file->delete_pending;
  if (open->delete_on_close && !file->unlinked) {
    if (open->stream != kUnnamedStream) {
      if (stream) stream->delete_pending = true;
    } else if (!file->delete_pending) {
      // A directory that has filled up meanwhile stays.
      bool may_go = true;
      if (file->inode.directory) {
        const auto empty = co_await files.volume_.IsEmpty(file->number);
        may_go = empty.ok() && *empty;
      }
      if (may_go) {
        file->delete_pending = true;
        file->delete_parent = open->link.parent;
        file->delete_name = open->link.name;
      }
    }
  }
  if (file->delete_pending) files.EndNotify(*file);
  if ((open->granted_access & access::kExecute) && !file->inode.directory) files.Touch(*file, true, false, false);
  Unregister(open);
  FAULT_POINT("close.before_remove");

  // Whatever of the file stays must not keep the record; whatever goes takes it along.
  if (stream && stream->delete_pending && open->stream != kUnnamedStream &&
      std::ranges::none_of(file->opens, [&](const OpenPtr& other) { return other->stream == open->stream; })) {
    const NtStatus removed = co_await files.volume_.RemoveStream(file->number, open->stream);
    if (removed != NtStatus::kSuccess && removed != NtStatus::kObjectNameNotFound) {
      leave_records();
      co_return removed;
    }
    stream->removed = true;
    files.Touch(*file, false, false, true);
    files.ReportChange(open->link.parent, open->link.name + u":" + stream->facts.name, kFileActionRemovedStream,
                       kNotifyStreamName);
  }
  if (file->unlinked && file->opens.empty()) {
    file->gone = true;
    const NtStatus purged = co_await files.volume_.Purge(file->number);
    files.loaded_.erase(file->number);
    files.homes_.Release(file->number);
    if (indexed.erase(file->number) != 0) static_cast<void>(co_await files.volume_.RemoveFromIndex(file->number));
    co_return purged;
  }
  if (file->delete_pending) {
    // Of a plain open a delete survives the process, as everything else it does; records must not outlive their file.
    const bool recorded = !records.empty() || !file->leftover_records.empty() || file->indexed;
    const Durability durability = recorded ? Durability::kStable : open->durability();
    const NtStatus status = co_await FinishDelete(file, posix, durability);
    if (file->gone) {
      FAULT_POINT("close.removed");
      co_return status;
    }
    if (status != NtStatus::kSuccess) {
      // The record, which says that the file is to go, stays with it: the delete is tried again.
      co_return status;
    }
  }
  // A delete that outlives the open it was asked through has to survive with those that hold it up, and one that is done
  // or given up must not come back with them.
  if (file->delete_pending != was_pending || (file->delete_pending && open->is_persistent()) ||
      (stream && stream->delete_pending && !stream_was_pending && !stream->removed)) {
    auto others = AllRecords(*file);
    records.insert(records.end(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
  }
  NtStatus status = NtStatus::kSuccess;
  if (!records.empty()) {
    std::vector<RecordChange> changes = records;
    status = co_await StoreInode(file, std::move(changes), Durability::kStable);
    if (status != NtStatus::kSuccess) leave_records();
    FAULT_POINT("close.removed");
  }
  if (IsDirty(*file)) {
    const NtStatus stored = co_await files.StoreDirty(file, open->durability());
    if (status == NtStatus::kSuccess) status = stored;
  }
  co_await RefreshDirents(file);
  co_return status;
}

Task<NtStatus> Files::Impl::FinishDelete(FileStatePtr file, bool posix, Durability durability) {
  const FileNumber parent = file->delete_parent;
  const std::u16string name = file->delete_name;
  if (!posix && std::ranges::any_of(file->opens, [&](const OpenPtr& open) {
        return SameLink(open->link, parent, name);
      })) {
    co_return NtStatus::kSuccess;
  }
  const bool held = !file->opens.empty();
  const NtStatus status = co_await files.volume_.Unlink(parent, name, file->number, held, durability);
  if (status == NtStatus::kDirectoryNotEmpty) {
    file->delete_pending = false;
    co_return NtStatus::kSuccess;
  }
  // The name may be gone already: the crash came between its removal and ours of the record.
  if (status != NtStatus::kSuccess && status != NtStatus::kObjectNameNotFound) co_return status;
  file->delete_pending = false;
  std::erase_if(file->inode.links, [&](const LinkFacts& link) { return SameLink(link, parent, name); });
  file->stored.links = file->inode.links;
  files.ReportChange(parent, name, kFileActionRemoved, file->inode.directory ? kNotifyDirName : kNotifyFileName);
  co_await TouchDirectory(parent);
  if (!file->inode.links.empty()) {
    files.Touch(*file, false, false, true);
    co_return NtStatus::kSuccess;
  }
  file->unlinked = true;
  if (held) co_return NtStatus::kSuccess;
  file->gone = true;
  files.loaded_.erase(file->number);
  files.homes_.Release(file->number);
  if (indexed.erase(file->number) != 0) static_cast<void>(co_await files.volume_.RemoveFromIndex(file->number));
  co_return NtStatus::kSuccess;
}

// ---- the scavenger, 3.3.6.2 and 3.3.6.3 -----------------------------------------------------------------------------

void Files::Impl::StartTimer(const OpenPtr& open, std::uint32_t timeout_ms) {
  StopTimer(*open);
  if (files.stopping_) return;
  open->disconnect_deadline = files.clock_.Now() + std::chrono::milliseconds(timeout_ms);
  open->scavenge_timer = files.clock_.Schedule(open->disconnect_deadline, [this, weak = std::weak_ptr<Open>(open)] {
    const OpenPtr expired = weak.lock();
    if (!expired || files.stopping_) return;
    expired->scavenge_timer = 0;
    Spawn(files.executor_, Expire(expired));
  });
}

void Files::Impl::StopTimer(Open& open) {
  if (open.scavenge_timer != 0) files.clock_.Cancel(std::exchange(open.scavenge_timer, 0));
}

Task<void> Files::Impl::Expire(OpenPtr open) {
  if (files.stopping_ || open->attached || open->closed) co_return;
  static_cast<void>(co_await files.Close(open));
}

}  // namespace holdfast
