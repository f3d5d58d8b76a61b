#include "storage/engine/file_system.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <rocksdb/file_system.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace holdfast {
namespace {

std::int64_t OrError(std::int64_t result) { return result < 0 ? -errno : result; }

class Posix final : public FileSystemSeam {
 public:
  int Open(const std::string& path, bool create) override {
    return static_cast<int>(OrError(::open(path.c_str(), O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600)));
  }
  void Close(int fd) override { ::close(fd); }

  std::int64_t Read(int fd, std::span<std::uint8_t> out, std::uint64_t offset) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return -errno;
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return static_cast<std::int64_t>(done);
  }

  std::int64_t ReadCached(int fd, std::span<std::uint8_t> out, std::uint64_t offset) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const iovec piece{out.data() + done, out.size() - done};
      const ssize_t n = ::preadv2(fd, &piece, 1, static_cast<off_t>(offset + done), RWF_NOWAIT);
      if (n < 0 && errno == EINTR) continue;
      // A file system without RWF_NOWAIT answers EOPNOTSUPP.
      if (n < 0) return errno == EOPNOTSUPP ? -EAGAIN : -errno;
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return static_cast<std::int64_t>(done);
  }

  int Write(int fd, ByteView data, std::uint64_t offset) override {
    while (!data.empty()) {
      const ssize_t n = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return -errno;
      if (n == 0) return -EIO;
      offset += static_cast<std::uint64_t>(n);
      data = data.subspan(static_cast<std::size_t>(n));
    }
    return 0;
  }

  void StartWriting(int fd, std::uint64_t offset, std::uint64_t length) override {
    (void)::sync_file_range(fd, static_cast<off_t>(offset), static_cast<off_t>(length), SYNC_FILE_RANGE_WRITE);
  }

  int PunchHole(int fd, std::uint64_t offset, std::uint64_t length) override {
    return static_cast<int>(OrError(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                                static_cast<off_t>(offset), static_cast<off_t>(length))));
  }
  int ShareBlocks(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset,
                  std::uint64_t length) override {
    const file_clone_range range{from, from_offset, length, to_offset};
    return static_cast<int>(OrError(::ioctl(to, FICLONERANGE, &range)));
  }
  int Truncate(int fd, std::uint64_t size) override {
    return static_cast<int>(OrError(::ftruncate(fd, static_cast<off_t>(size))));
  }
  int Sync(int fd, bool data_only) override {
    return static_cast<int>(OrError(data_only ? ::fdatasync(fd) : ::fsync(fd)));
  }
  std::int64_t Size(int fd) override {
    struct stat st {};
    return ::fstat(fd, &st) < 0 ? -errno : st.st_size;
  }
  std::int64_t AllocatedBytes(int fd) override {
    struct stat st {};
    return ::fstat(fd, &st) < 0 ? -errno : st.st_blocks * 512;
  }
  std::int64_t SeekData(int fd, std::uint64_t from) override {
    return OrError(::lseek(fd, static_cast<off_t>(from), SEEK_DATA));
  }
  std::int64_t SeekHole(int fd, std::uint64_t from) override {
    return OrError(::lseek(fd, static_cast<off_t>(from), SEEK_HOLE));
  }
  int Unlink(const std::string& path) override { return static_cast<int>(OrError(::unlink(path.c_str()))); }
  int MakeDirectory(const std::string& path) override {
    return static_cast<int>(OrError(::mkdir(path.c_str(), 0700)));
  }
  int SyncDirectory(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    const int result = static_cast<int>(OrError(::fsync(fd)));
    ::close(fd);
    return result;
  }
  int GetSpace(const std::string& path, Space* space) override {
    struct statvfs st {};
    if (::statvfs(path.c_str(), &st) < 0) return -errno;
    space->total_bytes = static_cast<std::uint64_t>(st.f_blocks) * st.f_frsize;
    space->free_bytes = static_cast<std::uint64_t>(st.f_bavail) * st.f_frsize;
    return 0;
  }
  std::shared_ptr<rocksdb::FileSystem> ForRocksDb() override { return rocksdb::FileSystem::Default(); }
};

}  // namespace

std::shared_ptr<FileSystemSeam> PosixFileSystem() {
  static const auto posix = std::make_shared<Posix>();
  return posix;
}

}  // namespace holdfast
