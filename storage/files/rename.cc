// Names of open files: rename, hard link, and what marks a file for its deletion, [MS-FSA] 2.1.5.15.3, .7 and .12.
//
// The link set of the inode is where a rename commits. Records of persistent opens follow in a second write; a claimer
// that finds a record with a name the file no longer has takes the file's own (files.cc).
#include <algorithm>
#include <map>

#include "protocol/base/fault_point.h"
#include "protocol/dtyp/access_mask.h"
#include "protocol/dtyp/upcase.h"
#include "protocol/fscc/attributes.h"
#include "storage/files/create_access.h"
#include "storage/files/files_impl.h"
#include "storage/files/notify.h"
#include "storage/files/operation.h"
#include "storage/files/path.h"

namespace holdfast {
namespace {

constexpr std::uint32_t kNotifyFileName = 1, kNotifyDirName = 2, kNotifyStreamName = 0x200;
constexpr std::uint32_t kActionAdded = 1, kActionRemoved = 2, kActionRenamedOld = 4, kActionRenamedNew = 5,
                        kActionRemovedStream = 7, kActionAddedStream = 6;
constexpr std::uint32_t kShareReadWrite = 3;
constexpr std::size_t kMaxLinks = 1024;  // as NTFS

bool SameLink(const LinkFacts& a, const LinkFacts& b) {
  return a.parent == b.parent && EqualsIgnoringCase(a.name, b.name);
}

// Why the file cannot take another name; kSuccess when it can.
NtStatus RefusesLink(const Open& open) {
  const FileState& file = *open.file;
  if (open.closed) return NtStatus::kFileClosed;
  if (file.delete_pending || file.unlinked) return NtStatus::kAccessDenied;
  return file.inode.links.size() >= kMaxLinks ? NtStatus::kTooManyLinks : NtStatus::kSuccess;
}

// The part of a path behind the name: ":stream" or nothing.
std::u16string StreamSuffix(const std::u16string& path) {
  const auto slash = path.rfind(u'\\');
  const auto colon = path.find(u':', slash == std::u16string::npos ? 0 : slash + 1);
  return colon == std::u16string::npos ? std::u16string() : path.substr(colon);
}

}  // namespace

// The directory of a target path, opened as [MS-FSA] 2.1.5.15.12 says: to add a child, sharing all but deletion.
Task<Result<Files::Impl::Destination>> Files::Impl::FindDestination(OpenPtr open, std::u16string target) {
  const auto path = ParsePath(target);
  if (!path.ok()) co_return path.status();
  if (path->components.empty()) co_return NtStatus::kObjectNameInvalid;
  if (path->names_stream() && open->stream == kUnnamedStream) co_return NtStatus::kObjectNameInvalid;
  if (path->trailing_backslash && !open->is_directory) co_return NtStatus::kObjectNameInvalid;
  FileNumber number = open->share->root;
  for (std::size_t i = 0; i + 1 < path->components.size(); ++i) {
    const auto entry = co_await files.volume_.Lookup(number, path->components[i]);
    if (!entry.ok()) {
      co_return entry.status() == NtStatus::kObjectNameNotFound ? NtStatus::kObjectPathNotFound : entry.status();
    }
    if (!entry->directory) co_return NtStatus::kObjectPathNotFound;
    if (entry->reparse_tag != 0) co_return NtStatus::kStoppedOnSymlink;
    number = entry->number;
  }
  Destination destination;
  auto directory = co_await files.Acquire(number);
  if (!directory.ok()) {
    co_return directory.status() == NtStatus::kObjectNameNotFound ? NtStatus::kObjectPathNotFound : directory.status();
  }
  destination.directory = *directory;
  destination.name = path->components.back();
  if (destination.directory->delete_pending) co_return NtStatus::kDeletePending;
  const std::uint32_t adds = open->is_directory ? access::kAddSubdirectory : access::kAddFile;
  if (!HasAccess(destination.directory->inode.security_descriptor, *open->token, adds, true)) {
    co_return NtStatus::kAccessDenied;
  }
  SharingRequest sharing;
  sharing.access = adds;
  sharing.share_access = kShareReadWrite;
  const NtStatus shared = CheckSharing(*destination.directory, sharing);
  if (shared != NtStatus::kSuccess) co_return shared;
  const auto entry = co_await files.volume_.Lookup(number, destination.name);
  if (entry.ok()) {
    destination.existing = *entry;
  } else if (entry.status() != NtStatus::kObjectNameNotFound) {
    co_return entry.status();
  }
  co_return destination;
}

// Whether the file that has the target name may be replaced. The caller holds its mutex.
NtStatus Files::Impl::CheckReplaced(const FileState& target, const FileState& directory, const Open& open,
                                    const Replacing& how) const {
  const bool readonly = (target.inode.file_attributes & file_attribute::kReadonly) != 0;
  if (target.inode.directory || (readonly && !how.ignore_readonly)) return NtStatus::kAccessDenied;
  if (target.delete_pending) return NtStatus::kDeletePending;
  if (!HasAccess(target.inode.security_descriptor, *open.token, access::kDelete) &&
      !HasAccess(directory.inode.security_descriptor, *open.token, access::kDeleteChild)) {
    return NtStatus::kAccessDenied;
  }
  // Nobody loses the name of a file whose deletion he does not share.
  const bool held = std::ranges::any_of(target.opens, [](const OpenPtr& other) {
    constexpr std::uint32_t kShareDelete = 0x4;
    constexpr std::uint32_t kShared = access::kReadData | access::kExecute | access::kWriteData | access::kAppendData |
                                      access::kDelete;
    return HasAny(*other, kShared) && (other->share_access & kShareDelete) == 0;
  });
  if (!target.opens.empty() && (!how.posix || held)) return NtStatus::kAccessDenied;
  return NtStatus::kSuccess;
}

// The state of a file whose name `link` another file has taken.
void Files::Impl::LoseName(const FileStatePtr& target, const LinkFacts& link) {
  std::erase_if(target->inode.links, [&](const LinkFacts& other) { return SameLink(other, link); });
  target->stored.links = target->inode.links;
  if (!target->inode.links.empty()) {
    files.Touch(*target, false, false, true);
    return;
  }
  target->unlinked = true;
  if (!target->opens.empty()) return;
  target->gone = true;
  MarkIdle(target->number);  // its entry of the takeover index
  files.loaded_.erase(target->number);
  files.homes_.Release(target->number);
}

Task<Result<std::vector<FileStatePtr>>> Files::Impl::OpenFilesBelow(FileNumber directory) {
  co_await AwaitRecovery();
  std::map<FileNumber, std::vector<FileStatePtr>> by_parent;
  for (const auto& [number, file] : files.loaded_) {
    for (const OpenPtr& open : file->opens) {
      if (open->link.parent != 0) by_parent[open->link.parent].push_back(file);
    }
  }
  std::vector<FileStatePtr> found;
  for (auto& [parent, children] : by_parent) {
    const auto below = co_await files.volume_.IsSelfOrAncestor(directory, parent);
    if (!below.ok()) {
      if (below.status() == NtStatus::kObjectNameNotFound) continue;
      co_return below.status();
    }
    if (*below) found.insert(found.end(), children.begin(), children.end());
  }
  co_return found;
}

FileStatePtr Files::Impl::BreakBelow(const std::vector<FileStatePtr>& below, const Open& open, bool first_attempt) {
  // Who is away cannot close what it holds, and a rename does not wait until it is back; only for what its own client
  // may have forgotten.
  FileStatePtr waits;
  for (const FileStatePtr& file : below) {
    const auto is_away = [](const OpenPtr& held) { return held->is_persistent() && !held->attached && !held->closed; };
    const auto away = static_cast<std::size_t>(std::ranges::count_if(file->opens, is_away));
    if (away == 0) continue;
    if (LeftBehind(*file, open.client_guid, open.durable_owner).size() != away) return nullptr;
    waits = file;
  }
  for (const FileStatePtr& file : below) {
    if (BreakHandleCaching(*file, nullptr, first_attempt)) waits = file;
  }
  return waits;
}

Task<NtStatus> Files::Rename(OpenPtr open, std::u16string target, bool replace_if_exists, bool posix_semantics,
                             PendingWaitPtr wait, bool ignore_readonly) {
  const OpenUse use(open);
  const Impl::Replacing how{replace_if_exists, posix_semantics, ignore_readonly};
  if (open->closed) co_return NtStatus::kFileClosed;
  if (!(open->granted_access & access::kDelete)) co_return NtStatus::kAccessDenied;
  if (target.empty()) co_return NtStatus::kInvalidParameter;
  if (target.starts_with(u':')) co_return co_await impl_->RenameStream(open, std::move(target), replace_if_exists);
  if (open->link.parent == 0) co_return NtStatus::kAccessDenied;  // the root of a share

  for (bool first_attempt = true;;) {
    const auto destination = co_await impl_->FindDestination(open, target);
    if (!destination.ok()) co_return destination.status();
    // A stream cannot leave its file; that the directory cannot be opened is told first.
    if (open->stream != kUnnamedStream) co_return NtStatus::kInvalidParameter;
    FileStatePtr broken;
    const auto done =
        co_await impl_->RenameTo(open, target, *destination, how, first_attempt, &broken);
    if (done) co_return *done;
    if (!broken) continue;
    const NtStatus waited = co_await impl_->AwaitCaching(broken, open.get(), wait);
    if (waited != NtStatus::kSuccess) co_return waited;
    first_attempt = false;
  }
}

// nullopt: look again, because the target name changed hands, or once the caching of `broken` has been given up.
Task<std::optional<NtStatus>> Files::Impl::RenameTo(OpenPtr open, std::u16string target, Destination destination,
                                                    Replacing how, bool first_attempt, FileStatePtr* broken) {
  const FileStatePtr file = open->file;
  FileStatePtr replaced;
  if (destination.existing && destination.existing->number != file->number) {
    if (!how.allowed) co_return NtStatus::kObjectNameCollision;
    const auto acquired = co_await files.Acquire(destination.existing->number);
    if (!acquired.ok()) {
      if (acquired.status() == NtStatus::kObjectNameNotFound) co_return std::nullopt;
      co_return acquired.status();
    }
    replaced = *acquired;
  }
  // Two files are locked in the order of their numbers, so that two renames never wait for each other.
  AsyncMutex::Guard first, second;
  if (replaced && replaced->number < file->number) first = co_await replaced->mutex.Lock();
  second = co_await file->mutex.Lock();
  if (replaced && replaced->number > file->number) first = co_await replaced->mutex.Lock();
  if (open->closed) co_return NtStatus::kFileClosed;
  if (file->delete_pending || file->unlinked) co_return NtStatus::kAccessDenied;

  LinkFacts to;
  to.parent = destination.directory->number;
  to.name = destination.name;
  const LinkFacts from = open->link;
  if (from.parent == to.parent && from.name == to.name) co_return NtStatus::kSuccess;  // also the replay of one done
  // [MS-FSA] 2.1.5.15.12: those who only keep their handles for later are asked to close them.
  if (replaced && !replaced->gone && !how.posix && BreakHandleCaching(*replaced, nullptr, first_attempt)) {
    *broken = replaced;
    co_return std::nullopt;
  }
  if (BreakHandleCaching(*file, open.get(), first_attempt)) {
    *broken = file;
    co_return std::nullopt;
  }
  if (replaced) {
    if (replaced->gone || replaced->unlinked) co_return std::nullopt;
    const NtStatus may = CheckReplaced(*replaced, *destination.directory, *open, how);
    if (may != NtStatus::kSuccess) co_return may;
  }
  if (file->inode.directory) {
    const auto below = co_await OpenFilesBelow(file->number);
    if (!below.ok()) co_return below.status();
    *broken = BreakBelow(*below, *open, first_attempt);
    if (*broken) co_return std::nullopt;
    if (!below->empty()) co_return NtStatus::kAccessDenied;
    const auto inside = co_await files.volume_.IsSelfOrAncestor(file->number, to.parent);
    if (!inside.ok()) co_return inside.status();
    if (*inside) co_return NtStatus::kAccessDenied;
  }
  NtStatus status = NtStatus::kSuccess;
  if (destination.existing && destination.existing->number == file->number && !SameLink(from, to)) {
    // Both are names of this file: only the old one goes.
    status = co_await files.volume_.Unlink(from.parent, from.name, file->number, true, Durability::kStable);
  } else {
    const FileNumber replaced_number = replaced ? replaced->number : 0;
    status = co_await files.volume_.Rename(file->number, from.parent, from.name, to.parent, to.name, replaced_number,
                                           replaced && !replaced->opens.empty());
  }
  if (status == NtStatus::kObjectNameCollision) co_return std::nullopt;
  if (status != NtStatus::kSuccess) {
    // An error of the device does not say whether it took effect.
    const auto actual = co_await files.volume_.Load(file->number);
    if (actual.ok()) file->inode.links = file->stored.links = actual->links;
    co_return status;
  }
  FAULT_POINT("rename.committed");
  if (replaced) LoseName(replaced, to);
  std::erase_if(file->inode.links, [&](const LinkFacts& link) { return SameLink(link, from) || SameLink(link, to); });
  file->inode.links.push_back(to);
  file->stored.links = file->inode.links;
  for (const OpenPtr& other : file->opens) {
    if (!SameLink(other->link, from)) continue;
    other->link = to;
    if (EqualsIgnoringCase(other->share->name, open->share->name)) {
      other->path = target + StreamSuffix(other->path);
    } else if (from.parent == to.parent) {
      const auto slash = other->path.rfind(u'\\');
      const auto directory = slash == std::u16string::npos ? std::u16string() : other->path.substr(0, slash + 1);
      other->path = directory + to.name + StreamSuffix(other->path);
    }
  }
  if (!file->inode.directory) file->inode.file_attributes |= file_attribute::kArchive;
  files.Touch(*file, false, false, true);
  auto records = AllRecords(*file);
  if (!records.empty()) {
    status = co_await StoreInode(file, std::move(records), Durability::kStable);
    FAULT_POINT("rename.recorded");
  }
  files.Touch(*destination.directory, true, true, true);
  files.ReleaseIfUnused(destination.directory);
  const std::uint32_t filter = file->inode.directory ? kNotifyDirName : kNotifyFileName;
  const bool moved = from.parent != to.parent;
  if (moved) co_await TouchDirectory(from.parent);
  files.ReportChange(from.parent, from.name, moved ? kActionRemoved : kActionRenamedOld, filter);
  // Of a file, but not of a directory, Windows tells those who watch attributes or creation times as well.
  const std::uint32_t new_filter =
      file->inode.directory ? filter : filter | notify_filter::kAttributes | notify_filter::kCreation;
  files.ReportChange(to.parent, to.name, moved ? kActionAdded : kActionRenamedNew, new_filter);
  co_return status;
}

Task<NtStatus> Files::Impl::RenameStream(OpenPtr open, std::u16string target, bool replace) {
  const auto name = ParseStreamTarget(target);
  if (!name.ok()) co_return name.status();
  const FileStatePtr file = open->file;
  const auto guard = co_await file->mutex.Lock();
  if (open->closed) co_return NtStatus::kFileClosed;
  StreamState* stream = file->Stream(open->stream);
  if (!stream || open->stream == kUnnamedStream) co_return NtStatus::kInvalidParameter;
  if (file->delete_pending || stream->delete_pending) co_return NtStatus::kAccessDenied;
  if (stream->facts.name == *name) co_return NtStatus::kSuccess;
  StreamState* other = file->FindStream(*name);
  if (other && other != stream) {
    if (!replace) co_return NtStatus::kObjectNameCollision;
    const StreamId id = other->facts.id;
    const bool held = std::ranges::any_of(file->opens, [id](const OpenPtr& o) { return o->stream == id; });
    if (id == kUnnamedStream || held || other->facts.size != 0) co_return NtStatus::kInvalidParameter;
    const NtStatus removed = co_await files.volume_.RemoveStream(file->number, id);
    if (removed != NtStatus::kSuccess) co_return removed;
    other->removed = true;
  }
  // A writer may be raising may_extend_to: an older copy of it must not be stored over the new one.
  const auto turn = co_await stream->extend.Lock();
  StreamFacts facts = stream->facts;
  const std::u16string old_name = facts.name;
  facts.name = *name;
  const NtStatus stored = co_await files.volume_.StoreStream(file->number, facts, Durability::kStable);
  if (stored != NtStatus::kSuccess) co_return stored;
  FAULT_POINT("rename.committed");
  stream->facts.name = *name;
  for (const OpenPtr& holder : file->opens) {
    if (holder->stream != open->stream) continue;
    holder->path = holder->path.substr(0, holder->path.size() - StreamSuffix(holder->path).size()) + u":" + *name;
  }
  files.Touch(*file, false, false, true);
  auto records = AllRecords(*file);
  NtStatus status = NtStatus::kSuccess;
  if (!records.empty()) status = co_await StoreInode(file, std::move(records), Durability::kStable);
  files.ReportChange(open->link.parent, open->link.name + u":" + old_name, kActionRemovedStream, kNotifyStreamName);
  files.ReportChange(open->link.parent, open->link.name + u":" + *name, kActionAddedStream, kNotifyStreamName);
  co_return status;
}

Task<NtStatus> Files::Link(OpenPtr open, std::u16string target, bool replace_if_exists) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  const FileStatePtr file = open->file;
  if (file->inode.directory) co_return NtStatus::kFileIsADirectory;
  if (target.empty() || open->stream != kUnnamedStream) co_return NtStatus::kInvalidParameter;
  for (;;) {
    const auto destination = co_await impl_->FindDestination(open, target);
    if (!destination.ok()) co_return destination.status();
    const auto done = co_await impl_->LinkTo(open, *destination, replace_if_exists);
    if (done) co_return *done;
  }
}

Task<std::optional<NtStatus>> Files::Impl::LinkTo(OpenPtr open, Destination destination, bool replace) {
  const FileStatePtr file = open->file;
  LinkFacts to;
  to.parent = destination.directory->number;
  to.name = destination.name;
  if (destination.existing) {
    if (destination.existing->number == file->number) co_return NtStatus::kSuccess;  // also the replay of one done
    if (!replace) co_return NtStatus::kObjectNameCollision;
    const auto acquired = co_await files.Acquire(destination.existing->number);
    if (!acquired.ok()) {
      if (acquired.status() == NtStatus::kObjectNameNotFound) co_return std::nullopt;
      co_return acquired.status();
    }
    const FileStatePtr replaced = *acquired;
    const auto guard = co_await replaced->mutex.Lock();
    // Nobody loses a name to a link that is then refused.
    if (const NtStatus refused = RefusesLink(*open); refused != NtStatus::kSuccess) co_return refused;
    if (replaced->gone || replaced->unlinked) co_return std::nullopt;
    const NtStatus may = CheckReplaced(*replaced, *destination.directory, *open, {});
    if (may != NtStatus::kSuccess) co_return may;
    const NtStatus removed = co_await files.volume_.Unlink(to.parent, to.name, replaced->number, false,
                                                               Durability::kStable);
    if (removed == NtStatus::kSuccess) LoseName(replaced, to);
    if (removed != NtStatus::kSuccess && removed != NtStatus::kObjectNameNotFound) co_return removed;
  }
  const auto guard = co_await file->mutex.Lock();
  if (const NtStatus refused = RefusesLink(*open); refused != NtStatus::kSuccess) co_return refused;
  const NtStatus linked = co_await files.volume_.Link(file->number, to.parent, to.name);
  if (linked == NtStatus::kObjectNameCollision) co_return std::nullopt;
  if (linked != NtStatus::kSuccess) co_return linked;
  file->inode.links.push_back(to);
  file->stored.links = file->inode.links;
  file->inode.file_attributes |= file_attribute::kArchive;
  files.Touch(*file, false, false, true);
  files.Touch(*destination.directory, true, true, true);
  files.ReleaseIfUnused(destination.directory);
  files.ReportChange(to.parent, to.name, kActionAdded, kNotifyFileName);
  co_return NtStatus::kSuccess;
}

Task<NtStatus> Files::SetDisposition(OpenPtr open, bool remove, bool posix_semantics, bool ignore_readonly,
                                     PendingWaitPtr wait) {
  const OpenUse use(open);
  const FileStatePtr file = open->file;
  auto guard = co_await file->mutex.Lock();
  if (remove) {
    const NtStatus given_up = co_await impl_->GiveUpHandleCaching(file, open.get(), &guard, wait);
    if (given_up != NtStatus::kSuccess) co_return given_up;
  }
  if (open->closed) co_return NtStatus::kFileClosed;
  if (!(open->granted_access & access::kDelete)) co_return NtStatus::kAccessDenied;
  if (file->unlinked) co_return NtStatus::kSuccess;
  if (remove && (file->inode.file_attributes & file_attribute::kReadonly) &&
      !(ignore_readonly && (open->granted_access & access::kWriteAttributes))) {
    co_return NtStatus::kCannotDelete;
  }
  StreamState* stream = open->stream == kUnnamedStream ? nullptr : file->Stream(open->stream);
  if (!stream && remove) {
    if (open->link.parent == 0) co_return NtStatus::kAccessDenied;  // the root of a share
    if (file->inode.directory) {
      const auto empty = co_await impl_->files.volume_.IsEmpty(file->number);
      if (!empty.ok()) co_return empty.status();
      if (!*empty) co_return NtStatus::kDirectoryNotEmpty;
    }
  }
  bool& pending = stream ? stream->delete_pending : file->delete_pending;
  const bool was_pending = pending;
  const bool was_posix = open->posix_delete;
  pending = remove;
  open->posix_delete = remove && posix_semantics;
  if (!stream && remove) {
    file->delete_parent = open->link.parent;
    file->delete_name = open->link.name;
  }
  auto records = impl_->AllRecords(*file);
  if (!records.empty() && (was_pending != remove || was_posix != open->posix_delete)) {
    const NtStatus stored = co_await impl_->StoreInode(file, std::move(records), Durability::kStable);
    if (stored != NtStatus::kSuccess) {
      pending = was_pending;
      open->posix_delete = was_posix;
      co_return stored;
    }
    FAULT_POINT("disposition.persisted");
  }
  // Nothing more will be reported of it.
  if (!stream && remove && file->inode.directory) EndNotify(*file);
  co_return NtStatus::kSuccess;
}

}  // namespace holdfast
