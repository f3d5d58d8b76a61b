// [MS-FSCC] 2.4 and 2.5: the numbers of the information classes and what each needs.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::fscc {

enum class FileInformationClass : std::uint8_t {
  kDirectory = 1,
  kFullDirectory = 2,
  kBothDirectory = 3,
  kBasic = 4,
  kStandard = 5,
  kInternal = 6,
  kEa = 7,
  kAccess = 8,
  kName = 9,
  kRename = 10,
  kLink = 11,
  kNames = 12,
  kDisposition = 13,
  kPosition = 14,
  kFullEa = 15,
  kMode = 16,
  kAlignment = 17,
  kAll = 18,
  kAllocation = 19,
  kEndOfFile = 20,
  kAlternateName = 21,
  kStream = 22,
  kPipe = 23,
  kPipeLocal = 24,
  kPipeRemote = 25,
  kMailslotQuery = 26,
  kMailslotSet = 27,
  kCompression = 28,
  kObjectId = 29,
  kMoveCluster = 31,
  kQuota = 32,
  kReparsePoint = 33,
  kNetworkOpen = 34,
  kAttributeTag = 35,
  kTracking = 36,
  kIdBothDirectory = 37,
  kIdFullDirectory = 38,
  kValidDataLength = 39,
  kShortName = 40,
  kSfioReserve = 44,
  kSfioVolume = 45,
  kHardLink = 46,
  kNormalizedName = 48,
  kIdGlobalTxDirectory = 50,
  kStandardLink = 54,
  kId = 59,
  kIdExtdDirectory = 60,
  kDispositionEx = 64,
  kRenameEx = 65,
  kId64ExtdDirectory = 78,
  kId64ExtdBothDirectory = 79,
  kIdAllExtdDirectory = 80,
  kIdAllExtdBothDirectory = 81,
};

enum class FsInformationClass : std::uint8_t {
  kVolume = 1,
  kLabel = 2,
  kSize = 3,
  kDevice = 4,
  kAttribute = 5,
  kControl = 6,
  kFullSize = 7,
  kObjectId = 8,
  kDriverPath = 9,
  kVolumeFlags = 10,
  kSectorSize = 11,
};

// One row per class that MS-FSCC documents. A class without a row is unknown: STATUS_INVALID_INFO_CLASS. A class with
// a row but without the use asked for is STATUS_NOT_SUPPORTED ([MS-SMB2] 3.3.5.20.1).
struct FileInformationClassRow {
  FileInformationClass id;
  std::string_view name;
  // Smallest OutputBufferLength of a query; less is STATUS_INFO_LENGTH_MISMATCH. 0: cannot be queried.
  std::uint16_t minimum_query = 0;
  // Smallest buffer of a set; less is STATUS_INFO_LENGTH_MISMATCH. 0: cannot be set.
  std::uint16_t minimum_set = 0;
  // Rights the open must have been granted, [MS-FSA] 2.1.5.12 and 2.1.5.15; 0: none. All bits are needed.
  std::uint32_t query_access = 0;
  std::uint32_t set_access = 0;
  // Fixed part of an entry in QUERY_DIRECTORY; 0: not a directory class.
  std::uint16_t directory_entry = 0;
};
const FileInformationClassRow* FindFileInformationClass(std::uint8_t id);

struct FsInformationClassRow {
  FsInformationClass id;
  std::string_view name;
  std::uint16_t minimum_query = 0;  // 0: cannot be queried
};
const FsInformationClassRow* FindFsInformationClass(std::uint8_t id);

}  // namespace holdfast::fscc
