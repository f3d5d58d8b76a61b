#include "storage/engine/memory_object.h"

#include <algorithm>
#include <cstring>

namespace holdfast {
namespace {
constexpr std::uint64_t kPage = kEnginePageBytes;
}

bool MemoryObject::Holds(const std::vector<Guard>& guards) const {
  for (const Guard& guard : guards) {
    const auto key = keys_.find(guard.key);
    bool holds = false;
    switch (guard.kind) {
      case Guard::Kind::kAbsent:
        holds = !exists();
        break;
      case Guard::Kind::kPresent:
        holds = exists();
        break;
      case Guard::Kind::kKeyAbsent:
        holds = key == keys_.end();
        break;
      case Guard::Kind::kKeyPresent:
        holds = key != keys_.end();
        break;
      case Guard::Kind::kKeyEquals:
        holds = key != keys_.end() && key->second == guard.value;
        break;
      case Guard::Kind::kVersionEquals:
        holds = version_ == guard.version;
        break;
    }
    if (!holds) return false;
  }
  return true;
}

std::uint64_t MemoryObject::GrowthOf(const std::vector<Mutation>& mutations) const {
  std::uint64_t growth = 0;
  for (const Mutation& m : mutations) {
    if (m.kind != Mutation::Kind::kSetKey) continue;
    const auto old = keys_.find(m.key);
    const std::size_t before = old == keys_.end() ? 0 : old->first.size() + old->second.size();
    const std::size_t after = m.key.size() + m.value.size();
    if (after > before) growth += after - before;
  }
  return growth;
}

void MemoryObject::SetKey(const std::string& key, const std::string& value) {
  const auto [at, added] = keys_.try_emplace(key);
  if (added) key_bytes_ += key.size();
  key_bytes_ += value.size();
  key_bytes_ -= at->second.size();
  at->second = value;
  unstable_keys_.insert(key);
}

void MemoryObject::EraseKeys(std::map<std::string, std::string>::iterator from,
                             std::map<std::string, std::string>::iterator to) {
  while (from != to) {
    key_bytes_ -= from->first.size() + from->second.size();
    unstable_keys_.insert(from->first);
    from = keys_.erase(from);
  }
}

void MemoryObject::Apply(const std::vector<Mutation>& mutations) {
  const bool was_known = exists() || version_ != 0;
  bool removed = false;
  for (const Mutation& m : mutations) {
    switch (m.kind) {
      case Mutation::Kind::kSetKey:
        SetKey(m.key, m.value);
        break;
      case Mutation::Kind::kRemoveKey: {
        const auto [from, to] = keys_.equal_range(m.key);
        EraseKeys(from, to);
        break;
      }
      case Mutation::Kind::kRemoveKeyRange:
        if (m.value.empty()) {
          EraseKeys(keys_.lower_bound(m.key), keys_.end());
        } else if (m.key < m.value) {
          EraseKeys(keys_.lower_bound(m.key), keys_.lower_bound(m.value));
        }
        break;
      case Mutation::Kind::kRemoveObject:
        EraseKeys(keys_.begin(), keys_.end());
        TruncateData(0);
        version_ = 0;
        removed = true;
        break;
    }
  }
  // A write that sets no key does not bring an absent object into being.
  if (exists() || (was_known && !removed)) ++version_;
  if (removed) {
    // Keys and bytes go in one step, so a removal never waits for a flush.
    MakeKeysStable();
    MakeDataStable();
  }
}

std::uint64_t MemoryObject::NewPages(std::uint64_t offset, std::uint64_t length) const {
  std::uint64_t fresh = 0;
  for (std::uint64_t page = offset / kPage; length != 0 && page <= (offset + length - 1) / kPage; ++page) {
    if (!pages_.contains(page)) ++fresh;
  }
  return fresh;
}

void MemoryObject::WriteData(std::uint64_t offset, ByteView data) {
  size_ = std::max(size_, data.empty() ? 0 : offset + data.size());
  while (!data.empty()) {
    const std::uint64_t page = offset / kPage;
    const std::size_t begin = offset % kPage;
    const std::size_t length = std::min<std::size_t>(kPage - begin, data.size());
    auto& slot = pages_[page];
    auto copy = slot ? std::make_shared<Page>(*slot) : std::make_shared<Page>();
    std::memcpy(copy->data() + begin, data.data(), length);
    slot = std::move(copy);
    unstable_pages_.insert(page);
    offset += length;
    data = data.subspan(length);
  }
}

void MemoryObject::ReadData(std::uint64_t offset, std::span<std::uint8_t> out) const {
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  if (out.empty()) return;
  const std::uint64_t end = offset + out.size();
  for (auto it = pages_.lower_bound(offset / kPage); it != pages_.end() && it->first * kPage < end; ++it) {
    const std::uint64_t from = std::max(offset, it->first * kPage);
    const std::uint64_t to = std::min(end, (it->first + 1) * kPage);
    std::memcpy(out.data() + (from - offset), it->second->data() + from % kPage, to - from);
  }
}

void MemoryObject::ZeroData(std::uint64_t offset, std::uint64_t length) {
  if (offset >= size_) return;
  const std::uint64_t end = length > size_ - offset ? size_ : offset + length;
  for (auto it = pages_.lower_bound(offset / kPage); it != pages_.end() && it->first * kPage < end;) {
    const std::uint64_t page_begin = it->first * kPage;
    const std::uint64_t from = std::max(offset, page_begin);
    const std::uint64_t to = std::min(end, page_begin + kPage);
    unstable_pages_.insert(it->first);
    if (from == page_begin && (to == page_begin + kPage || to == size_)) {
      it = pages_.erase(it);
      continue;
    }
    auto copy = std::make_shared<Page>(*it->second);
    std::memset(copy->data() + from % kPage, 0, to - from);
    it->second = std::move(copy);
    ++it;
  }
}

void MemoryObject::DropPagesFrom(std::uint64_t page) {
  for (auto it = pages_.lower_bound(page); it != pages_.end(); it = pages_.erase(it)) unstable_pages_.insert(it->first);
}

void MemoryObject::TruncateData(std::uint64_t size) {
  if (size >= size_) return;
  // The rest of the last page reads zero when the object grows again.
  if (size % kPage != 0) ZeroData(size, kPage - size % kPage);
  DropPagesFrom((size + kPage - 1) / kPage);
  size_ = size;
}

std::vector<DataRange> MemoryObject::AllocatedRanges(DataRange within) const {
  std::vector<DataRange> ranges;
  if (within.length == 0) return ranges;
  const std::uint64_t end = within.offset + std::min(within.length, UINT64_MAX - within.offset);
  for (auto it = pages_.lower_bound(within.offset / kPage); it != pages_.end() && it->first * kPage < end; ++it) {
    const std::uint64_t from = std::max(within.offset, it->first * kPage);
    const std::uint64_t to = std::min(end, (it->first + 1) * kPage);
    if (!ranges.empty() && ranges.back().offset + ranges.back().length == from) {
      ranges.back().length += to - from;
    } else {
      ranges.push_back({from, to - from});
    }
  }
  return ranges;
}

void MemoryObject::MakeKeysStable() {
  for (const std::string& key : unstable_keys_) {
    const auto now = keys_.find(key);
    if (now == keys_.end()) {
      stable_keys_.erase(key);
    } else {
      stable_keys_[key] = now->second;
    }
  }
  unstable_keys_.clear();
  stable_version_ = version_;
}

void MemoryObject::MakeDataStable() {
  for (const std::uint64_t page : unstable_pages_) {
    const auto now = pages_.find(page);
    if (now == pages_.end()) {
      stable_pages_.erase(page);
    } else {
      stable_pages_[page] = now->second;
    }
  }
  unstable_pages_.clear();
  stable_size_ = size_;
}

void MemoryObject::PowerCut(SplitMix& random) {
  for (const std::string& key : unstable_keys_) {
    const auto old = stable_keys_.find(key);
    if (const auto now = keys_.find(key); now != keys_.end()) {
      key_bytes_ -= now->first.size() + now->second.size();
      keys_.erase(now);
    }
    if (old != stable_keys_.end()) {
      key_bytes_ += old->first.size() + old->second.size();
      keys_.insert(*old);
    }
  }
  unstable_keys_.clear();
  version_ = stable_version_;

  for (const std::uint64_t page : unstable_pages_) {
    if (random.Coin()) continue;  // this one had reached the disk
    const auto old = stable_pages_.find(page);
    if (old == stable_pages_.end()) {
      pages_.erase(page);
    } else {
      pages_[page] = old->second;
    }
  }
  if (random.Coin()) size_ = stable_size_;
  // Bytes behind the end are not there, whichever end it was.
  const std::uint64_t size = size_;
  if (size % kPage != 0) {
    size_ = (size / kPage + 1) * kPage;
    ZeroData(size, kPage - size % kPage);
    size_ = size;
  }
  DropPagesFrom((size + kPage - 1) / kPage);
  MakeDataStable();
}

}  // namespace holdfast
