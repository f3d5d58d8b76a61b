#include "storage/volume/directory_store.h"

#include <algorithm>

#include "storage/volume/keys.h"

namespace holdfast {
namespace {

// Tries that end only when somebody else made progress; more than this is no race but a broken shard.
constexpr int kTries = 64;

std::string StateKey() { return std::string(keys::kShardStateKey); }

}  // namespace

Task<EngineError> DirectoryStore::Create(FileNumber directory, Durability durability) {
  std::vector<Mutation> mutations{
      Mutation::Set(std::string(keys::kShardMapKey), codec::Serialise(FirstShardMap())),
      Mutation::Set(StateKey(), codec::Serialise(LiveState(1, "", "")))};
  auto written = co_await engine_.Write(keys::ShardObject(directory, 0), {}, std::move(mutations), durability);
  co_return written.ok() ? EngineError::kNone : written.error();
}

Task<EngineError> DirectoryStore::Remove(FileNumber directory) {
  maps_.Forget(directory);
  std::vector<std::string> objects;
  std::string after;
  for (;;) {
    auto page = co_await engine_.List(keys::DirectoryPrefix(directory), after, 1024);
    if (!page.ok()) co_return page.error();
    if (page->empty()) break;
    after = page->back();
    objects.insert(objects.end(), page->begin(), page->end());
  }
  for (auto object = objects.rbegin(); object != objects.rend(); ++object) {
    std::vector<Mutation> mutations{Mutation::RemoveObject()};
    auto written =
        co_await engine_.Write(*object, {}, std::move(mutations), Durability::kProcess, WriteClass::kRecord);
    if (!written.ok() && written.error() != EngineError::kNotFound) co_return written.error();
  }
  co_return EngineError::kNone;
}

Task<EngineResult<std::shared_ptr<ShardMap>>> DirectoryStore::ReadMap(FileNumber directory) {
  std::vector<std::string> wanted{std::string(keys::kShardMapKey)};
  auto values = co_await engine_.ReadKeysExact(keys::ShardObject(directory, 0), std::move(wanted));
  if (!values.ok()) {
    maps_.Forget(directory);
    co_return values.error();
  }
  auto parsed = values->front() ? ParseShardMap(*values->front()) : std::nullopt;
  if (!parsed) co_return EngineError::kCorrupt;
  auto map = std::make_shared<ShardMap>(std::move(*parsed));
  // Counts and states seen under the last map still help.
  if (const auto known = maps_.Get(directory)) {
    for (Shard& shard : map->shards) {
      const Shard* old = known->FindId(shard.id);
      if (!old) continue;
      shard.entries = old->entries;
      if (old->from == shard.from && old->to == shard.to) shard.live_state = old->live_state;
    }
  }
  maps_.Put(directory, map);
  co_return map;
}

Task<EngineResult<std::shared_ptr<ShardMap>>> DirectoryStore::Map(FileNumber directory) {
  if (auto map = maps_.Get(directory)) co_return map;
  co_return co_await ReadMap(directory);
}

Task<EngineResult<DirectoryStore::ShardRead>> DirectoryStore::ReadState(FileNumber directory, std::uint32_t shard) {
  std::vector<std::string> wanted{StateKey()};
  auto values = co_await engine_.ReadKeysExact(keys::ShardObject(directory, shard), std::move(wanted));
  if (!values.ok()) co_return values.error();
  auto state = values->front() ? codec::Parse<pb::ShardState>(*values->front()) : std::nullopt;
  if (!state) co_return EngineError::kCorrupt;
  co_return ShardRead{std::move(*values->front()), std::move(*state)};
}

Task<EngineResult<bool>> DirectoryStore::IsCurrent(FileNumber directory, std::string name, std::string to,
                                                   std::uint32_t shard, std::string raw_state) {
  auto map = co_await Map(directory);
  if (!map.ok()) co_return map.error();
  if (Shard& known = (*map)->Find(name); known.id == shard && known.to == to && known.live_state == raw_state) {
    co_return true;
  }
  const auto state = codec::Parse<pb::ShardState>(raw_state);
  if (!state) co_return EngineError::kCorrupt;
  if (state->frozen() == 0 && StateCovers(*state, name) && state->to() == to) {
    if (Shard* known = (*map)->FindId(shard); known && known->to == to) known->live_state = raw_state;
    co_return true;
  }
  // Frozen: the entries are the directory's until the map says otherwise. Or the map was out of date.
  auto fresh = co_await ReadMap(directory);
  if (!fresh.ok()) co_return fresh.error();
  const Shard& now = (*fresh)->Find(name);
  co_return state->frozen() != 0 && now.id == shard && now.to == to;
}

Task<EngineResult<std::optional<std::string>>> DirectoryStore::Read(FileNumber directory, std::string name) {
  for (int tries = 0; tries < kTries; ++tries) {
    auto map = co_await Map(directory);
    if (!map.ok()) co_return map.error();
    const std::uint32_t id = (*map)->Find(name).id;
    const std::string to = (*map)->Find(name).to;
    std::vector<std::string> wanted{StateKey(), keys::DirentKey(name)};
    auto values = co_await engine_.ReadKeysExact(keys::ShardObject(directory, id), std::move(wanted));
    if (!values.ok()) {
      if (values.error() != EngineError::kNotFound) co_return values.error();
      auto fresh = co_await ReadMap(directory);
      if (!fresh.ok()) co_return fresh.error();
      if ((*fresh)->Find(name).id == id) co_return EngineError::kCorrupt;  // the map names a shard that is not there
      continue;
    }
    if (!(*values)[0]) co_return EngineError::kCorrupt;
    auto current = co_await IsCurrent(directory, name, to, id, *(*values)[0]);
    if (!current.ok()) co_return current.error();
    if (*current) co_return std::move((*values)[1]);
  }
  co_return EngineError::kCorrupt;
}

Task<EngineError> DirectoryStore::Change(FileNumber directory, std::vector<DirentChange> changes,
                                         Durability durability, WriteClass write_class) {
  int tries = 0;
  while (!changes.empty()) {
    if (++tries > kTries) co_return EngineError::kCorrupt;
    auto map = co_await Map(directory);
    if (!map.ok()) co_return map.error();
    const std::uint32_t id = (*map)->Find(changes.front().name).id;
    std::vector<DirentChange> here;
    std::vector<DirentChange> elsewhere;
    for (const DirentChange& change : changes) {
      ((*map)->Find(change.name).id == id ? here : elsewhere).push_back(change);
    }
    auto outcome = co_await ChangeShard(directory, here, durability, write_class);
    if (!outcome) continue;
    if (*outcome != EngineError::kNone) co_return *outcome;
    changes = std::move(elsewhere);
    tries = 0;
  }
  co_return EngineError::kNone;
}

Task<std::optional<EngineError>> DirectoryStore::ChangeShard(FileNumber directory,
                                                             const std::vector<DirentChange>& changes,
                                                             Durability durability, WriteClass write_class) {
  auto map = co_await Map(directory);
  if (!map.ok()) co_return map.error();
  const Shard shard = (*map)->Find(changes.front().name);
  for (const DirentChange& change : changes) {
    if (!shard.Covers(change.name)) co_return std::nullopt;  // the map changed while we waited
  }
  const std::string object = keys::ShardObject(directory, shard.id);
  if (!shard.live_state.empty()) {
    std::vector<Guard> guards{Guard::KeyEquals(StateKey(), shard.live_state)};
    std::vector<Mutation> mutations;
    std::int64_t growth = 0;
    for (const DirentChange& change : changes) {
      std::string key = keys::DirentKey(change.name);
      guards.push_back(change.before ? Guard::KeyEquals(key, *change.before) : Guard::KeyAbsent(key));
      mutations.push_back(change.after ? Mutation::Set(key, *change.after) : Mutation::Remove(key));
      growth += (change.after ? 1 : 0) - (change.before ? 1 : 0);
    }
    auto written = co_await engine_.Write(object, std::move(guards), std::move(mutations), durability, write_class);
    if (written.ok()) {
      if (const auto now = maps_.Get(directory)) {
        Shard& counted = now->Find(changes.front().name);
        if (counted.entries >= 0) counted.entries += growth;
      }
      co_return EngineError::kNone;
    }
    if (written.error() != EngineError::kGuardFailed && written.error() != EngineError::kNotFound) {
      co_return written.error();
    }
  }

  // Which guard was it? Asked in one read, so that the answers belong together.
  std::vector<std::string> wanted{StateKey()};
  for (const DirentChange& change : changes) wanted.push_back(keys::DirentKey(change.name));
  auto values = co_await engine_.ReadKeysExact(object, std::move(wanted));
  if (!values.ok()) {
    if (values.error() != EngineError::kNotFound) co_return values.error();
    auto fresh = co_await ReadMap(directory);
    if (!fresh.ok()) co_return fresh.error();
    if ((*fresh)->FindId(shard.id)) co_return EngineError::kCorrupt;
    co_return std::nullopt;
  }
  const auto state = (*values)[0] ? codec::Parse<pb::ShardState>(*(*values)[0]) : std::nullopt;
  if (!state) co_return EngineError::kCorrupt;
  if (state->frozen() != 0) {
    const EngineError thawed = co_await Unfreeze(directory, shard.id);
    if (thawed != EngineError::kNone) co_return thawed;
    co_return std::nullopt;
  }
  if (*(*values)[0] != shard.live_state) {
    if (state->from() == shard.from && state->to() == shard.to) {
      if (const auto now = maps_.Get(directory)) {
        if (Shard* known = now->FindId(shard.id)) known->live_state = *(*values)[0];
      }
    } else {
      auto fresh = co_await ReadMap(directory);
      if (!fresh.ok()) co_return fresh.error();
    }
    co_return std::nullopt;
  }
  bool all_before = true;
  bool all_after = true;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    all_before &= (*values)[i + 1] == changes[i].before;
    all_after &= (*values)[i + 1] == changes[i].after;
  }
  if (all_after) co_return EngineError::kNone;  // our own write, whose answer was lost
  if (all_before) co_return std::nullopt;
  co_return EngineError::kGuardFailed;
}

Task<EngineError> DirectoryStore::Flush(FileNumber directory, std::string name) {
  auto map = co_await Map(directory);
  if (!map.ok()) co_return map.error();
  co_return co_await engine_.Flush(keys::ShardObject(directory, (*map)->Find(name).id));
}

Task<EngineResult<RawDirentPage>> DirectoryStore::Scan(FileNumber directory, std::string from, std::size_t limit) {
  RawDirentPage out;
  for (int tries = 0; tries < kTries; ++tries) {
    auto map = co_await Map(directory);
    if (!map.ok()) co_return map.error();
    const std::uint32_t id = (*map)->Find(from).id;
    const std::string to = (*map)->Find(from).to;
    KeyRange range;
    range.from = keys::DirentKey(from);
    range.to = to.empty() ? keys::EndOfPrefix(keys::kDirentPrefix) : keys::DirentKey(to);
    range.limit = limit - out.entries.size();
    auto page = co_await engine_.ReadKeys(keys::ShardObject(directory, id), std::move(range));
    if (!page.ok()) {
      if (page.error() != EngineError::kNotFound) co_return page.error();
      auto fresh = co_await ReadMap(directory);
      if (!fresh.ok()) co_return fresh.error();
      if ((*fresh)->Find(from).id == id) co_return EngineError::kCorrupt;
      continue;
    }
    // Ranges only shrink: a state read after the page says what the page was worth.
    auto state = co_await ReadState(directory, id);
    if (!state.ok()) {
      if (state.error() == EngineError::kNotFound) continue;
      co_return state.error();
    }
    auto current = co_await IsCurrent(directory, from, to, id, state->raw_state);
    if (!current.ok()) co_return current.error();
    if (!*current) continue;
    tries = 0;
    for (KeyValue& entry : page->entries) {
      out.entries.push_back({entry.key.substr(keys::kDirentPrefix.size()), std::move(entry.value)});
    }
    if (page->more && !out.entries.empty()) {
      from = keys::After(out.entries.back().name);
    } else if (to.empty()) {
      co_return out;
    } else {
      from = to;
    }
    if (out.entries.size() >= limit) {
      out.more = true;
      co_return out;
    }
  }
  co_return EngineError::kCorrupt;
}

}  // namespace holdfast
