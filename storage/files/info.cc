// What is known of an open file and what may be set of it: [MS-FSA] 2.1.5.12 and 2.1.5.15.2.
#include "protocol/base/fault_point.h"
#include "protocol/fscc/attributes.h"
#include "storage/files/files.h"
#include "storage/files/files_impl.h"
#include "storage/files/notify.h"
#include "storage/files/operation.h"

namespace holdfast {
namespace {

namespace attribute = file_attribute;

constexpr std::uint32_t kSettable = attribute::kReadonly | attribute::kHidden | attribute::kSystem |
                                    attribute::kArchive | attribute::kTemporary | attribute::kOffline |
                                    attribute::kNotContentIndexed;
constexpr std::int64_t kFix = -1;
constexpr std::int64_t kRelease = -2;

bool IsTime(std::int64_t value) { return value > 0; }

}  // namespace

std::uint32_t ShownAttributes(const Inode& inode, bool sparse) {
  std::uint32_t shown = inode.file_attributes & ~(attribute::kNormal | attribute::kSparseFile | attribute::kDirectory |
                                                  attribute::kReparsePoint);
  if (inode.directory) shown |= attribute::kDirectory;
  if (inode.reparse_tag != 0) shown |= attribute::kReparsePoint;
  if (sparse) shown |= attribute::kSparseFile;
  return shown == 0 ? attribute::kNormal : shown;
}

Task<Result<FileFacts>> Files::QueryFacts(OpenPtr open) {
  const OpenUse use(open);
  if (!open->file) co_return NtStatus::kFileClosed;
  const FileStatePtr file = open->file;
  const StreamState* stream = open->is_directory ? nullptr : file->Stream(open->stream);
  if (!open->is_directory && !stream) co_return NtStatus::kFileDeleted;
  std::uint64_t allocated = 0;
  if (stream && stream->facts.sparse) {
    auto bytes = co_await volume_.AllocatedBytes(file->number, open->stream);
    if (!bytes.ok()) co_return bytes.status();
    allocated = RoundUpToCluster(*bytes);
  } else if (stream) {
    allocated = FullAllocation(stream->facts);
  }

  const Inode& inode = file->inode;
  FileFacts facts;
  facts.number = file->number;
  facts.creation_time = inode.creation_time;
  facts.last_access_time = inode.last_access_time;
  facts.last_write_time = inode.last_write_time;
  facts.change_time = inode.change_time;
  facts.file_attributes = ShownAttributes(inode, stream && stream->facts.sparse);
  facts.end_of_file = stream ? stream->facts.size : 0;
  facts.allocation_size = allocated;
  const auto links = static_cast<std::uint32_t>(inode.links.size());
  const bool loses_name = file->delete_pending && !file->unlinked;
  facts.number_of_links = file->unlinked || links == 0 ? 0 : links - (loses_name ? 1 : 0);
  facts.delete_pending = open->stream == kUnnamedStream ? file->delete_pending : stream->delete_pending;
  if (facts.number_of_links == 0) facts.delete_pending = true;
  facts.directory = open->is_directory;
  facts.ea_size = inode.ea_bytes;
  facts.reparse_tag = inode.reparse_tag;
  facts.granted_access = open->granted_access;
  facts.current_byte_offset = open->current_byte_offset;
  facts.mode = open->mode;
  co_return facts;
}

Task<Result<std::vector<StreamListEntry>>> Files::QueryStreams(OpenPtr open) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  const FileStatePtr file = open->file;
  std::vector<StreamId> ids;
  for (const auto& [id, stream] : file->streams) ids.push_back(id);
  std::vector<StreamListEntry> list;
  for (const StreamId id : ids) {
    const StreamState* stream = file->Stream(id);
    if (!stream) continue;
    StreamListEntry entry;
    entry.name = u":" + stream->facts.name + u":$DATA";
    entry.size = stream->facts.size;
    entry.allocation_size = FullAllocation(stream->facts);
    if (stream->facts.sparse) {
      auto bytes = co_await volume_.AllocatedBytes(file->number, id);
      if (!bytes.ok()) co_return bytes.status();
      entry.allocation_size = RoundUpToCluster(*bytes);
    }
    list.push_back(std::move(entry));
  }
  co_return list;
}

Task<Result<std::u16string>> Files::QueryNormalizedName(OpenPtr open) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  const FileNumber root = open->share->root;
  if (open->file->number == root) co_return std::u16string();
  // Through the name it was opened by: a file may have others.
  const LinkFacts link = open->link;
  if (link.parent == root) co_return link.name;
  auto parent = co_await volume_.PathOf(link.parent);
  if (!parent.ok()) co_return parent.status();
  std::u16string path = std::move(*parent);
  if (root != kRootFileNumber) {
    auto top = co_await volume_.PathOf(root);
    if (!top.ok()) co_return top.status();
    if (!path.starts_with(*top + u"\\")) co_return NtStatus::kObjectPathNotFound;
    path.erase(0, top->size() + 1);
  }
  co_return path + u"\\" + link.name;
}

Task<NtStatus> Files::SetBasic(OpenPtr open, SetTimesAndAttributes change) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (!HasAny(*open, access::kWriteAttributes)) co_return NtStatus::kAccessDenied;
  for (const std::int64_t time :
       {change.creation_time, change.last_access_time, change.last_write_time, change.change_time}) {
    if (time < kRelease) co_return NtStatus::kInvalidParameter;
  }
  const FileStatePtr file = open->file;
  const bool directory = file->inode.directory;
  if ((change.file_attributes & attribute::kDirectory) && !directory) co_return NtStatus::kInvalidParameter;
  if ((change.file_attributes & attribute::kTemporary) && directory) co_return NtStatus::kInvalidParameter;
  const auto turn = co_await file->mutex.Lock();
  if (open->closed) co_return NtStatus::kFileClosed;

  SettleWriteTime(*open);
  Inode& inode = file->inode;
  const Inode before = inode;
  const std::uint32_t fixed_before = open->sticky_times;
  std::uint32_t report = 0;
  bool changed = false;
  if (change.file_attributes != 0) {
    std::uint32_t settable = kSettable;
    if (file->number == kRootFileNumber) settable &= ~(attribute::kHidden | attribute::kSystem);
    inode.file_attributes = (inode.file_attributes & ~settable) | (change.file_attributes & settable);
    if (inode.file_attributes != before.file_attributes) report |= notify_filter::kAttributes;
    changed = true;
  }
  const auto apply = [&](std::int64_t asked, FileTime& time, std::uint32_t fix, std::uint32_t filter) {
    if (asked == 0) return;
    if (asked == kRelease) {
      open->sticky_times &= ~fix;
      return;
    }
    open->sticky_times |= fix;
    if (asked == kFix) return;
    time = static_cast<FileTime>(asked);
    report |= filter;
    changed = true;
  };
  apply(change.change_time, inode.change_time, sticky_time::kChange, 0);
  if (IsTime(change.creation_time)) {
    apply(change.creation_time, inode.creation_time, 0, notify_filter::kCreation);
  }
  apply(change.last_access_time, inode.last_access_time, sticky_time::kAccess, notify_filter::kLastAccess);
  apply(change.last_write_time, inode.last_write_time, sticky_time::kWrite, notify_filter::kLastWrite);
  open->user_set_write_time = (open->sticky_times & sticky_time::kWrite) != 0;
  if (changed) TouchThrough(*open, false, false, true);

  std::vector<RecordChange> records;
  if (open->is_persistent() && open->sticky_times != fixed_before) records.push_back(OpenRecord(*open));
  const NtStatus status = co_await impl_->StoreInode(file, std::move(records), open->durability());
  if (status != NtStatus::kSuccess) {
    inode.file_attributes = before.file_attributes;
    inode.creation_time = before.creation_time;
    inode.last_access_time = before.last_access_time;
    inode.last_write_time = before.last_write_time;
    inode.change_time = before.change_time;
    open->sticky_times = fixed_before;
    open->user_set_write_time = (fixed_before & sticky_time::kWrite) != 0;
    co_return status;
  }
  FAULT_POINT("setinfo.stored");
  if (report != 0) ReportChange(open->link.parent, open->link.name, file_action::kModified, report);
  co_return NtStatus::kSuccess;
}

}  // namespace holdfast
