// One object of the memory engine: what the process sees, and what a power cut would leave of it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/engine/engine.h"
#include "storage/engine/limits.h"

namespace holdfast {

// A small generator of our own: the same seed gives the same run on every machine and library.
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // 0 … bound-1; 0 for a bound of 0.
  std::uint64_t Below(std::uint64_t bound) { return bound == 0 ? 0 : Next() % bound; }
  bool Coin() { return (Next() & 1) != 0; }

 private:
  std::uint64_t state_;
};

class MemoryObject {
 public:
  bool exists() const { return !keys_.empty() || size_ != 0; }
  // Nothing is left of it, neither now nor after a power cut.
  bool forgotten() const {
    return !exists() && version_ == 0 && stable_version_ == 0 && stable_keys_.empty() && stable_size_ == 0;
  }
  std::uint64_t version() const { return version_; }
  std::uint64_t size() const { return size_; }
  const std::map<std::string, std::string>& keys() const { return keys_; }
  std::uint64_t key_bytes() const { return key_bytes_; }
  std::uint64_t data_bytes() const { return pages_.size() * kEnginePageBytes; }

  bool Holds(const std::vector<Guard>& guards) const;
  // Bytes by which these mutations can grow the keys.
  std::uint64_t GrowthOf(const std::vector<Mutation>& mutations) const;
  void Apply(const std::vector<Mutation>& mutations);

  // Pages a write of this range would allocate.
  std::uint64_t NewPages(std::uint64_t offset, std::uint64_t length) const;
  void WriteData(std::uint64_t offset, ByteView data);
  void ReadData(std::uint64_t offset, std::span<std::uint8_t> out) const;
  void ZeroData(std::uint64_t offset, std::uint64_t length);
  void TruncateData(std::uint64_t size);
  std::vector<DataRange> AllocatedRanges(DataRange within) const;

  void MakeKeysStable();
  void MakeDataStable();
  // Keys and version fall back to their stable state; each 4 KiB page not yet stable is whole, old or new.
  void PowerCut(SplitMix& random);

 private:
  using Page = std::array<std::uint8_t, kEnginePageBytes>;
  using Pages = std::map<std::uint64_t, std::shared_ptr<const Page>>;  // by page number; shared with stable_pages_

  void SetKey(const std::string& key, const std::string& value);
  void EraseKeys(std::map<std::string, std::string>::iterator from, std::map<std::string, std::string>::iterator to);
  void DropPagesFrom(std::uint64_t page);

  std::map<std::string, std::string> keys_;
  std::uint64_t key_bytes_ = 0;
  std::uint64_t version_ = 0;
  Pages pages_;
  std::uint64_t size_ = 0;

  std::map<std::string, std::string> stable_keys_;
  std::uint64_t stable_version_ = 0;
  Pages stable_pages_;
  std::uint64_t stable_size_ = 0;
  std::set<std::string> unstable_keys_;     // may differ between keys_ and stable_keys_
  std::set<std::uint64_t> unstable_pages_;  // likewise
};

}  // namespace holdfast
