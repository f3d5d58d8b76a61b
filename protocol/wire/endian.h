// Little-endian integers at a byte address, the order of every SMB family structure.
#pragma once

#include <bit>
#include <cstring>
#include <type_traits>

#include "protocol/base/bytes.h"

namespace holdfast::wire {

static_assert(std::endian::native == std::endian::little, "Holdfast is built for little-endian machines");

// The caller has checked that sizeof(T) bytes are there.
template <class T>
T LoadLe(const std::uint8_t* at) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <class T>
void StoreLe(std::uint8_t* at, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::memcpy(at, &value, sizeof value);
}

template <class T>
void AppendLe(Bytes& out, T value) {
  const auto at = out.size();
  out.resize(at + sizeof value);
  StoreLe(out.data() + at, value);
}

inline void AppendBytes(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

// Zero bytes up to the next multiple of `alignment`, counted from `start` in `out`.
inline void PadTo(Bytes& out, std::size_t alignment, std::size_t start = 0) {
  const auto rest = (out.size() - start) % alignment;
  if (rest != 0) out.resize(out.size() + alignment - rest);
}

}  // namespace holdfast::wire
