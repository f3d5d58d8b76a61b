// How the visitors see the parts of a structure.
//
// A structure declares its layout once, as `static void Fields(auto& m, auto& c)`: `m` is the structure, `c` a visitor
// (Reader, Writer or Printer). The calls stand in wire order:
//
//   c.StructureSize(57);                            the constant that opens every SMB2 body
//   c.Field(m.desired_access, "desired_access");    integer, enumeration, Guid, byte array, or structure with Fields()
//   c.Reserved(8, "reserved");                      written as zero, ignored when read
//   c.Offset16(m.name, "name_offset");              these two announce a buffer ...
//   c.Length16(m.name, "name_length");
//   c.Buffer(m.name, "name");                       ... and this one places it, after all fixed fields
//   c.Count16(m.locks, "lock_count");  c.Array(m.locks, "locks");
//
// Announcements that no later call resolves are read and ignored, and written as zero: that is how a field that only
// some dialects use is declared, with the Buffer or Array behind an `if` on what has already been read.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>

#include "protocol/base/bytes.h"
#include "protocol/dtyp/guid.h"

namespace holdfast::wire {

template <class T>
inline constexpr bool kIsByteArray = false;
template <std::size_t N>
inline constexpr bool kIsByteArray<std::array<std::uint8_t, N>> = true;

template <class T>
concept Scalar = std::is_integral_v<T> || std::is_enum_v<T>;

// What a Buffer or Inline may hold: borrowed bytes, a byte string such as a context name, or UTF-16LE text.
template <class T>
concept BufferType = std::same_as<T, ByteView> || std::same_as<T, std::string> || std::same_as<T, std::u16string>;

template <BufferType T>
std::size_t WireSize(const T& buffer) {
  return buffer.size() * sizeof(typename T::value_type);
}

// One announced buffer or array: what was read, or where the writer has to fill in later.
struct Slot {
  const void* member = nullptr;
  std::uint64_t offset = 0;  // read: the value. written: index of the placeholder
  std::uint64_t length = 0;  // bytes or elements. written: index of the placeholder
  std::uint8_t offset_width = 0;
  std::uint8_t length_width = 0;
};

// The slots of the structure being visited and of those around it.
class Slots {
 public:
  static constexpr std::size_t kMax = 16;

  Slot& For(const void* member) {
    for (std::size_t i = count_; i > floor_; --i) {
      if (slots_[i - 1].member == member) return slots_[i - 1];
    }
    if (count_ == kMax) --count_;  // Cannot happen: no structure announces that many.
    slots_[count_] = Slot{.member = member};
    return slots_[count_++];
  }

  struct Mark {
    std::size_t floor;
    std::size_t count;
  };
  // A nested structure sees only its own announcements: elements of a vector share one address while being read.
  Mark Enter() {
    const Mark mark{floor_, count_};
    floor_ = count_;
    return mark;
  }
  void Leave(Mark mark) {
    floor_ = mark.floor;
    count_ = mark.count;
  }

 private:
  std::array<Slot, kMax> slots_{};
  std::size_t count_ = 0;
  std::size_t floor_ = 0;
};

}  // namespace holdfast::wire
