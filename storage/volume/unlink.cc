// Removing names and what is left without one: pending entry, link set, entry away, purge.
#include <algorithm>

#include "protocol/base/fault_point.h"
#include "storage/volume/engine_volume.h"
#include "storage/volume/keys.h"

namespace holdfast {

Task<NtStatus> EngineVolume::Unlink(FileNumber directory, std::u16string name, FileNumber number, bool keep_orphan,
                                    Durability durability) {
  const std::string encoded = keys::EncodeName(name);
  auto lock = co_await names_.Lock(NameLock(directory, encoded));
  auto entry = co_await ReadSettled(directory, encoded);
  if (!entry.ok()) co_return entry.status();
  if (!*entry || (*entry)->message.number() != number) co_return NtStatus::kObjectNameNotFound;
  if (!(*entry)->message.directory()) {
    // Bytes go for good: a name that a power cut brought back would lead to a file without them.
    if (durability == Durability::kProcess) {
      auto inode = co_await inodes_.Read(number);
      if (!inode.ok()) co_return ToNtStatus(inode.error());
      const bool has_bytes = std::ranges::any_of(inode->streams, [](const auto& stream) {
        return stream.message.size() != 0 || stream.message.may_extend_to() != 0;
      });
      if (has_bytes || keep_orphan) durability = Durability::kStable;
    }
    co_return co_await UnlinkMarked(directory, encoded, number, false, keep_orphan, durability);
  }

  // Frozen first, then found empty: an insert that comes later is refused by the guard on the shard's state.
  auto frozen = co_await directories_.LockFreezes(number);
  auto occupied = co_await HoldsEntries(number);
  if (!occupied.ok()) co_return occupied.status();
  if (*occupied) co_return NtStatus::kDirectoryNotEmpty;
  NtStatus status = DirectoryStatus(co_await directories_.Freeze(number));
  FAULT_POINT("volume.unlink.frozen");
  if (status == NtStatus::kSuccess) {
    occupied = co_await HoldsEntries(number);
    status = occupied.ok() && *occupied ? NtStatus::kDirectoryNotEmpty : occupied.status();
  }
  if (status == NtStatus::kSuccess) {
    status = co_await UnlinkMarked(directory, encoded, number, true, keep_orphan, durability);
  }
  if (status != NtStatus::kSuccess) static_cast<void>(co_await directories_.Thaw(number));
  co_return status;
}

Task<NtStatus> EngineVolume::UnlinkMarked(FileNumber directory, std::string encoded, FileNumber number,
                                          bool is_directory, bool keep_orphan, Durability durability) {
  std::string marked;
  for (;;) {
    auto entry = co_await ReadSettled(directory, encoded);
    if (!entry.ok()) co_return entry.status();
    if (!*entry || (*entry)->message.number() != number || (*entry)->message.directory() != is_directory) {
      co_return NtStatus::kObjectNameNotFound;
    }
    pb::Dirent pending = (*entry)->message;
    MarkPending(pending);
    marked = codec::Serialise(pending);
    std::vector<DirentChange> changes;
    changes.push_back({encoded, (*entry)->raw, marked});
    const EngineError error =
        co_await directories_.Change(directory, std::move(changes), durability, WriteClass::kRecord);
    if (error == EngineError::kNone) break;
    if (error != EngineError::kGuardFailed) {
      static_cast<void>(co_await ReadSettled(directory, encoded));
      co_return DirectoryStatus(error);
    }
  }
  FAULT_POINT("volume.unlink.pending");
  auto last = co_await DropName(number, directory, encoded, keep_orphan, durability);
  if (!last.ok()) {
    static_cast<void>(co_await ReadSettled(directory, encoded));
    co_return last.status();
  }
  FAULT_POINT("volume.unlink.marked");
  // Committed. Errors from here on cost nobody anything: the entry is pending and the inode among the orphans.
  std::vector<DirentChange> changes;
  changes.push_back({encoded, marked, std::nullopt});
  const EngineError removed =
      co_await directories_.Change(directory, std::move(changes), Durability::kProcess, WriteClass::kRecord);
  FAULT_POINT("volume.unlink.dirent_removed");
  if (*last && !keep_orphan && removed == EngineError::kNone) static_cast<void>(co_await PurgeInode(number));
  co_return NtStatus::kSuccess;
}

Task<Result<bool>> EngineVolume::DropName(FileNumber number, FileNumber directory, std::string encoded,
                                          bool keep_orphan, Durability durability) {
  for (;;) {
    auto inode = co_await inodes_.Read(number);
    if (!inode.ok()) {
      if (inode.error() == EngineError::kNotFound) co_return false;
      co_return ToNtStatus(inode.error());
    }
    if (inode->attributes.message.unlinking() || !inode->Has(directory, encoded)) co_return false;
    const bool last = inode->links.size() == 1;
    if (last) {
      // Nobody may wait for a purge that a crash made everybody forget, when somebody holds the file open.
      const EngineError added =
          co_await orphans_.Add(number, keep_orphan ? durability : Durability::kProcess);
      if (added != EngineError::kNone) co_return ToNtStatus(added);
      FAULT_POINT("volume.unlink.orphan_noted");
    }
    const EngineError dropped = co_await inodes_.DropLink(number, directory, encoded, last, !keep_orphan, durability);
    if (dropped == EngineError::kNone) co_return last;
    if (dropped != EngineError::kGuardFailed) co_return ToNtStatus(dropped);
  }
}

Task<Result<bool>> EngineVolume::HoldsEntries(FileNumber directory) {
  std::string from;
  for (;;) {
    auto page = co_await directories_.Scan(directory, from, 64);
    if (!page.ok()) co_return DirectoryStatus(page.error());
    for (std::size_t i = 0; i < page->entries.size(); ++i) {
      const RawDirent& raw = page->entries[i];
      const auto dirent = codec::Parse<pb::Dirent>(raw.raw);
      if (!dirent || dirent->pending() == 0) co_return true;
      // Under way: it may yet become an entry.
      if (names_.IsLocked(NameLock(directory, raw.name))) co_return true;
      auto meaning = co_await Interpret(directory, raw.name, *dirent);
      if (!meaning.ok()) co_return meaning.status();
      if (meaning->present) co_return true;
    }
    if (!page->more || page->entries.empty()) co_return false;
    from = keys::After(page->entries.back().name);
  }
}

Task<NtStatus> EngineVolume::Purge(FileNumber number) {
  auto inode = co_await inodes_.Read(number);
  if (inode.ok() && inode->attributes.message.unlinking()) {
    // A crash may have come between the mark and the removal of the entry.
    for (std::size_t i = 0; i < inode->links.size(); ++i) {
      static_cast<void>(co_await SettleName(inode->links[i].parent, inode->links[i].encoded_name));
    }
  }
  co_return co_await PurgeInode(number);
}

Task<NtStatus> EngineVolume::PurgeInode(FileNumber number) {
  auto attributes = co_await inodes_.ReadAttributes(number);
  if (attributes.ok()) {
    if (!attributes->message.unlinking()) co_return NtStatus::kCannotDelete;
    // Bytes first: as long as the inode is there, a purge that was cut short is found again.
    const EngineError removed = co_await data_.RemoveAll(number);
    if (removed != EngineError::kNone) co_return ToNtStatus(removed);
    if (attributes->message.directory()) {
      const EngineError emptied = co_await directories_.Remove(number);
      if (emptied != EngineError::kNone) co_return ToNtStatus(emptied);
    }
    FAULT_POINT("volume.purge.data_removed");
    const EngineError gone = co_await inodes_.Remove(number);
    if (gone != EngineError::kNone) co_return ToNtStatus(gone);
    FAULT_POINT("volume.purge.inode_removed");
  } else if (attributes.error() != EngineError::kNotFound) {
    co_return ToNtStatus(attributes.error());
  }
  loose_.erase(number);
  co_return ToNtStatus(co_await orphans_.Remove(number));
}

Task<Result<std::vector<FileNumber>>> EngineVolume::ReadOrphans() {
  auto numbers = co_await orphans_.ReadAll();
  if (!numbers.ok()) co_return ToNtStatus(numbers.error());
  std::vector<FileNumber> orphans;
  for (std::size_t i = 0; i < numbers->size(); ++i) {
    const FileNumber number = (*numbers)[i];
    auto attributes = co_await inodes_.ReadAttributes(number);
    if (!attributes.ok()) {
      if (attributes.error() == EngineError::kNotFound) static_cast<void>(co_await orphans_.Remove(number));
      continue;
    }
    // Noted, but the crash came before the mark: the file still has its name.
    if (attributes->message.unlinking()) orphans.push_back(number);
  }
  co_return orphans;
}

Task<NtStatus> EngineVolume::AddToIndex(FileNumber number) {
  co_return ToNtStatus(co_await index_.Add(number, Durability::kStable));
}

Task<NtStatus> EngineVolume::RemoveFromIndex(FileNumber number) {
  co_return ToNtStatus(co_await index_.Remove(number));
}

Task<Result<std::vector<FileNumber>>> EngineVolume::ReadIndex() {
  auto numbers = co_await index_.ReadAll();
  if (!numbers.ok()) co_return ToNtStatus(numbers.error());
  co_return std::move(*numbers);
}

}  // namespace holdfast
