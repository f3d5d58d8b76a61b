// LOCK, [MS-SMB2] 3.3.5.14: arrays of locks and unlocks, waiting, sequence numbers, and their records.
//
// A lock counts in memory from the moment it is decided, so that nothing slips between; it is acknowledged only when
// the record of a persistent open's lock and of its sequence numbers are stored, both in one write.
#include "storage/files/locks.h"

#include <algorithm>

#include "protocol/base/fault_point.h"
#include "storage/files/notify_watch.h"
#include "storage/files/operation.h"

namespace holdfast {
namespace {

constexpr std::size_t kSequenceEntries = 64;

std::size_t LocksOf(const StreamState& stream, const Open& open) {
  return static_cast<std::size_t>(
      std::count_if(stream.locks.begin(), stream.locks.end(), [&](const auto& l) { return l.owner == &open; }));
}

bool IsSame(const ByteRangeLock& a, const ByteRangeLock& b) {
  return a.owner == b.owner && a.key_serial == b.key_serial;
}

void Remove(StreamState& stream, const ByteRangeLock& lock) {
  std::erase_if(stream.locks, [&](const ByteRangeLock& l) { return IsSame(l, lock); });
}

ByteRangeLock Add(FileState& file, StreamState& stream, Open& open, const LockRange& range) {
  const ByteRangeLock lock{range.offset, range.length, range.exclusive, &open, file.next_lock_serial++};
  stream.locks.push_back(lock);
  return lock;
}

// The entry of Open.LockSequenceArray that the request speaks of; null: none, 3.3.5.14.
LockSequenceEntry* SequenceEntry(Open& open, std::uint32_t lock_sequence, bool checked) {
  const std::uint32_t index = lock_sequence >> 4;
  if (!checked || index == 0 || index > kSequenceEntries) return nullptr;
  return &open.lock_sequence[index];
}

// Takes a wait off the open's list however the operation ends.
class Waiting {
 public:
  Waiting(Open& open, PendingWaitPtr wait) : open_(open), wait_(std::move(wait)) { open_.waits.push_back(wait_); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    wait_->SetWake(nullptr);
    std::erase(open_.waits, wait_);
  }

 private:
  Open& open_;
  PendingWaitPtr wait_;
};

}  // namespace

bool ConflictsWithLocks(const std::vector<ByteRangeLock>& locks, const Open& open, std::uint64_t offset,
                        std::uint64_t length, bool exclusive, bool lock_intent) {
  if (offset == 0 && length == 0) return false;
  const std::uint64_t last = offset + length - 1;
  for (const ByteRangeLock& lock : locks) {
    if (lock.offset == 0 && lock.length == 0) continue;
    // A lock of no bytes lies between the bytes: it conflicts with a range only that has bytes on both sides of it.
    const std::uint64_t lock_last = lock.offset + lock.length - 1;
    if (offset > lock_last || last < lock.offset) continue;
    if (!lock.exclusive) {
      if (exclusive) return true;
    } else if (lock.owner != &open || (exclusive && lock_intent)) {
      return true;
    }
  }
  return false;
}

void GrantWaitingLocks(FileState& file, StreamState& stream) {
  auto& waiting = stream.waiting_locks;
  for (std::size_t i = 0; i < waiting.size();) {
    PendingLock& pending = *waiting[i];
    const LockRange& range = pending.range;
    if (ConflictsWithLocks(stream.locks, *pending.open, range.offset, range.length, range.exclusive, true)) {
      ++i;
      continue;
    }
    const auto granted = waiting[i];
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
    if (granted->result.is_set()) continue;  // cancelled, and on its way out
    granted->granted = Add(file, stream, *granted->open, granted->range);
    granted->result.Set(NtStatus::kSuccess);
  }
}

bool Files::LockConflict(const StreamState& stream, const Open& open, std::uint64_t offset, std::uint64_t length,
                         bool write) const {
  return ConflictsWithLocks(stream.locks, open, offset, length, write, false);
}

Task<NtStatus> Files::Lock(OpenPtr open, std::vector<LockRange> ranges, std::uint32_t lock_sequence,
                           bool sequence_checked, PendingWaitPtr wait) {
  // Held except while waiting for a lock: a Close ends that wait itself.
  std::optional<OpenUse> use(std::in_place, open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (ranges.empty() || open->is_directory) co_return NtStatus::kInvalidParameter;
  if (!HasAny(*open, access::kReadData | access::kWriteData | access::kAppendData | access::kExecute)) {
    co_return NtStatus::kAccessDenied;
  }
  const FileStatePtr file = open->file;
  StreamState* stream = file->Stream(open->stream);
  if (!stream) co_return NtStatus::kFileDeleted;
  auto turn = co_await file->mutex.Lock();
  if (open->closed) co_return NtStatus::kFileClosed;

  LockSequenceEntry* sequence = SequenceEntry(*open, lock_sequence, sequence_checked);
  const auto number = static_cast<std::uint8_t>(lock_sequence & 0xF);
  if (sequence && sequence->valid) {
    if (sequence->number == number) co_return NtStatus::kSuccess;
    sequence->valid = false;
  }

  BreakReadCaching(open, *stream);
  NtStatus result = NtStatus::kSuccess;
  std::vector<ByteRangeLock> added;
  std::vector<ByteRangeLock> removed;
  if (ranges.front().unlock) {
    for (const LockRange& range : ranges) {
      if (!range.unlock || !range.valid) {
        result = NtStatus::kInvalidParameter;
        break;
      }
      if (!IsLockableRange(range.offset, range.length)) {
        result = NtStatus::kInvalidLockRange;
        break;
      }
      // Of equal locks the exclusive one goes first, else the newest.
      const ByteRangeLock* found = nullptr;
      for (const ByteRangeLock& lock : stream->locks) {
        if (lock.offset != range.offset || lock.length != range.length || lock.owner != open.get()) continue;
        found = &lock;
        if (lock.exclusive) break;
      }
      if (!found) {
        result = NtStatus::kRangeNotLocked;
        break;
      }
      removed.push_back(*found);
      Remove(*stream, removed.back());
    }
    if (removed.empty()) co_return result;
  } else {
    for (const LockRange& range : ranges) {
      if (range.unlock || !range.valid) co_return NtStatus::kInvalidParameter;
      if (ranges.size() > 1 && !range.fail_immediately) co_return NtStatus::kInvalidParameter;
    }
    if (LocksOf(*stream, *open) + ranges.size() > options_.max_locks_per_open) {
      co_return NtStatus::kInsufficientResources;
    }
    for (const LockRange& range : ranges) {
      if (!IsLockableRange(range.offset, range.length)) {
        result = NtStatus::kInvalidLockRange;
      } else if (!ConflictsWithLocks(stream->locks, *open, range.offset, range.length, range.exclusive, true)) {
        added.push_back(Add(*file, *stream, *open, range));
        continue;
      } else if (range.fail_immediately || !wait) {
        result = NtStatus::kLockNotGranted;
      } else if (wait->cancelled()) {
        result = *wait->cancelled();
      } else {
        auto pending = std::make_shared<PendingLock>();
        pending->open = open;
        pending->range = range;
        stream->waiting_locks.push_back(pending);
        const Waiting waiting(*open, wait);
        wait->SetWake([pending, waited = wait.get()] {
          pending->result.Set(waited->cancelled().value_or(NtStatus::kCancelled));
        });
        turn.Release();
        use.reset();
        if (wait->on_pending) wait->on_pending();
        result = co_await pending->result.Wait();
        std::erase(stream->waiting_locks, pending);
        if (result != NtStatus::kSuccess) co_return result;
        use.emplace(open);
        turn = co_await file->mutex.Lock();
        if (open->closed) co_return NtStatus::kRangeNotLocked;
        added.push_back(pending->granted);
        continue;
      }
      for (const ByteRangeLock& lock : added) Remove(*stream, lock);
      co_return result;
    }
  }

  if (sequence && result == NtStatus::kSuccess) *sequence = {true, number};
  if (open->is_persistent()) {
    std::vector<RecordChange> records;
    for (const ByteRangeLock& lock : added) records.push_back(LockRecord(*open, lock, false));
    for (const ByteRangeLock& lock : removed) records.push_back(LockRecord(*open, lock, true));
    records.push_back(OpenRecord(*open));
    const NtStatus stored = co_await volume_.StoreRecords(file->number, std::move(records));
    if (stored != NtStatus::kSuccess) {
      for (const ByteRangeLock& lock : added) Remove(*stream, lock);
      stream->locks.insert(stream->locks.end(), removed.begin(), removed.end());
      if (sequence) sequence->valid = false;
      if (!added.empty()) GrantWaitingLocks(*file, *stream);
      co_return stored;
    }
    FAULT_POINT("lock.persisted");
  }
  if (!removed.empty()) GrantWaitingLocks(*file, *stream);
  co_return result;
}

void Files::EndWaits(Open& open, NtStatus status) {
  const bool closes = status == NtStatus::kRangeNotLocked || status == NtStatus::kNotifyCleanup ||
                      status == NtStatus::kFileClosed;
  if (closes) status = open.is_directory ? NtStatus::kNotifyCleanup : NtStatus::kRangeNotLocked;
  const auto waits = open.waits;
  for (const PendingWaitPtr& wait : waits) wait->Cancel(status);
  if (open.is_directory && open.file) {
    // What happens from now on is nobody's to hear: whoever takes the handle up again asks anew.
    std::erase_if(open.file->watches, [&](const auto& watch) { return IsWatchOf(*watch, open); });
  }
}

void Files::DropLocks(const OpenPtr& open) {
  const FileStatePtr file = open->file;
  StreamState* stream = file->Stream(open->stream);
  if (!stream) return;
  if (std::erase_if(stream->locks, [&](const ByteRangeLock& lock) { return lock.owner == open.get(); }) > 0) {
    GrantWaitingLocks(*file, *stream);
  }
}

}  // namespace holdfast
