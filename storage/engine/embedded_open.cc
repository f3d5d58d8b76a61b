// Opening the embedded engine: every reason why it cannot be done is found here and said in words.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "storage/engine/embedded_engine.h"
#include "storage/engine/limits.h"

namespace holdfast {
namespace {

// The layout of this version; another layout gets another text.
constexpr std::string_view kFormat = "holdfast embedded store, format 1\n";
constexpr std::string_view kFormatStart = "holdfast embedded store, format ";

std::string Reason(int error) { return std::generic_category().message(error); }

// Takes the lock that keeps two servers from one store. Answers a descriptor, or -1 and why.
int LockDirectory(const std::string& directory, std::string* error) {
  struct stat st {};
  if (::stat(directory.c_str(), &st) < 0) {
    *error = "directory " + directory + ": " + Reason(errno);
    return -1;
  }
  if (!S_ISDIR(st.st_mode)) {
    *error = directory + " is not a directory";
    return -1;
  }
  const std::string path = directory + "/lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    *error = "directory " + directory + " is not writable: " + Reason(errno);
    return -1;
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) < 0) {
    char owner[32] = {};
    const ssize_t n = ::pread(fd, owner, sizeof owner - 1, 0);
    *error = "directory " + directory + " is in use by another process";
    if (n > 0) *error += " (pid " + std::string(owner, std::strcspn(owner, "\n")) + ")";
    ::close(fd);
    return -1;
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) < 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    *error = "directory " + directory + " cannot be written: " + Reason(errno);
    ::close(fd);
    return -1;
  }
  return fd;
}

// Empty when the file system can keep sparse files, the reason otherwise.
std::string TrySparseFile(FileSystemSeam& files, const std::string& directory) {
  constexpr std::uint64_t kSpan = std::uint64_t{1} << 20;
  const std::string path = directory + "/sparse-test";
  const int fd = files.Open(path, true);
  if (fd < 0) return "cannot create a file: " + Reason(-fd);
  const Bytes block(kSpan, 1);
  std::string error;
  if (const int result = files.Write(fd, block, 0); result < 0) {
    error = "cannot be written: " + Reason(-result);
  } else if (files.PunchHole(fd, 0, kSpan / 2) < 0 || files.SeekData(fd, 0) != kSpan / 2) {
    error = "its file system has no holes in files (punch hole, SEEK_DATA): use ext4, XFS or btrfs";
  }
  files.Close(fd);
  files.Unlink(path);
  return error;
}

// Makes or checks the file that names the layout.
std::string CheckFormat(FileSystemSeam& files, const std::string& directory) {
  const std::string path = directory + "/format";
  if (const int fd = files.Open(path, false); fd >= 0) {
    Bytes text(256);
    const std::int64_t n = files.Read(fd, text, 0);
    files.Close(fd);
    if (n < 0) return path + ": " + Reason(static_cast<int>(-n));
    const std::string_view found(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(n));
    if (found == kFormat) return {};
    if (found.starts_with(kFormatStart)) {
      const std::string_view number = found.substr(kFormatStart.size(), found.find('\n') - kFormatStart.size());
      return directory + " holds a store of format " + std::string(number) + ", this server reads format 1";
    }
    // A first start that lost the power may leave the file without its text, but has made no key store yet.
    std::error_code ignored;
    if (std::filesystem::exists(directory + "/keys", ignored)) return path + " is damaged";
  } else if (fd != -ENOENT) {
    return path + ": " + Reason(-fd);
  }

  // The format file is made last, so a first start that was cut short left only these.
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    const std::string name = entry.path().filename().string();
    if (name != "lock" && name != "format" && name != "sparse-test" && name != "data" && name != "lost+found") {
      return directory + " holds no store, but is not empty: " + name;
    }
  }
  if (auto error = DataFiles::Format(files, directory + "/data"); !error.empty()) return error;
  const int fd = files.Open(path, true);
  if (fd < 0) return path + ": " + Reason(-fd);
  int result = files.Write(fd, ByteView(reinterpret_cast<const std::uint8_t*>(kFormat.data()), kFormat.size()), 0);
  if (result >= 0) result = files.Sync(fd, false);
  files.Close(fd);
  if (result >= 0) result = files.SyncDirectory(directory);
  return result < 0 ? path + ": " + Reason(-result) : std::string();
}

// Sockets and RocksDB need descriptors too.
std::size_t OpenFilesAllowed(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  return std::clamp<std::size_t>(wanted, 16, std::max<std::size_t>(16, limit.rlim_cur / 2));
}

}  // namespace

EmbeddedEngine::OpenResult EmbeddedEngine::Open(EmbeddedOptions options, Executor) {
  OpenResult result;
  if (!options.files) options.files = PosixFileSystem();
  const int lock = LockDirectory(options.directory, &result.error);
  if (lock < 0) return result;
  std::unique_ptr<EmbeddedEngine> engine(new EmbeddedEngine(std::move(options), lock));
  result.error = engine->OpenStores();
  if (result.error.empty()) result.engine = std::move(engine);
  return result;
}

std::string EmbeddedEngine::OpenStores() {
  const std::string& directory = options_.directory;
  if (auto error = TrySparseFile(*options_.files, directory); !error.empty()) {
    return "directory " + directory + ": " + error;
  }
  if (auto error = CheckFormat(*options_.files, directory); !error.empty()) return error;
  space_ = std::make_shared<SpaceGauge>(options_.files, directory, options_.reserve_percent, options_.reserve_bytes);

  DataFiles::Options data;
  data.directory = directory + "/data";
  data.max_open = OpenFilesAllowed(options_.max_open_files);
  data.sync = options_.sync;
  data.files = options_.files;
  data.space = space_;
  data_ = std::make_unique<DataFiles>(std::move(data));

  KeyStore::Options keys;
  keys.directory = directory + "/keys";
  keys.cache_bytes = options_.key_cache_bytes;
  keys.write_buffer_bytes = options_.write_buffer_bytes;
  keys.sync = options_.sync;
  keys.files = options_.files;
  keys.space = space_;
  keys.data_size = [this](const std::string& object) { return data_->SizeOf(object); };
  std::string error;
  keys_ = KeyStore::Open(std::move(keys), &error);
  if (!keys_) return error;
  return FinishRemovals();
}

std::string EmbeddedEngine::FinishRemovals() {
  for (const auto& [object, removal] : keys_->DeadFiles()) {
    EngineError error = data_->Unlink(object);
    if (error == EngineError::kNone) error = data_->SyncEntry(object);
    if (error == EngineError::kNone) {
      CommitRequest clear;
      clear.kind = CommitRequest::Kind::kClearDead;
      clear.object = object;
      clear.removal = removal;
      clear.durability = Durability::kProcess;
      error = keys_->CommitAndWait(std::move(clear)).error;
    }
    if (error != EngineError::kNone) {
      return options_.directory + "/data/" + DataFiles::PathOf(object) + ": a removed object cannot be cleared away: " +
             std::string(EngineErrorName(error));
    }
  }
  return {};
}

}  // namespace holdfast
