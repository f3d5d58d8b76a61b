#include "storage/engine/log_file_system.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

namespace holdfast {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

constexpr std::uint64_t kStepBytes = 512 * 1024;
constexpr std::size_t kZeroBytes = 64 * 1024;

IOStatus StatusOf(int error, const std::string& path) {
  const std::string text = path + ": " + std::generic_category().message(error);
  if (error != ENOSPC && error != EDQUOT) return IOStatus::IOError(text);
  // As RocksDB's own files have it: it tries again when there is room.
  IOStatus status = IOStatus::NoSpace(text);
  status.SetRetryable(true);
  return status;
}

class LogFile final : public rocksdb::FSWritableFile {
 public:
  LogFile(const rocksdb::FileOptions& options, std::string path, int fd)
      : FSWritableFile(options), path_(std::move(path)), fd_(fd) {}
  ~LogFile() override {
    if (fd_ >= 0) (void)Close(IOOptions(), nullptr);
  }

  using FSWritableFile::Append;
  IOStatus Append(const rocksdb::Slice& data, const IOOptions&, IODebugContext*) override {
    if (size_ + data.size() > prepared_) Prepare(size_ + data.size());
    if (const int error = WriteAt(data.data(), data.size(), size_)) return StatusOf(error, path_);
    size_ += data.size();
    prepared_ = std::max(prepared_, size_);
    return IOStatus::OK();
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return ::fdatasync(fd_) < 0 ? StatusOf(errno, path_) : IOStatus::OK();
  }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return ::fsync(fd_) < 0 ? StatusOf(errno, path_) : IOStatus::OK();
  }
  bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return size_; }
  IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override {
    if (::ftruncate(fd_, static_cast<off_t>(size)) < 0) return StatusOf(errno, path_);
    size_ = prepared_ = size;
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override {
    if (fd_ < 0) return IOStatus::OK();
    IOStatus status;
    if (prepared_ > size_ && ::ftruncate(fd_, static_cast<off_t>(size_)) < 0) status = StatusOf(errno, path_);
    if (::close(fd_) < 0 && status.ok()) status = StatusOf(errno, path_);
    fd_ = -1;
    return status;
  }

 private:
  int WriteAt(const char* data, std::size_t size, std::uint64_t offset) {
    while (size != 0) {
      const ssize_t n = ::pwrite(fd_, data, size, static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return n < 0 ? errno : EIO;
      data += n;
      size -= static_cast<std::size_t>(n);
      offset += static_cast<std::uint64_t>(n);
    }
    return 0;
  }

  // As far as there is room: the record itself decides whether the disk is full.
  void Prepare(std::uint64_t end) {
    static const std::string zeros(kZeroBytes, '\0');
    const std::uint64_t target = (end + kStepBytes - 1) / kStepBytes * kStepBytes;
    while (prepared_ < target) {
      const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), target - prepared_));
      if (WriteAt(zeros.data(), piece, prepared_) != 0) return;
      prepared_ += piece;
    }
  }

  const std::string path_;
  int fd_;
  std::uint64_t size_ = 0;
  std::uint64_t prepared_ = 0;  // where the zeros end
};

class FileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "HoldfastLogPreparingFileSystem"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* context) override {
    if (!std::string_view(path).ends_with(".log")) {
      return FileSystemWrapper::NewWritableFile(path, options, result, context);
    }
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return StatusOf(errno, path);
    *result = std::make_unique<LogFile>(options, path, fd);
    return IOStatus::OK();
  }
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> LogPreparingFileSystem() {
  static const std::shared_ptr<rocksdb::FileSystem> system = std::make_shared<FileSystem>();
  return system;
}

}  // namespace holdfast
