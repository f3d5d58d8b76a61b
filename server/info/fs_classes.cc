#include "server/info/fs_classes.h"

#include "protocol/fscc/fs_information.h"

namespace holdfast::info {
namespace {

constexpr std::uint32_t kBytesPerSector = 512;
constexpr std::uint32_t kSectorsPerUnit = kClusterBytes / kBytesPerSector;

// Only what really works, and the search flag that NTFS shows too, whatever it is mounted for. Never sparse VDL, USN
// journal, open by file id or transactions; POSIX unlink stays off the wire, [MS-SMB2] 3.3.5.20.2.
constexpr std::uint32_t kFileSystemAttributes =
    fscc::fs_attributes::kCaseSensitiveSearch | fscc::fs_attributes::kCasePreservedNames |
    fscc::fs_attributes::kUnicodeOnDisk | fscc::fs_attributes::kPersistentAcls | fscc::fs_attributes::kSupportsSparseFiles |
    fscc::fs_attributes::kSupportsReparsePoints | fscc::fs_attributes::kSupportsObjectIds |
    fscc::fs_attributes::kNamedStreams | fscc::fs_attributes::kSupportsHardLinks |
    fscc::fs_attributes::kSupportsExtendedAttributes | fscc::fs_attributes::kSupportsBlockRefcounting;

}  // namespace

Task<QueryResult> QueryFsVolume(InfoQuery query) {
  const VolumeFacts& volume = query.files().volume().facts();
  co_return Whole(fscc::Encode(fscc::FileFsVolumeInformation{.volume_creation_time = volume.creation_time,
                                                             .volume_serial_number = volume.serial,
                                                             .supports_objects = true,
                                                             .volume_label = volume.label}));
}

Task<QueryResult> QueryFsSize(InfoQuery query) {
  auto usage = co_await query.files().volume().Usage();
  if (!usage.ok()) co_return usage.status();
  co_return Whole(fscc::Encode(fscc::FileFsSizeInformation{.total_allocation_units = usage->total_bytes / kClusterBytes,
                                                           .available_allocation_units = usage->free_bytes / kClusterBytes,
                                                           .sectors_per_allocation_unit = kSectorsPerUnit,
                                                           .bytes_per_sector = kBytesPerSector}));
}

Task<QueryResult> QueryFsDevice(InfoQuery query) {
  fscc::FileFsDeviceInformation device;
  if (query.request->handle->pipe) {
    device.device_type = fscc::FileFsDeviceInformation::kNamedPipe;
    device.characteristics = 0;
  }
  co_return Whole(fscc::Encode(device));
}

// "NTFS" because programs compare the name; it promises nothing that the attributes do not.
Task<QueryResult> QueryFsAttribute(InfoQuery) {
  co_return Whole(fscc::Encode(fscc::FileFsAttributeInformation{.file_system_attributes = kFileSystemAttributes,
                                                                .maximum_component_name_length = kMaxNameUnits,
                                                                .file_system_name = u"NTFS"}));
}

// No quotas of users: all limits off.
Task<QueryResult> QueryFsControl(InfoQuery) { co_return Whole(fscc::Encode(fscc::FileFsControlInformation{})); }

Task<QueryResult> QueryFsFullSize(InfoQuery query) {
  auto usage = co_await query.files().volume().Usage();
  if (!usage.ok()) co_return usage.status();
  const std::uint64_t free_units = usage->free_bytes / kClusterBytes;
  co_return Whole(
      fscc::Encode(fscc::FileFsFullSizeInformation{.total_allocation_units = usage->total_bytes / kClusterBytes,
                                                   .caller_available_allocation_units = free_units,
                                                   .actual_available_allocation_units = free_units,
                                                   .sectors_per_allocation_unit = kSectorsPerUnit,
                                                   .bytes_per_sector = kBytesPerSector}));
}

Task<QueryResult> QueryFsObjectId(InfoQuery query) {
  fscc::FileFsObjectIdInformation information;
  information.object_id = query.files().volume().facts().guid;
  co_return Whole(fscc::Encode(information));
}

Task<QueryResult> QueryFsSectorSize(InfoQuery) { co_return Whole(fscc::Encode(fscc::FileFsSectorSizeInformation{})); }

}  // namespace holdfast::info
