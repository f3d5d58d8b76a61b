// Reading names, and making pending entries true.
#include <algorithm>
#include <array>

#include "storage/volume/engine_volume.h"
#include "storage/volume/keys.h"

namespace holdfast {

NtStatus CheckName(std::u16string_view name) {
  if (name.size() > kMaxNameUnits) return NtStatus::kNameTooLong;
  constexpr std::u16string_view kForbidden(u"\\/\0", 3);
  if (name.empty() || name.find_first_of(kForbidden) != std::u16string_view::npos) return NtStatus::kObjectNameInvalid;
  return NtStatus::kSuccess;
}

std::string EngineVolume::NameLock(FileNumber directory, const std::string& encoded) {
  return keys::LinkKey(directory, encoded);
}

void EngineVolume::MarkPending(pb::Dirent& dirent) {
  dirent.set_pending(random_.Next64() | 1);
  dirent.set_pending_incarnation(incarnation_);
}

Task<Result<DirectoryEntry>> EngineVolume::Lookup(FileNumber directory, std::u16string_view name) {
  const std::string encoded = keys::EncodeName(name);
  auto raw = co_await directories_.Read(directory, encoded);
  if (!raw.ok()) co_return DirectoryStatus(raw.error());
  if (!*raw) co_return NtStatus::kObjectNameNotFound;
  const auto dirent = codec::Parse<pb::Dirent>(**raw);
  if (!dirent) co_return NtStatus::kFileCorruptError;
  const bool doubtful = dirent->pending() != 0 || missing_.contains(dirent->number());
  if (!doubtful) {
    auto entry = codec::GetEntry(*dirent);
    if (!entry) co_return NtStatus::kFileCorruptError;
    co_return std::move(*entry);
  }
  auto shown = co_await Show(directory, encoded, *dirent);
  if (!shown.ok()) co_return shown.status();
  // Whatever the settling makes of it, it says the same as what is shown.
  if (!names_.IsLocked(NameLock(directory, encoded))) static_cast<void>(co_await SettleName(directory, encoded));
  if (!*shown) co_return NtStatus::kObjectNameNotFound;
  co_return std::move(**shown);
}

Task<Result<DirectoryPage>> EngineVolume::List(FileNumber directory, std::u16string after, std::size_t limit) {
  limit = std::min<std::size_t>(std::max<std::size_t>(limit, 1), 1024);
  std::string from = after.empty() ? std::string() : keys::After(keys::EncodeName(after));
  DirectoryPage out;
  for (;;) {
    auto page = co_await directories_.Scan(directory, from, limit);
    if (!page.ok()) co_return DirectoryStatus(page.error());
    for (std::size_t i = 0; i < page->entries.size(); ++i) {
      const RawDirent& raw = page->entries[i];
      const auto dirent = codec::Parse<pb::Dirent>(raw.raw);
      if (!dirent) continue;  // one bad entry does not hide the others; Check() reports it
      if (dirent->pending() == 0) {
        if (auto entry = codec::GetEntry(*dirent)) out.entries.push_back(std::move(*entry));
        continue;
      }
      auto shown = co_await Show(directory, raw.name, *dirent);
      if (!shown.ok()) co_return shown.status();
      if (*shown) out.entries.push_back(std::move(**shown));
      if (!names_.IsLocked(NameLock(directory, raw.name))) {
        static_cast<void>(co_await SettleName(directory, raw.name));
      }
    }
    out.more = page->more;
    if (!page->more || !out.entries.empty()) co_return out;
    from = keys::After(page->entries.back().name);
  }
}

Task<Result<bool>> EngineVolume::IsEmpty(FileNumber directory) {
  auto page = co_await List(directory, {}, 1);
  if (!page.ok()) co_return page.status();
  co_return page->entries.empty();
}

Task<Result<EngineVolume::Meaning>> EngineVolume::Interpret(FileNumber directory, std::string encoded,
                                                            pb::Dirent dirent) {
  Meaning meaning;
  const std::array<FileNumber, 2> candidates{dirent.becomes(), dirent.number()};
  for (const FileNumber candidate : candidates) {
    if (candidate == 0) continue;
    auto state = co_await inodes_.ReadLink(candidate, directory, encoded);
    if (!state.ok()) co_return ToNtStatus(state.error());
    if (!state->leads_here()) continue;
    auto name = codec::NameFromLe(state->link->message.name());
    if (!name) co_return NtStatus::kFileCorruptError;
    meaning.present = true;
    meaning.committed = candidate == dirent.becomes();
    meaning.number = candidate;
    meaning.name = std::move(*name);
    break;
  }
  co_return meaning;
}

Task<Result<std::optional<DirectoryEntry>>> EngineVolume::Show(FileNumber directory, std::string encoded,
                                                               pb::Dirent dirent) {
  using Answer = std::optional<DirectoryEntry>;
  auto meaning = co_await Interpret(directory, encoded, dirent);
  if (!meaning.ok()) co_return meaning.status();
  if (!meaning->present) co_return Answer{};
  if (meaning->number != dirent.number()) {
    auto stored = co_await inodes_.Read(meaning->number);
    if (!stored.ok() && stored.error() == EngineError::kNotFound) co_return Answer{};
    if (!stored.ok()) co_return ToNtStatus(stored.error());
    const auto inode = ToInode(*stored);
    if (!inode) co_return NtStatus::kFileCorruptError;
    dirent = codec::MakeDirent(*inode, meaning->name);
  }
  auto entry = codec::GetEntry(dirent);
  if (!entry) co_return NtStatus::kFileCorruptError;
  entry->name = meaning->name;
  co_return Answer{std::move(*entry)};
}

Task<NtStatus> EngineVolume::Settle(FileNumber directory, std::string encoded, Stored<pb::Dirent> entry) {
  pb::Dirent& dirent = entry.message;
  auto meaning = co_await Interpret(directory, encoded, dirent);
  if (!meaning.ok()) co_return meaning.status();
  const FileNumber old_number = dirent.number();
  DirentChange change{encoded, entry.raw, std::nullopt};
  // Whom the name does not lead to any more has lost it, before the entry forgets that it ever did.
  if (old_number != 0 && (!meaning->present || meaning->number != old_number)) {
    auto dropped = co_await DropName(old_number, directory, encoded, true, Durability::kStable);
    if (!dropped.ok()) co_return dropped.status();
    auto state = co_await inodes_.ReadLink(old_number, directory, encoded);
    if (state.ok() && state->unlinking) {
      const EngineError added = co_await orphans_.Add(old_number, Durability::kProcess);
      if (added != EngineError::kNone) co_return ToNtStatus(added);
    }
  }
  if (meaning->present) {
    if (meaning->number != old_number) {
      auto stored = co_await inodes_.Read(meaning->number);
      if (!stored.ok()) co_return ToNtStatus(stored.error());
      const auto inode = ToInode(*stored);
      if (!inode) co_return NtStatus::kFileCorruptError;
      dirent.set_number(inode->number);
      dirent.set_directory(inode->directory);
      codec::SetCopies(dirent, *inode);
    }
    dirent.set_name(codec::NameToLe(meaning->name));
    dirent.clear_becomes();
    dirent.clear_pending();
    dirent.clear_pending_incarnation();
    change.after = codec::Serialise(dirent);
  }
  std::vector<DirentChange> changes{std::move(change)};
  const EngineError changed =
      co_await directories_.Change(directory, std::move(changes), Durability::kProcess, WriteClass::kRecord);
  co_return DirectoryStatus(changed);
}

Task<NtStatus> EngineVolume::SettleName(FileNumber directory, std::string encoded) {
  auto lock = co_await names_.Lock(NameLock(directory, encoded));
  auto settled = co_await ReadSettled(directory, encoded);
  co_return settled.status();
}

Task<Result<std::optional<Stored<pb::Dirent>>>> EngineVolume::ReadSettled(FileNumber directory, std::string encoded) {
  using Answer = std::optional<Stored<pb::Dirent>>;
  for (;;) {
    auto raw = co_await directories_.Read(directory, encoded);
    if (!raw.ok()) co_return DirectoryStatus(raw.error());
    if (!*raw) co_return Answer{};
    auto dirent = codec::Parse<pb::Dirent>(**raw);
    if (!dirent) co_return NtStatus::kFileCorruptError;
    if (dirent->pending() == 0) {
      const FileNumber number = dirent->number();
      if (!missing_.contains(number)) co_return Answer{Stored<pb::Dirent>{std::move(**raw), std::move(*dirent)}};
      auto state = co_await inodes_.ReadLink(number, directory, encoded);
      if (!state.ok()) co_return ToNtStatus(state.error());
      if (state->leads_here()) {
        missing_.erase(number);
        continue;
      }
    }
    Stored<pb::Dirent> entry{std::move(**raw), std::move(*dirent)};
    const NtStatus settled = co_await Settle(directory, encoded, std::move(entry));
    if (settled != NtStatus::kSuccess && settled != NtStatus::kFileNotAvailable) co_return settled;
  }
}

Task<Result<bool>> EngineVolume::IsSelfOrAncestor(FileNumber ancestor, FileNumber number) {
  // Deeper than any path a client can spell: then the parents form a ring.
  for (int depth = 0; depth < 65536; ++depth) {
    if (number == ancestor) co_return true;
    if (number == kRootFileNumber) co_return false;
    auto inode = co_await inodes_.Read(number);
    if (!inode.ok()) co_return ToNtStatus(inode.error());
    if (inode->links.empty()) co_return false;
    number = inode->links.front().parent;
  }
  co_return NtStatus::kFileCorruptError;
}

Task<Result<std::u16string>> EngineVolume::PathOf(FileNumber number) {
  std::u16string path;
  for (int depth = 0; depth < 65536 && number != kRootFileNumber; ++depth) {
    auto inode = co_await inodes_.Read(number);
    if (!inode.ok()) co_return ToNtStatus(inode.error());
    if (inode->links.empty()) co_return NtStatus::kObjectNameNotFound;
    const StoredLink& link = inode->links.front();
    const auto name = codec::NameFromLe(link.link.message.name());
    if (!name) co_return NtStatus::kFileCorruptError;
    path = path.empty() ? *name : *name + u"\\" + path;
    number = link.parent;
  }
  if (number != kRootFileNumber) co_return NtStatus::kFileCorruptError;
  co_return path;
}

}  // namespace holdfast
