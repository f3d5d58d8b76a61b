// Writing and reading of the fixed-layout structures of MS-FSCC. Each structure lists its members once, in wire order:
//   static void Fields(auto& m, auto& f) { f(m.creation_time); f(m.end_of_file); f.Reserved(2); }
#pragma once

#include <array>
#include <concepts>
#include <string>
#include <type_traits>

#include "protocol/base/bytes.h"
#include "protocol/dtyp/guid.h"
#include "protocol/dtyp/unicode.h"
#include "protocol/erref/result.h"
#include "protocol/wire/endian.h"

namespace holdfast::fscc {

class FieldWriter {
 public:
  explicit FieldWriter(Bytes& out) : out_(out) {}
  template <class T>
  void operator()(const T& v) {
    if constexpr (std::is_same_v<T, bool>)
      out_.push_back(v ? 1 : 0);
    else if constexpr (std::is_enum_v<T>)
      wire::AppendLe(out_, static_cast<std::underlying_type_t<T>>(v));
    else if constexpr (std::is_integral_v<T>)
      wire::AppendLe(out_, v);
    else if constexpr (std::is_same_v<T, Guid>)
      wire::AppendBytes(out_, v.bytes);
    else if constexpr (std::is_same_v<T, std::array<std::uint8_t, 16>>)
      wire::AppendBytes(out_, v);
    else
      T::Fields(v, *this);
  }
  void Reserved(std::size_t n) { out_.resize(out_.size() + n); }
  // A 32-bit length in bytes, the members written by `between`, then the text itself.
  void LengthThen(const std::u16string& name, auto between) {
    wire::AppendLe(out_, static_cast<std::uint32_t>(name.size() * 2));
    between();
    AppendUtf16Le(out_, name);
  }
  void Name32(const std::u16string& name) {
    LengthThen(name, [] {});
  }

 private:
  Bytes& out_;
};

class FieldReader {
 public:
  explicit FieldReader(ByteView in) : in_(in) {}
  template <class T>
  void operator()(T& v) {
    if constexpr (std::is_same_v<T, bool>) {
      std::uint8_t b = 0;
      (*this)(b);
      v = b != 0;
    } else if constexpr (std::is_enum_v<T>) {
      std::underlying_type_t<T> u{};
      (*this)(u);
      v = static_cast<T>(u);
    } else if constexpr (std::is_integral_v<T>) {
      if (Has(sizeof v)) v = wire::LoadLe<T>(in_.data() + at_), at_ += sizeof v;
    } else if constexpr (std::is_same_v<T, Guid>) {
      (*this)(v.bytes);
    } else if constexpr (std::is_same_v<T, std::array<std::uint8_t, 16>>) {
      if (Has(16)) v = wire::LoadLe<T>(in_.data() + at_), at_ += 16;
    } else {
      T::Fields(v, *this);
    }
  }
  void Reserved(std::size_t n) {
    if (Has(n)) at_ += n;
  }
  void Name32(std::u16string& name) {
    LengthThen(name, [] {});
  }
  void LengthThen(std::u16string& name, auto between) {
    std::uint32_t length = 0;
    (*this)(length);
    between();
    if (!Has(length)) return;
    auto text = Utf16FromLe(in_.subspan(at_, length));
    if (!text) {
      odd_ = true;
      return;
    }
    name = std::move(*text);
    at_ += length;
  }
  bool short_read() const { return short_; }
  bool odd_name() const { return odd_; }

 private:
  bool Has(std::size_t n) {
    if (short_ || in_.size() - at_ < n) short_ = true;
    return !short_;
  }
  ByteView in_;
  std::size_t at_ = 0;
  bool short_ = false;
  bool odd_ = false;
};

template <class T>
void AppendTo(Bytes& out, const T& value) {
  FieldWriter writer(out);
  T::Fields(value, writer);
}

template <class T>
Bytes Encode(const T& value) {
  Bytes out;
  AppendTo(out, value);
  return out;
}

// kInfoLengthMismatch when bytes are missing; kInvalidParameter when a name has an odd length or, where the structure
// says so, a member has an impossible value (T::Check). Bytes that follow are ignored.
template <class T>
Result<T> Decode(ByteView bytes) {
  T value;
  FieldReader reader(bytes);
  T::Fields(value, reader);
  if (reader.short_read()) return NtStatus::kInfoLengthMismatch;
  if (reader.odd_name()) return NtStatus::kInvalidParameter;
  if constexpr (requires {
                  { value.Check() } -> std::same_as<NtStatus>;
                }) {
    if (const auto status = value.Check(); status != NtStatus::kSuccess) return status;
  }
  return value;
}

// What a query sends back of `whole` when the client takes at most `limit` bytes: all of it; or its beginning with
// kBufferOverflow; or nothing with kInfoLengthMismatch when not even the fixed part (`minimum`) fits.
struct QueryOutput {
  NtStatus status = NtStatus::kSuccess;
  Bytes data;
};
QueryOutput FitOutput(Bytes whole, std::size_t minimum, std::size_t limit);

}  // namespace holdfast::fscc
