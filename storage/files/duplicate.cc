// FSCTL_DUPLICATE_EXTENTS_TO_FILE and _EX, [MS-FSA] 2.1.5.10.4 and 2.1.5.10.5.
#include "protocol/base/fault_point.h"
#include "storage/files/data.h"
#include "storage/files/files.h"
#include "storage/files/files_impl.h"
#include "storage/files/operation.h"

namespace holdfast {
namespace {

constexpr std::uint64_t kLeastTooLong = std::uint64_t{4} << 30;

bool IsWholeClusters(std::uint64_t bytes) { return bytes % kClusterBytes == 0; }

bool Overlap(std::uint64_t a, std::uint64_t b, std::uint64_t length) {
  return a < b ? b - a < length : a - b < length;
}

}  // namespace

// Byte-range locks stand in nobody's way, as on ReFS (notes 91, 92, 95 and 96). Nor does the target grow: what would lie
// behind its end is left out.
Task<NtStatus> Files::DuplicateExtents(OpenPtr source, std::uint64_t source_offset, OpenPtr target,
                                       std::uint64_t target_offset, std::uint64_t length) {
  const OpenUse use_source(source);
  const OpenUse use_target(target);
  if (target->closed) co_return NtStatus::kFileClosed;
  if (source->closed) co_return NtStatus::kInvalidHandle;
  if (source_offset > kMaxOffset || length > kMaxOffset - source_offset || target_offset > kMaxOffset ||
      length > kMaxOffset - target_offset) {
    co_return NtStatus::kInvalidParameter;
  }
  if (!IsWholeClusters(source_offset) || !IsWholeClusters(target_offset) || !IsWholeClusters(length)) {
    co_return NtStatus::kInvalidParameter;
  }
  // ReFS' limit. Where blocks cannot be shared the copy is one piece of work, during which nobody writes to either file.
  if (length >= kLeastTooLong) co_return NtStatus::kInvalidParameter;
  if (!HasAny(*target, access::kWriteData)) co_return NtStatus::kAccessDenied;
  if (length == 0) co_return NtStatus::kSuccess;
  if (target->is_directory) co_return NtStatus::kNotSupported;
  if (source->is_directory || !HasAll(*source, access::kReadData | access::kReadAttributes)) {
    co_return NtStatus::kInvalidParameter;
  }
  const FileStatePtr from_file = source->file;
  const FileStatePtr file = target->file;
  StreamState* from = from_file->Stream(source->stream);
  StreamState* stream = file->Stream(target->stream);
  if (!from || !stream) co_return NtStatus::kFileDeleted;

  // Two streams are locked in the order of their numbers, one only once.
  const auto source_place = std::make_pair(from_file->number, source->stream);
  const auto target_place = std::make_pair(file->number, target->stream);
  AsyncSharedMutex::Guard source_guard, target_guard;
  if (source_place < target_place) source_guard = co_await from->data.LockExclusive();
  target_guard = co_await stream->data.LockExclusive();
  if (source_place > target_place) source_guard = co_await from->data.LockExclusive();
  if (target->closed) co_return NtStatus::kFileClosed;
  if (source->closed) co_return NtStatus::kInvalidHandle;

  // The last cluster of a file may be taken whole: that much is allocated ([MS-FSCC] 2.3.8).
  if (source_offset + length > RoundUpToCluster(from->facts.size)) co_return NtStatus::kNotSupported;
  if (from->facts.sparse && !stream->facts.sparse) co_return NtStatus::kNotSupported;
  if (source_place == target_place && Overlap(source_offset, target_offset, length)) {
    co_return NtStatus::kNotSupported;
  }
  StreamFacts& facts = stream->facts;
  if (target_offset >= facts.size) co_return NtStatus::kSuccess;
  length = std::min(length, facts.size - target_offset);
  const std::uint64_t end = target_offset + length;

  BreakReadCaching(target, *stream);
  const Durability durability = target->durability();
  NtStatus status = co_await impl_->ReserveEnd(file, *stream, end, durability);
  if (status != NtStatus::kSuccess) co_return status;
  status = co_await volume_.DuplicateData(from_file->number, source->stream, source_offset, file->number,
                                          target->stream, target_offset, length, durability);
  if (status != NtStatus::kSuccess) co_return status;
  FAULT_POINT("write.data_stored");
  facts.valid_data_length = std::max(facts.valid_data_length, end);
  TouchWritten(target);
  ReportWritten(*this, *target, false, !target->modified);
  co_return NtStatus::kSuccess;
}

}  // namespace holdfast
