// The table of files in memory: loading with the persistent opens of each, letting go, and what survives a restart.
#include "storage/files/files.h"

#include <algorithm>

#include "protocol/base/fault_point.h"
#include "protocol/dtyp/upcase.h"
#include "storage/files/files_impl.h"
#include "storage/files/path.h"
#include "storage/files/records.h"

namespace holdfast {
namespace {

constexpr Duration kSweepInterval = std::chrono::seconds(5);
constexpr std::uint32_t kFirstVolatileSlot = 0x80000;
constexpr std::uint32_t kEndOfSlots = 0x100000;
constexpr std::uint32_t kSlotStep = 64;

Task<void> SetWhenDone(Task<NtStatus> task, std::shared_ptr<OneShot<NtStatus>> done) {
  const NtStatus status = co_await std::move(task);
  done->Set(status);
}

bool SameEas(const Inode& a, const Inode& b) {
  return std::ranges::equal(a.eas, b.eas, [](const ExtendedAttribute& x, const ExtendedAttribute& y) {
    return x.name == y.name && x.value == y.value && x.flags == y.flags;
  });
}

// What Volume::Store() would write.
bool Differs(const Inode& a, const Inode& b) {
  return a.file_attributes != b.file_attributes || a.creation_time != b.creation_time ||
         a.last_access_time != b.last_access_time || a.last_write_time != b.last_write_time ||
         a.change_time != b.change_time || a.sticky_times != b.sticky_times ||
         a.security_descriptor != b.security_descriptor || a.reparse_tag != b.reparse_tag ||
         a.reparse_data != b.reparse_data || a.ea_bytes != b.ea_bytes || a.object_id != b.object_id ||
         a.integrity != b.integrity || a.next_slot != b.next_slot || !SameEas(a, b);
}

// A rename may have committed without the record hearing of it.
void FollowLink(Open& open, const Inode& inode) {
  if (inode.links.empty()) return;
  for (const LinkFacts& link : inode.links) {
    if (link.parent == open.link.parent && EqualsIgnoringCase(link.name, open.link.name)) {
      open.link = link;
      return;
    }
  }
  open.link = inode.links.front();
  const auto slash = open.path.rfind(u'\\');
  const auto begin = slash == std::u16string::npos ? 0 : slash + 1;
  const auto colon = open.path.find(u':', begin);
  const auto stream = colon == std::u16string::npos ? std::u16string() : open.path.substr(colon);
  open.path = open.path.substr(0, begin) + open.link.name + stream;
}

}  // namespace

Task<std::pair<NtStatus, NtStatus>> Both(Executor executor, Task<NtStatus> a, Task<NtStatus> b) {
  auto second = std::make_shared<OneShot<NtStatus>>();
  Spawn(executor, SetWhenDone(std::move(b), second));
  const NtStatus first = co_await std::move(a);
  const NtStatus other = co_await second->Wait();
  co_return std::pair(first, other);
}

StreamState* FileState::Stream(StreamId id) {
  const auto it = streams.find(id);
  return it == streams.end() || it->second->removed ? nullptr : it->second.get();
}

StreamState* FileState::FindStream(std::u16string_view name) {
  for (auto& [id, stream] : streams) {
    if (!stream->removed && EqualsIgnoringCase(stream->facts.name, name)) return stream.get();
  }
  return nullptr;
}

void FileState::SyncStreams() {
  inode.streams.clear();
  for (const auto& [id, stream] : streams) {
    if (!stream->removed) inode.streams.push_back(stream->facts);
  }
}

Files::Files(Executor executor, Volume& volume, Homes& homes, Clock& clock, Random& random, FilesOptions options)
    : executor_(std::move(executor)),
      volume_(volume),
      homes_(homes),
      clock_(clock),
      random_(random),
      options_(options),
      impl_(std::make_unique<Impl>(*this)) {}

Files::~Files() {
  Shutdown();
  impl_->alive = nullptr;
  // Opens and their file point at each other.
  for (auto& [number, file] : loaded_) {
    for (const OpenPtr& open : file->opens) open->file.reset();
    file->opens.clear();
  }
}

void Files::Shutdown() {
  stopping_ = true;
  for (auto& [number, file] : loaded_) {
    for (const OpenPtr& open : file->opens) impl_->StopTimer(*open);
    for (const auto& [id, stream] : file->streams) {
      for (const CachingGrantPtr& grant : stream->grants) impl_->StopBreakTimer(*grant);
    }
    for (const auto& waiter : std::exchange(file->caching_waiters, {})) waiter->Set(NtStatus::kCancelled);
  }
  if (impl_->sweep_timer != 0) clock_.Cancel(std::exchange(impl_->sweep_timer, 0));
}

// ---- loading ------------------------------------------------------------------------------------------------------

FileStatePtr Files::FindLoaded(FileNumber number) const {
  const auto it = loaded_.find(number);
  return it == loaded_.end() ? nullptr : it->second;
}

Task<Result<FileStatePtr>> Files::Acquire(FileNumber number) {
  for (;;) {
    if (auto loaded = FindLoaded(number)) co_return loaded;
    const auto loading = loading_.find(number);
    if (loading == loading_.end()) break;
    const auto done = loading->second;
    const NtStatus status = co_await done->Wait();
    if (status != NtStatus::kSuccess) co_return status;
  }
  auto done = std::make_shared<OneShot<NtStatus>>();
  loading_.emplace(number, done);
  auto loaded = co_await impl_->Load(number);
  if (loaded.ok()) {
    loaded_.emplace(number, *loaded);
    if ((*loaded)->opens.empty()) impl_->MarkIdle(number);
  }
  loading_.erase(number);
  done->Set(loaded.status());
  co_return loaded;
}

Task<Result<FileStatePtr>> Files::Impl::Load(FileNumber number) {
  const NtStatus home = co_await files.homes_.Acquire(number);
  if (home != NtStatus::kSuccess) co_return home;
  auto inode = co_await files.volume_.Load(number);
  if (!inode.ok()) co_return inode.status();
  auto records = co_await files.volume_.LoadRecords(number, "o/");
  if (!records.ok()) co_return records.status();
  std::vector<KeyValue> lock_records;
  std::vector<KeyValue> lease_records;
  if (!records->empty()) {
    auto leases_loaded = co_await files.volume_.LoadRecords(number, "z/");
    if (!leases_loaded.ok()) co_return leases_loaded.status();
    lease_records = std::move(*leases_loaded);
    auto loaded = co_await files.volume_.LoadRecords(number, "b/");
    if (!loaded.ok()) co_return loaded.status();
    lock_records = std::move(*loaded);
  }
  // Its last name went and nobody holds it: it only waits for its purge.
  if (inode->unlinking && records->empty()) co_return NtStatus::kObjectNameNotFound;
  if (!records->empty() && !inode->unlinking) {
    // The first record of a new file becomes durable before its name does.
    const NtStatus named = co_await NameOfCreated(*inode);
    if (named != NtStatus::kSuccess) co_return named;
  }
  FileStatePtr file = MakeState(std::move(*inode));
  const NtStatus status = co_await LoadOpens(file, std::move(*records), std::move(lock_records), std::move(lease_records));
  if (status != NtStatus::kSuccess) {
    for (const OpenPtr& open : std::vector<OpenPtr>(file->opens)) {
      StopTimer(*open);
      Unregister(open);
    }
    co_return status;
  }
  co_return file;
}

Task<NtStatus> Files::Impl::NameOfCreated(const Inode& inode) {
  if (inode.links.size() != 1) co_return NtStatus::kSuccess;
  const LinkFacts link = inode.links.front();
  const auto entry = co_await files.volume_.Lookup(link.parent, link.name);
  if (entry.ok() && entry->number == inode.number) co_return NtStatus::kSuccess;
  if (!entry.ok() && entry.status() != NtStatus::kObjectNameNotFound) co_return entry.status();
  const NtStatus named = co_await files.volume_.FinishCreate(inode);
  // Somebody else has taken the name: the create was never answered, and now has never happened.
  co_return named == NtStatus::kObjectNameCollision ? NtStatus::kObjectNameNotFound : named;
}

FileStatePtr Files::Impl::MakeState(Inode inode) {
  auto file = std::make_shared<FileState>();
  file->number = inode.number;
  for (const StreamFacts& facts : inode.streams) {
    auto stream = std::make_unique<StreamState>();
    stream->facts = facts;
    file->streams.emplace(facts.id, std::move(stream));
  }
  file->unlinked = inode.unlinking;
  file->next_slot = inode.next_slot;
  file->next_volatile_slot =
      kFirstVolatileSlot + static_cast<std::uint32_t>(files.random_.Next64() % (kEndOfSlots - kFirstVolatileSlot));
  file->indexed = indexed.contains(inode.number);
  // While the promise is ahead nobody knows whether the last to write came to tell the directory of the size.
  file->dirents_stale = std::ranges::any_of(
      inode.streams, [](const StreamFacts& facts) { return facts.may_extend_to > facts.size; });
  file->inode = inode;
  file->stored = std::move(inode);
  return file;
}

Task<NtStatus> Files::Impl::LoadOpens(FileStatePtr file, std::vector<KeyValue> records,
                                      std::vector<KeyValue> lock_records, std::vector<KeyValue> lease_records) {
  std::vector<RecordChange> settled;
  std::map<LeaseId, CachingGrantPtr> restored;
  for (const KeyValue& record : lease_records) {
    const CachingGrantPtr lease = DecodeLease(record.value);
    if (!lease) co_return NtStatus::kFileCorruptError;
    restored[{lease->client_guid, lease->lease_key}] = lease;
  }
  for (const KeyValue& record : records) {
    auto decoded = DecodeOpen(record.value);
    if (!decoded.ok()) co_return decoded.status();
    const OpenPtr open = decoded->open;
    open->file = file;
    open->is_directory = file->inode.directory;
    FollowLink(*open, file->inode);
    if (decoded->todo == RecordTodo::kCreateStream) {
      const auto path = ParsePath(open->path);
      if (!path.ok()) co_return NtStatus::kFileCorruptError;
      StreamState* stream = file->FindStream(path->stream);
      if (!stream) {
        StreamFacts facts;
        facts.name = path->stream;
        const auto created = co_await files.volume_.CreateStream(file->number, facts, 0);
        if (!created.ok()) co_return created.status();
        facts.id = *created;
        stream = (file->streams[facts.id] = std::make_unique<StreamState>()).get();
        stream->facts = facts;
      }
      open->stream = stream->facts.id;
    }
    StreamState* stream = file->Stream(open->stream);
    if (!stream && !(open->is_directory && open->stream == kUnnamedStream)) {
      // Its stream was deleted and the close that did so did not come to take the record off.
      settled.push_back({record.key, std::nullopt});
      for (const KeyValue& lock : lock_records) {
        if (lock.key.starts_with(LockRecordPrefix(open->persistent_id))) settled.push_back({lock.key, std::nullopt});
      }
      continue;
    }
    if (decoded->todo == RecordTodo::kTruncate && stream) {
      const NtStatus truncated =
          co_await files.volume_.Truncate(file->number, stream->facts, 0, Durability::kStable);
      if (truncated != NtStatus::kSuccess) co_return truncated;
    }
    if (!decoded->delete_link.name.empty()) {
      file->delete_pending = true;
      file->delete_parent = decoded->delete_link.parent;
      file->delete_name = decoded->delete_link.name;
    }
    if (decoded->delete_pending && open->stream != kUnnamedStream) stream->delete_pending = true;
    if (decoded->todo != RecordTodo::kNothing) settled.push_back(OpenRecordChange(*open, RecordTodo::kNothing));
    for (const KeyValue& entry : lock_records) {
      if (!stream || !entry.key.starts_with(LockRecordPrefix(open->persistent_id))) continue;
      auto lock = DecodeLock(entry.value);
      if (!lock) co_return NtStatus::kFileCorruptError;
      lock->owner = open.get();
      lock->key_serial = static_cast<std::uint32_t>(std::strtoul(entry.key.c_str() + 8, nullptr, 10));
      file->next_lock_serial = std::max(file->next_lock_serial, lock->key_serial + 1);
      stream->locks.push_back(*lock);
    }
    Register(open);
    if (stream) RestoreCaching(open, *decoded, restored);
    file->next_slot = std::max(file->next_slot, static_cast<std::uint32_t>(open->persistent_id & 0xFFFFF) + 1);
    // The timeout restarts at the takeover: nobody could come back while no node had the file.
    StartTimer(open, std::max(open->durable_open_timeout_ms, open->resilient_open_timeout_ms));
  }
  for (const KeyValue& lock : lock_records) {
    const bool owned = std::ranges::any_of(records, [&lock](const KeyValue& record) {
      return record.key.size() > 2 && lock.key.compare(2, record.key.size() - 2, record.key, 2) == 0;
    });
    if (owned) continue;
    RecordChange lost;
    lost.key = lock.key;
    settled.push_back(std::move(lost));
  }
  for (const auto& [id, lease] : restored) {
    if (!lease->opens.empty()) continue;
    RecordChange lost;
    lost.key = LeaseRecordKey(*lease);
    settled.push_back(std::move(lost));
  }
  if (!file->opens.empty()) {
    file->indexed = true;
    indexed.insert(file->number);
  }
  file->records_loaded = true;
  if (settled.empty()) co_return NtStatus::kSuccess;
  co_return co_await files.volume_.StoreRecords(file->number, std::move(settled));
}

void Files::Impl::RestoreCaching(const OpenPtr& open, const DecodedOpen& decoded,
                                 const std::map<LeaseId, CachingGrantPtr>& restored) {
  if (decoded.lease_key) {
    const auto found = restored.find({open->client_guid, *decoded.lease_key});
    if (found != restored.end()) open->caching = found->second;
  } else if (const std::uint32_t state = StateOfOplock(decoded.oplock_level); state != 0) {
    open->caching = std::make_shared<CachingGrant>();
    open->caching->state = state;
  }
  const CachingGrantPtr grant = open->caching;
  if (!grant) return;
  const bool first = grant->opens.empty();
  grant->opens.push_back(open.get());
  if (grant->is_lease && open->delete_on_close) grant->file_delete_on_close = true;
  if (!first) return;
  grant->file = open->file->number;
  grant->stream = open->stream;
  open->file->Stream(open->stream)->grants.push_back(grant);
  if (grant->is_lease) leases.insert_or_assign({grant->client_guid, grant->lease_key}, grant);
}

void Files::ReleaseIfUnused(const FileStatePtr& file) {
  if (file->opens.empty() && !file->gone) impl_->MarkIdle(file->number);
}

// ---- opens and their ids ------------------------------------------------------------------------------------------

void Files::Impl::Register(const OpenPtr& open) {
  open->file->opens.push_back(open);
  ++open_count;
  if (!open->create_guid.IsZero()) by_create_guid.emplace(open->create_guid, open);
  if (open->app_instance) by_app_instance.emplace(open->app_instance->id, open);
}

void Files::Impl::Unregister(const OpenPtr& open) {
  const auto drop = [&open](auto& index, const Guid& guid) {
    const auto [begin, end] = index.equal_range(guid);
    for (auto it = begin; it != end; ++it) {
      if (it->second == open) {
        index.erase(it);
        return;
      }
    }
  };
  if (std::erase(open->file->opens, open) == 0) return;
  --open_count;
  Detach(*open);
  WakeCaching(*open->file);
  if (!open->create_guid.IsZero()) drop(by_create_guid, open->create_guid);
  if (open->app_instance) drop(by_app_instance, open->app_instance->id);
}

Result<std::uint64_t> Files::Impl::NewPersistentId(FileState& file, bool persistent) {
  if (open_count >= files.options_.max_opens) return NtStatus::kInsufficientResources;
  // Two halves, so that an id of an open that died with its process never comes to mean a persistent one.
  const std::uint32_t first = persistent ? 1 : kFirstVolatileSlot;
  const std::uint32_t end = persistent ? kFirstVolatileSlot : kEndOfSlots;
  std::uint32_t& next = persistent ? file.next_slot : file.next_volatile_slot;
  for (std::size_t tries = 0; tries <= file.opens.size(); ++tries) {
    if (next >= end) {
      next = persistent ? first + static_cast<std::uint32_t>(files.random_.Next64() % (end - first)) : first;
    }
    const std::uint64_t id = file.number << 20 | next;
    ++next;
    if (persistent && next > file.inode.next_slot) {
      file.inode.next_slot = std::min(next + kSlotStep, kFirstVolatileSlot);
    }
    if (std::ranges::none_of(file.opens, [id](const OpenPtr& open) { return open->persistent_id == id; })) return id;
  }
  return NtStatus::kInsufficientResources;
}

// ---- storing ------------------------------------------------------------------------------------------------------

bool Files::Impl::IsDirty(const FileState& file) {
  if (file.times_dirty || !file.leftover_records.empty() || (file.delete_pending && file.opens.empty())) return true;
  return std::ranges::any_of(file.streams, [](const auto& entry) { return entry.second->size_dirty; });
}

Task<NtStatus> Files::Impl::StoreInode(FileStatePtr file, std::vector<RecordChange> records, Durability durability) {
  const auto turn = co_await file->store.Lock();
  const std::vector<std::string> leftovers = file->leftover_records;
  for (const std::string& key : leftovers) {
    if (std::ranges::none_of(records, [&key](const RecordChange& c) { return c.key == key; })) {
      records.push_back({key, std::nullopt});
    }
  }
  NtStatus status = NtStatus::kSuccess;
  if (Differs(file->stored, file->inode)) {
    const Inode after = file->inode;
    file->times_dirty = false;
    status = co_await files.volume_.Store(file->stored, after, std::move(records), durability);
    if (status == NtStatus::kSuccess) {
      const auto links = file->stored.links;
      file->stored = after;
      file->stored.links = links;
    } else {
      file->times_dirty = true;
    }
  } else {
    file->times_dirty = false;
    if (!records.empty()) status = co_await files.volume_.StoreRecords(file->number, std::move(records));
  }
  if (status == NtStatus::kSuccess) {
    // Others may have come behind them meanwhile.
    const auto begin = file->leftover_records.begin();
    file->leftover_records.erase(begin, begin + static_cast<std::ptrdiff_t>(leftovers.size()));
  }
  co_return status;
}

std::vector<RecordChange> Files::Impl::AllRecords(const FileState& file) const {
  std::vector<RecordChange> records;
  for (const OpenPtr& open : file.opens) {
    if (open->is_persistent()) records.push_back(files.OpenRecord(*open));
  }
  return records;
}

Task<NtStatus> Files::StoreDirty(const FileStatePtr& file_reference, Durability durability) {
  const FileStatePtr file = file_reference;
  for (auto& [id, stream] : file->streams) {
    if (!stream->size_dirty || stream->removed) continue;
    // A writer may be raising may_extend_to: an older copy of it must not be stored over the new one.
    const auto turn = co_await stream->extend.Lock();
    const StreamFacts facts = stream->facts;
    stream->size_dirty = false;
    const NtStatus status = co_await volume_.StoreStream(file->number, facts, durability);
    if (status != NtStatus::kSuccess) {
      stream->size_dirty = true;
      co_return status;
    }
  }
  if (!file->times_dirty && file->leftover_records.empty()) co_return NtStatus::kSuccess;
  co_return co_await impl_->StoreInode(file, durability);
}

void Files::Touch(FileState& file, bool access, bool write, bool change) {
  const FileTime now = Now();
  Inode& inode = file.inode;
  if (access && !(inode.sticky_times & 2)) inode.last_access_time = std::max(inode.last_access_time, now);
  if (write && !(inode.sticky_times & 4)) inode.last_write_time = std::max(inode.last_write_time + 1, now);
  if (change && !(inode.sticky_times & 8)) inode.change_time = std::max(inode.change_time + 1, now);
  file.times_dirty = true;
  file.dirents_stale = true;
}

Task<void> Files::Impl::TouchDirectory(FileNumber directory) {
  auto file = co_await files.Acquire(directory);
  if (!file.ok()) co_return;
  files.Touch(**file, true, true, true);
  files.ReleaseIfUnused(*file);
}

Task<void> Files::Impl::RefreshDirents(FileStatePtr file) {
  if (!file->dirents_stale || file->inode.links.empty()) co_return;
  file->dirents_stale = false;
  file->SyncStreams();
  co_await files.volume_.RefreshDirents(file->inode);
}

// ---- the takeover index -------------------------------------------------------------------------------------------

Task<NtStatus> Files::Impl::AddToIndex(FileStatePtr file) {
  if (indexed.contains(file->number)) co_return NtStatus::kSuccess;
  const NtStatus status = co_await files.volume_.AddToIndex(file->number);
  if (status == NtStatus::kSuccess) {
    indexed.insert(file->number);
    file->indexed = true;
  }
  co_return status;
}

Task<void> Files::Recover() {
  impl_->recovery = std::make_shared<OneShot<bool>>();
  const auto recovery = impl_->recovery;
  const auto entries = co_await volume_.ReadIndex();
  std::vector<FileNumber> numbers;
  if (entries.ok()) numbers = *entries;
  for (const FileNumber number : numbers) {
    if (stopping_) break;
    const auto file = co_await Acquire(number);
    if (file.ok()) {
      impl_->indexed.insert(number);
      (*file)->indexed = true;
      ReleaseIfUnused(*file);  // without opens the entry goes with the state
    } else if (file.status() == NtStatus::kObjectNameNotFound) {
      static_cast<void>(co_await volume_.RemoveFromIndex(number));
    }
  }
  const auto orphans = co_await volume_.ReadOrphans();
  numbers.clear();
  if (orphans.ok()) numbers = *orphans;
  for (const FileNumber number : numbers) {
    if (stopping_) break;
    const auto file = co_await Acquire(number);
    if (file.ok()) continue;  // held by a persistent open: purged when that ends
    if (file.status() == NtStatus::kObjectNameNotFound) static_cast<void>(co_await volume_.Purge(number));
  }
  recovery->Set(true);
}

Task<void> Files::Impl::AwaitRecovery() {
  if (const auto pending = recovery) co_await pending->Wait();
}

// ---- letting go ---------------------------------------------------------------------------------------------------

void Files::Impl::MarkIdle(FileNumber number) {
  idle.insert(number);
  if (sweep_timer != 0 || files.stopping_) return;
  sweep_timer = files.clock_.Schedule(files.clock_.Now() + kSweepInterval, [this] {
    sweep_timer = 0;
    if (!files.stopping_) Spawn(files.executor_, Sweep());
  });
}

Task<void> Files::Impl::Sweep() {
  if (sweeping) co_return;
  sweeping = true;
  const std::vector<FileNumber> candidates(idle.begin(), idle.end());
  for (const FileNumber number : candidates) {
    if (files.stopping_) break;
    co_await SweepFile(number);
  }
  sweeping = false;
  if (!idle.empty()) MarkIdle(*idle.begin());
}

Task<void> Files::Impl::SweepFile(FileNumber number) {
  idle.erase(number);
  FileStatePtr file = files.FindLoaded(number);
  if (!file) {
    // It lost its last name to a rename: the index leads to nothing.
    if (!files.loading_.contains(number) && indexed.erase(number) != 0) {
      static_cast<void>(co_await files.volume_.RemoveFromIndex(number));
    }
    co_return;
  }
  {
    const auto guard = co_await file->mutex.Lock();
    if (file->gone || !file->opens.empty()) co_return;
    if (file->delete_pending) {
      static_cast<void>(co_await FinishDelete(file, false, Durability::kStable));
      if (file->gone) co_return;
    }
    if (IsDirty(*file)) static_cast<void>(co_await files.StoreDirty(file, Durability::kProcess));
    co_await RefreshDirents(file);
    if (file->opens.empty() && indexed.erase(number) != 0) {
      file->indexed = false;
      const NtStatus status = co_await files.volume_.RemoveFromIndex(number);
      if (status != NtStatus::kSuccess) indexed.insert(number);
    }
  }
  // Besides this function only the table may hold it: others are on their way to its mutex, or hold a closed open.
  if (file->opens.empty() && !IsDirty(*file) && !file->gone && file.use_count() <= 2) {
    file->gone = true;
    files.loaded_.erase(number);
    files.homes_.Release(number);
  } else if (file->opens.empty() && !file->gone) {
    idle.insert(number);
  }
}

Files::Counts Files::counts() const {
  Counts counts;
  counts.files = loaded_.size();
  counts.opens = impl_->open_count;
  for (const auto& [number, file] : loaded_) {
    for (const OpenPtr& open : file->opens) {
      if (open->is_persistent()) ++counts.persistent;
      if (!open->attached) ++counts.disconnected;
    }
    for (const auto& [id, stream] : file->streams) counts.locks += stream->locks.size();
  }
  return counts;
}

}  // namespace holdfast
