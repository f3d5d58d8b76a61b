// Directory shards: reading, changing and listing entries, splitting a shard that has grown, freezing a directory.
//
// Knows entries as bytes under names; what an entry means is the namespace's business (lookup.cc). All errors are the
// engine's: kNotFound says that the directory itself is gone or going.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/engine/engine.h"
#include "storage/volume/inode_store.h"
#include "storage/volume/named_locks.h"
#include "storage/volume/shard_map.h"

namespace holdfast {

// One entry from `before` to `after`, both as stored; nullopt: absent.
struct DirentChange {
  std::string name;  // encoded
  std::optional<std::string> before;
  std::optional<std::string> after;
};

struct RawDirent {
  std::string name;  // encoded
  std::string raw;
};

struct RawDirentPage {
  std::vector<RawDirent> entries;
  bool more = false;
};

class DirectoryStore {
 public:
  DirectoryStore(Engine& engine, Random& random, InodeStore& inodes, std::size_t split_entries,
                 std::uint64_t incarnation)
      : engine_(engine), random_(random), inodes_(inodes), split_entries_(split_entries), incarnation_(incarnation) {}

  // The first shard of a new directory.
  Task<EngineError> Create(FileNumber directory, Durability durability);
  // All shards of one that is gone; the one with the map last.
  Task<EngineError> Remove(FileNumber directory);

  Task<EngineResult<std::optional<std::string>>> Read(FileNumber directory, std::string name);
  // Atomic for changes within one shard; one shard after the other, in the order given, otherwise (kGuardFailed may
  // then come after the first ones have been made). Waits for a split or a removal under way, undoes what is left of a
  // dead one.
  Task<EngineError> Change(FileNumber directory, std::vector<DirentChange> changes, Durability durability,
                           WriteClass write_class);
  // At most `limit` entries from `from` (encoded, inclusive) on, in order.
  Task<EngineResult<RawDirentPage>> Scan(FileNumber directory, std::string from, std::size_t limit);
  // The entry as acknowledged becomes stable.
  Task<EngineError> Flush(FileNumber directory, std::string name);
  // To be called after an insert, outside of anything that holds the directory frozen.
  Task<void> SplitIfLarge(FileNumber directory, std::string name);

  // Only one split or removal of a directory at a time in this process. Freeze and Thaw are called with this held.
  Task<NamedLocks::Guard> LockFreezes(FileNumber directory);
  // No entry can be changed from now on, whatever was under way.
  Task<EngineError> Freeze(FileNumber directory);
  Task<EngineError> Thaw(FileNumber directory);

  // Past the cache; for verification. kCorrupt when the map does not parse.
  Task<EngineResult<std::shared_ptr<ShardMap>>> ReadMap(FileNumber directory);

 private:
  struct ShardRead {
    std::string raw_state;
    pb::ShardState state;
  };
  Task<EngineResult<std::shared_ptr<ShardMap>>> Map(FileNumber directory);
  Task<EngineResult<ShardRead>> ReadState(FileNumber directory, std::uint32_t shard);
  // One try of changes of one shard: nullopt asks for another try with the map as it is then.
  Task<std::optional<EngineError>> ChangeShard(FileNumber directory, const std::vector<DirentChange>& changes,
                                               Durability durability, WriteClass write_class);
  // Is what was read from `shard`, whose state was `raw_state`, what the directory says from `name` to `to`?
  Task<EngineResult<bool>> IsCurrent(FileNumber directory, std::string name, std::string to, std::uint32_t shard,
                                     std::string raw_state);
  Task<EngineError> Unfreeze(FileNumber directory, std::uint32_t shard);
  Task<EngineError> ThawShard(FileNumber directory, std::uint32_t shard);
  Task<EngineResult<std::string>> FreezeShard(FileNumber directory, std::uint32_t shard);
  Task<EngineResult<std::vector<std::string>>> Names(FileNumber directory, std::uint32_t shard);
  Task<EngineError> Split(FileNumber directory, std::uint32_t shard, std::vector<std::string> names);
  Task<EngineError> CopyUpperHalf(FileNumber directory, std::uint32_t from, std::uint32_t to, std::string at,
                                  std::string end);

  Engine& engine_;
  Random& random_;
  InodeStore& inodes_;
  std::size_t split_entries_;
  std::uint64_t incarnation_;
  ShardMapCache maps_;
  NamedLocks freezes_;
};

}  // namespace holdfast
