// Structures to text, for log lines, failed tests and golden files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/wire/field.h"

namespace holdfast::wire {

// "name=value name={inner=1 } data[12]"; integers in hexadecimal from 10 on, text as UTF-8 in quotes.
class Printer {
 public:
  static constexpr bool kReads = false;

  const std::string& text() const { return text_; }

  void StructureSize(std::uint16_t) {}
  template <class T>
  void Constant(T, const char*) {}
  void Reserved(std::size_t, const char*) {}
  void Align(std::size_t) {}
  void AtLeastOneByte() {}

  template <class T>
  void Field(const T& value, const char* name) {
    Begin(name);
    if constexpr (std::is_enum_v<T>) {
      PrintInteger(static_cast<std::uint64_t>(static_cast<std::underlying_type_t<T>>(value)));
    } else if constexpr (std::is_integral_v<T>) {
      PrintInteger(static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<T>>(value)));
    } else if constexpr (kIsByteArray<T>) {
      PrintHex(value);
    } else if constexpr (std::same_as<T, Guid>) {
      text_ += value.ToString();
    } else {
      text_ += '{';
      const bool outer = first_;
      first_ = true;
      T::Fields(value, *this);
      first_ = outer;
      text_ += '}';
    }
  }

  void Offset8(const auto&, const char*) {}
  void Offset16(const auto&, const char*) {}
  void Offset32(const auto&, const char*) {}
  void LimitOffset(const auto&, std::uint64_t, const char*) {}
  void Length8(const auto&, const char*) {}
  void Length16(const auto&, const char*) {}
  void Length32(const auto&, const char*) {}
  void Count8(const auto&, const char*) {}
  void Count16(const auto&, const char*) {}
  void Count32(const auto&, const char*) {}

  template <BufferType T>
  void Buffer(const T& value, const char* name) {
    if constexpr (std::same_as<T, std::u16string>) {
      Begin(name);
      PrintText(value);
    } else if constexpr (std::same_as<T, std::string>) {
      Begin(name);
      PrintName(value);
    } else {
      if (!first_) text_ += ' ';
      first_ = false;
      text_ += name;
      text_ += '[' + std::to_string(value.size()) + ']';
    }
  }
  template <BufferType T>
  void OptionalBuffer(const T& value, const char* name) { Buffer(value, name); }
  template <BufferType T>
  void AlignedBuffer(const T& value, const char* name) { Buffer(value, name); }
  template <BufferType T>
  void Inline(const T& value, const char* name) { Buffer(value, name); }
  template <BufferType T>
  void Rest(const T& value, const char* name) { Buffer(value, name); }

  template <class T>
  void Array(const std::vector<T>& elements, const char* name) {
    Begin(name);
    text_ += '[';
    const bool outer = first_;
    first_ = true;
    for (const T& element : elements) Field(element, "");
    first_ = outer;
    text_ += ']';
  }
  template <class T>
  void AlignedArray(const std::vector<T>& elements, const char* name) { Array(elements, name); }
  template <class T>
  void RestArray(const std::vector<T>& elements, const char* name) { Array(elements, name); }
  template <class T>
  void Chain(const std::vector<T>& elements, const char* name) { Array(elements, name); }
  template <class T>
  void ChainBuffer(const std::vector<T>& elements, const char* name) { Array(elements, name); }

 private:
  void Begin(std::string_view name) {
    if (!first_) text_ += ' ';
    first_ = false;
    text_ += name;
    if (!name.empty()) text_ += '=';
  }
  void PrintInteger(std::uint64_t value);
  void PrintHex(ByteView bytes);
  void PrintText(std::u16string_view text);
  void PrintName(std::string_view name);  // quoted when printable, hexadecimal otherwise

  std::string text_;
  bool first_ = true;
};

}  // namespace holdfast::wire
