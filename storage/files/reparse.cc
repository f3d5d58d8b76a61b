// Reparse points and object ids of open files, [MS-FSA] 2.1.5.10.
#include "protocol/fscc/reparse.h"

#include "protocol/base/fault_point.h"
#include "protocol/fscc/attributes.h"
#include "storage/files/files.h"
#include "storage/files/files_impl.h"
#include "storage/files/notify.h"
#include "storage/files/operation.h"

namespace holdfast {
namespace {

constexpr std::size_t kObjectIdBufferBytes = 64;  // FILE_OBJECTID_BUFFER, [MS-FSCC] 2.1.3

// The guid of a stored reparse point that is not Microsoft's; zero for others.
Guid StoredGuid(const Inode& inode) {
  if (inode.reparse_tag == 0 || fscc::reparse_tag::IsMicrosoft(inode.reparse_tag)) return Guid{};
  const auto stored = fscc::ReparsePoint::Parse(inode.reparse_data);
  return stored.ok() ? stored->guid : Guid{};
}

}  // namespace

Task<Result<Bytes>> Files::GetReparsePoint(OpenPtr open) {
  if (open->closed) co_return NtStatus::kFileClosed;
  if (open->file->inode.reparse_tag == 0) co_return NtStatus::kNotAReparsePoint;
  co_return open->file->inode.reparse_data;
}

Task<NtStatus> Files::SetReparsePoint(OpenPtr open, Bytes data) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (!HasAny(*open, access::kWriteData | access::kWriteAttributes)) co_return NtStatus::kAccessDenied;
  const auto point = fscc::ReparsePoint::Parse(data);
  if (!point.ok()) co_return point.status();
  const FileStatePtr file = open->file;
  const auto turn = co_await file->mutex.Lock();
  if (open->closed) co_return NtStatus::kFileClosed;
  Inode& inode = file->inode;
  if (inode.directory) {
    const auto empty = co_await volume_.IsEmpty(file->number);
    if (!empty.ok()) co_return empty.status();
    if (!*empty) co_return NtStatus::kDirectoryNotEmpty;
  } else if (point->tag == fscc::reparse_tag::kMountPoint) {
    co_return NtStatus::kNotADirectory;
  } else if (point->tag == fscc::reparse_tag::kSymlink) {
    const StreamState* unnamed = file->Stream(kUnnamedStream);
    if (unnamed && unnamed->facts.size != 0) co_return NtStatus::kIoReparseDataInvalid;
  }
  if (inode.reparse_tag == 0) {
    if (!inode.eas.empty()) co_return NtStatus::kEasNotSupported;
  } else if (inode.reparse_tag != point->tag) {
    co_return NtStatus::kIoReparseTagMismatch;
  } else if (StoredGuid(inode) != point->guid) {
    co_return NtStatus::kReparseAttributeConflict;
  }
  co_return co_await StoreReparsePoint(open, point->tag, std::move(data));
}

Task<NtStatus> Files::DeleteReparsePoint(OpenPtr open, std::uint32_t tag, std::optional<Guid> guid) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (!HasAny(*open, access::kWriteData | access::kWriteAttributes)) co_return NtStatus::kAccessDenied;
  if (tag <= 1) co_return NtStatus::kIoReparseTagInvalid;
  if (!fscc::reparse_tag::IsMicrosoft(tag) && !guid) co_return NtStatus::kIoReparseDataInvalid;
  const FileStatePtr file = open->file;
  const auto turn = co_await file->mutex.Lock();
  if (open->closed) co_return NtStatus::kFileClosed;
  if (file->inode.reparse_tag == 0) co_return NtStatus::kNotAReparsePoint;
  if (file->inode.reparse_tag != tag) co_return NtStatus::kIoReparseTagMismatch;
  if (!fscc::reparse_tag::IsMicrosoft(tag) && StoredGuid(file->inode) != *guid) {
    co_return NtStatus::kReparseAttributeConflict;
  }
  Bytes none;
  co_return co_await StoreReparsePoint(open, 0, std::move(none));
}

Task<NtStatus> Files::StoreReparsePoint(OpenPtr open, std::uint32_t tag, Bytes data) {
  const FileStatePtr file = open->file;
  Inode& inode = file->inode;
  const std::uint32_t tag_before = std::exchange(inode.reparse_tag, tag);
  Bytes data_before = std::exchange(inode.reparse_data, std::move(data));
  const std::uint32_t attributes_before = inode.file_attributes;
  if (!inode.directory) inode.file_attributes |= file_attribute::kArchive;
  TouchThrough(*open, false, false, true);
  std::vector<RecordChange> records;
  const NtStatus status = co_await impl_->StoreInode(file, std::move(records), open->durability());
  if (status != NtStatus::kSuccess) {
    inode.reparse_tag = tag_before;
    inode.reparse_data = std::move(data_before);
    inode.file_attributes = attributes_before;
    co_return status;
  }
  FAULT_POINT("setinfo.stored");
  // Listings of the directory tell a link from a file by its entry alone.
  file->SyncStreams();
  co_await volume_.RefreshDirents(inode);
  ReportChange(open->link.parent, open->link.name, file_action::kModified, notify_filter::kAttributes);
  co_return NtStatus::kSuccess;
}

Task<Result<Bytes>> Files::GetOrCreateObjectId(OpenPtr open, bool create) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  const FileStatePtr file = open->file;
  const auto turn = co_await file->mutex.Lock();
  if (open->closed) co_return NtStatus::kFileClosed;
  Inode& inode = file->inode;
  if (!inode.object_id.empty()) co_return inode.object_id;
  if (!create) co_return NtStatus::kObjectidNotFound;

  // ObjectId, BirthVolumeId, BirthObjectId, DomainId (zero).
  const Guid id = Guid::Generate(random_);
  Bytes buffer(id.bytes.begin(), id.bytes.end());
  const auto& volume_id = volume_.facts().guid.bytes;
  buffer.insert(buffer.end(), volume_id.begin(), volume_id.end());
  buffer.insert(buffer.end(), id.bytes.begin(), id.bytes.end());
  buffer.resize(kObjectIdBufferBytes);
  inode.object_id = buffer;
  TouchThrough(*open, false, false, true);
  std::vector<RecordChange> records;
  const NtStatus status = co_await impl_->StoreInode(file, std::move(records), open->durability());
  if (status != NtStatus::kSuccess) {
    inode.object_id.clear();
    co_return status;
  }
  co_return buffer;
}

// [MS-FSA] 2.1.5.10.2: a file without one is as wanted already.
Task<NtStatus> Files::DeleteObjectId(OpenPtr open) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  const FileStatePtr file = open->file;
  const auto turn = co_await file->mutex.Lock();
  if (open->closed) co_return NtStatus::kFileClosed;
  Inode& inode = file->inode;
  if (inode.object_id.empty()) co_return NtStatus::kSuccess;
  Bytes before = std::exchange(inode.object_id, {});
  TouchThrough(*open, false, false, true);
  std::vector<RecordChange> records;
  const NtStatus status = co_await impl_->StoreInode(file, std::move(records), open->durability());
  if (status != NtStatus::kSuccess) inode.object_id = std::move(before);
  co_return status;
}

}  // namespace holdfast
