// Decode, Encode and Print for anything that declares Fields() (field.h).
#pragma once

#include <string>

#include "protocol/base/bytes.h"
#include "protocol/erref/result.h"
#include "protocol/wire/printer.h"
#include "protocol/wire/reader.h"
#include "protocol/wire/writer.h"

namespace holdfast::wire {

// A structure that stands alone: the data of a context, the buffer of an IOCTL, a header. Offsets count from its first
// byte; bytes behind it are ignored. STATUS_INVALID_PARAMETER when malformed, and then `failed_field`, when given,
// points to a static string with the name of the field.
template <class M>
Result<M> Decode(ByteView data, const char** failed_field = nullptr) {
  Reader reader(data);
  M m{};
  M::Fields(m, reader);
  if (failed_field != nullptr) *failed_field = reader.failed_field();
  if (!reader.ok()) return NtStatus::kInvalidParameter;
  return m;
}

template <class M>
void AppendTo(Bytes& out, const M& m) {
  Writer writer(out);
  M::Fields(m, writer);
}

template <class M>
Bytes Encode(const M& m) {
  Bytes out;
  AppendTo(out, m);
  return out;
}

template <class M>
std::string Print(const M& m) {
  Printer printer;
  M::Fields(m, printer);
  return printer.text();
}

}  // namespace holdfast::wire

namespace holdfast::smb2 {

// [MS-SMB2] 2.2.1; the offsets of every body count from the first byte of the header.
inline constexpr std::size_t kHeaderSize = 64;

// `message` is one whole SMB2 message, its 64-byte header included, cut at NextCommand when compounded. Byte buffers
// in the result borrow from it. STATUS_INVALID_PARAMETER when malformed; `failed_field` as above.
template <class M>
Result<M> Decode(ByteView message, const char** failed_field = nullptr) {
  wire::Reader reader(message, kHeaderSize);
  M m{};
  if (reader.ok()) M::Fields(m, reader);
  if (failed_field != nullptr) *failed_field = reader.failed_field();
  if (!reader.ok()) return NtStatus::kInvalidParameter;
  return m;
}

// Appends the body to `out`, which ends with the header that it belongs to. This is how a compounded message is built.
template <class M>
void AppendBody(Bytes& out, const M& m) {
  wire::Writer writer(out, kHeaderSize);
  M::Fields(m, writer);
}

// The body alone, with offsets as if a header stood before it.
template <class M>
Bytes EncodeBody(const M& m) {
  Bytes out;
  AppendBody(out, m);
  return out;
}

template <class M>
std::string Print(const M& m) {
  return wire::Print(m);
}

// The first field of every body; 0 when the message is too short. Tells an oplock break from a lease break.
inline std::uint16_t PeekStructureSize(ByteView message) {
  if (message.size() < kHeaderSize + 2) return 0;
  return wire::LoadLe<std::uint16_t>(message.data() + kHeaderSize);
}

}  // namespace holdfast::smb2
