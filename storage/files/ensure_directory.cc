#include "protocol/dtyp/inheritance.h"
#include "storage/files/files.h"

namespace holdfast {

Task<Result<FileNumber>> Files::EnsureDirectory(FileNumber parent, std::u16string name) {
  const auto existing = co_await volume_.Lookup(parent, name);
  if (existing.ok()) {
    if (!existing->directory) co_return NtStatus::kNotADirectory;
    co_return existing->number;
  }
  if (existing.status() != NtStatus::kObjectNameNotFound) co_return existing.status();
  const auto number = co_await volume_.AllocateNumber();
  if (!number.ok()) co_return number.status();
  Inode inode;
  inode.number = *number;
  inode.directory = true;
  inode.creation_time = inode.last_access_time = inode.last_write_time = inode.change_time = Now();
  inode.security_descriptor = ShareRootDescriptor().Encode();
  const NtStatus created = co_await volume_.CreateFile(parent, name, inode, {}, Durability::kStable);
  if (created != NtStatus::kSuccess) co_return created;
  co_return *number;
}

}  // namespace holdfast
