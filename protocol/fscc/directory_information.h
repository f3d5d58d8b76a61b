// [MS-FSCC] 2.4: the entries that QUERY_DIRECTORY lists, in every class that lists them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/clock.h"
#include "protocol/erref/result.h"
#include "protocol/fscc/information_class.h"

namespace holdfast::fscc {

// The union of what the classes show; each writes the members it has.
struct DirectoryEntry {
  std::uint32_t file_index = 0;
  FileTime creation_time = 0;
  FileTime last_access_time = 0;
  FileTime last_write_time = 0;
  FileTime change_time = 0;
  std::uint64_t end_of_file = 0;
  std::uint64_t allocation_size = 0;
  std::uint32_t file_attributes = 0;
  std::uint32_t ea_size = 0;      // of a reparse point the classes without an own member show the tag here
  std::uint32_t reparse_tag = 0;  // 0 when the entry is no reparse point
  std::u16string short_name;      // 8.3, at most 12 units; empty: none
  std::uint64_t file_id = 0;
  std::array<std::uint8_t, 16> file_id_128{};
  std::u16string file_name;
};

// Entries chained by NextEntryOffset, each aligned to 8 bytes, within `limit` bytes of output.
class DirectoryWriter {
 public:
  // `info_class` is one whose row has a directory_entry size.
  DirectoryWriter(FileInformationClass info_class, std::size_t limit);
  // False when the entry does not fit; nothing is written then and the entry belongs into the next answer.
  bool Append(const DirectoryEntry& entry);
  bool empty() const { return out_.empty(); }
  // Bytes still free for a next entry, alignment taken into account.
  std::size_t room() const;
  Bytes Finish() { return std::move(out_); }

  static bool IsDirectoryClass(FileInformationClass info_class);
  // Size of one entry with a name of `units` UTF-16 units.
  static std::size_t EntrySize(FileInformationClass info_class, std::size_t units);

 private:
  FileInformationClass info_class_;
  std::size_t limit_;
  std::size_t last_ = 0;  // offset of the last entry
  Bytes out_;
};

// For clients: kInvalidNetworkResponse when offsets or lengths lead outside.
Result<std::vector<DirectoryEntry>> DecodeDirectory(FileInformationClass info_class, ByteView bytes);

}  // namespace holdfast::fscc
