#include "storage/engine/data_files.h"

#include <openssl/sha.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <system_error>

namespace holdfast {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::string HexByte(std::uint8_t byte) { return {kHex[byte >> 4], kHex[byte & 15]}; }

// Readable where the name allows it. Names too long for a directory entry go by their SHA-256.
std::string FileNameOf(const std::string& object) {
  std::string name;
  for (const char c : object) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (plain) {
      name.push_back(c);
    } else {
      name += '%' + HexByte(static_cast<std::uint8_t>(c));
    }
  }
  if (name.size() <= 200) return name;
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(object.data()), object.size(), digest.data());
  name = "%%";
  for (const std::uint8_t byte : digest) name += HexByte(byte);
  return name;
}

}  // namespace

std::size_t DataFiles::DirectoryOf(const std::string& object) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a; part of the format on disk
  for (const char c : object) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
  return (hash ^ (hash >> 32) ^ (hash >> 16)) % kDirectories;
}

std::string DataFiles::PathOf(const std::string& object) {
  return HexByte(static_cast<std::uint8_t>(DirectoryOf(object))) + '/' + FileNameOf(object);
}

std::string DataFiles::Format(FileSystemSeam& files, const std::string& directory) {
  auto make = [&files](const std::string& path) -> std::string {
    const int result = files.MakeDirectory(path);
    if (result < 0 && result != -EEXIST) return path + ": " + std::generic_category().message(-result);
    return {};
  };
  if (auto error = make(directory); !error.empty()) return error;
  for (std::size_t i = 0; i < kDirectories; ++i) {
    if (auto error = make(directory + '/' + HexByte(static_cast<std::uint8_t>(i))); !error.empty()) return error;
  }
  if (const int result = files.SyncDirectory(directory); result < 0) {
    return directory + ": " + std::generic_category().message(-result);
  }
  return {};
}

std::shared_ptr<DataFile> DataFiles::Cached(const std::string& object) {
  std::lock_guard lock(mutex_);
  const auto it = open_.find(object);
  if (it == open_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, it->second.recent);
  return it->second.file;
}

void DataFiles::Remember(const std::string& object, std::shared_ptr<DataFile> file) {
  std::vector<std::shared_ptr<DataFile>> closed;  // closed without holding the mutex
  std::lock_guard lock(mutex_);
  recent_.push_front(object);
  open_.insert_or_assign(object, Entry{std::move(file), recent_.begin()});
  while (open_.size() > options_.max_open) {
    const auto oldest = open_.find(recent_.back());
    closed.push_back(std::move(oldest->second.file));
    open_.erase(oldest);
    recent_.pop_back();
  }
}

EngineResult<std::shared_ptr<DataFile>> DataFiles::Open(const std::string& object, bool create) {
  std::lock_guard opening(opening_[std::hash<std::string>()(object) % opening_.size()]);
  if (auto file = Cached(object)) return file;
  {
    std::lock_guard lock(mutex_);
    if (failed_.contains(object)) return EngineError::kIo;
  }
  const std::string path = options_.directory + '/' + PathOf(object);
  const int fd = options_.files->Open(path, create);
  if (fd == -ENOENT) return EngineError::kNotFound;
  if (fd == -ENOSPC || fd == -EDQUOT) return EngineError::kNoSpace;
  if (fd < 0) return EngineError::kIo;
  if (create) ++directories_[DirectoryOf(object)].changes;
  auto file = std::make_shared<DataFile>(this, object, fd);
  Remember(object, file);
  return file;
}

std::uint64_t DataFiles::SizeOf(const std::string& object) {
  auto file = Open(object);
  if (!file.ok()) return 0;
  auto size = (*file)->Size();
  return size.ok() ? *size : 0;
}

EngineError DataFiles::Unlink(const std::string& object) {
  std::shared_ptr<DataFile> forgotten;
  std::lock_guard opening(opening_[std::hash<std::string>()(object) % opening_.size()]);
  {
    std::lock_guard lock(mutex_);
    if (const auto it = open_.find(object); it != open_.end()) {
      forgotten = std::move(it->second.file);
      recent_.erase(it->second.recent);
      open_.erase(it);
    }
    failed_.erase(object);  // its successor is another file
  }
  const int result = options_.files->Unlink(options_.directory + '/' + PathOf(object));
  if (result == -ENOENT) return EngineError::kNone;
  if (result < 0) return EngineError::kIo;
  ++directories_[DirectoryOf(object)].changes;
  return EngineError::kNone;
}

EngineError DataFiles::SyncEntry(const std::string& object) {
  if (!options_.sync) return EngineError::kNone;
  const std::size_t index = DirectoryOf(object);
  Directory& directory = directories_[index];
  std::lock_guard lock(directory.mutex);
  if (directory.failed) return EngineError::kIo;
  const std::uint64_t changes = directory.changes;
  if (directory.synced == changes) return EngineError::kNone;
  const std::string path = options_.directory + '/' + HexByte(static_cast<std::uint8_t>(index));
  if (options_.files->SyncDirectory(path) < 0) {
    directory.failed = true;
    return EngineError::kIo;
  }
  directory.synced = changes;
  return EngineError::kNone;
}

void DataFiles::MarkFailed(const std::string& object) {
  std::lock_guard lock(mutex_);
  failed_.insert(object);
}

std::vector<std::string> DataFiles::Strangers(const std::unordered_set<std::string>& expected) {
  std::vector<std::string> strangers;
  std::error_code error;
  for (std::size_t i = 0; i < kDirectories; ++i) {
    const std::string directory = HexByte(static_cast<std::uint8_t>(i));
    for (const auto& entry : std::filesystem::directory_iterator(options_.directory + '/' + directory, error)) {
      std::string path = directory + '/' + entry.path().filename().string();
      if (!expected.contains(path)) strangers.push_back(std::move(path));
    }
  }
  return strangers;
}

bool DataFiles::RemoveStranger(const std::string& path) {
  return options_.files->Unlink(options_.directory + '/' + path) >= 0;
}

}  // namespace holdfast
