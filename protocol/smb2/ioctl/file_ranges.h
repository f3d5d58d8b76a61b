// [MS-FSCC] 2.3: FSCTLs about ranges of a file: sparse, zero, allocated, trimmed, valid, shared.
// Offsets and lengths are signed on the wire; the handler refuses negative ones.
#pragma once

#include <vector>

#include "protocol/smb2/file_id.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.3.83: FSCTL_SET_SPARSE. An empty buffer means TRUE; then there is nothing to decode.
struct FileSetSparseBuffer {
  std::uint8_t set_sparse = 1;  // a boolean

  static void Fields(auto& m, auto& c) { c.Field(m.set_sparse, "set_sparse"); }
};

// 2.3.85: FSCTL_SET_ZERO_DATA.
struct FileZeroDataInformation {
  std::int64_t file_offset = 0;
  std::int64_t beyond_final_zero = 0;  // the first byte behind the range

  static void Fields(auto& m, auto& c) {
    c.Field(m.file_offset, "file_offset");
    c.Field(m.beyond_final_zero, "beyond_final_zero");
  }
};

// 2.3.51 and 2.3.52: FSCTL_QUERY_ALLOCATED_RANGES; the input is one, the output any number.
struct FileAllocatedRangeBuffer {
  std::int64_t file_offset = 0;
  std::int64_t length = 0;

  bool operator==(const FileAllocatedRangeBuffer&) const = default;

  static void Fields(auto& m, auto& c) {
    c.Field(m.file_offset, "file_offset");
    c.Field(m.length, "length");
  }
};

struct FileAllocatedRanges {
  std::vector<FileAllocatedRangeBuffer> ranges{};

  static void Fields(auto& m, auto& c) { c.RestArray(m.ranges, "ranges"); }
};

// 2.3.13.1
struct FileLevelTrimRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  static void Fields(auto& m, auto& c) {
    c.Field(m.offset, "offset");
    c.Field(m.length, "length");
  }
};

// 2.3.13: FSCTL_FILE_LEVEL_TRIM.
struct FileLevelTrim {
  std::uint32_t key = 0;
  std::vector<FileLevelTrimRange> ranges{};

  static void Fields(auto& m, auto& c) {
    c.Field(m.key, "key");
    c.Count32(m.ranges, "num_ranges");
    c.Array(m.ranges, "ranges");
  }
};

// 2.3.14
struct FileLevelTrimOutput {
  std::uint32_t num_ranges_processed = 0;

  static void Fields(auto& m, auto& c) { c.Field(m.num_ranges_processed, "num_ranges_processed"); }
};

// 2.3.55 and 2.3.56: FSCTL_QUERY_FILE_REGIONS.
namespace file_region_usage {
inline constexpr std::uint32_t kValidCachedData = 0x00000001;
inline constexpr std::uint32_t kValidNoncachedData = 0x00000002;
}  // namespace file_region_usage

struct FileRegionInput {
  std::int64_t file_offset = 0;
  std::int64_t length = 0;
  std::uint32_t desired_usage = 0;

  static void Fields(auto& m, auto& c) {
    c.Field(m.file_offset, "file_offset");
    c.Field(m.length, "length");
    c.Field(m.desired_usage, "desired_usage");
    c.Reserved(4, "reserved");
  }
};

// 2.3.56.1
struct FileRegionInfo {
  std::int64_t file_offset = 0;
  std::int64_t length = 0;
  std::uint32_t usage = 0;

  static void Fields(auto& m, auto& c) {
    c.Field(m.file_offset, "file_offset");
    c.Field(m.length, "length");
    c.Field(m.usage, "usage");
    c.Reserved(4, "reserved");
  }
};

struct FileRegionOutput {
  std::uint32_t flags = 0;
  std::uint32_t total_region_entry_count = 0;
  std::vector<FileRegionInfo> regions{};

  static void Fields(auto& m, auto& c) {
    c.Field(m.flags, "flags");
    c.Field(m.total_region_entry_count, "total_region_entry_count");
    c.Count32(m.regions, "region_entry_count");
    c.Reserved(4, "reserved");
    c.Array(m.regions, "regions");
  }
};

// 2.3.7.2: FSCTL_DUPLICATE_EXTENTS_TO_FILE. There is no output.
struct DuplicateExtentsData {
  FileId source_file_id{};
  std::int64_t source_file_offset = 0;
  std::int64_t target_file_offset = 0;
  std::int64_t byte_count = 0;

  static void Fields(auto& m, auto& c) {
    c.Field(m.source_file_id, "source_file_id");
    c.Field(m.source_file_offset, "source_file_offset");
    c.Field(m.target_file_offset, "target_file_offset");
    c.Field(m.byte_count, "byte_count");
  }
};

// 2.3.9.2: FSCTL_DUPLICATE_EXTENTS_TO_FILE_EX. The size field says 0x30 for 56 bytes.
struct DuplicateExtentsDataEx {
  static constexpr std::uint64_t kStructureSize = 0x30;
  static constexpr std::uint32_t kSourceAtomic = 0x00000001;

  std::uint64_t structure_size = 0x30;
  FileId source_file_id{};
  std::int64_t source_file_offset = 0;
  std::int64_t target_file_offset = 0;
  std::int64_t byte_count = 0;
  std::uint32_t flags = 0;

  static void Fields(auto& m, auto& c) {
    c.Field(m.structure_size, "structure_size");
    c.Field(m.source_file_id, "source_file_id");
    c.Field(m.source_file_offset, "source_file_offset");
    c.Field(m.target_file_offset, "target_file_offset");
    c.Field(m.byte_count, "byte_count");
    c.Field(m.flags, "flags");
    c.Reserved(4, "reserved");
  }
};

}  // namespace holdfast::smb2
