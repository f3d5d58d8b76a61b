// Structures to bytes.
#pragma once

#include <vector>

#include "protocol/base/check.h"
#include "protocol/wire/endian.h"
#include "protocol/wire/field.h"

namespace holdfast::wire {

// Appends little-endian fields to `out`. A value that does not fit its length field is a mistake of ours.
class Writer {
 public:
  static constexpr bool kReads = false;

  // The structure begins at the present end of `out`, at `start` bytes from where its offsets count
  // (64 for an SMB2 body, because they count from the header).
  explicit Writer(Bytes& out, std::size_t start = 0) : out_(out), origin_(Signed(out.size()) - Signed(start)) {}

  void StructureSize(std::uint16_t value) { Constant(value, "structure_size"); }
  template <class T>
  void Constant(T value, const char* name) {
    Field(value, name);
  }
  void Reserved(std::size_t size, const char*) { out_.resize(out_.size() + size); }
  void Align(std::size_t alignment) {
    while (static_cast<std::size_t>(Here()) % alignment != 0) out_.push_back(0);
  }

  template <class T>
  void Field(const T& value, const char* name) {
    if constexpr (Scalar<T>) {
      AppendLe(out_, value);
    } else if constexpr (kIsByteArray<T>) {
      out_.insert(out_.end(), value.begin(), value.end());
    } else if constexpr (std::same_as<T, Guid>) {
      Field(value.bytes, name);
    } else {
      const Slots::Mark mark = slots_.Enter();
      T::Fields(value, *this);
      slots_.Leave(mark);
    }
  }

  void Offset8(const auto& member, const char*) { AnnounceOffset(slots_.For(&member), 1); }
  void Offset16(const auto& member, const char*) { AnnounceOffset(slots_.For(&member), 2); }
  void Offset32(const auto& member, const char*) { AnnounceOffset(slots_.For(&member), 4); }
  void LimitOffset(const auto&, std::uint64_t, const char*) {}
  void Length8(const auto& member, const char*) { AnnounceLength(slots_.For(&member), 1); }
  void Length16(const auto& member, const char*) { AnnounceLength(slots_.For(&member), 2); }
  void Length32(const auto& member, const char*) { AnnounceLength(slots_.For(&member), 4); }
  void Count8(const auto& member, const char* name) { Length8(member, name); }
  void Count16(const auto& member, const char* name) { Length16(member, name); }
  void Count32(const auto& member, const char* name) { Length32(member, name); }

  // At the next multiple of 8. An empty buffer gets the offset where it would stand: some receivers insist on an
  // offset inside of the message even then.
  template <BufferType T>
  void Buffer(const T& value, const char*) {
    const Slot slot = slots_.For(&value);
    if (!value.empty()) Align(8);
    FillOffset(slot);
    FillLength(slot, WireSize(value));
    Put(value);
  }
  // As Buffer, but the offset of an empty one is 0.
  template <BufferType T>
  void OptionalBuffer(const T& value, const char* name) {
    if (!value.empty()) Buffer(value, name);
  }
  template <BufferType T>
  void AlignedBuffer(const T& value, const char* name) {
    OptionalBuffer(value, name);
  }
  template <BufferType T>
  void Inline(const T& value, const char*) {
    FillLength(slots_.For(&value), WireSize(value));
    Put(value);
  }
  template <BufferType T>
  void Rest(const T& value, const char*) {
    Put(value);
  }
  // One zero byte when nothing has been written behind the fixed part, as Windows does for the bodies whose
  // StructureSize counts one byte of buffer; some receivers refuse a shorter body.
  void AtLeastOneByte() {
    if (!variable_part_) out_.push_back(0);
  }

  template <class T>
  void Array(const std::vector<T>& elements, const char* name) {
    FillLength(slots_.For(&elements), elements.size());
    for (const T& element : elements) Field(element, name);
    variable_part_ |= !elements.empty();
  }
  template <class T>
  void AlignedArray(const std::vector<T>& elements, const char* name) {
    if (elements.empty()) return;
    const Slot slot = slots_.For(&elements);
    Align(8);
    FillOffset(slot);
    FillLength(slot, elements.size());
    for (const T& element : elements) {
      Align(8);
      Field(element, name);
    }
    variable_part_ = true;
  }
  template <class T>
  void RestArray(const std::vector<T>& elements, const char* name) {
    for (const T& element : elements) Field(element, name);
  }
  template <class T>
  void Chain(const std::vector<T>& elements, const char* name) {
    std::size_t previous = 0;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      Align(8);
      const std::size_t start = out_.size();
      if (i != 0) StoreLe(out_.data() + previous, static_cast<std::uint32_t>(start - previous));
      AppendLe(out_, std::uint32_t{0});
      const std::int64_t outer_origin = origin_;
      origin_ = Signed(start);
      Field(elements[i], name);
      origin_ = outer_origin;
      previous = start;
    }
  }
  template <class T>
  void ChainBuffer(const std::vector<T>& elements, const char* name) {
    if (elements.empty()) return;
    const Slot slot = slots_.For(&elements);
    Align(8);
    FillOffset(slot);
    const std::size_t start = out_.size();
    Chain(elements, name);
    FillLength(slot, out_.size() - start);
    variable_part_ = true;
  }

 private:
  static std::int64_t Signed(std::size_t n) { return static_cast<std::int64_t>(n); }
  std::int64_t Here() const { return Signed(out_.size()) - origin_; }

  // A placeholder that stays zero unless a later call fills it.
  std::uint64_t Placeholder(std::uint8_t width) {
    out_.resize(out_.size() + width);
    return out_.size() - width;
  }
  void AnnounceOffset(Slot& slot, std::uint8_t width) {
    slot.offset = Placeholder(width);
    slot.offset_width = width;
  }
  void AnnounceLength(Slot& slot, std::uint8_t width) {
    slot.length = Placeholder(width);
    slot.length_width = width;
  }
  void Fill(std::uint64_t index, std::uint8_t width, std::uint64_t value) {
    if (width == 0) return;  // not announced: the reader knows it from elsewhere
    HOLDFAST_CHECK(value >> (8 * width) == 0);
    std::uint8_t* at = out_.data() + index;
    for (std::uint8_t i = 0; i < width; ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  void FillOffset(const Slot& slot) { Fill(slot.offset, slot.offset_width, static_cast<std::uint64_t>(Here())); }
  void FillLength(const Slot& slot, std::uint64_t value) { Fill(slot.length, slot.length_width, value); }

  template <BufferType T>
  void Put(const T& value) {
    if (value.empty()) return;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(value.data());
    out_.insert(out_.end(), bytes, bytes + WireSize(value));
    variable_part_ = true;
  }

  Bytes& out_;
  std::int64_t origin_;  // index in out_ of offset 0; negative when the header is not in out_
  bool variable_part_ = false;
  Slots slots_;
};

}  // namespace holdfast::wire
