// Facts of streams in the inode, their bytes in data objects, and the order between the two.
//
// Before bytes are sent behind `size`, `may_extend_to` says how far they may reach; as long as it is ahead, a load
// asks the bytes where they end. That answer is not written back: somebody may be counting on the promise just now.
// Before bytes are removed, the smaller size is stored together with `trunc_pending`; nothing grows again until that
// is gone.
#include <algorithm>

#include "protocol/base/fault_point.h"
#include "protocol/dtyp/upcase.h"
#include "storage/volume/engine_volume.h"
#include "storage/volume/keys.h"

namespace holdfast {

Task<NtStatus> EngineVolume::UpdateStream(FileNumber number, StreamId stream, StreamChange change,
                                          Durability durability, WriteClass write_class) {
  const std::string key = keys::StreamKey(stream);
  for (;;) {
    auto stored = co_await inodes_.ReadStream(number, stream);
    if (!stored.ok()) co_return ToNtStatus(stored.error());
    if (!*stored) co_return NtStatus::kObjectNameNotFound;
    if (!change((*stored)->message)) co_return NtStatus::kSuccess;
    std::vector<Guard> guards{Guard::KeyEquals(key, (*stored)->raw)};
    std::vector<Mutation> mutations{Mutation::Set(key, codec::Serialise((*stored)->message))};
    auto written = co_await engine_.Write(keys::InodeObject(number), std::move(guards), std::move(mutations),
                                          durability, write_class);
    if (written.ok()) {
      NoteWrite(number, durability);
      co_return NtStatus::kSuccess;
    }
    if (written.error() != EngineError::kGuardFailed) co_return ToNtStatus(written.error());
  }
}

Task<NtStatus> EngineVolume::FinishTruncation(FileNumber number, StreamId stream) {
  const auto lock = co_await truncations_.Lock(keys::InodeObject(number));
  auto stored = co_await inodes_.ReadStream(number, stream);
  if (!stored.ok()) co_return ToNtStatus(stored.error());
  if (!*stored || !(*stored)->message.has_trunc_pending()) co_return NtStatus::kSuccess;
  const std::uint64_t end = (*stored)->message.trunc_pending();
  // Stable, for what is cleared next may be stable before.
  const EngineError error = co_await data_.Truncate(number, stream, end, Durability::kStable);
  if (error != EngineError::kNone) co_return ToNtStatus(error);
  StreamChange change = [end](pb::StreamAttributes& facts) {
    if (!facts.has_trunc_pending() || facts.trunc_pending() != end) return false;
    facts.clear_trunc_pending();
    return true;
  };
  co_return co_await UpdateStream(number, stream, std::move(change), Durability::kProcess, WriteClass::kRecord);
}

Task<NtStatus> EngineVolume::FindEnds(Inode& inode) {
  for (StreamFacts& facts : inode.streams) {
    if (facts.may_extend_to <= facts.size) continue;
    auto end = co_await data_.End(inode.number, facts.id);
    if (!end.ok()) co_return ToNtStatus(end.error());
    const std::uint64_t size = std::min(*end, facts.may_extend_to);
    if (size <= facts.size) continue;
    facts.size = size;
    facts.valid_data_length = std::max(facts.valid_data_length, size);
  }
  co_return NtStatus::kSuccess;
}

Task<Result<StreamId>> EngineVolume::CreateStream(FileNumber number, StreamFacts facts,
                                                  std::uint32_t next_stream_hint) {
  const std::string attributes_key(keys::kAttributesKey);
  std::optional<StreamId> tried;
  for (;;) {
    auto inode = co_await inodes_.Read(number);
    if (!inode.ok()) co_return ToNtStatus(inode.error());
    auto& attributes = inode->attributes.message;
    if (attributes.least_reader() > kVolumeFormatLevel) co_return NtStatus::kNotSupported;
    if (attributes.unlinking()) co_return NtStatus::kDeletePending;
    if (facts.name.empty() && attributes.directory()) co_return NtStatus::kFileIsADirectory;
    for (const auto& stream : inode->streams) {
      const auto name = codec::NameFromLe(stream.message.name());
      if (!name || !EqualsIgnoringCase(*name, facts.name)) continue;
      if (tried == stream.message.id()) co_return *tried;  // ours, the answer was lost
      co_return NtStatus::kObjectNameCollision;
    }
    facts.id = kUnnamedStream;
    if (!facts.name.empty()) {
      facts.id = std::max({attributes.next_stream(), next_stream_hint, StreamId{1}});
      attributes.set_next_stream(facts.id + 1);
    }
    pb::StreamAttributes stream;
    codec::SetStream(stream, facts);
    std::vector<Guard> guards{Guard::KeyEquals(attributes_key, inode->attributes.raw),
                              Guard::KeyAbsent(keys::StreamKey(facts.id))};
    std::vector<Mutation> mutations{Mutation::Set(attributes_key, codec::Serialise(attributes)),
                                    Mutation::Set(keys::StreamKey(facts.id), codec::Serialise(stream))};
    tried = facts.id;
    auto written = co_await engine_.Write(keys::InodeObject(number), std::move(guards), std::move(mutations));
    if (written.ok()) {
      NoteWrite(number, Durability::kStable);
      co_return facts.id;
    }
    if (written.error() != EngineError::kGuardFailed) co_return ToNtStatus(written.error());
  }
}

Task<NtStatus> EngineVolume::RemoveStream(FileNumber number, StreamId stream) {
  // Ids are never used again, so bytes that a crash leaves behind belong to nobody.
  const std::string key = keys::StreamKey(stream);
  std::vector<Guard> guards{Guard::KeyPresent(key)};
  std::vector<Mutation> mutations{Mutation::Remove(key)};
  auto written = co_await engine_.Write(keys::InodeObject(number), std::move(guards), std::move(mutations),
                                        Durability::kStable, WriteClass::kRecord);
  if (!written.ok()) {
    const bool absent = written.error() == EngineError::kGuardFailed;
    co_return absent ? NtStatus::kObjectNameNotFound : ToNtStatus(written.error());
  }
  FAULT_POINT("volume.remove_stream.key_removed");
  static_cast<void>(co_await data_.RemoveStream(number, stream));
  co_return NtStatus::kSuccess;
}

Task<NtStatus> EngineVolume::StoreStream(FileNumber number, const StreamFacts& facts, Durability durability) {
  const StreamFacts wanted = facts;
  bool renamed_onto_another = false;
  auto stored = co_await inodes_.ReadStream(number, wanted.id);
  if (!stored.ok()) co_return ToNtStatus(stored.error());
  if (*stored && codec::NameFromLe((*stored)->message.name()) != wanted.name) {
    auto inode = co_await inodes_.Read(number);
    if (!inode.ok()) co_return ToNtStatus(inode.error());
    for (const auto& other : inode->streams) {
      const auto name = codec::NameFromLe(other.message.name());
      renamed_onto_another |= other.message.id() != wanted.id && name && EqualsIgnoringCase(*name, wanted.name);
    }
  }
  if (renamed_onto_another) co_return NtStatus::kObjectNameCollision;
  StreamChange change = [&wanted](pb::StreamAttributes& now) {
    codec::SetStream(now, wanted);
    return true;
  };
  co_return co_await UpdateStream(number, wanted.id, std::move(change), durability, WriteClass::kRecord);
}

Task<NtStatus> EngineVolume::Truncate(FileNumber number, StreamFacts& facts, std::uint64_t new_size,
                                      Durability durability) {
  if (new_size > kMaxFileSize) co_return NtStatus::kInvalidParameter;
  const StreamId id = facts.id;
  const NtStatus pending = co_await FinishTruncation(number, id);
  if (pending != NtStatus::kSuccess) co_return pending;
  const auto lock = co_await truncations_.Lock(keys::InodeObject(number));
  // Bytes may lie as far as may_extend_to said; the stored facts may be behind the caller's.
  const bool removes = new_size < std::max(facts.size, facts.may_extend_to);
  StreamFacts wanted = facts;
  wanted.size = new_size;
  wanted.may_extend_to = new_size;
  wanted.valid_data_length = std::min(facts.valid_data_length, new_size);
  StreamChange change = [&wanted, removes](pb::StreamAttributes& now) {
    codec::SetStream(now, wanted);
    if (removes) now.set_trunc_pending(wanted.size);
    return true;
  };
  const NtStatus stored = co_await UpdateStream(number, id, std::move(change), durability, WriteClass::kRecord);
  if (stored != NtStatus::kSuccess) co_return stored;
  facts = wanted;
  if (!removes) co_return NtStatus::kSuccess;
  FAULT_POINT("volume.truncate.size_written");
  const EngineError error = co_await data_.Truncate(number, id, new_size, durability);
  if (error != EngineError::kNone) co_return ToNtStatus(error);
  FAULT_POINT("volume.truncate.data_removed");
  StreamChange finish = [](pb::StreamAttributes& now) {
    now.clear_trunc_pending();
    return true;
  };
  co_return co_await UpdateStream(number, id, std::move(finish), Durability::kProcess, WriteClass::kRecord);
}

Task<NtStatus> EngineVolume::PrepareExtend(FileNumber number, StreamFacts& facts, std::uint64_t end,
                                           Durability durability) {
  if (end > kMaxFileSize) co_return NtStatus::kInvalidParameter;
  if (end <= std::max(facts.size, facts.may_extend_to)) {
    // A stable write needs the size or the promise that shows its bytes to be stable too.
    if (durability == Durability::kStable) co_return co_await FlushLoose(number);
    co_return NtStatus::kSuccess;
  }
  const NtStatus pending = co_await FinishTruncation(number, facts.id);
  if (pending != NtStatus::kSuccess) co_return pending;
  const std::uint64_t step = (end + kExtendStepBytes - 1) / kExtendStepBytes * kExtendStepBytes;
  const std::uint64_t promised = std::min(step, kMaxFileSize);
  StreamChange change = [promised](pb::StreamAttributes& now) {
    if (now.may_extend_to() >= promised) return false;
    now.set_may_extend_to(promised);
    return true;
  };
  const NtStatus stored = co_await UpdateStream(number, facts.id, std::move(change), durability, WriteClass::kData);
  if (stored != NtStatus::kSuccess) co_return stored;
  facts.may_extend_to = promised;
  if (durability == Durability::kStable) co_return co_await FlushLoose(number);
  co_return NtStatus::kSuccess;
}

Task<NtStatus> EngineVolume::WriteData(FileNumber number, StreamId stream, std::uint64_t offset, ByteView data,
                                       Durability durability) {
  if (offset > kMaxFileSize || data.size() > kMaxFileSize - offset) co_return NtStatus::kInvalidParameter;
  co_return ToNtStatus(co_await data_.Write(number, stream, offset, data, durability));
}

Task<NtStatus> EngineVolume::ReadData(FileNumber number, StreamId stream, std::uint64_t offset,
                                      std::span<std::uint8_t> out) {
  if (offset > kMaxFileSize || out.size() > kMaxFileSize - offset) co_return NtStatus::kInvalidParameter;
  co_return ToNtStatus(co_await data_.Read(number, stream, offset, out));
}

Task<NtStatus> EngineVolume::ZeroData(FileNumber number, StreamId stream, DataRange range, Durability durability) {
  co_return ToNtStatus(co_await data_.Zero(number, stream, range, durability));
}

Task<NtStatus> EngineVolume::DuplicateData(FileNumber from, StreamId from_stream, std::uint64_t from_offset,
                                           FileNumber to, StreamId to_stream, std::uint64_t to_offset,
                                           std::uint64_t length, Durability durability) {
  if (from_offset > kMaxFileSize || length > kMaxFileSize - from_offset || to_offset > kMaxFileSize ||
      length > kMaxFileSize - to_offset) {
    co_return NtStatus::kInvalidParameter;
  }
  co_return ToNtStatus(
      co_await data_.Duplicate(from, from_stream, from_offset, to, to_stream, to_offset, length, durability));
}

Task<Result<std::vector<DataRange>>> EngineVolume::AllocatedRanges(FileNumber number, StreamId stream,
                                                                   DataRange within) {
  auto ranges = co_await data_.AllocatedRanges(number, stream, within);
  if (!ranges.ok()) co_return ToNtStatus(ranges.error());
  co_return std::move(*ranges);
}

Task<Result<std::uint64_t>> EngineVolume::AllocatedBytes(FileNumber number, StreamId stream) {
  auto bytes = co_await data_.AllocatedBytes(number, stream);
  if (!bytes.ok()) co_return ToNtStatus(bytes.error());
  co_return *bytes;
}

Task<NtStatus> EngineVolume::Flush(FileNumber number, StreamId stream) {
  const EngineError flushed = co_await data_.Flush(number, stream);
  if (flushed != EngineError::kNone) co_return ToNtStatus(flushed);
  loose_.try_emplace(number);
  co_return co_await FlushLoose(number);
}

}  // namespace holdfast
