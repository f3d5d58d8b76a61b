// [MS-FSCC] 2.5: what can be asked of a volume. Encode with fscc::Encode, decode with fscc::Decode<T>.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/base/clock.h"
#include "protocol/fscc/codec.h"

namespace holdfast::fscc {

// 2.5.9
struct FileFsVolumeInformation {
  FileTime volume_creation_time = 0;
  std::uint32_t volume_serial_number = 0;
  bool supports_objects = false;
  std::u16string volume_label;
  // The label's length stands before SupportsObjects and its text after, hence the two halves.
  static void Fields(auto& m, auto& f) {
    f(m.volume_creation_time), f(m.volume_serial_number);
    f.LengthThen(m.volume_label, [&] {
      f(m.supports_objects);
      f.Reserved(1);
    });
  }
};

// 2.5.8
struct FileFsSizeInformation {
  std::uint64_t total_allocation_units = 0;
  std::uint64_t available_allocation_units = 0;
  std::uint32_t sectors_per_allocation_unit = 8;
  std::uint32_t bytes_per_sector = 512;
  static void Fields(auto& m, auto& f) {
    f(m.total_allocation_units), f(m.available_allocation_units);
    f(m.sectors_per_allocation_unit), f(m.bytes_per_sector);
  }
};

// 2.5.10
struct FileFsDeviceInformation {
  static constexpr std::uint32_t kDisk = 0x00000007;
  static constexpr std::uint32_t kNamedPipe = 0x00000011;
  static constexpr std::uint32_t kRemoteDevice = 0x00000010;  // characteristics
  static constexpr std::uint32_t kDeviceIsMounted = 0x00000020;
  std::uint32_t device_type = kDisk;
  std::uint32_t characteristics = kDeviceIsMounted;
  static void Fields(auto& m, auto& f) { f(m.device_type), f(m.characteristics); }
};

// 2.5.1
namespace fs_attributes {
inline constexpr std::uint32_t kCaseSensitiveSearch = 0x00000001;
inline constexpr std::uint32_t kCasePreservedNames = 0x00000002;
inline constexpr std::uint32_t kUnicodeOnDisk = 0x00000004;
inline constexpr std::uint32_t kPersistentAcls = 0x00000008;
inline constexpr std::uint32_t kFileCompression = 0x00000010;
inline constexpr std::uint32_t kVolumeQuotas = 0x00000020;
inline constexpr std::uint32_t kSupportsSparseFiles = 0x00000040;
inline constexpr std::uint32_t kSupportsReparsePoints = 0x00000080;
inline constexpr std::uint32_t kSupportsPosixUnlinkRename = 0x00000400;
inline constexpr std::uint32_t kSupportsObjectIds = 0x00010000;
inline constexpr std::uint32_t kNamedStreams = 0x00040000;
inline constexpr std::uint32_t kReadOnlyVolume = 0x00080000;
inline constexpr std::uint32_t kSupportsHardLinks = 0x00400000;
inline constexpr std::uint32_t kSupportsExtendedAttributes = 0x00800000;
inline constexpr std::uint32_t kSupportsOpenByFileId = 0x01000000;
inline constexpr std::uint32_t kSupportsUsnJournal = 0x02000000;
inline constexpr std::uint32_t kSupportsIntegrityStreams = 0x04000000;
inline constexpr std::uint32_t kSupportsBlockRefcounting = 0x08000000;
inline constexpr std::uint32_t kSupportsSparseVdl = 0x10000000;
}  // namespace fs_attributes

struct FileFsAttributeInformation {
  std::uint32_t file_system_attributes = 0;
  std::uint32_t maximum_component_name_length = 255;
  std::u16string file_system_name;
  static void Fields(auto& m, auto& f) {
    f(m.file_system_attributes), f(m.maximum_component_name_length);
    f.Name32(m.file_system_name);
  }
};

// 2.5.2
struct FileFsControlInformation {
  std::uint64_t free_space_start_filtering = 0;
  std::uint64_t free_space_threshold = 0;
  std::uint64_t free_space_stop_filtering = 0;
  std::uint64_t default_quota_threshold = 0xFFFFFFFFFFFFFFFF;
  std::uint64_t default_quota_limit = 0xFFFFFFFFFFFFFFFF;
  std::uint32_t file_system_control_flags = 0;
  static void Fields(auto& m, auto& f) {
    f(m.free_space_start_filtering), f(m.free_space_threshold), f(m.free_space_stop_filtering);
    f(m.default_quota_threshold), f(m.default_quota_limit), f(m.file_system_control_flags);
    f.Reserved(4);
  }
};

// 2.5.4
struct FileFsFullSizeInformation {
  std::uint64_t total_allocation_units = 0;
  std::uint64_t caller_available_allocation_units = 0;
  std::uint64_t actual_available_allocation_units = 0;
  std::uint32_t sectors_per_allocation_unit = 8;
  std::uint32_t bytes_per_sector = 512;
  static void Fields(auto& m, auto& f) {
    f(m.total_allocation_units), f(m.caller_available_allocation_units), f(m.actual_available_allocation_units);
    f(m.sectors_per_allocation_unit), f(m.bytes_per_sector);
  }
};

// 2.5.6
struct FileFsObjectIdInformation {
  Guid object_id;
  std::array<std::uint8_t, 16> extended_info[3]{};
  static void Fields(auto& m, auto& f) {
    f(m.object_id), f(m.extended_info[0]), f(m.extended_info[1]), f(m.extended_info[2]);
  }
};

// 2.5.7
struct FileFsSectorSizeInformation {
  static constexpr std::uint32_t kAlignedDevice = 0x1;
  static constexpr std::uint32_t kPartitionAlignedOnDevice = 0x2;
  static constexpr std::uint32_t kNoSeekPenalty = 0x4;
  static constexpr std::uint32_t kTrimEnabled = 0x8;
  // The values with which Windows mounts a VHDX: 512-byte sectors on 4 KiB atomic writes.
  std::uint32_t logical_bytes_per_sector = 512;
  std::uint32_t physical_bytes_per_sector_for_atomicity = 4096;
  std::uint32_t physical_bytes_per_sector_for_performance = 4096;
  std::uint32_t effective_physical_bytes_per_sector_for_atomicity = 4096;
  std::uint32_t flags = kAlignedDevice | kPartitionAlignedOnDevice | kNoSeekPenalty | kTrimEnabled;
  std::uint32_t byte_offset_for_sector_alignment = 0;
  std::uint32_t byte_offset_for_partition_alignment = 0;
  static void Fields(auto& m, auto& f) {
    f(m.logical_bytes_per_sector), f(m.physical_bytes_per_sector_for_atomicity);
    f(m.physical_bytes_per_sector_for_performance), f(m.effective_physical_bytes_per_sector_for_atomicity);
    f(m.flags), f(m.byte_offset_for_sector_alignment), f(m.byte_offset_for_partition_alignment);
  }
};

}  // namespace holdfast::fscc
