#include "protocol/fscc/directory_information.h"

#include <algorithm>

#include "protocol/base/check.h"
#include "protocol/dtyp/unicode.h"
#include "protocol/wire/endian.h"

namespace holdfast::fscc {
namespace {

using C = FileInformationClass;
using wire::AppendLe;

constexpr std::size_t kAlignment = 8;
constexpr std::size_t kShortNameSize = 24;
constexpr std::size_t kFileNameLengthOffset = 60;  // in every class but kNames, where it is 8
constexpr std::size_t kNamesFileNameLengthOffset = 8;

bool HasShortName(C c) {
  return c == C::kBothDirectory || c == C::kIdBothDirectory || c == C::kId64ExtdBothDirectory ||
         c == C::kIdAllExtdBothDirectory;
}

// The "Extd" classes have a member of its own for the tag, then the ids, then the short name.
bool IsExtended(C c) {
  return c == C::kIdExtdDirectory || c == C::kId64ExtdDirectory || c == C::kId64ExtdBothDirectory ||
         c == C::kIdAllExtdDirectory || c == C::kIdAllExtdBothDirectory;
}
bool HasId128(C c) {
  return c == C::kIdExtdDirectory || c == C::kIdAllExtdDirectory || c == C::kIdAllExtdBothDirectory;
}

void AppendShortName(Bytes& out, const DirectoryEntry& e) {
  HOLDFAST_CHECK(e.short_name.size() * 2 <= kShortNameSize);
  out.push_back(static_cast<std::uint8_t>(e.short_name.size() * 2));
  out.push_back(0);
  const auto start = out.size();
  AppendUtf16Le(out, e.short_name);
  out.resize(start + kShortNameSize);
}

void ReadShortName(const std::uint8_t* at, DirectoryEntry& e) {
  const std::size_t length = std::min<std::size_t>(at[0], kShortNameSize) / 2 * 2;
  e.short_name = *Utf16FromLe(ByteView(at + 2, length));
}

// What stands between FileNameLength and the name.
void AppendMiddle(Bytes& out, C c, const DirectoryEntry& e) {
  if (c == C::kDirectory || c == C::kNames) return;
  if (IsExtended(c)) {
    AppendLe(out, e.ea_size);
    AppendLe(out, e.reparse_tag);
    if (c != C::kIdExtdDirectory) AppendLe(out, e.file_id);
    if (HasId128(c)) wire::AppendBytes(out, e.file_id_128);
    if (HasShortName(c)) AppendShortName(out, e);
    return;
  }
  AppendLe(out, e.reparse_tag != 0 ? e.reparse_tag : e.ea_size);
  if (HasShortName(c)) AppendShortName(out, e);
  if (c == C::kIdBothDirectory) AppendLe(out, std::uint16_t{0});
  if (c == C::kIdFullDirectory) AppendLe(out, std::uint32_t{0});
  if (c == C::kIdBothDirectory || c == C::kIdFullDirectory) AppendLe(out, e.file_id);
}

void ReadMiddle(const std::uint8_t* at, C c, DirectoryEntry& e) {
  if (c == C::kDirectory || c == C::kNames) return;
  constexpr std::uint32_t kReparsePoint = 0x400;
  const auto size_or_tag = wire::LoadLe<std::uint32_t>(at);
  if (IsExtended(c)) {
    e.ea_size = size_or_tag;
    e.reparse_tag = wire::LoadLe<std::uint32_t>(at + 4);
    at += 8;
    if (c != C::kIdExtdDirectory) {
      e.file_id = wire::LoadLe<std::uint64_t>(at);
      at += 8;
    }
    if (HasId128(c)) {
      std::copy_n(at, e.file_id_128.size(), e.file_id_128.begin());
      at += e.file_id_128.size();
    }
    if (HasShortName(c)) ReadShortName(at, e);
    return;
  }
  (e.file_attributes & kReparsePoint ? e.reparse_tag : e.ea_size) = size_or_tag;
  if (HasShortName(c)) ReadShortName(at + 4, e);
  if (c == C::kIdFullDirectory) e.file_id = wire::LoadLe<std::uint64_t>(at + 8);
  if (c == C::kIdBothDirectory) e.file_id = wire::LoadLe<std::uint64_t>(at + 32);
}

}  // namespace

bool DirectoryWriter::IsDirectoryClass(FileInformationClass info_class) {
  const auto* row = FindFileInformationClass(static_cast<std::uint8_t>(info_class));
  return row != nullptr && row->directory_entry != 0;
}

std::size_t DirectoryWriter::EntrySize(FileInformationClass info_class, std::size_t units) {
  const auto* row = FindFileInformationClass(static_cast<std::uint8_t>(info_class));
  HOLDFAST_CHECK(row != nullptr && row->directory_entry != 0);
  return row->directory_entry + units * 2;
}

DirectoryWriter::DirectoryWriter(FileInformationClass info_class, std::size_t limit)
    : info_class_(info_class), limit_(limit) {
  HOLDFAST_CHECK(IsDirectoryClass(info_class));
}

std::size_t DirectoryWriter::room() const {
  const std::size_t start = (out_.size() + kAlignment - 1) / kAlignment * kAlignment;
  return start < limit_ ? limit_ - start : 0;
}

bool DirectoryWriter::Append(const DirectoryEntry& entry) {
  const std::size_t size = EntrySize(info_class_, entry.file_name.size());
  if (size > room()) return false;
  if (!out_.empty()) {
    wire::PadTo(out_, kAlignment);
    wire::StoreLe(out_.data() + last_, static_cast<std::uint32_t>(out_.size() - last_));
  }
  last_ = out_.size();
  out_.reserve(last_ + size);
  AppendLe(out_, std::uint32_t{0});
  AppendLe(out_, entry.file_index);
  if (info_class_ != C::kNames) {
    AppendLe(out_, entry.creation_time);
    AppendLe(out_, entry.last_access_time);
    AppendLe(out_, entry.last_write_time);
    AppendLe(out_, entry.change_time);
    AppendLe(out_, entry.end_of_file);
    AppendLe(out_, entry.allocation_size);
    AppendLe(out_, entry.file_attributes);
  }
  AppendLe(out_, static_cast<std::uint32_t>(entry.file_name.size() * 2));
  AppendMiddle(out_, info_class_, entry);
  AppendUtf16Le(out_, entry.file_name);
  HOLDFAST_CHECK(out_.size() == last_ + size);
  return true;
}

Result<std::vector<DirectoryEntry>> DecodeDirectory(FileInformationClass info_class, ByteView bytes) {
  const std::size_t fixed = DirectoryWriter::EntrySize(info_class, 0);
  std::vector<DirectoryEntry> entries;
  while (!bytes.empty()) {
    if (bytes.size() < fixed) return NtStatus::kInvalidNetworkResponse;
    const std::uint8_t* at = bytes.data();
    const std::size_t next = wire::LoadLe<std::uint32_t>(at);
    const bool names = info_class == C::kNames;
    const std::size_t length =
        wire::LoadLe<std::uint32_t>(at + (names ? kNamesFileNameLengthOffset : kFileNameLengthOffset));
    if (length > bytes.size() - fixed || length % 2 != 0 || next >= bytes.size() ||
        (next != 0 && next < fixed + length))
      return NtStatus::kInvalidNetworkResponse;
    DirectoryEntry e;
    e.file_index = wire::LoadLe<std::uint32_t>(at + 4);
    if (!names) {
      e.creation_time = wire::LoadLe<std::uint64_t>(at + 8);
      e.last_access_time = wire::LoadLe<std::uint64_t>(at + 16);
      e.last_write_time = wire::LoadLe<std::uint64_t>(at + 24);
      e.change_time = wire::LoadLe<std::uint64_t>(at + 32);
      e.end_of_file = wire::LoadLe<std::uint64_t>(at + 40);
      e.allocation_size = wire::LoadLe<std::uint64_t>(at + 48);
      e.file_attributes = wire::LoadLe<std::uint32_t>(at + 56);
      ReadMiddle(at + kFileNameLengthOffset + 4, info_class, e);
    }
    e.file_name = *Utf16FromLe(bytes.subspan(fixed, length));
    entries.push_back(std::move(e));
    if (next == 0) break;
    bytes = bytes.subspan(next);
  }
  return entries;
}

}  // namespace holdfast::fscc
