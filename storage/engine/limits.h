// What every engine takes at most; more is EngineError::kTooLarge. Sizes in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/engine/engine.h"

namespace holdfast {

inline constexpr std::uint64_t kEnginePageBytes = 4096;  // the unit of allocation and of atomic data writes
inline constexpr std::size_t kMaxObjectNameBytes = 1024;
inline constexpr std::size_t kMaxKeyBytes = 2048;
inline constexpr std::size_t kMaxValueBytes = 1 << 20;
inline constexpr std::size_t kMaxGroupBytes = 8 << 20;  // keys and values of one Write()
inline constexpr std::size_t kMaxKeysPerPage = 1024;    // of one ReadKeys()

inline bool ObjectNameFits(const std::string& object) {
  return !object.empty() && object.size() <= kMaxObjectNameBytes;
}

inline bool MutationsFit(const std::vector<Mutation>& mutations) {
  std::size_t total = 0;
  for (const Mutation& m : mutations) {
    if (m.key.size() > kMaxKeyBytes) return false;
    if (m.kind == Mutation::Kind::kSetKey && m.value.size() > kMaxValueBytes) return false;
    total += m.key.size() + m.value.size();
  }
  return total <= kMaxGroupBytes;
}

// True when the mutations can only give space back: these pass however full the store is.
inline bool OnlyRemoves(const std::vector<Mutation>& mutations) {
  for (const Mutation& m : mutations) {
    if (m.kind == Mutation::Kind::kSetKey) return false;
  }
  return true;
}

}  // namespace holdfast
