// Security descriptors of open files, [MS-FSA] 2.1.5.14 and 2.1.5.17.
#include "protocol/base/fault_point.h"
#include "protocol/dtyp/inheritance.h"
#include "protocol/dtyp/security_descriptor.h"
#include "protocol/fscc/attributes.h"
#include "storage/files/files.h"
#include "storage/files/files_impl.h"
#include "storage/files/notify.h"
#include "storage/files/operation.h"

namespace holdfast {
namespace {

Result<SecurityDescriptor> StoredDescriptor(const Inode& inode) {
  if (inode.security_descriptor.empty()) return SecurityDescriptor{};
  auto parsed = SecurityDescriptor::Parse(inode.security_descriptor);
  if (!parsed.ok()) return NtStatus::kFileCorruptError;
  return parsed;
}

}  // namespace

Task<Result<Bytes>> Files::QuerySecurity(OpenPtr open, std::uint32_t security_information) {
  if (open->closed) co_return NtStatus::kFileClosed;
  if (!HasAll(*open, AccessToQuerySecurity(security_information))) co_return NtStatus::kAccessDenied;
  const auto descriptor = StoredDescriptor(open->file->inode);
  if (!descriptor.ok()) co_return descriptor.status();
  co_return descriptor->Select(security_information).Encode();
}

Task<NtStatus> Files::SetSecurity(OpenPtr open, std::uint32_t security_information, Bytes descriptor,
                                  PendingWaitPtr wait) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (!HasAll(*open, AccessToSetSecurity(security_information))) co_return NtStatus::kAccessDenied;
  auto given = SecurityDescriptor::Parse(descriptor);
  if (!given.ok()) co_return given.status();
  const FileStatePtr file = open->file;
  for (auto* acl : {&given->dacl, &given->sacl}) {
    if (!*acl) continue;
    *acl = WithMappedRights(**acl, file->inode.directory);
    if ((*acl)->EncodedSize() > Acl::kMaximumSize) co_return NtStatus::kInvalidAcl;
  }
  auto turn = co_await file->mutex.Lock();
  // [MS-FSA] 2.1.5.17: handles kept for later were opened under the old descriptor.
  const NtStatus given_up = co_await impl_->GiveUpHandleCaching(file, open.get(), &turn, wait);
  if (given_up != NtStatus::kSuccess) co_return given_up;
  if (open->closed) co_return NtStatus::kFileClosed;

  auto merged = StoredDescriptor(file->inode);
  if (!merged.ok()) co_return merged.status();
  if (security_information & security_information::kOwner) {
    if (!given->owner) co_return NtStatus::kInvalidOwner;
    // Who already owns it may say so again.
    const bool same = merged->owner && *merged->owner == *given->owner;
    if (!same && (!open->token || !MayAssignOwner(*open->token, *given->owner))) co_return NtStatus::kInvalidOwner;
  }
  const NtStatus merge = merged->Merge(*given, security_information);
  if (merge != NtStatus::kSuccess) co_return merge;

  Inode& inode = file->inode;
  Bytes before = std::exchange(inode.security_descriptor, merged->Encode());
  const std::uint32_t attributes_before = inode.file_attributes;
  if (!inode.directory) inode.file_attributes |= file_attribute::kArchive;
  TouchThrough(*open, false, false, true);
  std::vector<RecordChange> records;
  const NtStatus status = co_await impl_->StoreInode(file, std::move(records), open->durability());
  if (status != NtStatus::kSuccess) {
    inode.security_descriptor = std::move(before);
    inode.file_attributes = attributes_before;
    co_return status;
  }
  FAULT_POINT("setinfo.stored");
  ReportChange(open->link.parent, open->link.name, file_action::kModified, notify_filter::kSecurity);
  co_return NtStatus::kSuccess;
}

}  // namespace holdfast
