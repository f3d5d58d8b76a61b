#include "auth/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace holdfast {
namespace {

constexpr off_t kFileSizeMax = 16 << 20;

bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

FileStamp FileStamp::Of(const std::string& path) {
  FileStamp stamp;
  struct stat st;
  if (path.empty() || ::stat(path.c_str(), &st) != 0) return stamp;
  stamp.device = st.st_dev;
  stamp.inode = st.st_ino;
  stamp.size = st.st_size;
  stamp.modified_ns = std::int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec;
  return stamp;
}

std::optional<std::string> ReadFile(const std::string& path, std::string* cause) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat st;
  if (!file || ::fstat(file.get(), &st) != 0) {
    *cause = std::strerror(errno);
    return std::nullopt;
  }
  if (!S_ISREG(st.st_mode) || st.st_size > kFileSizeMax) {
    *cause = S_ISREG(st.st_mode) ? "it is larger than 16 MiB" : "it is not a regular file";
    return std::nullopt;
  }
  std::string text;
  char part[65536];
  for (;;) {
    const ssize_t n = ::read(file.get(), part, sizeof part);
    if (n == 0) return text;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      *cause = std::strerror(errno);
      return std::nullopt;
    }
    text.append(part, static_cast<std::size_t>(n));
  }
}

bool ReplaceFile(const std::string& path, std::string_view content, std::string* error) {
  std::string temporary = path + ".XXXXXX";
  const FileDescriptor file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (!file) {
    *error = path + ": cannot create a file beside it: " + std::strerror(errno);
    return false;
  }
  if (!WriteAll(file.get(), content) || ::fsync(file.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    *error = path + ": " + std::strerror(errno);
    ::unlink(temporary.c_str());
    return false;
  }
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) {
    *error = folder + ": " + std::strerror(errno);
    return false;
  }
  return true;
}

std::optional<MemoryFile> MemoryFile::Create(const char* name, std::string_view content, std::string* cause) {
  MemoryFile file;
  file.fd_ = FileDescriptor(::memfd_create(name, MFD_CLOEXEC));
  if (!file.fd_) {
    *cause = std::strerror(errno);
    return std::nullopt;
  }
  ::fchmod(file.fd_.get(), 0600);
  if (!file.Rewrite(content, cause)) return std::nullopt;
  return file;
}

bool MemoryFile::Rewrite(std::string_view content, std::string* cause) {
  if (::ftruncate(fd_.get(), 0) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) != 0 || !WriteAll(fd_.get(), content)) {
    *cause = std::strerror(errno);
    return false;
  }
  return true;
}

}  // namespace holdfast
