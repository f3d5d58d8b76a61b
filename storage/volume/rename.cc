// Rename: both entries pending, link set (the commit), replaced file loses its name, entries settled.
#include "protocol/base/fault_point.h"
#include "storage/volume/engine_volume.h"
#include "storage/volume/keys.h"

namespace holdfast {

Task<NtStatus> EngineVolume::Rename(FileNumber number, FileNumber from_directory, std::u16string from_name,
                                    FileNumber to_directory, std::u16string to_name, FileNumber replace,
                                    bool keep_orphan_replaced) {
  if (const NtStatus valid = CheckName(to_name); valid != NtStatus::kSuccess) co_return valid;
  const RenameNames names{number,       from_directory,           keys::EncodeName(from_name),
                          to_directory, keys::EncodeName(to_name), to_name};
  auto attributes = co_await inodes_.ReadAttributes(number);
  if (!attributes.ok()) co_return ToNtStatus(attributes.error());

  if (replace == number && !names.same()) {
    // Over another name of the same file: what remains is that name.
    auto target = co_await Lookup(to_directory, to_name);
    if (!target.ok()) co_return target.status();
    if (target->number != number) co_return NtStatus::kObjectNameCollision;
    co_return co_await Unlink(from_directory, from_name, number, keep_orphan_replaced, Durability::kStable);
  }

  AsyncMutex::Guard moving;
  if (attributes->message.directory() && from_directory != to_directory) {
    moving = co_await moves_.Lock();
    auto below = co_await IsSelfOrAncestor(number, to_directory);
    if (!below.ok()) co_return below.status();
    if (*below) co_return NtStatus::kInvalidParameter;
  }
  // In one order everywhere, so that no two wait for each other.
  std::string first = NameLock(names.from, names.from_encoded);
  std::string second = NameLock(names.to, names.to_encoded);
  if (second < first) std::swap(first, second);
  auto first_lock = co_await names_.Lock(first);
  NamedLocks::Guard second_lock;
  if (first != second) second_lock = co_await names_.Lock(second);

  for (;;) {
    auto outcome = co_await TryRename(names, replace, keep_orphan_replaced);
    if (!outcome) continue;
    first_lock.Release();
    second_lock.Release();
    if (*outcome == NtStatus::kSuccess) co_await directories_.SplitIfLarge(names.to, names.to_encoded);
    co_return *outcome;
  }
}

// nullopt: something else changed meanwhile, try again.
Task<std::optional<NtStatus>> EngineVolume::TryRename(RenameNames names, FileNumber replace,
                                                      bool keep_orphan_replaced) {
  auto source = co_await ReadSettled(names.from, names.from_encoded);
  if (!source.ok()) co_return source.status();
  auto target = co_await ReadSettled(names.to, names.to_encoded);
  if (!target.ok()) co_return target.status();
  auto link = co_await inodes_.ReadLink(names.number, names.from, names.from_encoded);
  if (!link.ok()) co_return ToNtStatus(link.error());
  if (!link->exists) co_return NtStatus::kObjectNameNotFound;
  if (link->unlinking) co_return NtStatus::kDeletePending;
  if (!link->link) {
    // Asked again after a crash or a lost answer: it has been done.
    const bool done = *target && (*target)->message.number() == names.number;
    co_return done ? NtStatus::kSuccess : NtStatus::kObjectNameNotFound;
  }
  if (!*source || (*source)->message.number() != names.number) co_return NtStatus::kObjectNameNotFound;

  FileNumber replaced = 0;
  DirentChange mark_target{names.to_encoded, std::nullopt, std::nullopt};
  if (!names.same()) {
    pb::Dirent pending;
    if (*target) {
      replaced = (*target)->message.number();
      if (replaced != replace) co_return NtStatus::kObjectNameCollision;
      if ((*target)->message.directory()) co_return NtStatus::kAccessDenied;
      pending = (*target)->message;
      mark_target.before = (*target)->raw;
    } else {
      pending.set_name(codec::NameToLe(names.to_name));
    }
    pending.set_becomes(names.number);
    MarkPending(pending);
    mark_target.after = codec::Serialise(pending);
  }
  pb::Dirent leaving = (*source)->message;
  MarkPending(leaving);
  const DirentChange mark_source{names.from_encoded, (*source)->raw, codec::Serialise(leaving)};
  const EngineError marked = co_await ChangeBoth(names, mark_source, mark_target, Durability::kStable);
  if (marked != EngineError::kNone) {
    co_await SettleBoth(names);
    if (marked == EngineError::kGuardFailed) co_return std::nullopt;
    co_return DirectoryStatus(marked);
  }
  FAULT_POINT("volume.rename.reserved");

  const EngineError committed = co_await inodes_.MoveLink(names.number, names.from, names.from_encoded,
                                                          link->link->raw, names.to, names.to_encoded, names.to_name);
  if (committed != EngineError::kNone) {
    co_await SettleBoth(names);
    if (committed == EngineError::kGuardFailed) co_return std::nullopt;
    co_return ToNtStatus(committed);
  }
  FAULT_POINT("volume.rename.committed");

  // From here on it has happened; what fails now is done by whoever meets the pending entries.
  bool last = false;
  bool dropped_replaced = true;
  if (replaced != 0) {
    auto dropped = co_await DropName(replaced, names.to, names.to_encoded, keep_orphan_replaced, Durability::kStable);
    dropped_replaced = dropped.ok();
    last = dropped.ok() && *dropped;
    FAULT_POINT("volume.rename.replaced_marked");
  }
  if (dropped_replaced) {
    pb::Dirent arrived = (*source)->message;
    arrived.set_name(codec::NameToLe(names.to_name));
    const std::string settled = codec::Serialise(arrived);
    DirentChange finish_target{names.to_encoded, mark_target.after, settled};
    DirentChange finish_source{names.from_encoded, mark_source.after, std::nullopt};
    if (names.same()) finish_source.after = settled;
    const EngineError finished = co_await ChangeBoth(names, finish_source, finish_target, Durability::kProcess);
    FAULT_POINT("volume.rename.finished");
    if (finished == EngineError::kNone && last && !keep_orphan_replaced) {
      static_cast<void>(co_await PurgeInode(replaced));
    }
  }
  co_return NtStatus::kSuccess;
}

Task<EngineError> EngineVolume::ChangeBoth(RenameNames names, DirentChange source, DirentChange target,
                                           Durability durability) {
  std::vector<DirentChange> changes;
  // The target first: at no time is the file without a name that says so.
  if (!names.same()) changes.push_back(std::move(target));
  if (!names.same() && names.from != names.to) {
    const EngineError error =
        co_await directories_.Change(names.to, std::move(changes), durability, WriteClass::kRecord);
    if (error != EngineError::kNone) co_return error;
    changes.clear();
  }
  changes.push_back(std::move(source));
  co_return co_await directories_.Change(names.from, std::move(changes), durability, WriteClass::kRecord);
}

Task<void> EngineVolume::SettleBoth(RenameNames names) {
  static_cast<void>(co_await ReadSettled(names.to, names.to_encoded));
  static_cast<void>(co_await ReadSettled(names.from, names.from_encoded));
}

}  // namespace holdfast
