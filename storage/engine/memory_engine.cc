#include "storage/engine/memory_engine.h"

#include <algorithm>

namespace holdfast {

MemoryEngine::MemoryEngine(std::shared_ptr<MemoryStore> store, Executor executor)
    : store_(std::move(store)),
      client_(std::make_shared<MemoryStore::Client>(MemoryStore::Client{store_->next_client_++, std::move(executor)})) {}

namespace {
// The methods below are no coroutines themselves: they hand a closure on, and g++ 12 destroys a closure twice that
// is made inside a co_await expression.
template <class R>
Task<R> Ready(R answer) {
  co_return answer;
}
}  // namespace

template <class R>
Task<R> MemoryEngine::Perform(EngineOp op, std::string object, std::function<R()> apply) {
  auto answer = std::make_shared<std::optional<R>>();
  co_await Await<int>([&](std::function<void(int)> resume) {
    store_->Submit(
        client_, op, object,
        [answer, apply = std::move(apply)](EngineError verdict) {
          if (verdict == EngineError::kNone) {
            answer->emplace(apply());
          } else {
            answer->emplace(verdict);
          }
        },
        [resume = std::move(resume)] { resume(0); });
  });
  co_return std::move(**answer);
}

Task<EngineResult<std::uint64_t>> MemoryEngine::Write(std::string object, std::vector<Guard> guards,
                                                      std::vector<Mutation> mutations, Durability durability,
                                                      WriteClass write_class) {
  using Answer = EngineResult<std::uint64_t>;
  if (!ObjectNameFits(object) || !MutationsFit(mutations)) return Ready<Answer>(EngineError::kTooLarge);
  return Perform<Answer>(
      EngineOp::kWrite, object,
      [store = store_, object, guards = std::move(guards), mutations = std::move(mutations), durability,
       write_class]() -> Answer {
        static const MemoryObject kAbsent;
        const MemoryObject* now = store->Find(object);
        if (!now) now = &kAbsent;
        if (!now->Holds(guards)) return EngineError::kGuardFailed;
        if (!store->Fits(now->GrowthOf(mutations), write_class)) return EngineError::kNoSpace;
        std::uint64_t version = 0;
        store->Change(object, [&](MemoryObject& o) {
          o.Apply(mutations);
          if (durability == Durability::kStable) o.MakeKeysStable();
          version = o.version();
        });
        return version;
      });
}

Task<EngineResult<KeyPage>> MemoryEngine::ReadKeys(std::string object, KeyRange range) {
  using Answer = EngineResult<KeyPage>;
  return Perform<Answer>(
      EngineOp::kReadKeys, object, [store = store_, object, range = std::move(range)]() -> Answer {
        const MemoryObject* o = store->Find(object);
        if (!o || !o->exists()) return EngineError::kNotFound;
        KeyPage page;
        page.version = o->version();
        const std::size_t limit = std::min(range.limit, kMaxKeysPerPage);
        for (auto it = o->keys().lower_bound(range.from); it != o->keys().end(); ++it) {
          if (!range.to.empty() && it->first >= range.to) break;
          if (page.entries.size() == limit) {
            page.more = true;
            break;
          }
          page.entries.push_back({it->first, it->second});
        }
        return page;
      });
}

Task<EngineResult<std::vector<std::optional<std::string>>>> MemoryEngine::ReadKeysExact(std::string object,
                                                                                       std::vector<std::string> keys) {
  using Answer = EngineResult<std::vector<std::optional<std::string>>>;
  return Perform<Answer>(
      EngineOp::kReadKeysExact, object, [store = store_, object, keys = std::move(keys)]() -> Answer {
        const MemoryObject* o = store->Find(object);
        if (!o || !o->exists()) return EngineError::kNotFound;
        std::vector<std::optional<std::string>> values;
        values.reserve(keys.size());
        for (const std::string& key : keys) {
          const auto it = o->keys().find(key);
          values.push_back(it == o->keys().end() ? std::nullopt : std::optional(it->second));
        }
        return values;
      });
}

Task<EngineError> MemoryEngine::WriteData(std::string object, std::uint64_t offset, ByteView data,
                                          Durability durability) {
  if (!ObjectNameFits(object) || offset > stripe_bytes() || data.size() > stripe_bytes() - offset) {
    return Ready(EngineError::kTooLarge);
  }
  // A copy: the operation may land after its caller is gone.
  auto bytes = std::make_shared<Bytes>(data.begin(), data.end());
  return Perform<EngineError>(EngineOp::kWriteData, object, [store = store_, object, offset, bytes, durability] {
    if (bytes->empty()) return EngineError::kNone;
    static const MemoryObject kAbsent;
    const MemoryObject* now = store->Find(object);
    const std::uint64_t fresh = (now ? now : &kAbsent)->NewPages(offset, bytes->size());
    if (!store->Fits(fresh * kEnginePageBytes, WriteClass::kData)) return EngineError::kNoSpace;
    store->Change(object, [&](MemoryObject& o) {
      o.WriteData(offset, *bytes);
      if (durability == Durability::kStable) o.MakeDataStable();
    });
    return EngineError::kNone;
  });
}

Task<EngineResult<std::size_t>> MemoryEngine::ReadData(std::string object, std::uint64_t offset,
                                                       std::span<std::uint8_t> out) {
  struct Read {
    Bytes bytes;
    std::size_t covered = 0;
  };
  using Answer = EngineResult<Read>;
  if (offset > stripe_bytes() || out.size() > stripe_bytes() - offset) co_return EngineError::kTooLarge;
  std::function<Answer()> apply = [store = store_, object, offset, length = out.size()]() -> Answer {
    Read r{Bytes(length), 0};
    const MemoryObject* o = store->Find(object);
    if (!o) return r;
    o->ReadData(offset, r.bytes);
    if (offset < o->size()) r.covered = std::min<std::uint64_t>(length, o->size() - offset);
    return r;
  };
  auto read = co_await Perform<Answer>(EngineOp::kReadData, object, std::move(apply));
  if (!read.ok()) co_return read.error();
  std::copy(read->bytes.begin(), read->bytes.end(), out.begin());
  co_return read->covered;
}

Task<EngineError> MemoryEngine::ChangeData(EngineOp op, std::string object, Durability durability,
                                           std::function<void(MemoryObject&)> change) {
  return Perform<EngineError>(op, object, [store = store_, object, durability, change = std::move(change)] {
    if (!store->Find(object)) return EngineError::kNone;
    store->Change(object, [&](MemoryObject& o) {
      change(o);
      if (durability == Durability::kStable) o.MakeDataStable();
    });
    return EngineError::kNone;
  });
}

Task<EngineError> MemoryEngine::ZeroData(std::string object, DataRange range, Durability durability) {
  return ChangeData(EngineOp::kZeroData, std::move(object), durability,
                    [range](MemoryObject& o) { o.ZeroData(range.offset, range.length); });
}

Task<EngineError> MemoryEngine::DuplicateData(std::string from, std::uint64_t from_offset, std::string to,
                                              std::uint64_t to_offset, std::uint64_t length, Durability durability) {
  if (!ObjectNameFits(to) || from_offset > stripe_bytes() || length > stripe_bytes() - from_offset ||
      to_offset > stripe_bytes() || length > stripe_bytes() - to_offset) {
    return Ready(EngineError::kTooLarge);
  }
  return Perform<EngineError>(
      EngineOp::kDuplicateData, to, [store = store_, from, from_offset, to, to_offset, length, durability] {
        static const MemoryObject kAbsent;
        const MemoryObject* source = store->Find(from);
        const MemoryObject* now = store->Find(to);
        if (!source) source = &kAbsent;
        if (!now) now = &kAbsent;
        std::vector<std::pair<std::uint64_t, Bytes>> pieces;  // by offset in the target
        std::uint64_t fresh = 0;
        for (const DataRange& range : source->AllocatedRanges({from_offset, length})) {
          const std::uint64_t at = to_offset + (range.offset - from_offset);
          Bytes bytes(static_cast<std::size_t>(range.length));
          source->ReadData(range.offset, bytes);
          fresh += now->NewPages(at, range.length);
          pieces.emplace_back(at, std::move(bytes));
        }
        if (!store->Fits(fresh * kEnginePageBytes, WriteClass::kData)) return EngineError::kNoSpace;
        store->Change(to, [&](MemoryObject& o) {
          o.ZeroData(to_offset, length);
          for (const auto& [at, bytes] : pieces) o.WriteData(at, bytes);
          if (durability == Durability::kStable) o.MakeDataStable();
        });
        return EngineError::kNone;
      });
}

Task<EngineError> MemoryEngine::TruncateData(std::string object, std::uint64_t size, Durability durability) {
  return ChangeData(EngineOp::kTruncateData, std::move(object), durability,
                    [size](MemoryObject& o) { o.TruncateData(size); });
}

Task<EngineResult<std::uint64_t>> MemoryEngine::DataSize(std::string object) {
  using Answer = EngineResult<std::uint64_t>;
  return Perform<Answer>(EngineOp::kDataSize, object, [store = store_, object]() -> Answer {
    const MemoryObject* o = store->Find(object);
    return o ? o->size() : 0;
  });
}

Task<EngineResult<std::vector<DataRange>>> MemoryEngine::AllocatedRanges(std::string object, DataRange within) {
  using Answer = EngineResult<std::vector<DataRange>>;
  return Perform<Answer>(EngineOp::kAllocatedRanges, object, [store = store_, object, within]() -> Answer {
    const MemoryObject* o = store->Find(object);
    return o ? o->AllocatedRanges(within) : std::vector<DataRange>{};
  });
}

Task<EngineResult<std::uint64_t>> MemoryEngine::AllocatedBytes(std::string object) {
  using Answer = EngineResult<std::uint64_t>;
  return Perform<Answer>(EngineOp::kAllocatedBytes, object, [store = store_, object]() -> Answer {
    const MemoryObject* o = store->Find(object);
    return o ? o->data_bytes() : 0;
  });
}

Task<EngineError> MemoryEngine::RemoveData(std::string object) {
  return ChangeData(EngineOp::kRemoveData, std::move(object), Durability::kStable,
                    [](MemoryObject& o) { o.TruncateData(0); });
}

Task<EngineError> MemoryEngine::Flush(std::string object) {
  return ChangeData(EngineOp::kFlush, std::move(object), Durability::kStable,
                    [](MemoryObject& o) { o.MakeKeysStable(); });
}

Task<EngineResult<std::vector<std::string>>> MemoryEngine::List(std::string prefix, std::string after,
                                                                std::size_t limit) {
  using Answer = EngineResult<std::vector<std::string>>;
  return Perform<Answer>(
      EngineOp::kList, prefix, [store = store_, prefix, after = std::move(after), limit]() -> Answer {
        std::vector<std::string> names;
        const auto& objects = store->objects_;
        for (auto it = after < prefix ? objects.lower_bound(prefix) : objects.upper_bound(after);
             it != objects.end() && it->first.starts_with(prefix) && names.size() < limit; ++it) {
          if (it->second.exists()) names.push_back(it->first);
        }
        return names;
      });
}

Task<EngineResult<EngineUsage>> MemoryEngine::Usage() {
  using Answer = EngineResult<EngineUsage>;
  return Perform<Answer>(EngineOp::kUsage, "", [store = store_]() -> Answer {
    const MemoryOptions& options = store->options_;
    const std::uint64_t taken = store->used_bytes_ + options.reserve_bytes;
    return EngineUsage{options.capacity_bytes, options.capacity_bytes - std::min(taken, options.capacity_bytes)};
  });
}

Task<std::vector<std::string>> MemoryEngine::Check(bool) {
  std::vector<std::string> findings;
  std::uint64_t used = 0;
  for (const auto& [name, object] : store_->objects_) used += object.key_bytes() + object.data_bytes();
  if (used != store_->used_bytes_) findings.push_back("the account of used bytes is wrong");
  co_return findings;
}

}  // namespace holdfast
