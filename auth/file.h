// Small files of secrets: read whole, replaced atomically, or kept in memory under a path that a library can open.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();
  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

// What changes when a file's content does: identity, size and modification time. Equal stamps of absent files compare equal.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = -1;
  std::int64_t modified_ns = 0;

  static FileStamp Of(const std::string& path);
  bool operator==(const FileStamp&) const = default;
};

// The whole content; nullopt with the operating system's words in `cause`. Regular files up to 16 MiB only.
std::optional<std::string> ReadFile(const std::string& path, std::string* cause);
// Writes a new file of mode 0600 beside `path`, syncs it and renames it over `path`. False with a sentence in `error`.
bool ReplaceFile(const std::string& path, std::string_view content, std::string* error);

// A file that lives in memory only and ends with this object; other code of this process opens it by path().
class MemoryFile {
 public:
  // nullopt with the operating system's words in `cause`.
  static std::optional<MemoryFile> Create(const char* name, std::string_view content, std::string* cause);
  bool Rewrite(std::string_view content, std::string* cause);
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }

 private:
  FileDescriptor fd_;
};

}  // namespace holdfast
