// New names: create (inode, then entry guarded absent) and hard link (pending entry, link set, settled entry).
#include <algorithm>

#include "protocol/base/fault_point.h"
#include "storage/volume/engine_volume.h"
#include "storage/volume/keys.h"

namespace holdfast {
namespace {

// The unnamed stream of a file comes first; named ones get ids of their own where they have none.
void ArrangeStreams(Inode& inode) {
  std::stable_sort(inode.streams.begin(), inode.streams.end(),
                   [](const StreamFacts& a, const StreamFacts& b) { return a.name.empty() && !b.name.empty(); });
  if (inode.directory) {
    std::erase_if(inode.streams, [](const StreamFacts& stream) { return stream.name.empty(); });
  } else if (inode.streams.empty() || !inode.streams.front().name.empty()) {
    inode.streams.insert(inode.streams.begin(), StreamFacts{});
  }
  StreamId next = 1;
  for (StreamFacts& stream : inode.streams) stream.id = stream.name.empty() ? kUnnamedStream : next++;
}

}  // namespace

Task<Result<FileNumber>> EngineVolume::AllocateNumber() {
  auto number = co_await allocator_.Next();
  if (!number.ok()) co_return ToNtStatus(number.error());
  co_return *number;
}

Task<NtStatus> EngineVolume::CreateFile(FileNumber directory, std::u16string name, Inode inode,
                                        std::vector<RecordChange> records, Durability durability) {
  if (const NtStatus valid = CheckName(name); valid != NtStatus::kSuccess) co_return valid;
  auto record_mutations = RecordMutations(std::move(records));
  if (!record_mutations || inode.number == 0) co_return NtStatus::kInvalidParameter;
  ArrangeStreams(inode);
  inode.links.clear();
  inode.links.push_back({directory, name});
  inode.unlinking = false;

  if (inode.directory) {
    const EngineError created = co_await directories_.Create(inode.number, durability);
    if (created != EngineError::kNone) co_return ToNtStatus(created);
    FAULT_POINT("volume.create.shard_written");
  }
  const EngineError written = co_await inodes_.Create(inode, std::move(*record_mutations), durability);
  if (written != EngineError::kNone) {
    // kGuardFailed: the number has been used before, which is a mistake of the caller's.
    if (written != EngineError::kGuardFailed) co_await RemoveNew(inode.number, inode.directory);
    co_return written == EngineError::kGuardFailed ? NtStatus::kInvalidParameter : ToNtStatus(written);
  }
  FAULT_POINT("volume.create.inode_written");

  const std::string encoded = keys::EncodeName(name);
  const NtStatus inserted = co_await Insert(directory, encoded, inode.number,
                                            codec::Serialise(codec::MakeDirent(inode, name)), durability);
  if (inserted != NtStatus::kSuccess) {
    // After an error of the device nobody knows whether the entry is there: only a clear no lets the inode go.
    auto entry = co_await directories_.Read(directory, encoded);
    bool ours = !entry.ok() && entry.error() != EngineError::kNotFound;
    if (entry.ok() && *entry) {
      const auto dirent = codec::Parse<pb::Dirent>(**entry);
      ours = dirent && dirent->number() == inode.number;
    }
    if (!ours) co_await RemoveNew(inode.number, inode.directory);
    co_return inserted;
  }
  FAULT_POINT("volume.create.dirent_written");
  if (durability == Durability::kProcess) {
    NoteWrite(inode.number, durability);
    loose_[inode.number].dirents = true;
    co_await FlushSomeLoose();
  }
  co_await directories_.SplitIfLarge(directory, encoded);
  co_return NtStatus::kSuccess;
}

Task<NtStatus> EngineVolume::FinishCreate(const Inode& inode) {
  if (inode.links.size() != 1 || inode.unlinking) co_return NtStatus::kSuccess;
  const FileNumber number = inode.number;
  const bool directory = inode.directory;
  const LinkFacts link = inode.links.front();
  const std::string encoded = keys::EncodeName(link.name);
  std::string entry = codec::Serialise(codec::MakeDirent(inode, link.name));
  const NtStatus inserted = co_await Insert(link.parent, encoded, number, std::move(entry), Durability::kStable);
  if (inserted != NtStatus::kObjectNameCollision) co_return inserted;
  // It may have had its name and lost it to a rename that the crash cut short: settling the entry said so.
  auto state = co_await inodes_.ReadLink(number, link.parent, encoded);
  if (!state.ok()) co_return ToNtStatus(state.error());
  if (state->exists && !state->leads_here()) co_return NtStatus::kFileNotAvailable;
  co_await RemoveNew(number, directory);
  co_return inserted;
}

Task<NtStatus> EngineVolume::Insert(FileNumber directory, std::string encoded, FileNumber number, std::string raw,
                                    Durability durability) {
  for (;;) {
    std::vector<DirentChange> changes;
    changes.push_back({encoded, std::nullopt, raw});
    const EngineError error =
        co_await directories_.Change(directory, std::move(changes), durability, WriteClass::kData);
    if (error != EngineError::kGuardFailed) co_return DirectoryStatus(error);
    auto existing = co_await directories_.Read(directory, encoded);
    if (!existing.ok()) co_return DirectoryStatus(existing.error());
    if (!*existing) continue;
    const auto dirent = codec::Parse<pb::Dirent>(**existing);
    if (!dirent) co_return NtStatus::kFileCorruptError;
    if (dirent->pending() == 0) {
      if (dirent->number() == number) co_return NtStatus::kSuccess;
      auto state = co_await inodes_.ReadLink(dirent->number(), directory, encoded);
      if (!state.ok()) co_return ToNtStatus(state.error());
      if (state->exists) co_return NtStatus::kObjectNameCollision;
      missing_.insert(dirent->number());
    }
    // Somebody is changing the name or died while doing so: whichever, it is settled when we get the lock.
    const NtStatus settled = co_await SettleName(directory, encoded);
    if (settled != NtStatus::kSuccess) co_return settled;
  }
}

Task<void> EngineVolume::RemoveNew(FileNumber number, bool directory) {
  static_cast<void>(co_await inodes_.Remove(number));
  if (directory) static_cast<void>(co_await directories_.Remove(number));
}

Task<NtStatus> EngineVolume::Link(FileNumber number, FileNumber directory, std::u16string name) {
  if (const NtStatus valid = CheckName(name); valid != NtStatus::kSuccess) co_return valid;
  const std::string encoded = keys::EncodeName(name);
  auto lock = co_await names_.Lock(NameLock(directory, encoded));

  auto attributes = co_await inodes_.ReadAttributes(number);
  if (!attributes.ok()) co_return ToNtStatus(attributes.error());
  if (attributes->message.directory()) co_return NtStatus::kFileIsADirectory;
  if (attributes->message.unlinking()) co_return NtStatus::kDeletePending;

  Stored<pb::Dirent> reserved;
  reserved.message.set_name(codec::NameToLe(name));
  reserved.message.set_becomes(number);
  MarkPending(reserved.message);
  reserved.raw = codec::Serialise(reserved.message);
  for (;;) {
    auto existing = co_await ReadSettled(directory, encoded);
    if (!existing.ok()) co_return existing.status();
    if (*existing) co_return NtStatus::kObjectNameCollision;
    std::vector<DirentChange> changes;
    changes.push_back({encoded, std::nullopt, reserved.raw});
    const EngineError error =
        co_await directories_.Change(directory, std::move(changes), Durability::kStable, WriteClass::kData);
    if (error == EngineError::kNone) break;
    if (error != EngineError::kGuardFailed) {
      static_cast<void>(co_await ReadSettled(directory, encoded));
      co_return DirectoryStatus(error);
    }
  }
  FAULT_POINT("volume.link.reserved");
  const EngineError linked = co_await inodes_.AddLink(number, directory, encoded, name);
  FAULT_POINT("volume.link.committed");
  static_cast<void>(co_await Settle(directory, encoded, std::move(reserved)));
  lock.Release();
  if (linked == EngineError::kNotFound) co_return NtStatus::kDeletePending;
  if (linked == EngineError::kTooLarge) co_return NtStatus::kTooManyLinks;
  if (linked != EngineError::kNone) co_return ToNtStatus(linked);
  co_await directories_.SplitIfLarge(directory, encoded);
  co_return NtStatus::kSuccess;
}

}  // namespace holdfast
