// Bytes to structures: the only place that checks a peer's bounds.
#pragma once

#include <cstring>
#include <vector>

#include "protocol/wire/endian.h"
#include "protocol/wire/field.h"

namespace holdfast::wire {

// Reads little-endian fields. The error is sticky: after the first failure every call is a no-op, so a caller checks
// ok() once, at the end. Byte buffers are borrowed from the message and live as long as it does.
class Reader {
 public:
  static constexpr bool kReads = true;

  // Reading begins at `start`; offsets inside the structure count from the first byte of `bytes`.
  explicit Reader(ByteView bytes, std::size_t start = 0) : bytes_(bytes), pos_(start), limit_(bytes.size()) {
    if (start > bytes.size()) Fail("start");
  }

  bool ok() const { return ok_; }
  // The field that was cut off or held an impossible value; "" while ok.
  const char* failed_field() const { return failed_field_; }
  std::size_t position() const { return pos_; }
  std::size_t remaining() const { return limit_ - pos_; }
  void Fail(const char* name) {
    if (!ok_) return;
    ok_ = false;
    failed_field_ = name;
  }

  void StructureSize(std::uint16_t expected) { Constant(expected, "structure_size"); }
  template <class T>
  void Constant(T expected, const char* name) {
    T value{};
    Field(value, name);
    if (value != expected) Fail(name);
  }
  void Reserved(std::size_t size, const char* name) {
    if (Has(size, name)) pos_ += size;
  }
  // Skips to a multiple of `alignment`, counted from the start of the structure.
  void Align(std::size_t alignment) {
    const std::size_t rest = (pos_ - base_) % alignment;
    if (rest != 0) Reserved(alignment - rest, "padding");
  }

  template <class T>
  void Field(T& value, const char* name) {
    if constexpr (Scalar<T>) {
      if (!Has(sizeof(T), name)) return;
      value = LoadLe<T>(bytes_.data() + pos_);
      pos_ += sizeof(T);
    } else if constexpr (kIsByteArray<T>) {
      if (!Has(value.size(), name)) return;
      std::memcpy(value.data(), bytes_.data() + pos_, value.size());
      pos_ += value.size();
    } else if constexpr (std::same_as<T, Guid>) {
      Field(value.bytes, name);
    } else {
      const Slots::Mark mark = slots_.Enter();
      T::Fields(value, *this);
      slots_.Leave(mark);
    }
  }

  void Offset8(const auto& member, const char* name) { slots_.For(&member).offset = Integer<std::uint8_t>(name); }
  void Offset16(const auto& member, const char* name) { slots_.For(&member).offset = Integer<std::uint16_t>(name); }
  void Offset32(const auto& member, const char* name) { slots_.For(&member).offset = Integer<std::uint32_t>(name); }
  // A rule of some messages about an announced offset, whatever the length.
  void LimitOffset(const auto& member, std::uint64_t max, const char* name) {
    if (slots_.For(&member).offset > max) Fail(name);
  }
  void Length8(const auto& member, const char* name) { slots_.For(&member).length = Integer<std::uint8_t>(name); }
  void Length16(const auto& member, const char* name) { slots_.For(&member).length = Integer<std::uint16_t>(name); }
  void Length32(const auto& member, const char* name) { slots_.For(&member).length = Integer<std::uint32_t>(name); }
  void Count8(const auto& member, const char* name) { Length8(member, name); }
  void Count16(const auto& member, const char* name) { Length16(member, name); }
  void Count32(const auto& member, const char* name) { Length32(member, name); }

  // The announced buffer, anywhere behind the fixed part. With length 0 the offset says nothing and is not looked at.
  template <BufferType T>
  void Buffer(T& out, const char* name) {
    if (!ok_) return;
    const Slot slot = slots_.For(&out);
    out = T();
    if (slot.length == 0) return;
    if (!Inside(slot.offset, slot.length)) return Fail(name);
    Take(out, base_ + static_cast<std::size_t>(slot.offset), static_cast<std::size_t>(slot.length), name);
  }
  // As Buffer; the two differ when written.
  template <BufferType T>
  void OptionalBuffer(T& out, const char* name) {
    Buffer(out, name);
  }
  // As Buffer, and the offset must be a multiple of 8.
  template <BufferType T>
  void AlignedBuffer(T& out, const char* name) {
    if (!ok_) return;
    const Slot& slot = slots_.For(&out);
    if (slot.length != 0 && slot.offset % 8 != 0) return Fail(name);
    Buffer(out, name);
  }
  // The bytes that follow right here, as many as announced.
  template <BufferType T>
  void Inline(T& out, const char* name) {
    if (!ok_) return;
    const std::size_t size = static_cast<std::size_t>(slots_.For(&out).length);
    if (!Has(size, name)) return;
    Take(out, pos_, size, name);
    pos_ += size;
  }
  // Everything that is left.
  template <BufferType T>
  void Rest(T& out, const char* name) {
    if (!ok_) return;
    Take(out, pos_, remaining(), name);
    pos_ = limit_;
  }
  // An SMB2 body whose variable part is empty may carry one byte of filler; nothing to read.
  void AtLeastOneByte() {}

  // The announced number of elements, one after the other.
  template <class T>
  void Array(std::vector<T>& out, const char* name) {
    const std::uint64_t count = slots_.For(&out).length;
    out.clear();
    // Every element takes at least a byte, so a lying count ends with the message.
    for (std::uint64_t i = 0; i < count && ok_; ++i) Append(out, name);
    if (!ok_) out.clear();
  }
  // The announced number of elements at the announced offset, each beginning at a multiple of 8.
  template <class T>
  void AlignedArray(std::vector<T>& out, const char* name) {
    if (!ok_) return;
    const Slot slot = slots_.For(&out);
    out.clear();
    if (slot.length == 0) return;
    if (slot.offset % 8 != 0 || !Inside(slot.offset, 0)) return Fail(name);
    pos_ = base_ + static_cast<std::size_t>(slot.offset);
    for (std::uint64_t i = 0; i < slot.length && ok_; ++i) {
      Align(8);
      Append(out, name);
    }
    if (!ok_) out.clear();
  }
  // The elements that fill the rest, back to back.
  template <class T>
  void RestArray(std::vector<T>& out, const char* name) {
    out.clear();
    while (ok_ && pos_ < limit_) Append(out, name);
    if (!ok_) out.clear();
  }
  // Elements linked by a leading 4-byte Next, relative to the element, 0 in the last one. Offsets inside an element
  // count from its own first byte and stay inside of it.
  template <class T>
  void Chain(std::vector<T>& out, const char* name) {
    out.clear();
    while (ok_ && pos_ < limit_) {
      const std::size_t start = pos_;
      const std::uint32_t next = Integer<std::uint32_t>(name);
      if (!ok_) break;
      if (next % 8 != 0 || next > limit_ - start) {
        Fail(name);
        break;
      }
      const std::size_t outer_base = base_;
      const std::size_t outer_limit = limit_;
      base_ = start;
      if (next != 0) limit_ = start + next;
      Append(out, name);
      base_ = outer_base;
      limit_ = outer_limit;
      if (next == 0) {
        pos_ = limit_;
        break;
      }
      pos_ = start + next;
      // The element before promised another one.
      if (pos_ == limit_) Fail(name);
    }
    if (!ok_) out.clear();
  }
  // A Chain in an announced buffer.
  template <class T>
  void ChainBuffer(std::vector<T>& out, const char* name) {
    if (!ok_) return;
    const Slot slot = slots_.For(&out);
    out.clear();
    if (slot.length == 0) return;
    if (slot.offset % 8 != 0 || !Inside(slot.offset, slot.length)) return Fail(name);
    const std::size_t outer_pos = pos_;
    const std::size_t outer_limit = limit_;
    pos_ = base_ + static_cast<std::size_t>(slot.offset);
    limit_ = pos_ + static_cast<std::size_t>(slot.length);
    Chain(out, name);
    pos_ = outer_pos;
    limit_ = outer_limit;
  }

 private:
  bool Has(std::size_t size, const char* name) {
    if (ok_ && remaining() < size) Fail(name);
    return ok_;
  }
  template <class T>
  T Integer(const char* name) {
    T value = 0;
    Field(value, name);
    return value;
  }
  // [offset, offset + length) lies between what has been read and the end. Both are at most 32 bits wide.
  bool Inside(std::uint64_t offset, std::uint64_t length) const {
    const std::uint64_t begin = base_ + offset;
    return begin >= pos_ && begin + length <= limit_;
  }
  template <BufferType T>
  void Take(T& out, std::size_t at, std::size_t size, const char* name) {
    if constexpr (std::same_as<T, ByteView>) {
      out = bytes_.subspan(at, size);
    } else if constexpr (std::same_as<T, std::string>) {
      out.assign(reinterpret_cast<const char*>(bytes_.data()) + at, size);
    } else {
      if (size % 2 != 0) return Fail(name);
      out.resize(size / 2);
      if (size != 0) std::memcpy(out.data(), bytes_.data() + at, size);
    }
  }
  template <class T>
  void Append(std::vector<T>& out, const char* name) {
    T element{};
    Field(element, name);
    if (ok_) out.push_back(std::move(element));
  }

  ByteView bytes_;
  std::size_t base_ = 0;  // where offset 0 of the structure at hand is
  std::size_t pos_;
  std::size_t limit_;
  bool ok_ = true;
  const char* failed_field_ = "";
  Slots slots_;
};

}  // namespace holdfast::wire
