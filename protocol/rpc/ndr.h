// [C706] 14: the NDR 2.0 transfer syntax, little-endian, as far as our interfaces use it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/dtyp/guid.h"
#include "protocol/dtyp/sid.h"

namespace holdfast::rpc {

// Integers align themselves to their size. What a pointer refers to is written after the structure that holds the
// pointer: Pointer() puts it off, Complete() writes it, depth first. Call Complete() after every parameter.
class NdrWriter {
 public:
  using Body = std::function<void()>;

  void U8(std::uint8_t value);
  void U16(std::uint16_t value);
  void U32(std::uint32_t value);
  void U64(std::uint64_t value);
  void Raw(ByteView bytes);
  void Align(std::size_t alignment);

  // Referent id, and later `body`; without `present` the null pointer.
  void Pointer(bool present, Body body);
  // [string] wchar_t*: the text with its zero unit.
  void StringPointer(std::u16string_view text);
  void NullPointer() { U32(0); }
  // RPC_UNICODE_STRING, [MS-DTYP] 2.3.10: without zero unit.
  void UnicodeString(std::u16string_view text);
  // RPC_SID, [MS-DTYP] 2.4.2.3.
  void SidPointer(const std::optional<Sid>& sid);
  // [size_is(n)] unsigned char*.
  void BytesPointer(ByteView bytes);
  void Complete();

  Bytes Take() { return std::move(out_); }

 private:
  Bytes out_;
  std::vector<Body> deferred_;
  std::uint32_t next_referent_ = 0x00020000;
};

// After the first short or impossible value ok() is false and every further value is zero.
class NdrReader {
 public:
  explicit NdrReader(ByteView in) : in_(in) {}

  std::uint8_t U8();
  std::uint16_t U16();
  std::uint32_t U32();
  std::uint64_t U64();
  ByteView Raw(std::size_t size);
  void Align(std::size_t alignment);

  bool Pointer() { return U32() != 0; }  // whether it is not null
  // A conformant and varying array of UTF-16 units with its zero unit.
  std::u16string WideString();
  // [unique, string]: nullopt for the null pointer.
  std::optional<std::u16string> UniqueWideString();
  // RPC_UNICODE_STRING's fixed part, then (UnicodeBuffer) the text it points to.
  bool UnicodeHeader();
  std::u16string UnicodeBuffer();
  Sid RpcSid();

  bool ok() const { return ok_; }
  void Fail() { ok_ = false; }
  std::size_t remaining() const { return in_.size() - at_; }

 private:
  template <class T>
  T Integer();
  ByteView in_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace holdfast::rpc
