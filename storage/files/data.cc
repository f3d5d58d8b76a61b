// Bytes of a stream: Read, Write and Flush, [MS-FSA] 2.1.5.3, 2.1.5.4 and 2.1.5.7.
#include "storage/files/data.h"

#include "protocol/base/fault_point.h"
#include "storage/files/files.h"
#include "storage/files/files_impl.h"
#include "storage/files/notify.h"
#include "storage/files/operation.h"

namespace holdfast {
namespace {

constexpr std::uint64_t kLogicalSectorBytes = 512;        // FileFsSectorSizeInformation
constexpr std::uint32_t kNoIntermediateBuffering = 0x08;  // CreateOptions
// How long a read may leave LastAccessTime as it is: NTFS keeps it to the hour on disk too.
constexpr FileTime kAccessTimeResolution = 36'000'000'000;

NtStatus CheckRange(const Open& open, std::uint64_t offset, std::uint64_t length, bool unbuffered) {
  if (offset > kMaxOffset || length > kMaxOffset - offset) return NtStatus::kInvalidParameter;
  if (!unbuffered && !(open.create_options & kNoIntermediateBuffering)) return NtStatus::kSuccess;
  const bool aligned = offset % kLogicalSectorBytes == 0 && length % kLogicalSectorBytes == 0;
  return aligned ? NtStatus::kSuccess : NtStatus::kInvalidParameter;
}

}  // namespace

Task<NtStatus> Files::Impl::ReserveEnd(FileStatePtr file, StreamState& stream, std::uint64_t end,
                                       Durability durability) {
  if (!file->leftover_records.empty()) {
    // The record of a refused open that is still there may say that the file is to be truncated.
    const NtStatus status = co_await StoreInode(file, durability);
    if (status != NtStatus::kSuccess) co_return status;
  }
  Volume& volume = files.volume_;
  StreamFacts& facts = stream.facts;
  const auto covered = [&] { return end <= std::max(facts.size, facts.may_extend_to); };
  if (covered()) {
    if (durability == Durability::kProcess) co_return NtStatus::kSuccess;
    co_return co_await volume.PrepareExtend(file->number, facts, end, durability);
  }
  const auto turn = co_await stream.extend.Lock();
  co_return co_await volume.PrepareExtend(file->number, facts, end, durability);
}

Task<Result<std::size_t>> Files::Read(OpenPtr open, std::uint64_t offset, std::span<std::uint8_t> out,
                                      bool unbuffered) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (open->is_directory) co_return NtStatus::kInvalidDeviceRequest;
  if (!HasAny(*open, access::kReadData | access::kExecute)) co_return NtStatus::kAccessDenied;
  const NtStatus range = CheckRange(*open, offset, out.size(), unbuffered);
  if (range != NtStatus::kSuccess) co_return range;
  if (out.empty()) co_return std::size_t{0};

  const FileStatePtr file = open->file;
  StreamState* stream = file->Stream(open->stream);
  if (!stream) co_return NtStatus::kFileDeleted;
  const auto shared = co_await stream->data.LockShared();
  if (open->closed) co_return NtStatus::kFileClosed;
  if (LockConflict(*stream, *open, offset, out.size(), false)) co_return NtStatus::kFileLockConflict;
  if (offset >= stream->facts.size) co_return NtStatus::kEndOfFile;
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), stream->facts.size - offset));
  const NtStatus status = co_await volume_.ReadData(file->number, open->stream, offset, out.first(length));
  if (status != NtStatus::kSuccess) co_return status;
  open->current_byte_offset = offset + length;
  if (file->inode.last_access_time + kAccessTimeResolution < Now()) TouchThrough(*open, true, false, false);
  co_return length;
}

Task<NtStatus> Files::Write(OpenPtr open, std::uint64_t offset, ByteView data, bool write_through, bool unbuffered) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (open->is_directory) co_return NtStatus::kInvalidDeviceRequest;
  // Windows lets either right write anywhere, [MS-SMB2] 3.3.5.13 note 364.
  if (!HasAny(*open, access::kWriteData | access::kAppendData)) co_return NtStatus::kAccessDenied;
  const NtStatus range = CheckRange(*open, offset, data.size(), unbuffered);
  if (range != NtStatus::kSuccess) co_return range;
  if (data.empty()) co_return NtStatus::kSuccess;
  const std::uint64_t end = offset + data.size();
  if (end > kMaxFileSize) co_return NtStatus::kInvalidParameter;

  const FileStatePtr file = open->file;
  StreamState* stream = file->Stream(open->stream);
  if (!stream) co_return NtStatus::kFileDeleted;
  const Durability durability = write_through ? Durability::kStable : open->durability();
  const auto shared = co_await stream->data.LockShared();
  if (open->closed) co_return NtStatus::kFileClosed;
  if (LockConflict(*stream, *open, offset, data.size(), true)) co_return NtStatus::kFileLockConflict;
  BreakReadCaching(open, *stream);
  NtStatus status = co_await impl_->ReserveEnd(file, *stream, end, durability);
  if (status != NtStatus::kSuccess) co_return status;
  status = co_await volume_.WriteData(file->number, open->stream, offset, data, durability);
  if (status != NtStatus::kSuccess) co_return status;
  FAULT_POINT("write.data_stored");

  StreamFacts& facts = stream->facts;
  const bool extended = end > facts.size;
  if (extended) {
    facts.size = end;
    stream->size_dirty = true;
  }
  facts.valid_data_length = std::max(facts.valid_data_length, end);
  open->current_byte_offset = end;
  TouchWritten(open);
  ReportWritten(*this, *open, extended, !open->modified || extended);
  co_return NtStatus::kSuccess;
}

void ReportWritten(Files& files, Open& open, bool size_changed, bool report) {
  open.modified = true;
  if (!report) return;
  if (open.stream != kUnnamedStream) {
    files.ReportChange(open.link.parent, ReportedName(open), file_action::kModifiedStream,
                       notify_filter::kStreamWrite | (size_changed ? notify_filter::kStreamSize : 0));
  } else {
    files.ReportChange(open.link.parent, open.link.name, file_action::kModified,
                       notify_filter::kLastWrite | (size_changed ? notify_filter::kSize : 0));
  }
}

Task<NtStatus> Files::Flush(OpenPtr open) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  // Of a directory the same bits are FILE_ADD_FILE and FILE_ADD_SUBDIRECTORY.
  if (!HasAny(*open, access::kWriteData | access::kAppendData)) co_return NtStatus::kAccessDenied;
  const FileStatePtr file = open->file;
  const auto turn = co_await file->mutex.Lock();
  if (open->closed) co_return NtStatus::kFileClosed;
  SettleWriteTime(*open);
  const NtStatus status = co_await StoreDirty(file, Durability::kProcess);
  if (status != NtStatus::kSuccess) co_return status;
  co_return co_await volume_.Flush(file->number, open->stream);
}

}  // namespace holdfast
