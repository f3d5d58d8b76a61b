// Holes and copies: FSCTL_SET_SPARSE, SET_ZERO_DATA, QUERY_ALLOCATED_RANGES, [MS-FSA] 2.1.5.10, and the server-side
// copy of [MS-SMB2] 3.3.5.15.6.
#include "protocol/base/fault_point.h"
#include "protocol/fscc/attributes.h"
#include "storage/files/data.h"
#include "storage/files/files.h"
#include "storage/files/files_impl.h"
#include "storage/files/notify.h"
#include "storage/files/operation.h"

namespace holdfast {
namespace {

constexpr std::uint64_t kCopyPieceBytes = 1 << 20;

}  // namespace

Task<NtStatus> Files::SetSparse(OpenPtr open, bool sparse) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (open->is_directory) co_return NtStatus::kInvalidParameter;
  if (!HasAny(*open, access::kWriteData | access::kAppendData | access::kWriteAttributes)) {
    co_return NtStatus::kAccessDenied;
  }
  const FileStatePtr file = open->file;
  StreamState* stream = file->Stream(open->stream);
  if (!stream) co_return NtStatus::kFileDeleted;
  const auto turn = co_await file->mutex.Lock();
  const auto exclusive = co_await stream->data.LockExclusive();
  if (open->closed) co_return NtStatus::kFileClosed;
  if (stream->facts.sparse != sparse) {
    stream->facts.sparse = sparse;
    NtStatus status = co_await volume_.StoreStream(file->number, stream->facts, open->durability());
    if (status != NtStatus::kSuccess) {
      stream->facts.sparse = !sparse;
      co_return status;
    }
    // The attribute of the file says that some stream is sparse: listings show it without looking at streams.
    bool any = false;
    for (const auto& [id, other] : file->streams) any = any || (other->facts.sparse && !other->removed);
    const std::uint32_t attributes_before = file->inode.file_attributes;
    file->inode.file_attributes &= ~file_attribute::kSparseFile;
    if (any) file->inode.file_attributes |= file_attribute::kSparseFile;
    TouchThrough(*open, false, false, true);
    std::vector<RecordChange> records;
    status = co_await impl_->StoreInode(file, std::move(records), open->durability());
    if (status != NtStatus::kSuccess) {
      file->inode.file_attributes = attributes_before;
      co_return status;
    }
    FAULT_POINT("setinfo.stored");
  }
  ReportChange(open->link.parent, open->link.name, file_action::kModified, notify_filter::kAttributes);
  co_return NtStatus::kSuccess;
}

Task<NtStatus> Files::ZeroRange(OpenPtr open, std::uint64_t offset, std::uint64_t beyond_final_zero) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (open->is_directory || offset > beyond_final_zero || beyond_final_zero > kMaxOffset) {
    co_return NtStatus::kInvalidParameter;
  }
  if (!HasAny(*open, access::kWriteData)) co_return NtStatus::kAccessDenied;
  const FileStatePtr file = open->file;
  StreamState* stream = file->Stream(open->stream);
  if (!stream) co_return NtStatus::kFileDeleted;
  const auto exclusive = co_await stream->data.LockExclusive();
  if (open->closed) co_return NtStatus::kFileClosed;
  const std::uint64_t end = std::min(beyond_final_zero, stream->facts.size);
  if (offset >= end) co_return NtStatus::kSuccess;
  const DataRange range{offset, end - offset};
  if (LockConflict(*stream, *open, range.offset, range.length, true)) co_return NtStatus::kFileLockConflict;
  BreakReadCaching(open, *stream);
  NtStatus status = co_await impl_->ReserveEnd(file, *stream, end, open->durability());
  if (status != NtStatus::kSuccess) co_return status;
  status = co_await volume_.ZeroData(file->number, open->stream, range, open->durability());
  if (status != NtStatus::kSuccess) co_return status;
  FAULT_POINT("write.data_stored");
  TouchWritten(open);
  ReportWritten(*this, *open, false, !open->modified);
  co_return NtStatus::kSuccess;
}

Task<Result<std::vector<DataRange>>> Files::QueryAllocatedRanges(OpenPtr open, DataRange within) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (open->is_directory) co_return NtStatus::kInvalidParameter;
  if (!HasAny(*open, access::kReadData | access::kExecute)) co_return NtStatus::kAccessDenied;
  if (within.offset > kMaxOffset || within.length > kMaxOffset - within.offset) co_return NtStatus::kInvalidParameter;
  const FileStatePtr file = open->file;
  StreamState* stream = file->Stream(open->stream);
  if (!stream) co_return NtStatus::kFileDeleted;
  const auto shared = co_await stream->data.LockShared();
  if (open->closed) co_return NtStatus::kFileClosed;
  std::vector<DataRange> ranges;
  const StreamFacts& facts = stream->facts;
  if (within.length == 0 || within.offset >= facts.size) co_return ranges;
  within.length = std::min(within.length, facts.size - within.offset);
  if (!facts.sparse) {
    // A file that was never made sparse looks allocated from end to end, whatever the store has of it.
    ranges.push_back(within);
    co_return ranges;
  }
  auto found = co_await volume_.AllocatedRanges(file->number, open->stream, within);
  if (!found.ok()) co_return found.status();
  const std::uint64_t end = within.offset + within.length;
  for (const DataRange& range : *found) {
    const std::uint64_t from = std::max(range.offset, within.offset);
    const std::uint64_t to = std::min(range.offset + range.length, end);
    if (from < to) ranges.push_back({from, to - from});
  }
  co_return ranges;
}

Task<Result<std::uint64_t>> Files::QueryValidDataLength(OpenPtr open) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (open->is_directory) co_return NtStatus::kInvalidParameter;
  const FileStatePtr file = open->file;
  StreamState* stream = file->Stream(open->stream);
  if (!stream) co_return NtStatus::kFileDeleted;
  const auto shared = co_await stream->data.LockShared();
  if (open->closed) co_return NtStatus::kFileClosed;
  const StreamFacts& facts = stream->facts;
  if (facts.valid_data_length >= facts.size) co_return facts.size;
  // The stored length may be behind what was written within the size: what the store has of the rest counts.
  const DataRange rest{facts.valid_data_length, facts.size - facts.valid_data_length};
  auto found = co_await volume_.AllocatedRanges(file->number, open->stream, rest);
  if (!found.ok()) co_return found.status();
  if (found->empty()) co_return facts.valid_data_length;
  co_return std::min(facts.size, found->back().offset + found->back().length);
}

Task<Result<std::uint64_t>> Files::CopyRange(OpenPtr source, std::uint64_t source_offset, OpenPtr target,
                                             std::uint64_t target_offset, std::uint64_t length) {
  const OpenUse use_source(source);
  const OpenUse use_target(target);
  if (source->closed || target->closed) co_return NtStatus::kFileClosed;
  if (source->is_directory || target->is_directory) co_return NtStatus::kInvalidDeviceRequest;
  if (source_offset > kMaxOffset || length > kMaxOffset - source_offset || target_offset > kMaxOffset ||
      length > kMaxOffset - target_offset) {
    co_return NtStatus::kInvalidParameter;
  }
  const StreamState* from = source->file->Stream(source->stream);
  if (!from) co_return NtStatus::kFileDeleted;
  if (source_offset + length > from->facts.size) co_return NtStatus::kInvalidViewSize;

  const bool same = source->file == target->file && source->stream == target->stream;
  // A copy to behind itself goes from the end, so that no piece reads what an earlier one wrote.
  const bool backwards = same && target_offset > source_offset && target_offset - source_offset < length;
  Bytes piece(static_cast<std::size_t>(std::min(length, kCopyPieceBytes)));
  for (std::uint64_t done = 0; done < length;) {
    const auto wanted = static_cast<std::size_t>(std::min(length - done, kCopyPieceBytes));
    const std::uint64_t at = backwards ? length - done - wanted : done;
    const auto read = co_await Read(source, source_offset + at, std::span(piece).first(wanted), false);
    if (!read.ok()) co_return read.status();
    if (*read < wanted) co_return NtStatus::kInvalidViewSize;  // truncated meanwhile
    const NtStatus written = co_await Write(target, target_offset + at, ByteView(piece).first(wanted), false, false);
    if (written != NtStatus::kSuccess) co_return written;
    done += wanted;
  }
  co_return length;
}

}  // namespace holdfast
