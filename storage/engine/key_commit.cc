// Commits to the key store, by its thread or without it: guards, mutations and one sync for a whole group of writes.
#include <algorithm>

#include "storage/engine/key_store.h"
#include "storage/engine/limits.h"

namespace holdfast {
namespace {
constexpr std::size_t kMaxGroupRequests = 512;
const std::string kProbe = EncodeObject("") + '\x03';  // of no meaning; no object has the empty name
}

void KeyStore::Commit(CommitRequest request) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(request));
  }
  wake_.notify_one();
}

std::optional<CommitResult> KeyStore::CommitWithoutWaiting(const CommitRequest& request) {
  if (request.kind != CommitRequest::Kind::kWrite || request.durability != Durability::kProcess) return std::nullopt;
  // Removals read whole ranges, and that of an object is stable when it has a data file.
  const auto sets = [](const Mutation& m) {
    return m.kind == Mutation::Kind::kSetKey || m.kind == Mutation::Kind::kRemoveKey;
  };
  if (!std::all_of(request.mutations.begin(), request.mutations.end(), sets)) return std::nullopt;
  {
    std::lock_guard lock(mutex_);
    if (committing_ || !queue_.empty()) return std::nullopt;
    committing_ = true;
  }
  auto result = TryCommit(request);
  bool queued = false;
  {
    std::lock_guard lock(mutex_);
    committing_ = false;
    queued = !queue_.empty();
  }
  if (queued) wake_.notify_one();
  return result;
}

std::optional<CommitResult> KeyStore::TryCommit(const CommitRequest& request) {
  if (!broken_.ok()) return std::nullopt;
  rocksdb::WriteBatchWithIndex batch(rocksdb::BytewiseComparator(), 0, /*overwrite_key=*/true);
  bool stable = false;
  read_incomplete_ = false;
  commit_read_.read_tier = rocksdb::kBlockCacheTier;
  const CommitResult result = Apply(request, batch, &stable);
  commit_read_.read_tier = rocksdb::kReadAllTier;
  if (read_incomplete_ || stable) return std::nullopt;
  if (result.error != EngineError::kNone || batch.GetWriteBatch()->Count() == 0) return result;
  rocksdb::WriteOptions write;
  write.no_slowdown = true;
  const rocksdb::Status written = db_->Write(write, batch.GetWriteBatch());
  if (written.IsIncomplete()) return std::nullopt;
  unsynced_ = true;
  broken_ = written;
  if (!written.ok()) return CommitResult{ErrorOf(written), 0, 0};
  return result;
}

EngineError KeyStore::FailedRead(const rocksdb::Status& status) {
  read_incomplete_ |= status.IsIncomplete();
  return ErrorOf(status);
}

void KeyStore::RunCommits() {
  std::vector<CommitRequest> group;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !committing_ && (stopping_ || !queue_.empty()); });
      if (queue_.empty()) return;
      committing_ = true;
      std::size_t bytes = 0;
      while (!queue_.empty() && group.size() < kMaxGroupRequests && bytes < kMaxGroupBytes) {
        for (const Mutation& m : queue_.front().mutations) bytes += m.key.size() + m.value.size();
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    CommitGroup(group);
    group.clear();
    std::lock_guard lock(mutex_);
    committing_ = false;
  }
}

void KeyStore::CommitGroup(std::vector<CommitRequest>& group) {
  // After a failed write what the log holds is unknown (the kernel reports a lost page once), so writing stops until
  // the store is reopened. A full disk is another matter: RocksDB looks every few seconds whether there is room again.
  if (!broken_.ok() && !broken_.IsNoSpace()) {
    for (const CommitRequest& request : group) {
      if (request.done) request.done({ErrorOf(broken_)});
    }
    return;
  }
  rocksdb::WriteBatchWithIndex batch(rocksdb::BytewiseComparator(), 0, /*overwrite_key=*/true);
  std::vector<CommitResult> results;
  results.reserve(group.size());
  bool stable = false;
  for (const CommitRequest& request : group) results.push_back(Apply(request, batch, &stable));
  stable = stable && options_.sync;
  // SyncWAL() must not be asked of a log that ran out of space; a write is refused in good order.
  if (stable && !broken_.ok() && batch.GetWriteBatch()->Count() == 0) batch.Put(kProbe, "");

  if (batch.GetWriteBatch()->Count() != 0) {
    rocksdb::WriteOptions write;
    write.sync = stable;
    broken_ = db_->Write(write, batch.GetWriteBatch());
    unsynced_ = !stable;
  } else if (stable && unsynced_) {
    broken_ = db_->SyncWAL();
    unsynced_ = false;
  }
  if (!broken_.ok()) {
    unsynced_ = true;
    for (CommitResult& result : results) {
      if (result.error == EngineError::kNone) result = {ErrorOf(broken_), 0, 0};
    }
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (group[i].done) group[i].done(results[i]);
  }
}

EngineResult<std::optional<ObjectMeta>> KeyStore::MetaInGroup(const std::string& encoded,
                                                              rocksdb::WriteBatchWithIndex& group) {
  std::string value;
  const auto status = group.GetFromBatchAndDB(db_.get(), commit_read_, MetaKey(encoded), &value);
  if (status.IsNotFound()) return std::optional<ObjectMeta>{};
  if (!status.ok()) return FailedRead(status);
  const auto meta = DecodeMeta(value);
  if (!meta) return EngineError::kCorrupt;
  return std::optional(*meta);
}

EngineResult<bool> KeyStore::HasKeys(const std::string& encoded, rocksdb::WriteBatchWithIndex& group) {
  const std::unique_ptr<rocksdb::Iterator> it(group.NewIteratorWithBase(db_->NewIterator(commit_read_)));
  it->Seek(UserKey(encoded, ""));
  if (!it->status().ok()) return FailedRead(it->status());
  return it->Valid() && it->key().compare(EndOfObject(encoded)) < 0;
}

EngineResult<bool> KeyStore::Holds(const Guard& guard, const std::string& object, const std::string& encoded,
                                   const ObjectMeta& meta, rocksdb::WriteBatchWithIndex& group) {
  switch (guard.kind) {
    case Guard::Kind::kVersionEquals:
      return meta.version == guard.version;
    case Guard::Kind::kAbsent:
    case Guard::Kind::kPresent: {
      auto present = HasKeys(encoded, group);
      if (!present.ok()) return present;
      return (*present || HasBytes(object, meta)) == (guard.kind == Guard::Kind::kPresent);
    }
    case Guard::Kind::kKeyAbsent:
    case Guard::Kind::kKeyPresent:
    case Guard::Kind::kKeyEquals: {
      std::string value;
      const auto status = group.GetFromBatchAndDB(db_.get(), commit_read_, UserKey(encoded, guard.key), &value);
      if (!status.ok() && !status.IsNotFound()) return FailedRead(status);
      if (guard.kind == Guard::Kind::kKeyAbsent) return status.IsNotFound();
      return status.ok() && (guard.kind == Guard::Kind::kKeyPresent || value == guard.value);
    }
  }
  return false;
}

EngineError KeyStore::RemoveKeys(const std::string& from, const std::string& to, rocksdb::WriteBatchWithIndex& group) {
  // Key by key: a batch with an index cannot hold a range deletion, and the group's own new keys must go too.
  std::vector<std::string> doomed;
  const std::unique_ptr<rocksdb::Iterator> it(group.NewIteratorWithBase(db_->NewIterator(commit_read_)));
  for (it->Seek(from); it->Valid() && it->key().compare(to) < 0; it->Next()) doomed.push_back(it->key().ToString());
  if (!it->status().ok()) return FailedRead(it->status());
  for (const std::string& key : doomed) group.Delete(key);
  return EngineError::kNone;
}

CommitResult KeyStore::Apply(const CommitRequest& request, rocksdb::WriteBatchWithIndex& group, bool* stable) {
  if (request.kind == CommitRequest::Kind::kWrite) return ApplyWrite(request, group, stable);
  if (request.kind == CommitRequest::Kind::kSync) {
    *stable = true;
    return {};
  }
  const std::string encoded = EncodeObject(request.object);
  auto found = MetaInGroup(encoded, group);
  if (!found.ok()) return {found.error()};
  const ObjectMeta before = found->value_or(ObjectMeta{});
  ObjectMeta after = before;
  CommitResult result;
  switch (request.kind) {
    case CommitRequest::Kind::kFileLive:
      after.file = DataFileState::kLive;
      *stable = true;
      break;
    case CommitRequest::Kind::kFileDead:
      if (before.file != DataFileState::kLive) return {};
      after.file = DataFileState::kDead;
      after.removal = result.removal = next_removal_++;
      *stable = true;
      break;
    default:
      if (before.file != DataFileState::kDead || before.removal != request.removal) return {};
      after.file = DataFileState::kNone;
      break;
  }
  StoreMeta(request.object, encoded, before, after, group);
  return result;
}

CommitResult KeyStore::ApplyWrite(const CommitRequest& request, rocksdb::WriteBatchWithIndex& group, bool* stable) {
  const std::string encoded = EncodeObject(request.object);
  auto found = MetaInGroup(encoded, group);
  if (!found.ok()) return {found.error()};
  const ObjectMeta before = found->value_or(ObjectMeta{});
  for (const Guard& guard : request.guards) {
    auto holds = Holds(guard, request.object, encoded, before, group);
    if (!holds.ok()) return {holds.error()};
    if (!*holds) return {EngineError::kGuardFailed};
  }
  std::uint64_t growth = 0;
  for (const Mutation& m : request.mutations) {
    if (m.kind == Mutation::Kind::kSetKey) growth += m.key.size() + m.value.size();
  }
  if (growth != 0 && request.write_class == WriteClass::kData && !options_.space->MayGrow(growth)) {
    return {EngineError::kNoSpace};
  }

  // A failing read of the store must not leave half of the mutations in the group.
  group.SetSavePoint();
  CommitResult result;
  ObjectMeta after = before;
  bool known = before.version != 0 || HasBytes(request.object, before);
  for (const Mutation& m : request.mutations) {
    EngineError error = EngineError::kNone;
    switch (m.kind) {
      case Mutation::Kind::kSetKey:
        group.Put(UserKey(encoded, m.key), m.value);
        break;
      case Mutation::Kind::kRemoveKey:
        group.Delete(UserKey(encoded, m.key));
        break;
      case Mutation::Kind::kRemoveKeyRange:
        error = RemoveKeys(UserKey(encoded, m.key), m.value.empty() ? EndOfObject(encoded) : UserKey(encoded, m.value),
                           group);
        break;
      case Mutation::Kind::kRemoveObject:
        error = RemoveKeys(UserKey(encoded, ""), EndOfObject(encoded), group);
        after.version = 0;
        known = false;
        if (after.file == DataFileState::kLive) {
          after.file = DataFileState::kDead;
          after.removal = result.removal = next_removal_++;
        }
        break;
    }
    if (error != EngineError::kNone) {
      group.RollbackToSavePoint();
      return {error};
    }
  }
  if (!known && !request.mutations.empty()) {
    // An object comes into being with its first key.
    if (request.mutations.back().kind == Mutation::Kind::kSetKey) {
      known = true;
    } else if (growth != 0) {
      auto present = HasKeys(encoded, group);
      if (!present.ok()) {
        group.RollbackToSavePoint();
        return {present.error()};
      }
      known = *present;
    }
  }
  group.PopSavePoint();
  if (known) ++after.version;
  if (after.version != before.version || after.file != before.file) {
    StoreMeta(request.object, encoded, before, after, group);
  }
  // The data file is unlinked at once, so the record of that must not be lost.
  if (request.durability == Durability::kStable || result.removal != 0) *stable = true;
  result.version = after.version;
  return result;
}

}  // namespace holdfast
