// The bytes of the embedded engine: one sparse file for each object that has any, data/<xx>/<name>.
//
// Holes are absent data: reads give zero, FALLOC_FL_PUNCH_HOLE frees, SEEK_DATA and SEEK_HOLE list. The kernel's page
// cache is the cache. Stable writes of a file that arrive during a sync share the next one. Data carries no checksums
// in this version: what the disk returns is believed.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "storage/engine/engine.h"
#include "storage/engine/file_system.h"
#include "storage/engine/space_gauge.h"

namespace holdfast {

class DataFiles;

// An open file. Its descriptor closes with the last user.
class DataFile {
 public:
  DataFile(DataFiles* owner, std::string object, int fd) : owner_(owner), object_(std::move(object)), fd_(fd) {}
  ~DataFile();
  DataFile(const DataFile&) = delete;
  DataFile& operator=(const DataFile&) = delete;

  using Done = std::function<void(EngineError)>;
  // Never blocks. True: somebody has to call DoWrites() now.
  bool QueueWrite(std::uint64_t offset, ByteView data, Durability durability, Done done);
  // All of these block; `done` is called on some thread.
  void DoWrites();
  void Zero(DataRange range, Durability durability, const Done& done);
  void Truncate(std::uint64_t size, Durability durability, const Done& done);
  void Duplicate(DataFile& from, std::uint64_t from_offset, std::uint64_t to_offset, std::uint64_t length,
                 Durability durability, const Done& done);
  // Answers when a sync that begins after this call has ended. `everything`: metadata that a reader does not need too.
  void Sync(bool everything, Done done);
  EngineResult<std::size_t> Read(std::uint64_t offset, std::span<std::uint8_t> out);
  EngineResult<std::vector<DataRange>> AllocatedRanges(DataRange within);

  // Into the page cache, in this thread.
  EngineError WriteNow(std::uint64_t offset, ByteView data);

  // These do not block. kNotFound: not in memory.
  EngineResult<std::size_t> ReadCached(std::uint64_t offset, std::span<std::uint8_t> out);
  EngineResult<std::uint64_t> Size();
  EngineResult<std::uint64_t> AllocatedBytes();

 private:
  struct PendingWrite {
    std::uint64_t offset = 0;
    ByteView data{};
    Durability durability = Durability::kStable;
    Done done{};
  };
  // These answer -errno, or not below zero. Take: with `share` -EOPNOTSUPP, and nothing is changed, where the file system
  // shares no blocks.
  std::int64_t Take(DataFile& from, const std::vector<DataRange>& ranges, std::uint64_t from_offset,
                    std::uint64_t to_offset, bool share);
  std::int64_t Copy(DataFile& from, DataRange range, std::uint64_t to_offset);
  std::int64_t Free(std::uint64_t from, std::uint64_t to);
  void Finish(std::int64_t result, bool everything, Durability durability, const Done& done);
  void Sync(bool everything, std::vector<Done> done);
  bool IsSyncing();

  DataFiles* const owner_;
  const std::string object_;
  const int fd_;
  std::atomic<bool> failed_{false};  // a sync failed: what is in the page cache may never have reached the disk
  std::mutex truncate_mutex_;

  std::mutex write_mutex_;
  bool writing_ = false;
  std::deque<PendingWrite> writes_;

  std::mutex sync_mutex_;
  bool syncing_ = false;
  bool sync_everything_ = false;
  std::vector<Done> sync_waiters_;
};

class DataFiles {
 public:
  struct Options {
    std::string directory;  // of all data files
    std::size_t max_open = 4096;
    bool sync = true;
    std::shared_ptr<FileSystemSeam> files;
    std::shared_ptr<SpaceGauge> space;
  };
  explicit DataFiles(Options options) : options_(std::move(options)) {}

  // Makes the directories, durably. Answers what went wrong, empty when nothing did.
  static std::string Format(FileSystemSeam& files, const std::string& directory);

  // Never blocks on the disk; null when the file is not open.
  std::shared_ptr<DataFile> Cached(const std::string& object);
  // These block. kNotFound when there is no such file.
  EngineResult<std::shared_ptr<DataFile>> Open(const std::string& object) { return Open(object, false); }
  EngineResult<std::shared_ptr<DataFile>> Create(const std::string& object) { return Open(object, true); }
  std::uint64_t SizeOf(const std::string& object);
  EngineError Unlink(const std::string& object);
  // The object's directory entry, its absence included, survives the power afterwards.
  EngineError SyncEntry(const std::string& object);
  // Files there that `expected` does not name, as paths below the directory.
  std::vector<std::string> Strangers(const std::unordered_set<std::string>& expected);
  bool RemoveStranger(const std::string& path);

  // Where the object's bytes are, below the directory.
  static std::string PathOf(const std::string& object);

 private:
  friend class DataFile;
  static constexpr std::size_t kDirectories = 256;
  struct Directory {
    std::mutex mutex;
    std::atomic<std::uint64_t> changes{1};  // unknown to us what happened before this run
    std::uint64_t synced = 0;
    bool failed = false;
  };
  struct Entry {
    std::shared_ptr<DataFile> file;
    std::list<std::string>::iterator recent;
  };
  static std::size_t DirectoryOf(const std::string& object);
  EngineResult<std::shared_ptr<DataFile>> Open(const std::string& object, bool create);
  void Remember(const std::string& object, std::shared_ptr<DataFile> file);
  void MarkFailed(const std::string& object);

  Options options_;
  std::array<Directory, kDirectories> directories_;
  std::atomic<bool> shares_blocks_{true};  // until the file system says that it does not
  std::array<std::mutex, 64> opening_;  // by object: opening a file against unlinking it

  std::mutex mutex_;
  std::unordered_map<std::string, Entry> open_;
  std::list<std::string> recent_;  // newest first
  std::unordered_set<std::string> failed_;
};

}  // namespace holdfast
