#include "protocol/rpc/ndr.h"

#include <utility>

#include "protocol/dtyp/unicode.h"
#include "protocol/wire/endian.h"

namespace holdfast::rpc {

void NdrWriter::Align(std::size_t alignment) { wire::PadTo(out_, alignment); }
void NdrWriter::U8(std::uint8_t value) { out_.push_back(value); }

void NdrWriter::U16(std::uint16_t value) {
  Align(2);
  wire::AppendLe(out_, value);
}

void NdrWriter::U32(std::uint32_t value) {
  Align(4);
  wire::AppendLe(out_, value);
}

void NdrWriter::U64(std::uint64_t value) {
  Align(8);
  wire::AppendLe(out_, value);
}

void NdrWriter::Raw(ByteView bytes) { wire::AppendBytes(out_, bytes); }

void NdrWriter::Pointer(bool present, Body body) {
  if (!present) {
    NullPointer();
    return;
  }
  U32(next_referent_);
  next_referent_ += 4;
  deferred_.push_back(std::move(body));
}

void NdrWriter::StringPointer(std::u16string_view text) {
  Pointer(true, [this, text = std::u16string(text)] {
    const auto count = static_cast<std::uint32_t>(text.size() + 1);
    U32(count);  // maximum
    U32(0);      // offset
    U32(count);  // actual
    AppendUtf16Le(out_, text);
    U16(0);
  });
}

void NdrWriter::UnicodeString(std::u16string_view text) {
  const auto size = static_cast<std::uint16_t>(text.size() * 2);
  U16(size);
  U16(size);
  Pointer(true, [this, text = std::u16string(text)] {
    const auto count = static_cast<std::uint32_t>(text.size());
    U32(count);
    U32(0);
    U32(count);
    AppendUtf16Le(out_, text);
  });
}

void NdrWriter::SidPointer(const std::optional<Sid>& sid) {
  if (!sid) {
    NullPointer();
    return;
  }
  Pointer(true, [this, sid = *sid] {
    U32(sid.count);
    sid.AppendTo(out_);
  });
}

void NdrWriter::BytesPointer(ByteView bytes) {
  Pointer(!bytes.empty(), [this, copy = Bytes(bytes.begin(), bytes.end())] {
    U32(static_cast<std::uint32_t>(copy.size()));
    Raw(copy);
  });
}

void NdrWriter::Complete() {
  const auto bodies = std::exchange(deferred_, {});
  for (const Body& body : bodies) {
    Align(4);
    body();
    Complete();
  }
}

void NdrReader::Align(std::size_t alignment) {
  const std::size_t rest = at_ % alignment;
  if (rest != 0) Raw(alignment - rest);
}

ByteView NdrReader::Raw(std::size_t size) {
  if (!ok_ || remaining() < size) {
    ok_ = false;
    return {};
  }
  at_ += size;
  return in_.subspan(at_ - size, size);
}

template <class T>
T NdrReader::Integer() {
  Align(sizeof(T));
  const ByteView bytes = Raw(sizeof(T));
  return ok_ ? wire::LoadLe<T>(bytes.data()) : T{0};
}

std::uint8_t NdrReader::U8() { return Integer<std::uint8_t>(); }
std::uint16_t NdrReader::U16() { return Integer<std::uint16_t>(); }
std::uint32_t NdrReader::U32() { return Integer<std::uint32_t>(); }
std::uint64_t NdrReader::U64() { return Integer<std::uint64_t>(); }

std::u16string NdrReader::UnicodeBuffer() {
  const std::uint32_t maximum = U32();
  const std::uint32_t offset = U32();
  const std::uint32_t actual = U32();
  if (offset != 0 || actual > maximum || actual > remaining() / 2) {
    ok_ = false;
    return {};
  }
  const auto text = Utf16FromLe(Raw(std::size_t{actual} * 2));
  return ok_ && text ? *text : std::u16string();
}

std::u16string NdrReader::WideString() {
  std::u16string text = UnicodeBuffer();
  if (text.empty() || text.back() != u'\0') {
    ok_ = false;  // [string] demands the zero unit
    return {};
  }
  text.resize(text.find(u'\0'));
  return text;
}

std::optional<std::u16string> NdrReader::UniqueWideString() {
  if (!Pointer()) return std::nullopt;
  return WideString();
}

bool NdrReader::UnicodeHeader() {
  U16();
  U16();
  return Pointer();
}

Sid NdrReader::RpcSid() {
  const std::uint32_t count = U32();
  if (count > Sid::kMaxSubAuthorities) {
    ok_ = false;
    return {};
  }
  const auto sid = Sid::Decode(Raw(8 + std::size_t{count} * 4));
  if (!sid || sid->count != count) {
    ok_ = false;
    return {};
  }
  return *sid;
}

}  // namespace holdfast::rpc
