// The part of the check that compares directories with link sets.
#include <cstdio>

#include "protocol/dtyp/unicode.h"
#include "storage/volume/check.h"
#include "storage/volume/keys.h"

namespace holdfast {
namespace {

// "entry "NAME" (key "e/NAME" of directory d/…)", readable whatever the key is.
std::string EntryText(FileNumber directory, const std::string& encoded) {
  const auto units = keys::DecodeUnits(encoded);
  return "entry \"e/" + (units ? Utf16ToUtf8(*units) : std::string("(odd bytes)")) + "\" of object \"" +
         keys::DirectoryPrefix(directory) + "\"";
}

std::string InodeText(FileNumber number) { return "object \"" + keys::InodeObject(number) + "\""; }

}  // namespace

Task<EngineError> VolumeCheck::CheckDirectories() {
  std::vector<FileNumber> directories;
  for (const auto& [number, file] : files_) {
    if (file.directory && file.readable) directories.push_back(number);
  }
  for (const FileNumber number : directories) {
    const EngineError error = co_await CheckDirectory(number);
    if (error != EngineError::kNone) co_return error;
  }
  co_return EngineError::kNone;
}

Task<EngineError> VolumeCheck::CheckDirectory(FileNumber number) {
  auto map = co_await volume_.directories_.ReadMap(number);
  if (!map.ok()) {
    const bool gone = map.error() == EngineError::kNotFound;
    if (!gone && map.error() != EngineError::kCorrupt) co_return map.error();
    auto attributes = co_await volume_.inodes_.ReadAttributes(number);
    if (!attributes.ok() || attributes->message.unlinking()) co_return EngineError::kNone;
    unreadable_maps_.insert(number);
    Find("key \"m\" of object \"" + keys::ShardObject(number, 0) + "\" " +
         (gone ? "is missing with its object" : "is missing or does not parse") +
         ": the directory cannot be read");
    // With all its shards gone a directory is an empty one, and the link sets know what was in it.
    if (repair_ && gone) {
      CountRepair(co_await volume_.directories_.Create(number, Durability::kStable) == EngineError::kNone);
      unreadable_maps_.erase(number);
    }
    co_return EngineError::kNone;
  }
  const std::vector<Shard> shards = (*map)->shards;
  for (const Shard& shard : shards) {
    const EngineError error = co_await CheckShard(number, shard);
    if (error != EngineError::kNone) co_return error;
  }
  std::string from;
  for (;;) {
    auto page = co_await volume_.directories_.Scan(number, from, 1024);
    if (!page.ok()) {
      if (page.error() == EngineError::kCorrupt || page.error() == EngineError::kNotFound) co_return EngineError::kNone;
      co_return page.error();
    }
    for (std::size_t i = 0; i < page->entries.size(); ++i) {
      const EngineError error = co_await CheckEntry(number, page->entries[i]);
      if (error != EngineError::kNone) co_return error;
    }
    if (!page->more || page->entries.empty()) co_return EngineError::kNone;
    from = keys::After(page->entries.back().name);
  }
}

Task<EngineError> VolumeCheck::CheckShard(FileNumber number, Shard shard) {
  const std::string object = keys::ShardObject(number, shard.id);
  std::vector<std::string> wanted{std::string(keys::kShardStateKey)};
  auto values = co_await volume_.engine_.ReadKeysExact(object, std::move(wanted));
  if (!values.ok() && values.error() != EngineError::kNotFound) co_return values.error();
  const auto raw = values.ok() ? values->front() : std::nullopt;
  const auto state = raw ? codec::Parse<pb::ShardState>(*raw) : std::nullopt;
  const bool wrong_range = state && state->frozen() == 0 && (state->from() != shard.from || state->to() != shard.to);
  if (!state || wrong_range) {
    auto fresh = co_await volume_.directories_.ReadMap(number);
    if (!fresh.ok() || !(*fresh)->FindId(shard.id) || (*fresh)->FindId(shard.id)->to != shard.to) {
      co_return EngineError::kNone;  // split meanwhile
    }
    Find("key \"g\" of object \"" + object + "\" " +
         (!state ? "is missing or does not parse" : "names another range than the directory's map"));
    if (repair_) {
      const std::string key(keys::kShardStateKey);
      std::vector<Guard> guards{raw ? Guard::KeyEquals(key, *raw) : Guard::KeyAbsent(key)};
      const std::uint64_t generation = (state ? state->generation() : volume_.random_.Next64() >> 1) + 1;
      std::vector<Mutation> mutations{
          Mutation::Set(key, codec::Serialise(LiveState(generation, shard.from, shard.to)))};
      auto written = co_await volume_.engine_.Write(object, std::move(guards), std::move(mutations));
      CountRepair(written.ok());
    }
    co_return EngineError::kNone;
  }
  const File* file = Get(number);
  if (state->frozen() != 0 && file && !file->unlinking) {
    auto lock = co_await volume_.directories_.LockFreezes(number);  // somebody alive ends first
    std::vector<std::string> again{std::string(keys::kShardStateKey)};
    auto now = co_await volume_.engine_.ReadKeysExact(object, std::move(again));
    if (!now.ok() || now->front() != raw) co_return EngineError::kNone;
    Find("key \"g\" of object \"" + object + "\" is frozen by a split or removal that was not finished");
    if (repair_) CountRepair(co_await volume_.directories_.Thaw(number) == EngineError::kNone);
  }
  // Entries that no lookup can find.
  std::string from(keys::kDirentPrefix);
  const std::string end = keys::EndOfPrefix(keys::kDirentPrefix);
  std::vector<KeyRange> outside;
  if (!shard.from.empty()) outside.push_back({from, keys::DirentKey(shard.from), 1024});
  if (!shard.to.empty()) outside.push_back({keys::DirentKey(shard.to), end, 1024});
  for (std::size_t i = 0; i < outside.size(); ++i) {
    auto page = co_await volume_.engine_.ReadKeys(object, outside[i]);
    if (!page.ok() || page->entries.empty()) continue;
    std::vector<std::string> again{std::string(keys::kShardStateKey)};
    auto now = co_await volume_.engine_.ReadKeysExact(object, std::move(again));
    if (!now.ok() || now->front() != raw || state->frozen() != 0) continue;
    Find("object \"" + object + "\" holds " + std::to_string(page->entries.size()) +
         " entries outside of its range of names");
    if (repair_) {
      std::vector<Guard> guards{Guard::KeyEquals(std::string(keys::kShardStateKey), *raw)};
      std::vector<Mutation> mutations{Mutation::RemoveRange(outside[i].from, outside[i].to)};
      auto written = co_await volume_.engine_.Write(object, std::move(guards), std::move(mutations));
      CountRepair(written.ok());
    }
  }
  co_return EngineError::kNone;
}

Task<EngineError> VolumeCheck::CheckEntry(FileNumber directory, RawDirent raw) {
  const auto dirent = codec::Parse<pb::Dirent>(raw.raw);
  const auto name = dirent ? codec::NameFromLe(dirent->name()) : std::nullopt;
  if (!dirent || !name) {
    Find(EntryText(directory, raw.name) + " does not parse");
    if (repair_) {
      // The link set knows whose name it is, and CheckNames() puts it back.
      std::vector<DirentChange> changes;
      changes.push_back({raw.name, raw.raw, std::nullopt});
      CountRepair(co_await volume_.directories_.Change(directory, std::move(changes), Durability::kStable,
                                                       WriteClass::kRecord) == EngineError::kNone);
    }
    co_return EngineError::kNone;
  }
  File* file = Get(dirent->number());
  if (dirent->pending() == 0 && file) {
    if (!file->readable) co_return EngineError::kNone;  // not to be judged
    for (Name& known : file->names) {
      if (known.parent != directory || known.encoded != raw.name) continue;
      known.seen = true;
      if (file->unlinking) break;
      if (keys::EncodeName(*name) == raw.name && dirent->directory() == file->directory) co_return EngineError::kNone;
    }
  }

  // A doubt: what do entry and inode say now, with nobody at work on the name?
  auto lock = co_await volume_.names_.Lock(EngineVolume::NameLock(directory, raw.name));
  auto now = co_await volume_.directories_.Read(directory, raw.name);
  if (!now.ok() || !*now || **now != raw.raw) co_return EngineError::kNone;
  if (dirent->pending() != 0) {
    Find(EntryText(directory, raw.name) + " was being changed by somebody who did not finish");
    if (repair_) {
      auto settled = co_await volume_.ReadSettled(directory, raw.name);
      CountRepair(settled.ok());
    }
    co_return EngineError::kNone;
  }
  auto state = co_await volume_.inodes_.ReadLink(dirent->number(), directory, raw.name);
  if (!state.ok()) co_return EngineError::kNone;  // an inode that does not parse has its own finding
  std::string complaint;
  if (!state->exists) {
    complaint = " leads to file number " + std::to_string(dirent->number()) + ", which does not exist";
  } else if (state->unlinking) {
    complaint = " leads to " + InodeText(dirent->number()) + ", which has been unlinked";
  } else if (!state->link) {
    complaint = " leads to " + InodeText(dirent->number()) + ", which does not have this name";
  } else if (keys::EncodeName(*name) != raw.name) {
    complaint = " spells a name that has another key";
  } else if (file && dirent->directory() != file->directory) {
    complaint = " calls " + InodeText(dirent->number()) + (dirent->directory() ? " a directory" : " a file");
  }
  if (complaint.empty()) co_return EngineError::kNone;
  Find(EntryText(directory, raw.name) + complaint);
  if (!repair_) co_return EngineError::kNone;
  std::vector<DirentChange> changes;
  changes.push_back({raw.name, raw.raw, std::nullopt});
  if (state->leads_here()) {
    auto stored = co_await volume_.inodes_.Read(dirent->number());
    const auto inode = stored.ok() ? ToInode(*stored) : std::nullopt;
    const auto true_name = codec::NameFromLe(state->link->message.name());
    if (!inode || !true_name) co_return EngineError::kNone;
    changes.front().after = codec::Serialise(codec::MakeDirent(*inode, *true_name));
  }
  CountRepair(co_await volume_.directories_.Change(directory, std::move(changes), Durability::kStable,
                                                   WriteClass::kRecord) == EngineError::kNone);
  co_return EngineError::kNone;
}

Task<EngineError> VolumeCheck::CheckNames() {
  std::vector<std::pair<FileNumber, Name>> doubtful;
  std::vector<FileNumber> nameless;
  for (const auto& [number, file] : files_) {
    if (!file.readable || file.unlinking || number == kRootFileNumber) continue;
    if (file.names.empty()) nameless.push_back(number);
    for (const Name& name : file.names) {
      if (!name.seen) doubtful.emplace_back(number, name);
    }
  }
  for (const auto& [number, name] : doubtful) {
    const EngineError error = co_await CheckName(number, name);
    if (error != EngineError::kNone) co_return error;
  }
  for (const FileNumber number : nameless) {
    auto inode = co_await volume_.inodes_.Read(number);
    if (!inode.ok() || !inode->links.empty() || inode->attributes.message.unlinking()) continue;
    Find(InodeText(number) + " has no name and has not been unlinked");
    if (repair_) CountRepair(co_await PurgeNameless(number));
  }
  co_return EngineError::kNone;
}

Task<EngineError> VolumeCheck::CheckName(FileNumber number, Name name) {
  auto lock = co_await volume_.names_.Lock(EngineVolume::NameLock(name.parent, name.encoded));
  auto state = co_await volume_.inodes_.ReadLink(number, name.parent, name.encoded);
  if (!state.ok() || !state->leads_here()) co_return EngineError::kNone;
  auto parent = co_await volume_.inodes_.ReadAttributes(name.parent);
  if (!parent.ok() && parent.error() != EngineError::kNotFound) co_return EngineError::kNone;
  if (!parent.ok() || !parent->message.directory() || parent->message.unlinking()) {
    Find(InodeText(number) + " has a name in file number " + std::to_string(name.parent) +
         ", which is no directory that exists");
    if (repair_) CountRepair(co_await MoveToRoot(number, name));
    co_return EngineError::kNone;
  }
  auto raw = co_await volume_.directories_.Read(name.parent, name.encoded);
  if (!raw.ok()) co_return EngineError::kNone;  // the directory has its own finding
  if (!*raw) {
    Find(EntryText(name.parent, name.encoded) + " is missing: " + InodeText(number) + " has this name");
    if (repair_) CountRepair(co_await InsertEntry(number, name.parent, name.encoded));
    co_return EngineError::kNone;
  }
  const auto dirent = codec::Parse<pb::Dirent>(**raw);
  if (!dirent || dirent->pending() != 0 || dirent->number() == number) co_return EngineError::kNone;
  Find(EntryText(name.parent, name.encoded) + " leads to " + InodeText(dirent->number()) + ", but " +
       InodeText(number) + " claims the name too");
  if (!repair_) co_return EngineError::kNone;
  auto inode = co_await volume_.inodes_.Read(number);
  if (!inode.ok()) co_return EngineError::kNone;
  bool holds_bytes = inode->attributes.message.directory();
  for (const auto& stream : inode->streams) holds_bytes |= stream.message.may_extend_to() + stream.message.size() != 0;
  if (inode->links.size() == 1 && holds_bytes) {
    CountRepair(co_await MoveToRoot(number, name));
    co_return EngineError::kNone;
  }
  // Either it has another name, or it is what a create left that lost the race for the name.
  auto dropped = co_await volume_.DropName(number, name.parent, name.encoded, inode->has_opens,
                                          Durability::kStable);
  if (dropped.ok() && *dropped && !inode->has_opens) static_cast<void>(co_await volume_.PurgeInode(number));
  CountRepair(dropped.ok());
  co_return EngineError::kNone;
}

Task<bool> VolumeCheck::InsertEntry(FileNumber number, FileNumber directory, std::string encoded) {
  auto stored = co_await volume_.inodes_.Read(number);
  const auto inode = stored.ok() ? ToInode(*stored) : std::nullopt;
  if (!inode) co_return false;
  for (const LinkFacts& link : inode->links) {
    if (link.parent != directory || keys::EncodeName(link.name) != encoded) continue;
    std::vector<DirentChange> changes;
    changes.push_back({encoded, std::nullopt, codec::Serialise(codec::MakeDirent(*inode, link.name))});
    const EngineError error =
        co_await volume_.directories_.Change(directory, std::move(changes), Durability::kStable, WriteClass::kRecord);
    co_return error == EngineError::kNone;
  }
  co_return false;
}

Task<bool> VolumeCheck::MoveToRoot(FileNumber number, Name name) {
  char text[32];
  std::snprintf(text, sizeof text, "lost-%llx", static_cast<unsigned long long>(number));
  const std::u16string lost = Utf8ToUtf16Lossy(text);
  const std::string encoded = keys::EncodeName(lost);
  auto state = co_await volume_.inodes_.ReadLink(number, name.parent, name.encoded);
  if (!state.ok() || !state->link) co_return false;
  const EngineError moved = co_await volume_.inodes_.MoveLink(number, name.parent, name.encoded, state->link->raw,
                                                              kRootFileNumber, encoded, lost);
  if (moved != EngineError::kNone) co_return false;
  co_return co_await InsertEntry(number, kRootFileNumber, encoded);
}

Task<bool> VolumeCheck::PurgeNameless(FileNumber number) {
  auto attributes = co_await volume_.inodes_.ReadAttributes(number);
  if (!attributes.ok()) co_return false;
  const std::string key(keys::kAttributesKey);
  const EngineError noted = co_await volume_.orphans_.Add(number, Durability::kStable);
  if (noted != EngineError::kNone) co_return false;
  attributes->message.set_unlinking(true);
  std::vector<Guard> guards{Guard::KeyEquals(key, attributes->raw)};
  std::vector<Mutation> mutations{Mutation::Set(key, codec::Serialise(attributes->message))};
  auto written = co_await volume_.engine_.Write(keys::InodeObject(number), std::move(guards), std::move(mutations));
  if (!written.ok()) co_return false;
  const File* file = Get(number);
  if (file && file->has_opens) co_return true;
  co_return co_await volume_.PurgeInode(number) == NtStatus::kSuccess;
}

Task<EngineError> VolumeCheck::CheckPaths() {
  std::set<FileNumber> reached{kRootFileNumber};
  std::vector<FileNumber> directories;
  for (const auto& [number, file] : files_) {
    if (file.directory && file.readable && !file.unlinking) directories.push_back(number);
  }
  for (const FileNumber start : directories) {
    std::vector<FileNumber> path;
    std::set<FileNumber> on_path;
    FileNumber at = start;
    while (!reached.contains(at) && on_path.insert(at).second) {
      path.push_back(at);
      const File* file = Get(at);
      if (!file || file->names.empty()) break;
      at = file->names.front().parent;
    }
    const bool ring = !reached.contains(at) && !path.empty() && on_path.contains(at) && path.back() != at;
    const File* here = Get(at);
    const bool own_parent = here && !here->names.empty() && here->names.front().parent == at && at != kRootFileNumber;
    if (!ring && !own_parent) {
      reached.insert(path.begin(), path.end());
      continue;
    }
    Find(InodeText(at) + " is a directory below itself: no path leads there from the root");
    if (repair_) {
      const Name name = here->names.front();
      std::vector<DirentChange> changes;
      auto raw = co_await volume_.directories_.Read(name.parent, name.encoded);
      CountRepair(co_await MoveToRoot(at, name));
      if (raw.ok() && *raw) {
        changes.push_back({name.encoded, **raw, std::nullopt});
        static_cast<void>(co_await volume_.directories_.Change(name.parent, std::move(changes), Durability::kStable,
                                                               WriteClass::kRecord));
      }
    }
    reached.insert(path.begin(), path.end());
  }
  co_return EngineError::kNone;
}

Task<EngineError> VolumeCheck::CheckShardObjects() {
  std::string after;
  for (;;) {
    auto objects = co_await Names("d/", after);
    if (!objects.ok()) co_return objects.error();
    if (objects->empty()) co_return EngineError::kNone;
    after = objects->back();
    for (std::size_t i = 0; i < objects->size(); ++i) {
      const std::string& object = (*objects)[i];
      const auto name = keys::ParseShardObject(object);
      if (!name) {
        Find("object \"" + object + "\" is called like a directory shard, but has no file number and shard");
        continue;
      }
      if (unreadable_maps_.contains(name->number)) continue;
      const File* file = Get(name->number);
      if (file && !file->readable) continue;
      auto attributes = co_await volume_.inodes_.ReadAttributes(name->number);
      if (!attributes.ok() && attributes.error() != EngineError::kNotFound) continue;
      std::string complaint;
      if (!attributes.ok()) {
        complaint = "belongs to no inode";
      } else if (!attributes->message.directory()) {
        complaint = "belongs to an inode that is no directory";
      } else {
        auto lock = co_await volume_.directories_.LockFreezes(name->number);  // a split makes its shard first
        auto map = co_await volume_.directories_.ReadMap(name->number);
        if (!map.ok() || (*map)->FindId(name->shard)) continue;
        complaint = "is in no map: a split of the directory was not finished";
      }
      Find("object \"" + object + "\" " + complaint);
      if (repair_) CountRepair(co_await RemoveObject(object));
    }
  }
}

}  // namespace holdfast
