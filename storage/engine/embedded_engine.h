// The engine of one machine: RocksDB for keys and versions (key_store.h), sparse files for bytes (data_files.h).
//
// What is durable when: README.md beside this file.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/engine/data_files.h"
#include "storage/engine/engine.h"
#include "storage/engine/key_store.h"

namespace holdfast {

struct EmbeddedOptions {
  std::string directory;           // must exist; empty at the first start
  std::size_t io_threads = 16;     // for blocking file work
  bool sync = true;                // false: kStable is as good as kProcess; for benchmarks, never for users' data
  unsigned reserve_percent = 3;    // of the file system kept free of new data: this or
  std::uint64_t reserve_bytes = std::uint64_t{64} << 20;  // this, whichever is more
  std::size_t key_cache_bytes = std::size_t{64} << 20;
  std::size_t write_buffer_bytes = std::size_t{32} << 20;
  std::size_t max_open_files = 4096;                   // data files; less when the process may open fewer
  std::size_t inline_read_bytes = std::size_t{256} << 10;  // cached reads up to this are done on the core
  std::size_t inline_write_bytes = std::size_t{64} << 10;  // writes into the page cache too, while they do not block
  std::shared_ptr<FileSystemSeam> files;               // null: the kernel
};

class EmbeddedEngine final : public Engine {
 public:
  struct OpenResult {
    std::unique_ptr<EmbeddedEngine> engine;
    std::string error;  // names the directory and the cause; empty when the engine is there
  };
  // Blocks: call it before the core runs. All calls of the engine are made on `executor`, which outlives it.
  static OpenResult Open(EmbeddedOptions options, Executor executor);
  // Waits for what is under way; no caller may still wait for an answer.
  ~EmbeddedEngine() override;

  std::string_view name() const override { return "embedded"; }
  std::uint64_t stripe_bytes() const override { return std::uint64_t{1} << 46; }
  Task<EngineResult<std::uint64_t>> Write(std::string object, std::vector<Guard> guards,
                                          std::vector<Mutation> mutations,
                                          Durability durability = Durability::kStable,
                                          WriteClass write_class = WriteClass::kData) override;
  Task<EngineResult<KeyPage>> ReadKeys(std::string object, KeyRange range) override;
  Task<EngineResult<std::vector<std::optional<std::string>>>> ReadKeysExact(std::string object,
                                                                            std::vector<std::string> keys) override;
  Task<EngineError> WriteData(std::string object, std::uint64_t offset, ByteView data, Durability durability) override;
  Task<EngineResult<std::size_t>> ReadData(std::string object, std::uint64_t offset,
                                           std::span<std::uint8_t> out) override;
  Task<EngineError> ZeroData(std::string object, DataRange range, Durability durability) override;
  Task<EngineError> DuplicateData(std::string from, std::uint64_t from_offset, std::string to,
                                  std::uint64_t to_offset, std::uint64_t length, Durability durability) override;
  Task<EngineError> TruncateData(std::string object, std::uint64_t size, Durability durability) override;
  Task<EngineResult<std::uint64_t>> DataSize(std::string object) override;
  Task<EngineResult<std::vector<DataRange>>> AllocatedRanges(std::string object, DataRange within) override;
  Task<EngineResult<std::uint64_t>> AllocatedBytes(std::string object) override;
  Task<EngineError> RemoveData(std::string object) override;
  Task<EngineError> Flush(std::string object) override;
  Task<EngineResult<std::vector<std::string>>> List(std::string prefix, std::string after, std::size_t limit) override;
  Task<EngineResult<EngineUsage>> Usage() override;
  Task<std::vector<std::string>> Check(bool repair) override;

 private:
  using FileResult = EngineResult<std::shared_ptr<DataFile>>;
  // Making and unlinking an object's data file are serial, across what they await.
  struct NameLock {
    AsyncMutex mutex;
    std::size_t users = 0;
  };
  class NameLockUser;

  EmbeddedEngine(EmbeddedOptions options, int lock_fd);
  std::string OpenStores();
  // Unlinks what was removed when the store was last closed or lost.
  std::string FinishRemovals();

  Task<CommitResult> Commit(CommitRequest request);
  // A write that only has to reach the page cache, on the core. False: give it to the pool.
  bool WriteInline(DataFile& file, std::uint64_t offset, ByteView data, EngineError* error);
  Task<FileResult> OpenFile(std::string object);
  Task<FileResult> CreateFile(std::string object);
  Task<EngineError> UnlinkFile(std::string object, std::uint64_t removal);
  std::vector<std::string> CheckStores(bool repair);

  EmbeddedOptions options_;
  int lock_fd_;
  std::shared_ptr<SpaceGauge> space_;
  std::unique_ptr<DataFiles> data_;
  std::unique_ptr<KeyStore> keys_;
  std::map<std::string, NameLock> name_locks_;
  unsigned inline_writes_off_ = 0;  // so many writes go to the pool, for one on the core has blocked
  // Unlinked files whose directory entries may still come back; tidied up together.
  std::vector<std::pair<std::string, std::uint64_t>> removals_;
  std::unique_ptr<WorkerPool> pool_;  // ends first: its work uses all of the above
};

}  // namespace holdfast
