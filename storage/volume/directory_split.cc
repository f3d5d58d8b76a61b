// Freezing a shard, and splitting one in two: freeze, copy the upper half, swap the map (the commit), trim.
//
// A crash before the swap leaves a copy that no map names and a frozen shard; one after it leaves the shard frozen and
// too long. Both are undone by whoever wants to change an entry next: the map says which range the shard really has.
#include "protocol/base/fault_point.h"
#include "storage/volume/directory_store.h"
#include "storage/volume/keys.h"

namespace holdfast {
namespace {

std::string StateKey() { return std::string(keys::kShardStateKey); }
std::string EndOfDirents() { return keys::EndOfPrefix(keys::kDirentPrefix); }

}  // namespace

Task<NamedLocks::Guard> DirectoryStore::LockFreezes(FileNumber directory) {
  return freezes_.Lock(keys::InodeObject(directory));
}

Task<EngineResult<std::string>> DirectoryStore::FreezeShard(FileNumber directory, std::uint32_t shard) {
  for (;;) {
    const EngineError thawed = co_await ThawShard(directory, shard);  // of somebody dead
    if (thawed != EngineError::kNone) co_return thawed;
    auto state = co_await ReadState(directory, shard);
    if (!state.ok()) co_return state.error();
    if (state->state.frozen() != 0) continue;
    pb::ShardState frozen = state->state;
    frozen.set_generation(frozen.generation() + 1);
    frozen.set_frozen(random_.Next64() | 1);
    frozen.set_frozen_incarnation(incarnation_);
    std::string raw = codec::Serialise(frozen);
    std::vector<Guard> guards{Guard::KeyEquals(StateKey(), state->raw_state)};
    std::vector<Mutation> mutations{Mutation::Set(StateKey(), raw)};
    auto written = co_await engine_.Write(keys::ShardObject(directory, shard), std::move(guards), std::move(mutations),
                                          Durability::kStable, WriteClass::kRecord);
    if (written.ok()) co_return raw;
    if (written.error() != EngineError::kGuardFailed) co_return written.error();
  }
}

Task<EngineError> DirectoryStore::ThawShard(FileNumber directory, std::uint32_t shard) {
  auto map = co_await ReadMap(directory);
  if (!map.ok()) co_return map.error();
  const Shard* range = (*map)->FindId(shard);
  if (!range) co_return EngineError::kNone;  // asked for by an older map
  auto state = co_await ReadState(directory, shard);
  if (!state.ok()) co_return state.error();
  if (state->state.frozen() == 0) co_return EngineError::kNone;
  auto attributes = co_await inodes_.ReadAttributes(directory);
  if (!attributes.ok()) co_return attributes.error();
  if (attributes->message.unlinking()) co_return EngineError::kNotFound;
  pb::ShardState live = state->state;
  live.set_generation(live.generation() + 1);
  live.set_from(range->from);
  live.set_to(range->to);
  live.clear_frozen();
  live.clear_frozen_incarnation();
  std::vector<Guard> guards{Guard::KeyEquals(StateKey(), state->raw_state)};
  std::vector<Mutation> mutations;
  if (!range->from.empty()) {
    mutations.push_back(Mutation::RemoveRange(std::string(keys::kDirentPrefix), keys::DirentKey(range->from)));
  }
  if (!range->to.empty()) mutations.push_back(Mutation::RemoveRange(keys::DirentKey(range->to), EndOfDirents()));
  mutations.push_back(Mutation::Set(StateKey(), codec::Serialise(live)));
  auto written = co_await engine_.Write(keys::ShardObject(directory, shard), std::move(guards), std::move(mutations),
                                        Durability::kStable, WriteClass::kRecord);
  // Somebody else may have been faster.
  co_return written.ok() || written.error() == EngineError::kGuardFailed ? EngineError::kNone : written.error();
}

Task<EngineError> DirectoryStore::Unfreeze(FileNumber directory, std::uint32_t shard) {
  // Held by whoever froze it here: what is still frozen when we get it was left by a dead one.
  auto lock = co_await LockFreezes(directory);
  co_return co_await ThawShard(directory, shard);
}

Task<EngineError> DirectoryStore::Freeze(FileNumber directory) {
  for (;;) {
    auto before = co_await ReadMap(directory);
    if (!before.ok()) co_return before.error();
    for (std::size_t i = 0; i < (*before)->shards.size(); ++i) {
      auto frozen = co_await FreezeShard(directory, (*before)->shards[i].id);
      if (!frozen.ok()) co_return frozen.error();
    }
    auto after = co_await ReadMap(directory);
    if (!after.ok()) co_return after.error();
    if ((*after)->raw == (*before)->raw) co_return EngineError::kNone;
  }
}

Task<EngineError> DirectoryStore::Thaw(FileNumber directory) {
  auto map = co_await ReadMap(directory);
  if (!map.ok()) co_return map.error();
  for (std::size_t i = 0; i < (*map)->shards.size(); ++i) {
    const EngineError thawed = co_await ThawShard(directory, (*map)->shards[i].id);
    if (thawed != EngineError::kNone) co_return thawed;
  }
  co_return EngineError::kNone;
}

Task<EngineResult<std::vector<std::string>>> DirectoryStore::Names(FileNumber directory, std::uint32_t shard) {
  std::vector<std::string> names;
  std::string from(keys::kDirentPrefix);
  for (bool more = true; more;) {
    KeyRange range{from, EndOfDirents(), 1024};
    auto page = co_await engine_.ReadKeys(keys::ShardObject(directory, shard), std::move(range));
    if (!page.ok()) co_return page.error();
    for (const KeyValue& entry : page->entries) names.push_back(entry.key.substr(keys::kDirentPrefix.size()));
    more = page->more && !page->entries.empty();
    if (more) from = keys::After(page->entries.back().key);
  }
  co_return names;
}

Task<void> DirectoryStore::SplitIfLarge(FileNumber directory, std::string name) {
  const auto most = static_cast<std::int64_t>(split_entries_);
  const auto is_small = [&](const std::shared_ptr<ShardMap>& map) {
    const Shard& shard = map->Find(name);
    return shard.entries >= 0 && shard.entries <= most;
  };
  auto map = maps_.Get(directory);
  if (!map || is_small(map) || freezes_.IsLocked(keys::InodeObject(directory))) co_return;
  auto lock = co_await LockFreezes(directory);
  map = maps_.Get(directory);
  if (!map || is_small(map)) co_return;
  const std::uint32_t id = map->Find(name).id;
  auto names = co_await Names(directory, id);
  if (!names.ok()) co_return;
  const auto count = static_cast<std::int64_t>(names->size());
  if (count > most) {
    // When it fails (a full store), the next try waits for as many inserts again.
    map->Find(name).entries = most / 2;
    const EngineError split = co_await Split(directory, id, std::move(*names));
    if (split == EngineError::kNone) co_return;
    static_cast<void>(co_await ThawShard(directory, id));
  } else if (auto now = maps_.Get(directory)) {
    now->Find(name).entries = count;
  }
}

Task<EngineError> DirectoryStore::Split(FileNumber directory, std::uint32_t shard, std::vector<std::string> names) {
  auto frozen = co_await FreezeShard(directory, shard);
  if (!frozen.ok()) co_return frozen.error();
  FAULT_POINT("volume.split.frozen");

  auto map = co_await ReadMap(directory);
  if (!map.ok()) co_return map.error();
  const Shard* now = (*map)->FindId(shard);
  const std::string at = names[names.size() / 2];
  if (!now || !now->Covers(at) || at == now->from) co_return EngineError::kGuardFailed;
  const std::string from = now->from;
  const std::string to = now->to;
  pb::ShardMap swapped = (*map)->message;
  const std::uint32_t added = AddShard(swapped, at);
  const EngineError copied = co_await CopyUpperHalf(directory, shard, added, at, to);
  if (copied != EngineError::kNone) co_return copied;
  FAULT_POINT("volume.split.copied");

  std::vector<Guard> map_guards{Guard::KeyEquals(std::string(keys::kShardMapKey), (*map)->raw)};
  std::string raw_map = codec::Serialise(swapped);
  std::vector<Mutation> map_mutations{Mutation::Set(std::string(keys::kShardMapKey), raw_map)};
  auto committed =
      co_await engine_.Write(keys::ShardObject(directory, 0), std::move(map_guards), std::move(map_mutations));
  if (!committed.ok()) co_return committed.error();
  FAULT_POINT("volume.split.swapped");

  // Before the trim: who still holds the old map finds the old entries, and after the trim the shard's new state.
  auto fresh = ParseShardMap(raw_map);
  HOLDFAST_CHECK(fresh);
  auto next = std::make_shared<ShardMap>(std::move(*fresh));
  if (const auto known = maps_.Get(directory)) {
    for (Shard& entry : next->shards) {
      if (const Shard* old = known->FindId(entry.id)) {
        entry.entries = old->entries;
        if (entry.id != shard) entry.live_state = old->live_state;
      }
    }
  }
  const auto half = static_cast<std::int64_t>(names.size() / 2);
  next->FindId(shard)->entries = half;
  next->FindId(added)->entries = static_cast<std::int64_t>(names.size()) - half;
  maps_.Put(directory, std::move(next));
  co_return co_await ThawShard(directory, shard);
}

Task<EngineError> DirectoryStore::CopyUpperHalf(FileNumber directory, std::uint32_t from, std::uint32_t to,
                                                std::string at, std::string end) {
  const std::string target = keys::ShardObject(directory, to);
  // What an earlier split of this directory may have left under the same id; no map has ever named it.
  std::vector<Mutation> clear{Mutation::RemoveObject()};
  auto cleared = co_await engine_.Write(target, {}, std::move(clear), Durability::kProcess, WriteClass::kRecord);
  if (!cleared.ok() && cleared.error() != EngineError::kNotFound) co_return cleared.error();

  std::string position = keys::DirentKey(at);
  for (bool more = true; more;) {
    KeyRange range{position, EndOfDirents(), 1024};
    auto page = co_await engine_.ReadKeys(keys::ShardObject(directory, from), std::move(range));
    if (!page.ok()) co_return page.error();
    std::vector<Mutation> mutations{Mutation::Set(StateKey(), codec::Serialise(LiveState(1, at, end)))};
    more = page->more && !page->entries.empty();
    if (more) position = keys::After(page->entries.back().key);
    for (KeyValue& entry : page->entries) {
      mutations.push_back(Mutation::Set(std::move(entry.key), std::move(entry.value)));
    }
    auto written = co_await engine_.Write(target, {}, std::move(mutations), Durability::kProcess);
    if (!written.ok()) co_return written.error();
  }
  co_return co_await engine_.Flush(target);
}

}  // namespace holdfast
