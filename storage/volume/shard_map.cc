#include "storage/volume/shard_map.h"

#include <algorithm>
#include <set>

namespace holdfast {

Shard& ShardMap::Find(std::string_view encoded_name) {
  auto after = std::upper_bound(shards.begin(), shards.end(), encoded_name,
                                [](std::string_view name, const Shard& shard) { return name < shard.from; });
  return *std::prev(after);  // the first shard begins at ""
}

Shard* ShardMap::FindId(std::uint32_t id) {
  for (Shard& shard : shards) {
    if (shard.id == id) return &shard;
  }
  return nullptr;
}

std::optional<ShardMap> ParseShardMap(const std::string& raw) {
  auto message = codec::Parse<pb::ShardMap>(raw);
  if (!message || message->shards().empty() || !message->shards(0).from().empty()) return std::nullopt;
  ShardMap map;
  map.raw = raw;
  std::set<std::uint32_t> ids;
  for (int i = 0; i < message->shards_size(); ++i) {
    const auto& entry = message->shards(i);
    if (!ids.insert(entry.id()).second || entry.id() >= message->next_id()) return std::nullopt;
    if (i > 0 && entry.from() <= message->shards(i - 1).from()) return std::nullopt;
    Shard shard;
    shard.id = entry.id();
    shard.from = entry.from();
    if (i + 1 < message->shards_size()) shard.to = message->shards(i + 1).from();
    map.shards.push_back(std::move(shard));
  }
  map.message = std::move(*message);
  return map;
}

pb::ShardMap FirstShardMap() {
  pb::ShardMap map;
  map.add_shards()->set_id(0);
  map.set_next_id(1);
  map.set_generation(1);
  return map;
}

std::uint32_t AddShard(pb::ShardMap& map, std::string_view at) {
  const std::uint32_t id = map.next_id();
  map.set_next_id(id + 1);
  map.set_generation(map.generation() + 1);
  auto* added = map.add_shards();
  added->set_id(id);
  added->set_from(std::string(at));
  for (int i = map.shards_size() - 1; i > 0 && map.shards(i).from() < map.shards(i - 1).from(); --i) {
    map.mutable_shards()->SwapElements(i, i - 1);
  }
  return id;
}

pb::ShardState LiveState(std::uint64_t generation, std::string_view from, std::string_view to) {
  pb::ShardState state;
  state.set_generation(generation);
  state.set_from(std::string(from));
  state.set_to(std::string(to));
  return state;
}

std::shared_ptr<ShardMap> ShardMapCache::Get(FileNumber directory) const {
  const auto it = maps_.find(directory);
  return it == maps_.end() ? nullptr : it->second;
}

void ShardMapCache::Put(FileNumber directory, std::shared_ptr<ShardMap> map) {
  if (maps_.size() >= kMost && !maps_.contains(directory)) maps_.clear();
  maps_[directory] = std::move(map);
}

}  // namespace holdfast
