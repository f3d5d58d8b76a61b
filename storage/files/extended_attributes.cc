#include "storage/files/extended_attributes.h"

#include <algorithm>

#include "protocol/base/fault_point.h"
#include "protocol/fscc/attributes.h"
#include "protocol/fscc/extended_attributes.h"
#include "storage/files/files.h"
#include "storage/files/files_impl.h"
#include "storage/files/notify.h"
#include "storage/files/operation.h"

namespace holdfast {
namespace {

constexpr std::uint32_t kMaxEaBytes = 64 * 1024 - 5;

std::string UpperName(std::string name) {
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

std::uint32_t PackedBytes(const std::vector<ExtendedAttribute>& eas) {
  std::vector<fscc::ExtendedAttribute> list;
  for (const ExtendedAttribute& ea : eas) list.push_back({ea.flags, ea.name, ea.value});
  return fscc::EaSize(list);
}

}  // namespace

NtStatus MergeEas(Inode& inode, std::vector<ExtendedAttribute> eas) {
  std::vector<ExtendedAttribute> merged = inode.eas;
  for (ExtendedAttribute& ea : eas) {
    if (!fscc::IsValidEaName(ea.name)) return NtStatus::kInvalidEaName;
    if ((ea.flags & ~fscc::ExtendedAttribute::kNeedEa) != 0) return NtStatus::kInvalidEaFlag;
    ea.name = UpperName(std::move(ea.name));
    std::erase_if(merged, [&](const ExtendedAttribute& old) { return UpperName(old.name) == ea.name; });
    if (!ea.value.empty()) merged.push_back(std::move(ea));
  }
  const std::uint32_t bytes = PackedBytes(merged);
  if (bytes > kMaxEaBytes) return NtStatus::kEaTooLarge;
  inode.eas = std::move(merged);
  inode.ea_bytes = bytes;
  return NtStatus::kSuccess;
}

Task<Result<std::vector<ExtendedAttribute>>> Files::QueryEas(OpenPtr open) {
  if (open->closed) co_return NtStatus::kFileClosed;
  if (!HasAny(*open, access::kReadEa)) co_return NtStatus::kAccessDenied;
  co_return open->file->inode.eas;
}

Task<NtStatus> Files::SetEas(OpenPtr open, std::vector<ExtendedAttribute> eas) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (!HasAny(*open, access::kWriteEa)) co_return NtStatus::kAccessDenied;
  const FileStatePtr file = open->file;
  const auto turn = co_await file->mutex.Lock();
  if (open->closed) co_return NtStatus::kFileClosed;
  Inode& inode = file->inode;
  if (inode.reparse_tag != 0) co_return NtStatus::kEasNotSupported;

  std::vector<ExtendedAttribute> eas_before = inode.eas;
  const std::uint32_t bytes_before = inode.ea_bytes;
  const std::uint32_t attributes_before = inode.file_attributes;
  const NtStatus merged = MergeEas(inode, std::move(eas));
  if (merged != NtStatus::kSuccess) co_return merged;
  if (!inode.directory) inode.file_attributes |= file_attribute::kArchive;
  TouchThrough(*open, false, false, true);
  std::vector<RecordChange> records;
  const NtStatus status = co_await impl_->StoreInode(file, std::move(records), open->durability());
  if (status != NtStatus::kSuccess) {
    inode.eas = std::move(eas_before);
    inode.ea_bytes = bytes_before;
    inode.file_attributes = attributes_before;
    co_return status;
  }
  FAULT_POINT("setinfo.stored");
  ReportChange(open->link.parent, open->link.name, file_action::kModified, notify_filter::kEa);
  co_return NtStatus::kSuccess;
}

}  // namespace holdfast
