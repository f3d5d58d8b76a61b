// What the cases that run inside the VM share: calls that must succeed, and files.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

[[noreturn]] inline void Fail(const char* what, int line) {
  // One line, so that the judge can quote it.
  std::printf("line %d: %s (%s)\n", line, what, std::strerror(errno));
  std::fflush(stdout);
  ::_exit(1);
}

#define EXPECT(what)                    \
  do {                                  \
    errno = 0;                          \
    if (!(what)) Fail(#what, __LINE__); \
  } while (false)

// The call fails with this error and no other.
#define EXPECT_ERROR(call, error)                                                             \
  do {                                                                                        \
    errno = 0;                                                                                \
    if ((call) != -1 || errno != (error)) Fail(#call " did not fail with " #error, __LINE__); \
  } while (false)

class File {
 public:
  explicit File(const std::string& path, int flags = O_RDWR | O_CREAT | O_TRUNC)
      : fd_(::open(path.c_str(), flags, 0644)) {
    if (fd_ < 0) Fail(("open " + path).c_str(), 0);
  }
  ~File() { Close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  operator int() const { return fd_; }
  void Close() {
    if (fd_ >= 0) EXPECT(::close(fd_) == 0);
    fd_ = -1;
  }

 private:
  int fd_;
};

// Bytes that differ at every position, so that a shifted piece is noticed.
inline std::string Pattern(std::size_t size, std::uint32_t seed) {
  std::string bytes(size, '\0');
  std::uint32_t state = seed * 2654435761u + 1;
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

inline void WriteAll(int fd, const std::string& bytes, off_t offset) {
  EXPECT(::pwrite(fd, bytes.data(), bytes.size(), offset) == static_cast<ssize_t>(bytes.size()));
}

inline std::string ReadAll(int fd, std::size_t size, off_t offset) {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(fd, bytes.data() + done, size - done, offset + static_cast<off_t>(done));
    EXPECT(n >= 0);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

// Runs `work` in a process of its own, with descriptors and POSIX locks of its own; what it returns is its status.
inline int InAnotherProcess(const std::function<int()>& work) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  EXPECT(child >= 0);
  if (child == 0) ::_exit(work());
  int status = 0;
  EXPECT(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;  // an alarm
}

inline bool SetLock(int fd, short type, off_t start, off_t length, int command = F_SETLK) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = length;
  return ::fcntl(fd, command, &lock) == 0;
}

inline std::vector<std::string> Names(const std::string& directory) {
  std::vector<std::string> names;
  DIR* stream = ::opendir(directory.c_str());
  EXPECT(stream != nullptr);
  errno = 0;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  EXPECT(errno == 0);
  ::closedir(stream);
  return names;
}

inline struct stat Stat(const std::string& path) {
  struct stat facts = {};
  EXPECT(::stat(path.c_str(), &facts) == 0);
  return facts;
}
