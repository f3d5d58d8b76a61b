// Loading and storing inodes, and the records that storage/files keeps in them.
#include <algorithm>

#include "storage/volume/engine_volume.h"
#include "storage/volume/keys.h"

namespace holdfast {
namespace {

bool SameEa(const ExtendedAttribute& a, const ExtendedAttribute& b) {
  return a.name == b.name && a.value == b.value && a.flags == b.flags;
}

const ExtendedAttribute* FindEa(const std::vector<ExtendedAttribute>& eas, const std::string& key) {
  for (const ExtendedAttribute& ea : eas) {
    if (keys::EaKey(ea.name) == key) return &ea;
  }
  return nullptr;
}

void AddBlobChange(std::vector<Mutation>& mutations, std::string_view key, const Bytes& before, const Bytes& after) {
  if (before == after) return;
  mutations.push_back(after.empty() ? Mutation::Remove(std::string(key))
                                    : Mutation::Set(std::string(key), codec::ToString(after)));
}

void AddEaChanges(std::vector<Mutation>& mutations, const std::vector<ExtendedAttribute>& before,
                  const std::vector<ExtendedAttribute>& after) {
  for (const ExtendedAttribute& ea : before) {
    const std::string key = keys::EaKey(ea.name);
    if (!FindEa(after, key)) mutations.push_back(Mutation::Remove(key));
  }
  for (const ExtendedAttribute& ea : after) {
    const std::string key = keys::EaKey(ea.name);
    const ExtendedAttribute* old = FindEa(before, key);
    if (!old || !SameEa(*old, ea)) mutations.push_back(Mutation::Set(key, codec::Serialise(codec::MakeEa(ea))));
  }
}

}  // namespace

std::optional<std::vector<Mutation>> RecordMutations(std::vector<RecordChange> records) {
  std::vector<Mutation> mutations;
  for (RecordChange& record : records) {
    if (!keys::IsRecordKey(record.key)) return std::nullopt;
    mutations.push_back(record.value ? Mutation::Set(std::move(record.key), std::move(*record.value))
                                     : Mutation::Remove(std::move(record.key)));
  }
  return mutations;
}

void EngineVolume::NoteWrite(FileNumber number, Durability durability) {
  if (durability == Durability::kProcess) {
    loose_[number].last_write = ++loose_writes_;
  } else if (const auto it = loose_.find(number); it != loose_.end() && !it->second.dirents) {
    loose_.erase(it);  // a stable write of an object is stable with all that came before it
  }
}

Task<NtStatus> EngineVolume::FlushLoose(FileNumber number) {
  const auto it = loose_.find(number);
  if (it == loose_.end()) co_return NtStatus::kSuccess;
  const Loose flushed = it->second;
  EngineError error = co_await engine_.Flush(keys::InodeObject(number));
  if (error != EngineError::kNone && error != EngineError::kNotFound) co_return ToNtStatus(error);
  if (flushed.dirents) {
    auto inode = co_await inodes_.Read(number);
    if (!inode.ok() && inode.error() != EngineError::kNotFound) co_return ToNtStatus(inode.error());
    for (std::size_t i = 0; inode.ok() && i < inode->links.size(); ++i) {
      error = co_await directories_.Flush(inode->links[i].parent, inode->links[i].encoded_name);
      if (error != EngineError::kNone && error != EngineError::kNotFound) co_return ToNtStatus(error);
    }
  }
  // What was written while we waited may have missed the flush.
  const auto now = loose_.find(number);
  if (now != loose_.end() && now->second.last_write == flushed.last_write) loose_.erase(now);
  co_return NtStatus::kSuccess;
}

Task<void> EngineVolume::FlushSomeLoose() {
  if (flushing_loose_ || loose_.size() <= most_loose_) co_return;
  flushing_loose_ = true;
  // Many at a time: in an engine with one log all but the first cost nothing.
  const std::size_t left = most_loose_ - most_loose_ / 64;
  std::vector<FileNumber> numbers;
  for (auto it = loose_.begin(); it != loose_.end() && numbers.size() + left < loose_.size(); ++it) {
    numbers.push_back(it->first);
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) static_cast<void>(co_await FlushLoose(numbers[i]));
  flushing_loose_ = false;
}

Task<Result<Inode>> EngineVolume::Load(FileNumber number) {
  for (;;) {
    auto stored = co_await inodes_.Read(number);
    if (!stored.ok()) {
      if (stored.error() == EngineError::kNotFound) {
        if (missing_.size() >= 4096) missing_.clear();
        missing_.insert(number);
      }
      co_return ToNtStatus(stored.error());
    }
    if (stored->attributes.message.least_reader() > kVolumeFormatLevel) co_return NtStatus::kNotSupported;
    bool finished_some = false;
    for (std::size_t i = 0; i < stored->streams.size(); ++i) {
      const pb::StreamAttributes& stream = stored->streams[i].message;
      if (!stream.has_trunc_pending()) continue;
      const NtStatus finished = co_await FinishTruncation(number, stream.id());
      if (finished != NtStatus::kSuccess) co_return finished;
      finished_some = true;
    }
    if (finished_some) continue;
    auto inode = ToInode(*stored);
    if (!inode) co_return NtStatus::kFileCorruptError;
    if (const NtStatus found = co_await FindEnds(*inode); found != NtStatus::kSuccess) co_return found;
    co_return std::move(*inode);
  }
}

Task<NtStatus> EngineVolume::Store(const Inode& before, const Inode& after, std::vector<RecordChange> records,
                                   Durability durability) {
  const FileNumber number = after.number;
  const std::string attributes_key(keys::kAttributesKey);
  const bool has_records = !records.empty();
  auto mutations = RecordMutations(std::move(records));
  if (!mutations || before.number != number) co_return NtStatus::kInvalidParameter;
  AddBlobChange(*mutations, keys::kSecurityDescriptorKey, before.security_descriptor, after.security_descriptor);
  AddBlobChange(*mutations, keys::kReparseKey, before.reparse_data, after.reparse_data);
  AddEaChanges(*mutations, before.eas, after.eas);
  // Attributes and times take no more room than before: a close on a full store must still be able to write them.
  const WriteClass write_class = has_records || mutations->empty() ? WriteClass::kRecord : WriteClass::kData;
  pb::InodeAttributes unused;
  const bool attributes_change = codec::SetChangedAttributes(unused, before, after);
  if (!attributes_change && mutations->empty()) co_return NtStatus::kSuccess;

  for (;;) {
    std::vector<Guard> guards;
    std::vector<Mutation> writes = *mutations;
    if (attributes_change) {
      auto stored = co_await inodes_.ReadAttributes(number);
      if (!stored.ok()) co_return ToNtStatus(stored.error());
      if (stored->message.least_reader() > kVolumeFormatLevel) co_return NtStatus::kNotSupported;
      codec::SetChangedAttributes(stored->message, before, after);
      guards.push_back(Guard::KeyEquals(attributes_key, stored->raw));
      writes.push_back(Mutation::Set(attributes_key, codec::Serialise(stored->message)));
    } else {
      guards.push_back(Guard::KeyPresent(attributes_key));
    }
    auto written = co_await engine_.Write(keys::InodeObject(number), std::move(guards), std::move(writes), durability,
                                          write_class);
    if (written.ok()) {
      NoteWrite(number, durability);
      co_return NtStatus::kSuccess;
    }
    if (written.error() != EngineError::kGuardFailed) co_return ToNtStatus(written.error());
    if (!attributes_change) co_return NtStatus::kObjectNameNotFound;
  }
}

Task<NtStatus> EngineVolume::StoreRecords(FileNumber number, std::vector<RecordChange> records) {
  auto mutations = RecordMutations(std::move(records));
  if (!mutations) co_return NtStatus::kInvalidParameter;
  // Never brings a deleted file back as an object of nothing but records.
  std::vector<Guard> guards{Guard::KeyPresent(std::string(keys::kAttributesKey))};
  auto written = co_await engine_.Write(keys::InodeObject(number), std::move(guards), std::move(*mutations),
                                        Durability::kStable, WriteClass::kRecord);
  if (written.ok()) {
    NoteWrite(number, Durability::kStable);
    co_return NtStatus::kSuccess;
  }
  co_return written.error() == EngineError::kGuardFailed ? NtStatus::kObjectNameNotFound : ToNtStatus(written.error());
}

Task<Result<std::vector<KeyValue>>> EngineVolume::LoadRecords(FileNumber number, std::string prefix) {
  if (!keys::IsRecordKey(prefix)) co_return NtStatus::kInvalidParameter;
  std::vector<KeyValue> records;
  std::string from = prefix;
  const std::string to = keys::EndOfPrefix(prefix);
  for (;;) {
    KeyRange range{from, to, 1024};
    auto page = co_await engine_.ReadKeys(keys::InodeObject(number), std::move(range));
    if (!page.ok()) co_return ToNtStatus(page.error());
    for (KeyValue& entry : page->entries) records.push_back(std::move(entry));
    if (!page->more || page->entries.empty()) co_return records;
    from = keys::After(records.back().key);
  }
}

Task<void> EngineVolume::RefreshDirents(const Inode& inode) {
  const Inode copy = inode;  // the caller's may change while we wait
  for (std::size_t i = 0; i < copy.links.size(); ++i) {
    const std::string encoded = keys::EncodeName(copy.links[i].name);
    const FileNumber parent = copy.links[i].parent;
    auto raw = co_await directories_.Read(parent, encoded);
    if (!raw.ok() || !*raw) continue;
    auto dirent = codec::Parse<pb::Dirent>(**raw);
    if (!dirent || dirent->pending() != 0 || dirent->number() != copy.number) continue;
    codec::SetCopies(*dirent, copy);
    std::string fresh = codec::Serialise(*dirent);
    if (fresh == **raw) continue;
    std::vector<DirentChange> changes;
    changes.push_back({encoded, std::move(**raw), std::move(fresh)});
    static_cast<void>(
        co_await directories_.Change(parent, std::move(changes), Durability::kProcess, WriteClass::kData));
  }
}

}  // namespace holdfast
