#include "storage/engine/embedded_engine.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "storage/engine/limits.h"

namespace holdfast {
namespace {
constexpr std::size_t kRemovalsTidiedTogether = 64;
// A write of memory to memory takes a tenth of this.
constexpr auto kBlocked = std::chrono::milliseconds(1);
constexpr unsigned kWritesOffCore = 256;
}

class EmbeddedEngine::NameLockUser {
 public:
  NameLockUser(EmbeddedEngine& engine, std::string object)
      : engine_(engine), at_(engine.name_locks_.try_emplace(std::move(object)).first) {
    ++at_->second.users;
  }
  ~NameLockUser() {
    guard_.Release();
    if (--at_->second.users == 0) engine_.name_locks_.erase(at_);
  }
  NameLockUser(const NameLockUser&) = delete;
  NameLockUser& operator=(const NameLockUser&) = delete;
  Task<void> Lock() { guard_ = co_await at_->second.mutex.Lock(); }

 private:
  EmbeddedEngine& engine_;
  std::map<std::string, NameLock>::iterator at_;
  AsyncMutex::Guard guard_;
};

EmbeddedEngine::EmbeddedEngine(EmbeddedOptions options, int lock_fd)
    : options_(std::move(options)), lock_fd_(lock_fd), pool_(std::make_unique<WorkerPool>(options_.io_threads)) {}

EmbeddedEngine::~EmbeddedEngine() {
  pool_.reset();
  if (data_ && keys_) (void)FinishRemovals();
  keys_.reset();
  data_.reset();
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

Task<CommitResult> EmbeddedEngine::Commit(CommitRequest request) {
  if (auto done = keys_->CommitWithoutWaiting(request)) co_return *done;
  co_return co_await Await<CommitResult>([this, &request](std::function<void(CommitResult)> resume) {
    request.done = std::move(resume);
    keys_->Commit(std::move(request));
  });
}

Task<EmbeddedEngine::FileResult> EmbeddedEngine::OpenFile(std::string object) {
  if (auto file = data_->Cached(object)) co_return file;
  const auto open = [this, &object] { return data_->Open(object); };
  co_return co_await pool_->Run(open);
}

Task<EmbeddedEngine::FileResult> EmbeddedEngine::CreateFile(std::string object) {
  auto file = co_await OpenFile(object);
  if (file.ok() || file.error() != EngineError::kNotFound) co_return file;
  if (!space_->MayGrow(kEnginePageBytes)) co_return EngineError::kNoSpace;
  NameLockUser lock(*this, object);
  co_await lock.Lock();
  file = co_await OpenFile(object);
  if (file.ok() || file.error() != EngineError::kNotFound) co_return file;
  const auto prepare = [this, &object]() -> EngineError {
    auto meta = keys_->ReadMeta(object);
    if (!meta.ok()) return meta.error();
    // Were the old file's entry to come back after a power cut, the new one must not be taken for it.
    return meta->file == DataFileState::kDead ? data_->SyncEntry(object) : EngineError::kNone;
  };
  if (const EngineError error = co_await pool_->Run(prepare); error != EngineError::kNone) co_return error;
  // Known to the key store before it exists: List and removals never overlook a file.
  CommitRequest live;
  live.kind = CommitRequest::Kind::kFileLive;
  live.object = object;
  const CommitResult committed = co_await Commit(std::move(live));
  if (committed.error != EngineError::kNone) co_return committed.error;
  const auto create = [this, &object] { return data_->Create(object); };
  co_return co_await pool_->Run(create);
}

Task<EngineError> EmbeddedEngine::UnlinkFile(std::string object, std::uint64_t removal) {
  const auto unlink = [this, &object] { return data_->Unlink(object); };
  const EngineError error = co_await pool_->Run(unlink);
  // What cannot be unlinked now is unlinked at the next start: the key store says that it is dead.
  if (error != EngineError::kNone) co_return error;
  removals_.emplace_back(std::move(object), removal);
  if (removals_.size() < kRemovalsTidiedTogether) co_return error;
  pool_->Post([this, tidied = std::exchange(removals_, {})] {
    for (const auto& [name, id] : tidied) {
      if (data_->SyncEntry(name) != EngineError::kNone) continue;
      CommitRequest clear;
      clear.kind = CommitRequest::Kind::kClearDead;
      clear.object = name;
      clear.removal = id;
      keys_->Commit(std::move(clear));
    }
  });
  co_return error;
}

Task<EngineResult<std::uint64_t>> EmbeddedEngine::Write(std::string object, std::vector<Guard> guards,
                                                        std::vector<Mutation> mutations, Durability durability,
                                                        WriteClass write_class) {
  if (!ObjectNameFits(object) || !MutationsFit(mutations)) co_return EngineError::kTooLarge;
  const bool removes = std::any_of(mutations.begin(), mutations.end(),
                                   [](const Mutation& m) { return m.kind == Mutation::Kind::kRemoveObject; });
  std::optional<NameLockUser> lock;
  if (removes) {
    lock.emplace(*this, object);
    co_await lock->Lock();
  }
  CommitRequest request;
  request.object = object;
  request.guards = std::move(guards);
  request.mutations = std::move(mutations);
  request.durability = durability;
  request.write_class = write_class;
  const CommitResult result = co_await Commit(std::move(request));
  if (result.error != EngineError::kNone) co_return result.error;
  if (result.removal != 0) (void)co_await UnlinkFile(object, result.removal);
  co_return result.version;
}

Task<EngineError> EmbeddedEngine::RemoveData(std::string object) {
  NameLockUser lock(*this, object);
  co_await lock.Lock();
  CommitRequest dead;
  dead.kind = CommitRequest::Kind::kFileDead;
  dead.object = object;
  const CommitResult result = co_await Commit(std::move(dead));
  if (result.error != EngineError::kNone || result.removal == 0) co_return result.error;
  co_return co_await UnlinkFile(object, result.removal);
}

Task<EngineResult<KeyPage>> EmbeddedEngine::ReadKeys(std::string object, KeyRange range) {
  if (!ObjectNameFits(object)) co_return EngineError::kNotFound;
  if (auto page = keys_->ReadKeys(object, range, KeyStore::ReadMode::kCachedOnly)) co_return std::move(*page);
  const auto read = [this, &object, &range] {
    return *keys_->ReadKeys(object, range, KeyStore::ReadMode::kMayBlock);
  };
  co_return co_await pool_->Run(read);
}

Task<EngineResult<std::vector<std::optional<std::string>>>> EmbeddedEngine::ReadKeysExact(
    std::string object, std::vector<std::string> keys) {
  if (!ObjectNameFits(object)) co_return EngineError::kNotFound;
  if (auto values = keys_->ReadKeysExact(object, keys, KeyStore::ReadMode::kCachedOnly)) co_return std::move(*values);
  const auto read = [this, &object, &keys] {
    return *keys_->ReadKeysExact(object, keys, KeyStore::ReadMode::kMayBlock);
  };
  co_return co_await pool_->Run(read);
}

bool EmbeddedEngine::WriteInline(DataFile& file, std::uint64_t offset, ByteView data, EngineError* error) {
  // A part of a page may have to be read first.
  if (data.size() > options_.inline_write_bytes || (offset | data.size()) % kEnginePageBytes != 0) return false;
  if (inline_writes_off_ != 0) {
    --inline_writes_off_;
    return false;
  }
  // The kernel makes those wait who write faster than its disk for long.
  const auto begun = std::chrono::steady_clock::now();
  *error = file.WriteNow(offset, data);
  if (std::chrono::steady_clock::now() - begun > kBlocked) inline_writes_off_ = kWritesOffCore;
  return true;
}

Task<EngineError> EmbeddedEngine::WriteData(std::string object, std::uint64_t offset, ByteView data,
                                            Durability durability) {
  if (!ObjectNameFits(object) || offset > stripe_bytes() || data.size() > stripe_bytes() - offset) {
    co_return EngineError::kTooLarge;
  }
  if (data.empty()) co_return EngineError::kNone;
  auto file = co_await CreateFile(std::move(object));
  if (!file.ok()) co_return file.error();
  EngineError error = EngineError::kNone;
  if (durability == Durability::kProcess && WriteInline(**file, offset, data, &error)) co_return error;
  co_return co_await Await<EngineError>([this, &file, offset, data, durability](std::function<void(EngineError)> resume) {
    if ((*file)->QueueWrite(offset, data, durability, std::move(resume))) {
      pool_->Post([f = *file] { f->DoWrites(); });
    }
  });
}

Task<EngineResult<std::size_t>> EmbeddedEngine::ReadData(std::string object, std::uint64_t offset,
                                                         std::span<std::uint8_t> out) {
  if (offset > stripe_bytes() || out.size() > stripe_bytes() - offset) co_return EngineError::kTooLarge;
  auto file = co_await OpenFile(std::move(object));
  if (!file.ok()) {
    if (file.error() != EngineError::kNotFound) co_return file.error();
    std::fill(out.begin(), out.end(), std::uint8_t{0});
    co_return 0;
  }
  if (out.size() <= options_.inline_read_bytes) {
    auto read = (*file)->ReadCached(offset, out);
    if (read.ok() || read.error() != EngineError::kNotFound) co_return read;
  }
  const auto read = [f = file->get(), offset, out] { return f->Read(offset, out); };
  co_return co_await pool_->Run(read);
}

Task<EngineError> EmbeddedEngine::ZeroData(std::string object, DataRange range, Durability durability) {
  auto file = co_await OpenFile(std::move(object));
  if (!file.ok()) co_return file.error() == EngineError::kNotFound ? EngineError::kNone : file.error();
  co_return co_await Await<EngineError>([this, &file, range, durability](std::function<void(EngineError)> resume) {
    pool_->Post([f = *file, range, durability, resume = std::move(resume)] { f->Zero(range, durability, resume); });
  });
}

Task<EngineError> EmbeddedEngine::DuplicateData(std::string from, std::uint64_t from_offset, std::string to,
                                                std::uint64_t to_offset, std::uint64_t length,
                                                Durability durability) {
  if (!ObjectNameFits(to) || from_offset > stripe_bytes() || length > stripe_bytes() - from_offset ||
      to_offset > stripe_bytes() || length > stripe_bytes() - to_offset) {
    co_return EngineError::kTooLarge;
  }
  auto source = co_await OpenFile(std::move(from));
  if (!source.ok()) {
    if (source.error() != EngineError::kNotFound) co_return source.error();
    const DataRange hole{to_offset, length};
    co_return co_await ZeroData(std::move(to), hole, durability);
  }
  auto target = co_await CreateFile(std::move(to));
  if (!target.ok()) co_return target.error();
  co_return co_await Await<EngineError>([&](std::function<void(EngineError)> resume) {
    pool_->Post([s = *source, t = *target, from_offset, to_offset, length, durability, resume = std::move(resume)] {
      t->Duplicate(*s, from_offset, to_offset, length, durability, resume);
    });
  });
}

Task<EngineError> EmbeddedEngine::TruncateData(std::string object, std::uint64_t size, Durability durability) {
  auto file = co_await OpenFile(std::move(object));
  if (!file.ok()) co_return file.error() == EngineError::kNotFound ? EngineError::kNone : file.error();
  co_return co_await Await<EngineError>([this, &file, size, durability](std::function<void(EngineError)> resume) {
    pool_->Post([f = *file, size, durability, resume = std::move(resume)] { f->Truncate(size, durability, resume); });
  });
}

Task<EngineResult<std::uint64_t>> EmbeddedEngine::DataSize(std::string object) {
  auto file = co_await OpenFile(std::move(object));
  if (file.ok()) co_return (*file)->Size();
  if (file.error() != EngineError::kNotFound) co_return file.error();
  co_return 0;
}

Task<EngineResult<std::vector<DataRange>>> EmbeddedEngine::AllocatedRanges(std::string object, DataRange within) {
  auto file = co_await OpenFile(std::move(object));
  if (!file.ok()) {
    if (file.error() != EngineError::kNotFound) co_return file.error();
    co_return std::vector<DataRange>{};
  }
  const auto seek = [f = file->get(), within] { return f->AllocatedRanges(within); };
  co_return co_await pool_->Run(seek);
}

Task<EngineResult<std::uint64_t>> EmbeddedEngine::AllocatedBytes(std::string object) {
  auto file = co_await OpenFile(std::move(object));
  if (file.ok()) co_return (*file)->AllocatedBytes();
  if (file.error() != EngineError::kNotFound) co_return file.error();
  co_return 0;
}

Task<EngineError> EmbeddedEngine::Flush(std::string object) {
  CommitRequest sync;
  sync.kind = CommitRequest::Kind::kSync;
  const CommitResult keys = co_await Commit(std::move(sync));
  if (keys.error != EngineError::kNone) co_return keys.error;
  auto file = co_await OpenFile(std::move(object));
  if (!file.ok()) co_return file.error() == EngineError::kNotFound ? EngineError::kNone : file.error();
  co_return co_await Await<EngineError>([this, &file](std::function<void(EngineError)> resume) {
    pool_->Post([f = *file, resume = std::move(resume)] { f->Sync(true, resume); });
  });
}

Task<EngineResult<std::vector<std::string>>> EmbeddedEngine::List(std::string prefix, std::string after,
                                                                  std::size_t limit) {
  const auto list = [this, &prefix, &after, limit] { return keys_->List(prefix, after, limit); };
  co_return co_await pool_->Run(list);
}

Task<EngineResult<EngineUsage>> EmbeddedEngine::Usage() {
  const EngineUsage usage = space_->Usage();
  if (usage.total_bytes == 0) co_return EngineError::kIo;
  co_return usage;
}

Task<std::vector<std::string>> EmbeddedEngine::Check(bool repair) {
  const auto check = [this, repair] { return CheckStores(repair); };
  co_return co_await pool_->Run(check);
}

std::vector<std::string> EmbeddedEngine::CheckStores(bool repair) {
  // Listed before the keys are read, so that a file made meanwhile is not taken for a stranger.
  std::vector<std::string> strangers = data_->Strangers({});
  std::unordered_set<std::string> expected;
  std::vector<std::string> findings = keys_->Check([&expected](const std::string& object) {
    expected.insert(DataFiles::PathOf(object));
  });
  std::erase_if(strangers, [&expected](const std::string& path) { return expected.contains(path); });
  for (const std::string& path : strangers) {
    std::string finding = "data file " + path + " belongs to no object";
    if (repair) finding += data_->RemoveStranger(path) ? ": removed" : ": cannot be removed";
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace holdfast
