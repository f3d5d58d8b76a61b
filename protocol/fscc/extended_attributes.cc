#include "protocol/fscc/extended_attributes.h"

#include <algorithm>

#include "protocol/base/check.h"

namespace holdfast::fscc {
namespace {

constexpr std::size_t kFullEaHeader = 8;  // NextEntryOffset, Flags, EaNameLength, EaValueLength
constexpr std::size_t kGetEaHeader = 5;   // NextEntryOffset, EaNameLength
constexpr std::size_t kMaximumNameLength = 254;

std::string NameAt(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

// Calls `entry(bytes from this entry on, offset, end)` for each entry of a chain; it sets `end` to the entry's size.
template <class Entry>
NtStatus ForEachEntry(ByteView bytes, std::uint32_t* error_offset, Entry&& entry) {
  std::size_t at = 0;
  const auto fail = [&](NtStatus status) {
    if (error_offset) *error_offset = static_cast<std::uint32_t>(at);
    return status;
  };
  while (at < bytes.size()) {
    const ByteView rest = bytes.subspan(at);
    if (rest.size() < 4) return fail(NtStatus::kEaListInconsistent);
    std::size_t size = 0;
    if (const NtStatus status = entry(rest, size); status != NtStatus::kSuccess) return fail(status);
    const std::size_t next = wire::LoadLe<std::uint32_t>(rest.data());
    if (next == 0) return NtStatus::kSuccess;
    if (next < size || next % 4 != 0 || next >= rest.size()) return fail(NtStatus::kEaListInconsistent);
    at += next;
  }
  return NtStatus::kSuccess;
}

}  // namespace

bool IsValidEaName(std::string_view name) {
  constexpr std::string_view kForbidden = "\\/:*?\"<>|,+=[];";
  return !name.empty() && name.size() <= kMaximumNameLength && std::all_of(name.begin(), name.end(), [&](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && kForbidden.find(c) == std::string_view::npos;
  });
}

Result<std::vector<ExtendedAttribute>> DecodeEaList(ByteView bytes, std::uint32_t* error_offset) {
  std::vector<ExtendedAttribute> list;
  const NtStatus status = ForEachEntry(bytes, error_offset, [&](ByteView rest, std::size_t& size) {
    if (rest.size() < kFullEaHeader) return NtStatus::kEaListInconsistent;
    const std::size_t name_length = rest[5];
    const std::size_t value_length = wire::LoadLe<std::uint16_t>(rest.data() + 6);
    size = kFullEaHeader + name_length + 1 + value_length;
    if (size > rest.size() || rest[kFullEaHeader + name_length] != 0) return NtStatus::kEaListInconsistent;
    ExtendedAttribute ea;
    ea.flags = rest[4];
    ea.name = NameAt(rest.subspan(kFullEaHeader, name_length));
    const ByteView value = rest.subspan(kFullEaHeader + name_length + 1, value_length);
    ea.value.assign(value.begin(), value.end());
    if ((ea.flags & ~ExtendedAttribute::kNeedEa) != 0 || !IsValidEaName(ea.name)) return NtStatus::kInvalidEaName;
    list.push_back(std::move(ea));
    return NtStatus::kSuccess;
  });
  if (status != NtStatus::kSuccess) return status;
  return list;
}

Result<std::vector<std::string>> DecodeEaNames(ByteView bytes, std::uint32_t* error_offset) {
  std::vector<std::string> names;
  const NtStatus status = ForEachEntry(bytes, error_offset, [&](ByteView rest, std::size_t& size) {
    if (rest.size() < kGetEaHeader) return NtStatus::kEaListInconsistent;
    const std::size_t name_length = rest[4];
    size = kGetEaHeader + name_length + 1;
    if (size > rest.size() || rest[kGetEaHeader + name_length] != 0) return NtStatus::kEaListInconsistent;
    std::string name = NameAt(rest.subspan(kGetEaHeader, name_length));
    if (!IsValidEaName(name)) return NtStatus::kInvalidEaName;
    names.push_back(std::move(name));
    return NtStatus::kSuccess;
  });
  if (status != NtStatus::kSuccess) return status;
  return names;
}

QueryOutput EncodeEaList(const std::vector<ExtendedAttribute>& list, std::size_t limit) {
  QueryOutput output;
  std::size_t last = 0;
  for (const auto& ea : list) {
    HOLDFAST_CHECK(ea.name.size() <= kMaximumNameLength && ea.value.size() <= 0xFFFF);
    const std::size_t start = (output.data.size() + 3) / 4 * 4;
    if (start + kFullEaHeader + ea.name.size() + 1 + ea.value.size() > limit) {
      output.status = output.data.empty() ? NtStatus::kBufferTooSmall : NtStatus::kBufferOverflow;
      break;
    }
    if (start != 0) {
      wire::StoreLe(output.data.data() + last, static_cast<std::uint32_t>(start - last));
      output.data.resize(start);
    }
    last = start;
    wire::AppendLe(output.data, std::uint32_t{0});
    output.data.push_back(ea.flags);
    output.data.push_back(static_cast<std::uint8_t>(ea.name.size()));
    wire::AppendLe(output.data, static_cast<std::uint16_t>(ea.value.size()));
    output.data.insert(output.data.end(), ea.name.begin(), ea.name.end());
    output.data.push_back(0);
    wire::AppendBytes(output.data, ea.value);
  }
  return output;
}

Bytes EncodeEaNames(const std::vector<std::string>& names) {
  Bytes out;
  std::size_t last = 0;
  for (const auto& name : names) {
    HOLDFAST_CHECK(name.size() <= kMaximumNameLength);
    wire::PadTo(out, 4);
    if (!out.empty()) wire::StoreLe(out.data() + last, static_cast<std::uint32_t>(out.size() - last));
    last = out.size();
    wire::AppendLe(out, std::uint32_t{0});
    out.push_back(static_cast<std::uint8_t>(name.size()));
    out.insert(out.end(), name.begin(), name.end());
    out.push_back(0);
  }
  return out;
}

std::uint32_t EaLength(const std::vector<ExtendedAttribute>& list) {
  std::size_t size = 0;
  for (const auto& ea : list) size += 5 + ea.name.size() + ea.value.size();  // flags, two lengths, zero byte
  return static_cast<std::uint32_t>(size);
}

std::uint32_t EaSize(const std::vector<ExtendedAttribute>& list) { return list.empty() ? 0 : EaLength(list) + 4; }

}  // namespace holdfast::fscc
