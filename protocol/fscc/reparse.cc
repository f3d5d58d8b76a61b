#include "protocol/fscc/reparse.h"

#include <algorithm>

#include "protocol/base/check.h"
#include "protocol/dtyp/unicode.h"
#include "protocol/wire/endian.h"

namespace holdfast::fscc {
namespace {

constexpr std::size_t kHeaderSize = 8;  // ReparseTag, ReparseDataLength, Reserved
constexpr std::size_t kGuidHeaderSize = 24;
constexpr std::uint32_t kRelative = 0x00000001;  // SYMLINK_FLAG_RELATIVE

struct Names {
  std::u16string substitute;
  std::u16string print;
};

// Four 16-bit offsets and lengths, `fixed` bytes in all, then the path buffer.
Result<Names> ParseNames(ByteView data, std::size_t fixed) {
  if (data.size() < fixed) return NtStatus::kIoReparseDataInvalid;
  const ByteView path = data.subspan(fixed);
  const auto name = [&](std::size_t field) -> std::optional<std::u16string> {
    const std::size_t offset = wire::LoadLe<std::uint16_t>(data.data() + field);
    const std::size_t length = wire::LoadLe<std::uint16_t>(data.data() + field + 2);
    if (offset + length > path.size()) return std::nullopt;
    return Utf16FromLe(path.subspan(offset, length));
  };
  auto substitute = name(0);
  auto print = name(4);
  if (!substitute || !print) return NtStatus::kIoReparseDataInvalid;
  return Names{std::move(*substitute), std::move(*print)};
}

// `terminator`: mount points carry a zero unit after each name, symbolic links do not.
Bytes EncodeNames(const std::u16string& substitute, const std::u16string& print, bool terminator,
                  const std::uint32_t* flags) {
  const std::size_t zero = terminator ? 2 : 0;
  Bytes out;
  wire::AppendLe(out, std::uint16_t{0});
  wire::AppendLe(out, static_cast<std::uint16_t>(substitute.size() * 2));
  wire::AppendLe(out, static_cast<std::uint16_t>(substitute.size() * 2 + zero));
  wire::AppendLe(out, static_cast<std::uint16_t>(print.size() * 2));
  if (flags) wire::AppendLe(out, *flags);
  AppendUtf16Le(out, substitute);
  out.resize(out.size() + zero);
  AppendUtf16Le(out, print);
  out.resize(out.size() + zero);
  return out;
}

Result<ReparsePoint> ParseHeader(ByteView bytes) {
  if (bytes.size() < kHeaderSize || bytes.size() > kMaximumReparseSize) return NtStatus::kIoReparseDataInvalid;
  ReparsePoint point;
  point.tag = wire::LoadLe<std::uint32_t>(bytes.data());
  const std::size_t length = wire::LoadLe<std::uint16_t>(bytes.data() + 4);
  if (point.tag <= 1) return NtStatus::kIoReparseTagInvalid;  // reserved, 2.1.2.1
  std::size_t header = kHeaderSize;
  if (!reparse_tag::IsMicrosoft(point.tag)) {
    header = kGuidHeaderSize;
    if (bytes.size() < header) return NtStatus::kIoReparseDataInvalid;
    std::copy_n(bytes.begin() + kHeaderSize, 16, point.guid.bytes.begin());
    if (point.guid.IsZero()) return NtStatus::kIoReparseDataInvalid;
  }
  if (bytes.size() != header + length) return NtStatus::kIoReparseDataInvalid;
  point.data.assign(bytes.begin() + static_cast<std::ptrdiff_t>(header), bytes.end());
  return point;
}

}  // namespace

Result<ReparsePoint> ReparsePoint::Parse(ByteView bytes) {
  auto point = ParseHeader(bytes);
  if (!point.ok()) return point;
  NtStatus status = NtStatus::kSuccess;
  if (point->tag == reparse_tag::kSymlink) status = SymbolicLink::Parse(point->data).status();
  if (point->tag == reparse_tag::kMountPoint) status = MountPoint::Parse(point->data).status();
  if (status != NtStatus::kSuccess) return status;
  return point;
}

Result<ReparsePoint> ReparsePoint::ParseDelete(ByteView bytes) {
  auto point = ParseHeader(bytes);
  if (point.ok() && !point->data.empty()) return NtStatus::kIoReparseDataInvalid;
  return point;
}

Bytes ReparsePoint::Encode() const {
  HOLDFAST_CHECK(data.size() <= kMaximumReparseSize);
  Bytes out;
  wire::AppendLe(out, tag);
  wire::AppendLe(out, static_cast<std::uint16_t>(data.size()));
  wire::AppendLe(out, std::uint16_t{0});
  if (!reparse_tag::IsMicrosoft(tag)) wire::AppendBytes(out, guid.bytes);
  wire::AppendBytes(out, data);
  return out;
}

Result<SymbolicLink> SymbolicLink::Parse(ByteView data) {
  constexpr std::size_t kFixed = 12;
  auto names = ParseNames(data, kFixed);
  if (!names.ok()) return names.status();
  if (names->substitute.empty()) return NtStatus::kIoReparseDataInvalid;
  const bool is_relative = wire::LoadLe<std::uint32_t>(data.data() + 8) & kRelative;
  return SymbolicLink{std::move(names->substitute), std::move(names->print), is_relative};
}

ReparsePoint SymbolicLink::ToReparsePoint() const {
  const std::uint32_t flags = relative ? kRelative : 0;
  return {reparse_tag::kSymlink, {}, EncodeNames(substitute_name, print_name, false, &flags)};
}

Result<MountPoint> MountPoint::Parse(ByteView data) {
  constexpr std::size_t kFixed = 8;
  auto names = ParseNames(data, kFixed);
  if (!names.ok()) return names.status();
  return MountPoint{std::move(names->substitute), std::move(names->print)};
}

ReparsePoint MountPoint::ToReparsePoint() const {
  return {reparse_tag::kMountPoint, {}, EncodeNames(substitute_name, print_name, true, nullptr)};
}

}  // namespace holdfast::fscc
