// Which shard of a directory holds a name, and who may change it.
//
// The map (key "m" of shard 0) is the truth about ranges; each shard repeats its own range and whether it is frozen
// in its state (key "g"), by whose bytes every change of an entry is guarded. So a map out of date is noticed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/volume/codec.h"

namespace holdfast {

struct Shard {
  std::uint32_t id = 0;
  std::string from;  // encoded names: first one
  std::string to;    // first one behind; empty: to the end
  std::string live_state;          // bytes of its state when last seen live; empty: not seen
  std::int64_t entries = -1;       // about how many; -1: not counted
  bool Covers(std::string_view name) const { return name >= from && (to.empty() || name < to); }
};

struct ShardMap {
  std::string raw;
  pb::ShardMap message;
  std::vector<Shard> shards;  // by range, without gaps

  Shard& Find(std::string_view encoded_name);
  Shard* FindId(std::uint32_t id);
};

// nullopt when the bytes are no map: unparseable, without a first shard, out of order, an id twice.
std::optional<ShardMap> ParseShardMap(const std::string& raw);
// The map of a new directory: one shard, 0.
pb::ShardMap FirstShardMap();
// `at` splits off everything from that name on; answers the new shard's id.
std::uint32_t AddShard(pb::ShardMap& map, std::string_view at);

inline bool StateCovers(const pb::ShardState& state, std::string_view name) {
  return name >= state.from() && (state.to().empty() || name < state.to());
}
// A live state of the next generation.
pb::ShardState LiveState(std::uint64_t generation, std::string_view from, std::string_view to);

// Maps of the directories used last. Coherent whoever else changes a directory: every read and every write that goes
// by a map is checked against the shard's own state in the same step.
class ShardMapCache {
 public:
  std::shared_ptr<ShardMap> Get(FileNumber directory) const;
  void Put(FileNumber directory, std::shared_ptr<ShardMap> map);
  void Forget(FileNumber directory) { maps_.erase(directory); }

 private:
  static constexpr std::size_t kMost = 16384;
  std::unordered_map<FileNumber, std::shared_ptr<ShardMap>> maps_;
};

}  // namespace holdfast
