// FileEndOfFileInformation, FileAllocationInformation and FileValidDataLengthInformation, [MS-FSA] 2.1.5.15.
#include "protocol/base/fault_point.h"
#include "storage/files/data.h"
#include "storage/files/files.h"
#include "storage/files/notify.h"
#include "storage/files/operation.h"

namespace holdfast {
namespace {

// Moves the end of the stream; the caller holds the file's mutex and stream.data exclusively.
Task<NtStatus> MoveEnd(Volume& volume, const FileState& file, StreamState& stream, std::uint64_t size,
                       Durability durability) {
  StreamFacts& facts = stream.facts;
  if (size < facts.size) facts.allocation_size = std::min(facts.allocation_size, RoundUpToCluster(size));
  const NtStatus status = co_await volume.Truncate(file.number, facts, size, durability);
  if (status != NtStatus::kSuccess) co_return status;
  facts.size = size;
  facts.valid_data_length = std::min(facts.valid_data_length, size);
  stream.size_dirty = false;
  co_return NtStatus::kSuccess;
}

// A new size shows its time at once, and with it the time of the writes before.
void NoteResized(Files& files, Open& open, bool size_changed) {
  files.SettleWriteTime(open);
  files.TouchThrough(open, true, true, true);
  ReportWritten(files, open, size_changed, true);
}

}  // namespace

Task<NtStatus> Files::SetEndOfFile(OpenPtr open, std::uint64_t size) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (open->is_directory || size > kMaxFileSize) co_return NtStatus::kInvalidParameter;
  if (!HasAny(*open, access::kWriteData)) co_return NtStatus::kAccessDenied;
  const FileStatePtr file = open->file;
  StreamState* stream = file->Stream(open->stream);
  if (!stream) co_return NtStatus::kFileDeleted;
  const auto turn = co_await file->mutex.Lock();
  const auto exclusive = co_await stream->data.LockExclusive();
  if (open->closed) co_return NtStatus::kFileClosed;
  BreakReadCaching(open, *stream);
  const bool changes = size != stream->facts.size;
  NtStatus status = NtStatus::kSuccess;
  if (changes) {
    status = co_await MoveEnd(volume_, *file, *stream, size, open->durability());
  } else if (open->durability() == Durability::kStable) {
    // The size is already that, but perhaps not yet as durable as this open's answers are.
    status = co_await volume_.StoreStream(file->number, stream->facts, Durability::kStable);
  }
  if (status != NtStatus::kSuccess) co_return status;
  FAULT_POINT("setinfo.stored");
  NoteResized(*this, *open, changes);
  co_return NtStatus::kSuccess;
}

Task<NtStatus> Files::SetAllocation(OpenPtr open, std::uint64_t size) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (open->is_directory || size > kMaxFileSize) co_return NtStatus::kInvalidParameter;
  if (!HasAny(*open, access::kWriteData)) co_return NtStatus::kAccessDenied;
  const FileStatePtr file = open->file;
  StreamState* stream = file->Stream(open->stream);
  if (!stream) co_return NtStatus::kFileDeleted;
  const auto turn = co_await file->mutex.Lock();
  const auto exclusive = co_await stream->data.LockExclusive();
  if (open->closed) co_return NtStatus::kFileClosed;

  BreakReadCaching(open, *stream);
  StreamFacts& facts = stream->facts;
  const std::uint64_t allocation = RoundUpToCluster(size);
  const std::uint64_t before = FullAllocation(facts);
  if (allocation == before) {
    TouchThrough(*open, false, false, true);
    co_return NtStatus::kSuccess;
  }
  if (allocation > before) {
    auto usage = co_await volume_.Usage();
    if (!usage.ok()) co_return usage.status();
    if (allocation - before > usage->free_bytes) co_return NtStatus::kDiskFull;
  }
  const std::uint64_t asked_before = facts.allocation_size;
  facts.allocation_size = allocation;
  const bool shrinks = allocation < facts.size;
  NtStatus status = NtStatus::kSuccess;
  if (shrinks) {
    status = co_await MoveEnd(volume_, *file, *stream, allocation, open->durability());
  } else {
    status = co_await volume_.StoreStream(file->number, facts, open->durability());
  }
  if (status != NtStatus::kSuccess) {
    facts.allocation_size = asked_before;
    co_return status;
  }
  FAULT_POINT("setinfo.stored");
  if (shrinks) {
    NoteResized(*this, *open, true);
  } else {
    TouchThrough(*open, false, false, true);
  }
  co_return NtStatus::kSuccess;
}

Task<NtStatus> Files::SetValidDataLength(OpenPtr open, std::uint64_t size) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  // SeManageVolumePrivilege, which administrators hold.
  if (!open->token || !open->token->is_administrator()) co_return NtStatus::kPrivilegeNotHeld;
  if (open->is_directory) co_return NtStatus::kInvalidParameter;
  if (!HasAny(*open, access::kWriteData)) co_return NtStatus::kAccessDenied;
  const FileStatePtr file = open->file;
  StreamState* stream = file->Stream(open->stream);
  if (!stream) co_return NtStatus::kFileDeleted;
  const auto turn = co_await file->mutex.Lock();
  const auto exclusive = co_await stream->data.LockExclusive();
  if (open->closed) co_return NtStatus::kFileClosed;
  StreamFacts& facts = stream->facts;
  if (facts.sparse || size < facts.valid_data_length || size > facts.size) co_return NtStatus::kInvalidParameter;
  // What was never written reads as zero here whatever this length is, so nothing needs to become visible.
  facts.valid_data_length = size;
  co_return co_await volume_.StoreStream(file->number, facts, open->durability());
}

}  // namespace holdfast
