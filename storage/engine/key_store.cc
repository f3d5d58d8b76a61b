#include "storage/engine/key_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <future>

#include "storage/engine/limits.h"

namespace holdfast {
namespace {

// No object has the empty name, so its encoding opens a space of our own: the list of dead data files.
const std::string kDeadFiles = EncodeObject("") + '\x04';
const std::string kEndOfDeadFiles = EncodeObject("") + '\x05';

rocksdb::Options DatabaseOptions(const KeyStore::Options& options, rocksdb::Env* env) {
  rocksdb::Options db;
  db.env = env;
  db.create_if_missing = true;
  db.write_buffer_size = options.write_buffer_bytes;
  db.max_write_buffer_number = 4;
  db.max_total_wal_size = 4 * options.write_buffer_bytes;
  db.max_background_jobs = 2;
  db.max_open_files = 512;
  db.level_compaction_dynamic_level_bytes = true;
  db.bytes_per_sync = 1 << 20;
  // A torn tail of the log is what a power cut leaves of records never acknowledged as stable. Logs that must be
  // there are named in the manifest.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db.track_and_verify_wals_in_manifest = true;
  db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db.keep_log_file_num = 5;
  db.max_log_file_size = 8 << 20;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  const auto compressions = rocksdb::GetSupportedCompressions();
  const bool lz4 = std::find(compressions.begin(), compressions.end(), rocksdb::kLZ4Compression) != compressions.end();
  db.compression = lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.format_version = 5;
  db.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return db;
}

}  // namespace

EngineError ErrorOf(const rocksdb::Status& status) {
  if (status.ok()) return EngineError::kNone;
  if (status.IsNotFound()) return EngineError::kNotFound;
  if (status.IsNoSpace()) return EngineError::kNoSpace;
  if (status.IsCorruption()) return EngineError::kCorrupt;
  return EngineError::kIo;
}

std::unique_ptr<KeyStore> KeyStore::Open(Options options, std::string* error) {
  std::unique_ptr<KeyStore> store(new KeyStore(std::move(options)));
  store->env_ = rocksdb::NewCompositeEnv(store->options_.files->ForRocksDb());
  rocksdb::DB* db = nullptr;
  const rocksdb::Options db_options = DatabaseOptions(store->options_, store->env_.get());
  if (const auto status = rocksdb::DB::Open(db_options, store->options_.directory, &db); !status.ok()) {
    *error = "the key store " + store->options_.directory +
             (status.IsCorruption() ? " is damaged: " : " cannot be opened: ") + status.ToString();
    return nullptr;
  }
  store->db_.reset(db);
  store->thread_ = std::thread([raw = store.get()] { raw->RunCommits(); });
  return store;
}

KeyStore::~KeyStore() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::optional<EngineResult<KeyPage>> KeyStore::ReadKeys(const std::string& object, const KeyRange& range,
                                                        ReadMode mode) {
  const std::string encoded = EncodeObject(object);
  const std::string end = EndOfObject(encoded);
  const rocksdb::Slice upper_bound(end);
  rocksdb::ReadOptions read;
  read.read_tier = mode == ReadMode::kCachedOnly ? rocksdb::kBlockCacheTier : rocksdb::kReadAllTier;
  read.iterate_upper_bound = &upper_bound;
  // One iterator, hence one state of the store for version and keys.
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(read));
  KeyPage page;
  ObjectMeta meta;
  it->Seek(MetaKey(encoded));
  if (it->Valid() && it->key() == MetaKey(encoded)) {
    const auto decoded = DecodeMeta(it->value().ToStringView());
    if (!decoded) return EngineError::kCorrupt;
    meta = *decoded;
    page.version = meta.version;
  }
  // The next Seek forgets that this one could not look everywhere.
  if (it->status().IsIncomplete()) return std::nullopt;
  if (!it->status().ok()) return ErrorOf(it->status());
  const std::size_t limit = std::min(range.limit, kMaxKeysPerPage);
  const std::string to = range.to.empty() ? end : UserKey(encoded, range.to);
  const std::size_t prefix = encoded.size() + 1;
  for (it->Seek(UserKey(encoded, range.from)); it->Valid() && it->key().compare(to) < 0; it->Next()) {
    if (page.entries.size() == limit) {
      page.more = true;
      break;
    }
    page.entries.push_back({std::string(it->key().ToStringView().substr(prefix)), it->value().ToString()});
  }
  if (it->status().ok() && page.entries.empty() && !page.more) {
    it->Seek(UserKey(encoded, ""));
    if (it->status().ok() && !it->Valid()) {
      if (mode == ReadMode::kCachedOnly && meta.file == DataFileState::kLive) return std::nullopt;
      if (!HasBytes(object, meta)) return EngineError::kNotFound;
    }
  }
  if (it->status().IsIncomplete()) return std::nullopt;
  if (!it->status().ok()) return ErrorOf(it->status());
  return page;
}

std::optional<EngineResult<std::vector<std::optional<std::string>>>> KeyStore::ReadKeysExact(
    const std::string& object, const std::vector<std::string>& keys, ReadMode mode) {
  const std::string encoded = EncodeObject(object);
  rocksdb::ReadOptions read;
  read.read_tier = mode == ReadMode::kCachedOnly ? rocksdb::kBlockCacheTier : rocksdb::kReadAllTier;
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const std::string& key : keys) names.push_back(UserKey(encoded, key));
  const std::vector<rocksdb::Slice> slices(names.begin(), names.end());
  std::vector<std::string> values;
  const auto statuses = db_->MultiGet(read, slices, &values);
  std::vector<std::optional<std::string>> found(keys.size());
  bool any = false;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].ok()) {
      found[i] = std::move(values[i]);
      any = true;
    } else if (statuses[i].IsIncomplete()) {
      return std::nullopt;
    } else if (!statuses[i].IsNotFound()) {
      return ErrorOf(statuses[i]);
    }
  }
  if (!any) {
    auto presence = ReadKeys(object, {.from = "", .to = "", .limit = 1}, mode);
    if (!presence) return std::nullopt;
    if (!presence->ok()) return presence->error();
  }
  return found;
}

EngineResult<ObjectMeta> KeyStore::ReadMeta(const std::string& object) {
  std::string value;
  const auto status = db_->Get({}, db_->DefaultColumnFamily(), MetaKey(EncodeObject(object)), &value);
  if (status.IsNotFound()) return ObjectMeta{};
  if (!status.ok()) return ErrorOf(status);
  const auto meta = DecodeMeta(value);
  if (!meta) return EngineError::kCorrupt;
  return *meta;
}

EngineResult<std::vector<std::string>> KeyStore::List(const std::string& prefix, const std::string& after,
                                                      std::size_t limit) {
  std::vector<std::string> names;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}));
  if (after >= prefix && !after.empty()) {
    it->Seek(EndOfObject(EncodeObject(after)));
  } else if (prefix.empty()) {
    it->Seek(kEndOfDeadFiles);
  } else {
    std::string start = EncodeObject(prefix);
    start.resize(start.size() - 2);  // without the terminator: every name that begins so
    it->Seek(start);
  }
  while (it->Valid() && names.size() < limit) {
    const auto decoded = DecodeKey(it->key().ToStringView());
    if (!decoded) return EngineError::kCorrupt;
    if (!decoded->object.starts_with(prefix)) break;
    const std::string end = EndOfObject(EncodeObject(decoded->object));
    bool exists = !decoded->is_meta;
    if (decoded->is_meta) {
      const auto meta = DecodeMeta(it->value().ToStringView());
      if (!meta) return EngineError::kCorrupt;
      it->Next();
      exists = (it->Valid() && it->key().compare(end) < 0) || HasBytes(decoded->object, *meta);
    }
    if (exists) names.push_back(decoded->object);
    if (it->Valid() && it->key().compare(end) < 0) it->Seek(end);
  }
  if (!it->status().ok()) return ErrorOf(it->status());
  return names;
}

std::vector<std::pair<std::string, std::uint64_t>> KeyStore::DeadFiles() {
  std::vector<std::pair<std::string, std::uint64_t>> dead;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}));
  for (it->Seek(kDeadFiles); it->Valid() && it->key().compare(kEndOfDeadFiles) < 0; it->Next()) {
    const std::string object(it->key().ToStringView().substr(kDeadFiles.size()));
    auto meta = ReadMeta(object);
    if (meta.ok() && meta->file == DataFileState::kDead) dead.emplace_back(object, meta->removal);
  }
  return dead;
}

std::vector<std::string> KeyStore::Check(const std::function<void(const std::string& object)>& has_file) {
  std::vector<std::string> findings;
  if (const auto status = db_->VerifyChecksum(); !status.ok()) {
    findings.push_back("the key store fails its checksums: " + status.ToString());
  }
  std::string described;  // the object whose meta record was read last
  bool any = false;
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(read));
  for (it->Seek(kEndOfDeadFiles); it->Valid(); it->Next()) {
    const auto decoded = DecodeKey(it->key().ToStringView());
    if (!decoded) {
      findings.push_back("a key that belongs to no object: " + it->key().ToString(true));
      continue;
    }
    if (decoded->is_meta) {
      const auto meta = DecodeMeta(it->value().ToStringView());
      if (!meta) findings.push_back("object " + decoded->object + ": its meta record cannot be read");
      if (meta && meta->file != DataFileState::kNone) has_file(decoded->object);
      described = decoded->object;
      any = true;
    } else if (!any || decoded->object != described) {
      findings.push_back("object " + decoded->object + ": keys without a meta record");
      described = decoded->object;
      any = true;
    }
  }
  if (!it->status().ok()) findings.push_back("the key store cannot be read: " + it->status().ToString());
  return findings;
}

CommitResult KeyStore::CommitAndWait(CommitRequest request) {
  std::promise<CommitResult> promise;
  request.done = [&promise](CommitResult result) { promise.set_value(result); };
  Commit(std::move(request));
  return promise.get_future().get();
}

void KeyStore::StoreMeta(const std::string& object, const std::string& encoded, const ObjectMeta& before,
                         const ObjectMeta& after, rocksdb::WriteBatchWithIndex& group) {
  if (after.forgettable()) {
    group.Delete(MetaKey(encoded));
  } else {
    group.Put(MetaKey(encoded), EncodeMeta(after));
  }
  if (after.file == DataFileState::kDead) {
    group.Put(kDeadFiles + object, "");
  } else if (before.file == DataFileState::kDead) {
    group.Delete(kDeadFiles + object);
  }
}

}  // namespace holdfast
