// A file system whose power can be cut, for the embedded engine's tests.
//
// Files are real, in a real directory; beside each stands what a disk would still hold of it: the old content of every
// 4 KiB page written since the last sync, its size then, and the directory entries as of the last sync of their
// directory. After Cut() every change is refused; once the engine is gone, Apply() leaves of each unsynced page,
// size and entry the old or the new state, by the seed. A page is never torn.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "storage/engine/file_system.h"
#include "storage/engine/memory_object.h"

namespace holdfast {

class PowerCutFileSystem final : public FileSystemSeam, public std::enable_shared_from_this<PowerCutFileSystem> {
 public:
  // `graveyard` is made beside the store: files unlinked, but not yet for good.
  explicit PowerCutFileSystem(std::string graveyard);
  ~PowerCutFileSystem() override;

  // The power goes at the n-th change from now (0: never).
  void CutAfter(std::uint64_t changes);
  void Cut();
  bool is_cut();
  // Call when nobody uses the files any more. The store is as after the restart of the machine; the power is back.
  void Apply(std::uint64_t seed);

  // The next calls of Sync on data files fail.
  void FailSyncs(int count);
  // Whether files share blocks here (a copy plays them).
  void SetSharesBlocks(bool shares);
  std::uint64_t shared_bytes();
  void SlowSyncs(std::chrono::milliseconds delay);
  // RocksDB finds no room for more.
  void SetFull(bool full);
  bool is_full();
  void SetSpace(std::optional<Space> space);
  std::uint64_t syncs();  // of data files

  int Open(const std::string& path, bool create) override;
  void Close(int fd) override;
  std::int64_t Read(int fd, std::span<std::uint8_t> out, std::uint64_t offset) override;
  std::int64_t ReadCached(int fd, std::span<std::uint8_t> out, std::uint64_t offset) override;
  int Write(int fd, ByteView data, std::uint64_t offset) override;
  void StartWriting(int, std::uint64_t, std::uint64_t) override {}
  int PunchHole(int fd, std::uint64_t offset, std::uint64_t length) override;
  int ShareBlocks(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset, std::uint64_t length) override;
  int Truncate(int fd, std::uint64_t size) override;
  int Sync(int fd, bool data_only) override;
  std::int64_t Size(int fd) override;
  std::int64_t AllocatedBytes(int fd) override;
  std::int64_t SeekData(int fd, std::uint64_t from) override;
  std::int64_t SeekHole(int fd, std::uint64_t from) override;
  int Unlink(const std::string& path) override;
  int MakeDirectory(const std::string& path) override;
  int SyncDirectory(const std::string& path) override;
  int GetSpace(const std::string& path, Space* space) override;
  std::shared_ptr<rocksdb::FileSystem> ForRocksDb() override;

  // For the files of RocksDB, which come by path.
  struct Inode;
  std::shared_ptr<Inode> Truncated(const std::string& path);  // makes it or replaces it by an empty one; null: cut
  std::shared_ptr<Inode> Existing(const std::string& path);
  bool BeforeWrite(Inode& inode, std::uint64_t offset, std::uint64_t length);  // false: cut
  bool BeforeTruncate(Inode& inode, std::uint64_t size);
  bool SyncInode(Inode& inode);
  bool Rename(const std::string& from, const std::string& to);

 private:
  bool Spend();
  std::shared_ptr<Inode> Track(const std::string& path);
  void Bury(const std::string& path, const std::shared_ptr<Inode>& inode);
  void SavePages(Inode& inode, std::uint64_t offset, std::uint64_t length);

  std::mutex mutex_;
  const std::shared_ptr<FileSystemSeam> real_ = PosixFileSystem();
  const std::string graveyard_;
  bool cut_ = false;
  std::uint64_t budget_ = 0;
  int fail_syncs_ = 0;
  std::chrono::milliseconds sync_delay_{};
  bool full_ = false;
  bool shares_blocks_ = false;
  std::uint64_t shared_bytes_ = 0;
  std::uint64_t syncs_ = 0;
  std::optional<Space> space_;
  std::uint64_t next_grave_ = 0;
  std::map<std::string, std::shared_ptr<Inode>> current_;  // by path
  std::map<std::string, std::shared_ptr<Inode>> durable_;
  std::map<int, std::shared_ptr<Inode>> descriptors_;
};

}  // namespace holdfast
