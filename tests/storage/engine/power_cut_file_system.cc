#include "tests/storage/engine/power_cut_file_system.h"

#include <rocksdb/file_system.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>
#include <vector>

#include "storage/engine/limits.h"

namespace holdfast {
namespace {

constexpr std::uint64_t kPage = kEnginePageBytes;

std::string Normal(const std::string& path) { return std::filesystem::path(path).lexically_normal().string(); }
std::string Parent(const std::string& path) { return std::filesystem::path(path).parent_path().string(); }
std::uint64_t SizeOf(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
}

}  // namespace

struct PowerCutFileSystem::Inode {
  std::string location;                // its real path now
  std::map<std::uint64_t, Bytes> old;  // by page: what is durable of it; shorter where the file ended
  std::uint64_t durable_size = 0;
};

PowerCutFileSystem::PowerCutFileSystem(std::string graveyard) : graveyard_(std::move(graveyard)) {
  std::filesystem::create_directories(graveyard_);
}
PowerCutFileSystem::~PowerCutFileSystem() {
  std::error_code ignored;
  std::filesystem::remove_all(graveyard_, ignored);
}

void PowerCutFileSystem::CutAfter(std::uint64_t changes) {
  std::lock_guard lock(mutex_);
  budget_ = changes;
}
void PowerCutFileSystem::Cut() {
  std::lock_guard lock(mutex_);
  cut_ = true;
}
bool PowerCutFileSystem::is_cut() {
  std::lock_guard lock(mutex_);
  return cut_;
}
void PowerCutFileSystem::FailSyncs(int count) {
  std::lock_guard lock(mutex_);
  fail_syncs_ = count;
}
void PowerCutFileSystem::SlowSyncs(std::chrono::milliseconds delay) {
  std::lock_guard lock(mutex_);
  sync_delay_ = delay;
}
void PowerCutFileSystem::SetFull(bool full) {
  std::lock_guard lock(mutex_);
  full_ = full;
}
void PowerCutFileSystem::SetSharesBlocks(bool shares) {
  std::lock_guard lock(mutex_);
  shares_blocks_ = shares;
}
std::uint64_t PowerCutFileSystem::shared_bytes() {
  std::lock_guard lock(mutex_);
  return shared_bytes_;
}
bool PowerCutFileSystem::is_full() {
  std::lock_guard lock(mutex_);
  return full_;
}
void PowerCutFileSystem::SetSpace(std::optional<Space> space) {
  std::lock_guard lock(mutex_);
  space_ = space;
}
std::uint64_t PowerCutFileSystem::syncs() {
  std::lock_guard lock(mutex_);
  return syncs_;
}

bool PowerCutFileSystem::Spend() {
  if (budget_ != 0 && --budget_ == 0) cut_ = true;
  return !cut_;
}

std::shared_ptr<PowerCutFileSystem::Inode> PowerCutFileSystem::Track(const std::string& path) {
  if (const auto it = current_.find(path); it != current_.end()) return it->second;
  if (::access(path.c_str(), F_OK) != 0) return nullptr;
  // Not seen before, so it was there before us and is durable.
  auto inode = std::make_shared<Inode>(Inode{path, {}, SizeOf(path)});
  current_[path] = inode;
  durable_[path] = inode;
  return inode;
}

// Keeps a file that loses its name, as long as the name may come back.
void PowerCutFileSystem::Bury(const std::string& path, const std::shared_ptr<Inode>& inode) {
  const auto durable = durable_.find(path);
  if (durable != durable_.end() && durable->second == inode) {
    inode->location = graveyard_ + "/" + std::to_string(next_grave_++);
    if (::link(path.c_str(), inode->location.c_str()) != 0) std::abort();
  }
  current_.erase(path);
}

void PowerCutFileSystem::SavePages(Inode& inode, std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return;
  const std::uint64_t last = (offset + length - 1) / kPage;
  int fd = -1;
  for (std::uint64_t page = offset / kPage; page <= last; ++page) {
    if (inode.old.contains(page)) continue;
    Bytes old;
    if (page * kPage < inode.durable_size) {
      if (fd < 0) fd = real_->Open(inode.location, false);
      old.resize(std::min(kPage, inode.durable_size - page * kPage));
      const std::int64_t n = real_->Read(fd, old, page * kPage);
      old.resize(static_cast<std::size_t>(std::max<std::int64_t>(n, 0)));
    }
    inode.old.emplace(page, std::move(old));
  }
  if (fd >= 0) real_->Close(fd);
}

void PowerCutFileSystem::Apply(std::uint64_t seed) {
  std::lock_guard lock(mutex_);
  SplitMix random(seed);
  std::set<std::string> paths;
  std::set<std::shared_ptr<Inode>> inodes;
  for (const auto* names : {&current_, &durable_}) {
    for (const auto& [path, inode] : *names) {
      paths.insert(path);
      inodes.insert(inode);
    }
  }
  std::map<std::string, std::shared_ptr<Inode>> left;
  for (const std::string& path : paths) {
    const auto now = current_.find(path), then = durable_.find(path);
    const auto& from = random.Coin() ? current_ : durable_;
    const bool same = now != current_.end() && then != durable_.end() && now->second == then->second;
    if (same) left[path] = now->second;
    else if (const auto it = from.find(path); it != from.end()) left[path] = it->second;
  }
  // In the order of their paths, not of their addresses, so that the seed alone decides.
  std::vector<std::shared_ptr<Inode>> ordered(inodes.begin(), inodes.end());
  std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) { return a->location < b->location; });
  for (const auto& inode : ordered) {
    const std::string staged = graveyard_ + "/staged" + std::to_string(next_grave_++);
    if (::rename(inode->location.c_str(), staged.c_str()) != 0) std::abort();
    inode->location = staged;
    const std::uint64_t size = random.Coin() ? inode->durable_size : SizeOf(staged);
    const int fd = real_->Open(staged, false);
    for (auto& [page, old] : inode->old) {
      if (random.Coin()) continue;
      old.resize(kPage);
      if (real_->Write(fd, old, page * kPage) < 0) std::abort();
    }
    if (real_->Truncate(fd, size) < 0) std::abort();
    real_->Close(fd);
  }
  for (const auto& [path, inode] : left) {
    if (::link(inode->location.c_str(), path.c_str()) != 0) std::abort();
  }
  for (const auto& inode : ordered) ::unlink(inode->location.c_str());
  current_.clear();
  durable_.clear();
  descriptors_.clear();
  cut_ = false;
  budget_ = 0;
}

int PowerCutFileSystem::Open(const std::string& name, bool create) {
  const std::string path = Normal(name);
  std::lock_guard lock(mutex_);
  auto inode = Track(path);
  if (!inode && !create) return -ENOENT;
  if (!inode && !Spend()) return -EIO;
  const int fd = real_->Open(path, create);
  if (fd < 0) return fd;
  if (!inode) {
    inode = std::make_shared<Inode>(Inode{path, {}, 0});
    current_[path] = inode;
  }
  descriptors_[fd] = inode;
  return fd;
}

void PowerCutFileSystem::Close(int fd) {
  std::lock_guard lock(mutex_);
  descriptors_.erase(fd);
  real_->Close(fd);
}

std::int64_t PowerCutFileSystem::Read(int fd, std::span<std::uint8_t> out, std::uint64_t offset) {
  return real_->Read(fd, out, offset);
}
std::int64_t PowerCutFileSystem::ReadCached(int fd, std::span<std::uint8_t> out, std::uint64_t offset) {
  return real_->ReadCached(fd, out, offset);
}

bool PowerCutFileSystem::BeforeWrite(Inode& inode, std::uint64_t offset, std::uint64_t length) {
  std::lock_guard lock(mutex_);
  if (!Spend()) return false;
  SavePages(inode, offset, length);
  return true;
}

bool PowerCutFileSystem::BeforeTruncate(Inode& inode, std::uint64_t size) {
  std::lock_guard lock(mutex_);
  if (!Spend()) return false;
  const std::uint64_t end = std::max(inode.durable_size, SizeOf(inode.location));
  if (size < end) SavePages(inode, size, end - size);
  return true;
}

int PowerCutFileSystem::Write(int fd, ByteView data, std::uint64_t offset) {
  std::lock_guard lock(mutex_);
  if (!Spend()) return -EIO;
  SavePages(*descriptors_.at(fd), offset, data.size());
  return real_->Write(fd, data, offset);
}

int PowerCutFileSystem::PunchHole(int fd, std::uint64_t offset, std::uint64_t length) {
  std::lock_guard lock(mutex_);
  if (!Spend()) return -EIO;
  SavePages(*descriptors_.at(fd), offset, length);
  return real_->PunchHole(fd, offset, length);
}

int PowerCutFileSystem::ShareBlocks(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset,
                                    std::uint64_t length) {
  std::lock_guard lock(mutex_);
  if (!shares_blocks_) return -EOPNOTSUPP;
  if (!Spend()) return -EIO;
  if ((from_offset | to_offset | length) % kPage != 0) std::abort();
  SavePages(*descriptors_.at(to), to_offset, length);
  Bytes bytes(static_cast<std::size_t>(length));
  if (real_->Read(from, bytes, from_offset) != static_cast<std::int64_t>(length)) std::abort();
  shared_bytes_ += length;
  return real_->Write(to, bytes, to_offset);
}

int PowerCutFileSystem::Truncate(int fd, std::uint64_t size) {
  std::lock_guard lock(mutex_);
  if (!Spend()) return -EIO;
  const std::int64_t end = real_->Size(fd);
  if (end >= 0 && size < static_cast<std::uint64_t>(end)) {
    SavePages(*descriptors_.at(fd), size, static_cast<std::uint64_t>(end) - size);
  }
  return real_->Truncate(fd, size);
}

int PowerCutFileSystem::Sync(int fd, bool) {
  std::unique_lock lock(mutex_);
  if (sync_delay_.count() != 0) {
    lock.unlock();
    std::this_thread::sleep_for(sync_delay_);
    lock.lock();
  }
  if (fail_syncs_ > 0) {
    --fail_syncs_;
    return -EIO;
  }
  if (!Spend()) return -EIO;
  ++syncs_;
  Inode& inode = *descriptors_.at(fd);
  inode.old.clear();
  inode.durable_size = static_cast<std::uint64_t>(real_->Size(fd));
  return 0;
}

bool PowerCutFileSystem::SyncInode(Inode& inode) {
  std::lock_guard lock(mutex_);
  if (!Spend()) return false;
  inode.old.clear();
  inode.durable_size = SizeOf(inode.location);
  return true;
}

std::int64_t PowerCutFileSystem::Size(int fd) { return real_->Size(fd); }
std::int64_t PowerCutFileSystem::AllocatedBytes(int fd) { return real_->AllocatedBytes(fd); }
std::int64_t PowerCutFileSystem::SeekData(int fd, std::uint64_t from) { return real_->SeekData(fd, from); }
std::int64_t PowerCutFileSystem::SeekHole(int fd, std::uint64_t from) { return real_->SeekHole(fd, from); }

int PowerCutFileSystem::Unlink(const std::string& name) {
  const std::string path = Normal(name);
  std::lock_guard lock(mutex_);
  const auto inode = Track(path);
  if (!inode) return -ENOENT;
  if (!Spend()) return -EIO;
  Bury(path, inode);
  return real_->Unlink(path);
}

int PowerCutFileSystem::MakeDirectory(const std::string& path) {
  std::lock_guard lock(mutex_);
  return cut_ ? -EIO : real_->MakeDirectory(path);
}

int PowerCutFileSystem::SyncDirectory(const std::string& name) {
  const std::string directory = Normal(name);
  std::lock_guard lock(mutex_);
  if (!Spend()) return -EIO;
  for (auto it = durable_.begin(); it != durable_.end();) {
    const auto now = current_.find(it->first);
    if (Parent(it->first) == directory && (now == current_.end() || now->second != it->second)) {
      if (it->second->location.starts_with(graveyard_)) ::unlink(it->second->location.c_str());
      it = durable_.erase(it);
    } else {
      ++it;
    }
  }
  for (const auto& [path, inode] : current_) {
    if (Parent(path) == directory) durable_[path] = inode;
  }
  return 0;
}

int PowerCutFileSystem::GetSpace(const std::string& path, Space* space) {
  std::lock_guard lock(mutex_);
  if (!space_) return real_->GetSpace(path, space);
  *space = *space_;
  return 0;
}

std::shared_ptr<PowerCutFileSystem::Inode> PowerCutFileSystem::Truncated(const std::string& name) {
  const std::string path = Normal(name);
  std::lock_guard lock(mutex_);
  if (!Spend()) return nullptr;
  if (const auto old = Track(path)) {
    Bury(path, old);
    ::unlink(path.c_str());
  }
  auto inode = std::make_shared<Inode>(Inode{path, {}, 0});
  current_[path] = inode;
  real_->Close(real_->Open(path, true));
  return inode;
}

std::shared_ptr<PowerCutFileSystem::Inode> PowerCutFileSystem::Existing(const std::string& name) {
  std::lock_guard lock(mutex_);
  return Track(Normal(name));
}

bool PowerCutFileSystem::Rename(const std::string& from_name, const std::string& to_name) {
  const std::string from = Normal(from_name), to = Normal(to_name);
  std::lock_guard lock(mutex_);
  const auto inode = Track(from);
  if (!inode || !Spend()) return false;
  if (const auto replaced = Track(to)) Bury(to, replaced);
  if (::rename(from.c_str(), to.c_str()) != 0) return false;
  current_.erase(from);
  current_[to] = inode;
  inode->location = to;
  return true;
}

namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

class WritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WritableFile(std::unique_ptr<rocksdb::FSWritableFile> target, std::shared_ptr<PowerCutFileSystem> owner,
               std::shared_ptr<PowerCutFileSystem::Inode> inode, std::uint64_t size)
      : FSWritableFileOwnerWrapper(std::move(target)), owner_(std::move(owner)), inode_(std::move(inode)), size_(size) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* dbg) override {
    if (owner_->is_full()) return IOStatus::NoSpace("the disk is full");
    if (!owner_->BeforeWrite(*inode_, size_, data.size())) return IOStatus::IOError("the power is cut");
    size_ += data.size();
    return target()->Append(data, options, dbg);
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* dbg) override {
    return Append(data, options, dbg);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* dbg) override {
    if (!owner_->BeforeTruncate(*inode_, size)) return IOStatus::IOError("the power is cut");
    size_ = size;
    return target()->Truncate(size, options, dbg);
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return owner_->SyncInode(*inode_) ? IOStatus::OK() : IOStatus::IOError("the power is cut");
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override { return Sync(options, dbg); }

 private:
  std::shared_ptr<PowerCutFileSystem> owner_;
  std::shared_ptr<PowerCutFileSystem::Inode> inode_;
  std::uint64_t size_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(std::shared_ptr<PowerCutFileSystem> owner, std::string path)
      : owner_(std::move(owner)), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return owner_->SyncDirectory(path_) < 0 ? IOStatus::IOError("the power is cut") : IOStatus::OK();
  }

 private:
  std::shared_ptr<PowerCutFileSystem> owner_;
  std::string path_;
};

class RocksFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit RocksFileSystem(std::shared_ptr<PowerCutFileSystem> owner)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), owner_(std::move(owner)) {}
  const char* Name() const override { return "PowerCutFileSystem"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* dbg) override {
    auto inode = owner_->Truncated(path);
    if (!inode) return IOStatus::IOError("the power is cut");
    std::unique_ptr<rocksdb::FSWritableFile> file;
    const IOStatus status = target()->NewWritableFile(path, options, &file, dbg);
    if (status.ok()) *result = std::make_unique<WritableFile>(std::move(file), owner_, std::move(inode), 0);
    return status;
  }
  IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* dbg) override {
    auto inode = owner_->Existing(path);
    if (!inode) return NewWritableFile(path, options, result, dbg);
    std::unique_ptr<rocksdb::FSWritableFile> file;
    const IOStatus status = target()->ReopenWritableFile(path, options, &file, dbg);
    if (status.ok()) {
      const std::uint64_t size = file->GetFileSize(options.io_options, dbg);
      *result = std::make_unique<WritableFile>(std::move(file), owner_, std::move(inode), size);
    }
    return status;
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&, std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext*) override {
    *result = std::make_unique<Directory>(owner_, path);
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    const int error = owner_->Unlink(path);
    if (error == -ENOENT) return IOStatus::PathNotFound(path);
    return error < 0 ? IOStatus::IOError("the power is cut") : IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* dbg) override {
    // The text log is none of the store's.
    if (from.find("/LOG") != std::string::npos) return target()->RenameFile(from, to, options, dbg);
    return owner_->Rename(from, to) ? IOStatus::OK() : IOStatus::IOError("the power is cut");
  }

 private:
  std::shared_ptr<PowerCutFileSystem> owner_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> PowerCutFileSystem::ForRocksDb() {
  return std::make_shared<RocksFileSystem>(shared_from_this());
}

}  // namespace holdfast
