// The seam between the embedded engine and the kernel's files, under its data files and under RocksDB alike, so that
// a test can cut the power: everything not synced, file contents and directory entries, is then lost.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "protocol/base/bytes.h"

namespace rocksdb {
class FileSystem;
}

namespace holdfast {

// All calls block and may come from any thread. Results below zero are -errno.
class FileSystemSeam {
 public:
  struct Space {
    std::uint64_t total_bytes = 0;
    std::uint64_t free_bytes = 0;  // for unprivileged users
  };

  virtual ~FileSystemSeam() = default;

  // Opens for reading and writing; `create` makes the file when it is absent. Answers a descriptor.
  virtual int Open(const std::string& path, bool create) = 0;
  virtual void Close(int fd) = 0;
  // Bytes read: fewer than asked for only at the end of the file.
  virtual std::int64_t Read(int fd, std::span<std::uint8_t> out, std::uint64_t offset) = 0;
  // The same from memory alone; -EAGAIN when all of it is not there.
  virtual std::int64_t ReadCached(int fd, std::span<std::uint8_t> out, std::uint64_t offset) = 0;
  // Writes all of it or answers the error.
  virtual int Write(int fd, ByteView data, std::uint64_t offset) = 0;
  // What was written there is on its way to the disk from now on, so that the next Sync() has less to wait for. Only that:
  // nothing is promised, no error answered.
  virtual void StartWriting(int fd, std::uint64_t offset, std::uint64_t length) = 0;
  // Frees the range; the size of the file stays.
  virtual int PunchHole(int fd, std::uint64_t offset, std::uint64_t length) = 0;
  // Both files have the same blocks there until one of them writes; `to` grows when it ended before. Offsets and length
  // are multiples of the file system's blocks, and `from` does not end before. -EOPNOTSUPP where blocks are not shared.
  virtual int ShareBlocks(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset,
                          std::uint64_t length) = 0;
  virtual int Truncate(int fd, std::uint64_t size) = 0;
  // `data_only`: fdatasync, which is enough after writes.
  virtual int Sync(int fd, bool data_only) = 0;
  virtual std::int64_t Size(int fd) = 0;
  virtual std::int64_t AllocatedBytes(int fd) = 0;
  // lseek SEEK_DATA and SEEK_HOLE; -ENXIO behind the last data.
  virtual std::int64_t SeekData(int fd, std::uint64_t from) = 0;
  virtual std::int64_t SeekHole(int fd, std::uint64_t from) = 0;
  virtual int Unlink(const std::string& path) = 0;
  virtual int MakeDirectory(const std::string& path) = 0;
  virtual int SyncDirectory(const std::string& path) = 0;
  virtual int GetSpace(const std::string& path, Space* space) = 0;
  // What RocksDB is to use.
  virtual std::shared_ptr<rocksdb::FileSystem> ForRocksDb() = 0;
};

// The kernel itself.
std::shared_ptr<FileSystemSeam> PosixFileSystem();

}  // namespace holdfast
