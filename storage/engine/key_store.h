// The keys of the embedded engine: RocksDB, written by one thread that commits in groups.
//
// What need not be synced is committed by the caller himself while that thread has nothing to do.
// Requests queue up while the log is being synced; the thread then takes all of them, checks their guards against
// the store and the group so far, and writes one batch with one sync. So a guarded write costs one sync however many
// there are at a time, nothing is visible before it is durable, and writes of an object are serial without locks.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/utilities/write_batch_with_index.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/engine/engine.h"
#include "storage/engine/key_encoding.h"
#include "storage/engine/space_gauge.h"

namespace holdfast {

struct CommitResult {
  EngineError error = EngineError::kNone;
  std::uint64_t version = 0;
  std::uint64_t removal = 0;  // not 0: the object's data file is dead now and to be unlinked; hand this to ClearDead
};

struct CommitRequest {
  enum class Kind : std::uint8_t {
    kWrite,
    kFileLive,   // before the data file is created; stable
    kFileDead,   // before it is unlinked; stable. The keys stay.
    kClearDead,  // after the unlinking is durable; nothing if removed again since
    kSync,       // everything before becomes stable
  };
  Kind kind = Kind::kWrite;
  std::string object;
  std::vector<Guard> guards;
  std::vector<Mutation> mutations;
  Durability durability = Durability::kStable;
  WriteClass write_class = WriteClass::kData;
  std::uint64_t removal = 0;                // kClearDead
  std::function<void(CommitResult)> done;  // on the commit thread; must not block
};

class KeyStore {
 public:
  struct Options {
    std::string directory;
    std::size_t cache_bytes = 64 << 20;
    std::size_t write_buffer_bytes = 32 << 20;
    bool sync = true;  // false: nothing is ever synced (benchmarks and tests only)
    std::shared_ptr<FileSystemSeam> files;
    std::shared_ptr<SpaceGauge> space;
    // Bytes of the object's data file, 0 for none; from any thread, may block.
    std::function<std::uint64_t(const std::string& object)> data_size;
  };
  // Blocks. When the store cannot be opened, `error` says why.
  static std::unique_ptr<KeyStore> Open(Options options, std::string* error);
  ~KeyStore();

  void Commit(CommitRequest request);
  // Commits a kProcess write on this thread, if that takes no wait: for the commit thread, for a read of the disk, for
  // a full memtable. nullopt: it did not; Commit() it. `done` is not called.
  std::optional<CommitResult> CommitWithoutWaiting(const CommitRequest& request);
  // The same, waiting for it: not on the core.
  CommitResult CommitAndWait(CommitRequest request);

  enum class ReadMode : std::uint8_t { kCachedOnly, kMayBlock };
  // nullopt: not without waiting for the disk (never with kMayBlock).
  std::optional<EngineResult<KeyPage>> ReadKeys(const std::string& object, const KeyRange& range, ReadMode mode);
  std::optional<EngineResult<std::vector<std::optional<std::string>>>> ReadKeysExact(
      const std::string& object, const std::vector<std::string>& keys, ReadMode mode);
  EngineResult<ObjectMeta> ReadMeta(const std::string& object);
  EngineResult<std::vector<std::string>> List(const std::string& prefix, const std::string& after, std::size_t limit);

  // Data files that were to be unlinked when the store was last closed or lost.
  std::vector<std::pair<std::string, std::uint64_t>> DeadFiles();
  // Verifies checksums and the layout; calls `has_file` for each object that may have a data file.
  std::vector<std::string> Check(const std::function<void(const std::string& object)>& has_file);

 private:
  explicit KeyStore(Options options) : options_(std::move(options)) {}
  std::optional<CommitResult> TryCommit(const CommitRequest& request);
  void RunCommits();
  void CommitGroup(std::vector<CommitRequest>& group);
  CommitResult Apply(const CommitRequest& request, rocksdb::WriteBatchWithIndex& group, bool* stable);
  CommitResult ApplyWrite(const CommitRequest& request, rocksdb::WriteBatchWithIndex& group, bool* stable);
  EngineResult<bool> Holds(const Guard& guard, const std::string& object, const std::string& encoded,
                           const ObjectMeta& meta, rocksdb::WriteBatchWithIndex& group);
  EngineError RemoveKeys(const std::string& from, const std::string& to, rocksdb::WriteBatchWithIndex& group);
  EngineResult<bool> HasKeys(const std::string& encoded, rocksdb::WriteBatchWithIndex& group);
  EngineResult<std::optional<ObjectMeta>> MetaInGroup(const std::string& encoded, rocksdb::WriteBatchWithIndex& group);
  void StoreMeta(const std::string& object, const std::string& encoded, const ObjectMeta& before,
                 const ObjectMeta& after, rocksdb::WriteBatchWithIndex& group);
  bool HasBytes(const std::string& object, const ObjectMeta& meta) {
    return meta.file == DataFileState::kLive && options_.data_size(object) != 0;
  }

  Options options_;
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  EngineError FailedRead(const rocksdb::Status& status);

  // Of whoever has set `committing_`.
  std::uint64_t next_removal_ = 1;
  bool unsynced_ = false;  // the log holds records that were not synced
  rocksdb::Status broken_;  // why the last write failed
  rocksdb::ReadOptions commit_read_;
  bool read_incomplete_ = false;  // a read would have had to wait for the disk

  std::mutex mutex_;
  bool committing_ = false;
  std::condition_variable wake_;
  std::deque<CommitRequest> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

EngineError ErrorOf(const rocksdb::Status& status);

}  // namespace holdfast
