#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "storage/engine/data_files.h"
#include "storage/engine/limits.h"

namespace holdfast {
namespace {

EngineError ErrorOfErrno(std::int64_t result) {
  if (result >= 0) return EngineError::kNone;
  switch (-result) {
    case ENOSPC:
    case EDQUOT:
      return EngineError::kNoSpace;
    case EFBIG:
      return EngineError::kTooLarge;
    case ENOENT:
      return EngineError::kNotFound;
    default:
      return EngineError::kIo;
  }
}

constexpr std::uint64_t RoundUp(std::uint64_t n) { return (n + kEnginePageBytes - 1) / kEnginePageBytes * kEnginePageBytes; }

}  // namespace

DataFile::~DataFile() { owner_->options_.files->Close(fd_); }

EngineError DataFile::WriteNow(std::uint64_t offset, ByteView data) {
  if (failed_) return EngineError::kIo;
  FileSystemSeam& files = *owner_->options_.files;
  if (!owner_->options_.space->MayGrow(data.size())) {
    // Bytes that have their place already may still change.
    const std::int64_t hole = files.SeekHole(fd_, offset);
    if (hole < 0 || static_cast<std::uint64_t>(hole) < offset + data.size()) return EngineError::kNoSpace;
  }
  return ErrorOfErrno(files.Write(fd_, data, offset));
}

bool DataFile::QueueWrite(std::uint64_t offset, ByteView data, Durability durability, Done done) {
  // The kernel lets one at a time write to a file; others would only spin for their turn.
  std::lock_guard lock(write_mutex_);
  writes_.push_back({offset, data, durability, std::move(done)});
  return !std::exchange(writing_, true);
}

void DataFile::DoWrites() {
  constexpr std::size_t kMostBeforeSync = 64;
  std::vector<Done> to_sync;
  for (std::size_t count = 1;; ++count) {
    PendingWrite write;
    {
      std::lock_guard lock(write_mutex_);
      if (writes_.empty()) {
        writing_ = false;
        break;
      }
      write = std::move(writes_.front());
      writes_.pop_front();
    }
    const EngineError error = WriteNow(write.offset, write.data);
    if (error == EngineError::kNone && write.durability == Durability::kStable) {
      // While another sync is under way the disk can begin with what the next one waits for.
      if (owner_->options_.sync && IsSyncing()) owner_->options_.files->StartWriting(fd_, write.offset, write.data.size());
      to_sync.push_back(std::move(write.done));
    } else {
      write.done(error);
    }
    // Others that keep coming do not hold back those who wait for a sync.
    if (count % kMostBeforeSync == 0 && !to_sync.empty()) Sync(false, std::exchange(to_sync, {}));
  }
  // Whoever writes from now on does so during this sync, and has the next one.
  if (!to_sync.empty()) Sync(false, std::move(to_sync));
}

void DataFile::Zero(DataRange range, Durability durability, const Done& done) {
  if (failed_) return done(EngineError::kIo);
  FileSystemSeam& files = *owner_->options_.files;
  const std::int64_t size = files.Size(fd_);
  if (size < 0) return done(ErrorOfErrno(size));
  const auto end_of_data = static_cast<std::uint64_t>(size);
  // Nothing to free, but a stable operation takes the earlier ones of its object along.
  if (range.offset >= end_of_data || range.length == 0) return Finish(0, true, durability, done);
  // Zeroing to the end frees the last page too.
  const std::uint64_t length =
      range.length >= end_of_data - range.offset ? RoundUp(end_of_data) - range.offset : range.length;
  Finish(files.PunchHole(fd_, range.offset, length), true, durability, done);
}

void DataFile::Duplicate(DataFile& from, std::uint64_t from_offset, std::uint64_t to_offset, std::uint64_t length,
                         Durability durability, const Done& done) {
  if (failed_ || from.failed_) return done(EngineError::kIo);
  auto taken = from.AllocatedRanges({from_offset, length});
  if (!taken.ok()) return done(taken.error());
  std::int64_t result = -EOPNOTSUPP;
  if (owner_->shares_blocks_) result = Take(from, *taken, from_offset, to_offset, true);
  if (result == -EOPNOTSUPP) {
    owner_->shares_blocks_ = false;
    std::uint64_t bytes = 0;
    for (const DataRange& range : *taken) bytes += range.length;
    if (bytes != 0 && !owner_->options_.space->MayGrow(bytes)) return done(EngineError::kNoSpace);
    result = Take(from, *taken, from_offset, to_offset, false);
  }
  std::uint64_t at = from_offset;
  taken->push_back({from_offset + length, 0});
  for (const DataRange& range : *taken) {
    if (result >= 0) result = Free(to_offset + (at - from_offset), to_offset + (range.offset - from_offset));
    at = range.offset + range.length;
  }
  Finish(result, true, durability, done);
}

std::int64_t DataFile::Take(DataFile& from, const std::vector<DataRange>& ranges, std::uint64_t from_offset,
                            std::uint64_t to_offset, bool share) {
  FileSystemSeam& files = *owner_->options_.files;
  const std::int64_t size = files.Size(from.fd_);
  if (size < 0) return size;
  for (const DataRange& range : ranges) {
    const std::uint64_t at = to_offset + (range.offset - from_offset);
    std::uint64_t shared = 0;
    // Whole pages before the end of the source can be shared; the rest is a part of one.
    const std::uint64_t end = std::min(range.offset + range.length, static_cast<std::uint64_t>(size));
    if (share && end > range.offset) shared = (end - range.offset) / kEnginePageBytes * kEnginePageBytes;
    if (shared != 0) {
      const int result = files.ShareBlocks(from.fd_, range.offset, fd_, at, shared);
      // EINVAL: its blocks are larger than our pages.
      if (result == -ENOTTY || result == -EINVAL) return -EOPNOTSUPP;
      if (result < 0) return result;
    }
    const std::int64_t copied = Copy(from, {range.offset + shared, range.length - shared}, at + shared);
    if (copied < 0) return copied;
  }
  return 0;
}

std::int64_t DataFile::Free(std::uint64_t from, std::uint64_t to) {
  FileSystemSeam& files = *owner_->options_.files;
  const std::int64_t size = files.Size(fd_);
  if (size < 0) return size;
  to = std::min(to, RoundUp(static_cast<std::uint64_t>(size)));
  return from < to ? files.PunchHole(fd_, from, to - from) : 0;
}

std::int64_t DataFile::Copy(DataFile& from, DataRange range, std::uint64_t to_offset) {
  constexpr std::uint64_t kPieceBytes = 1 << 20;
  FileSystemSeam& files = *owner_->options_.files;
  Bytes piece(static_cast<std::size_t>(std::min(range.length, kPieceBytes)));
  for (std::uint64_t done = 0; done < range.length;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), range.length - done));
    const std::int64_t read = files.Read(from.fd_, std::span(piece).first(wanted), range.offset + done);
    if (read < 0) return read;
    std::fill(piece.begin() + read, piece.end(), std::uint8_t{0});
    const int written = files.Write(fd_, ByteView(piece).first(wanted), to_offset + done);
    if (written < 0) return written;
    done += wanted;
  }
  return 0;
}

void DataFile::Truncate(std::uint64_t size, Durability durability, const Done& done) {
  if (failed_) return done(EngineError::kIo);
  FileSystemSeam& files = *owner_->options_.files;
  int result = 0;
  {
    std::lock_guard lock(truncate_mutex_);  // two at a time could extend
    const std::int64_t now = files.Size(fd_);
    if (now < 0) return done(ErrorOfErrno(now));
    if (size < static_cast<std::uint64_t>(now)) result = files.Truncate(fd_, size);
  }
  Finish(result, true, durability, done);
}

void DataFile::Finish(std::int64_t result, bool everything, Durability durability, const Done& done) {
  if (result < 0) return done(ErrorOfErrno(result));
  if (durability == Durability::kProcess) return done(EngineError::kNone);
  Sync(everything, done);
}

bool DataFile::IsSyncing() {
  std::lock_guard lock(sync_mutex_);
  return syncing_;
}

void DataFile::Sync(bool everything, Done done) {
  std::vector<Done> one;
  one.push_back(std::move(done));
  Sync(everything, std::move(one));
}

void DataFile::Sync(bool everything, std::vector<Done> done) {
  if (!owner_->options_.sync) {
    for (const Done& waiter : done) waiter(EngineError::kNone);
    return;
  }
  {
    std::lock_guard lock(sync_mutex_);
    std::move(done.begin(), done.end(), std::back_inserter(sync_waiters_));
    sync_everything_ |= everything;
    if (syncing_) return;  // whoever syncs now takes us along next
    syncing_ = true;
  }
  for (;;) {
    std::vector<Done> waiters;
    bool all = false;
    {
      std::lock_guard lock(sync_mutex_);
      if (sync_waiters_.empty()) {
        syncing_ = false;
        return;
      }
      waiters.swap(sync_waiters_);
      std::swap(all, sync_everything_);
    }
    EngineError error = failed_ ? EngineError::kIo : owner_->SyncEntry(object_);
    if (error == EngineError::kNone && owner_->options_.files->Sync(fd_, !all) < 0) {
      // The kernel reports a lost page once and then calls it clean: nothing of this file can be trusted any more.
      failed_ = true;
      owner_->MarkFailed(object_);
      error = EngineError::kIo;
    }
    for (const Done& waiter : waiters) waiter(error);
  }
}

EngineResult<std::size_t> DataFile::Read(std::uint64_t offset, std::span<std::uint8_t> out) {
  if (failed_) return EngineError::kIo;
  const std::int64_t n = owner_->options_.files->Read(fd_, out, offset);
  if (n < 0) return ErrorOfErrno(n);
  std::fill(out.begin() + n, out.end(), std::uint8_t{0});
  return static_cast<std::size_t>(n);
}

EngineResult<std::size_t> DataFile::ReadCached(std::uint64_t offset, std::span<std::uint8_t> out) {
  if (failed_) return EngineError::kIo;
  const std::int64_t n = owner_->options_.files->ReadCached(fd_, out, offset);
  if (n == -EAGAIN) return EngineError::kNotFound;
  if (n < 0) return ErrorOfErrno(n);
  std::fill(out.begin() + n, out.end(), std::uint8_t{0});
  return static_cast<std::size_t>(n);
}

EngineResult<std::uint64_t> DataFile::Size() {
  const std::int64_t size = owner_->options_.files->Size(fd_);
  if (size < 0) return ErrorOfErrno(size);
  return static_cast<std::uint64_t>(size);
}

EngineResult<std::uint64_t> DataFile::AllocatedBytes() {
  const std::int64_t bytes = owner_->options_.files->AllocatedBytes(fd_);
  if (bytes < 0) return ErrorOfErrno(bytes);
  return static_cast<std::uint64_t>(bytes);
}

EngineResult<std::vector<DataRange>> DataFile::AllocatedRanges(DataRange within) {
  FileSystemSeam& files = *owner_->options_.files;
  std::vector<DataRange> ranges;
  constexpr std::uint64_t kLast = INT64_MAX - kEnginePageBytes;
  if (within.length == 0 || within.offset >= kLast) return ranges;
  const std::uint64_t end = within.offset + std::min(within.length, kLast - within.offset);
  std::uint64_t at = within.offset;
  while (at < end) {
    const std::int64_t data = files.SeekData(fd_, at);
    if (data == -ENXIO) break;
    if (data < 0) return ErrorOfErrno(data);
    const std::int64_t hole = files.SeekHole(fd_, static_cast<std::uint64_t>(data));
    if (hole == -ENXIO) break;
    if (hole < 0) return ErrorOfErrno(hole);
    at = static_cast<std::uint64_t>(hole);
    // Page granular, whatever the file system's own blocks are.
    const std::uint64_t from = static_cast<std::uint64_t>(data) / kEnginePageBytes * kEnginePageBytes;
    const DataRange range{std::max(within.offset, from), 0};
    const std::uint64_t to = std::min(end, RoundUp(at));
    if (to <= range.offset) continue;
    if (!ranges.empty() && ranges.back().offset + ranges.back().length >= range.offset) {
      ranges.back().length = std::max(ranges.back().length, to - ranges.back().offset);
    } else {
      ranges.push_back({range.offset, to - range.offset});
    }
  }
  return ranges;
}

}  // namespace holdfast
