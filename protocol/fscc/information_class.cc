#include "protocol/fscc/information_class.h"

#include <algorithm>
#include <iterator>

#include "protocol/dtyp/access_mask.h"

namespace holdfast::fscc {
namespace {

using C = FileInformationClass;
using F = FsInformationClass;
using namespace access;

// clang-format off
constexpr FileInformationClassRow kFileClasses[] = {
    // id                       name                                query set query access     set access        entry
    {C::kDirectory,             "FileDirectoryInformation",             0,  0, 0,               0,                64},
    {C::kFullDirectory,         "FileFullDirectoryInformation",         0,  0, 0,               0,                68},
    {C::kBothDirectory,         "FileBothDirectoryInformation",         0,  0, 0,               0,                94},
    {C::kBasic,                 "FileBasicInformation",                40, 40, kReadAttributes, kWriteAttributes, 0},
    {C::kStandard,              "FileStandardInformation",             24,  0, 0,               0,                0},
    {C::kInternal,              "FileInternalInformation",              8,  0, 0,               0,                0},
    {C::kEa,                    "FileEaInformation",                    4,  0, 0,               0,                0},
    {C::kAccess,                "FileAccessInformation",                4,  0, 0,               0,                0},
    {C::kName,                  "FileNameInformation",                  0,  0, 0,               0,                0},
    {C::kRename,                "FileRenameInformation",                0, 20, 0,               kDelete,          0},
    {C::kLink,                  "FileLinkInformation",                  0, 20, 0,               0,                0},
    {C::kNames,                 "FileNamesInformation",                 0,  0, 0,               0,                12},
    {C::kDisposition,           "FileDispositionInformation",           0,  1, 0,               kDelete,          0},
    {C::kPosition,              "FilePositionInformation",              8,  8, 0,               0,                0},
    {C::kFullEa,                "FileFullEaInformation",                8,  8, kReadEa,         kWriteEa,         0},
    {C::kMode,                  "FileModeInformation",                  4,  4, 0,               0,                0},
    {C::kAlignment,             "FileAlignmentInformation",             4,  0, 0,               0,                0},
    {C::kAll,                   "FileAllInformation",                 104,  0, kReadAttributes, 0,                0},
    {C::kAllocation,            "FileAllocationInformation",            0,  8, 0,               kWriteData,       0},
    {C::kEndOfFile,             "FileEndOfFileInformation",             0,  8, 0,               kWriteData,       0},
    {C::kAlternateName,         "FileAlternateNameInformation",         8,  0, 0,               0,                0},
    {C::kStream,                "FileStreamInformation",               32,  0, 0,               0,                0},
    {C::kPipe,                  "FilePipeInformation",                  8,  8, kReadAttributes, kWriteAttributes, 0},
    {C::kPipeLocal,             "FilePipeLocalInformation",            40,  0, kReadAttributes, 0,                0},
    {C::kPipeRemote,            "FilePipeRemoteInformation",           16,  0, kReadAttributes, 0,                0},
    {C::kMailslotQuery,         "FileMailslotQueryInformation",         0,  0, 0,               0,                0},
    {C::kMailslotSet,           "FileMailslotSetInformation",           0,  0, 0,               0,                0},
    {C::kCompression,           "FileCompressionInformation",          16,  0, 0,               0,                0},
    {C::kObjectId,              "FileObjectIdInformation",              0,  0, 0,               0,                0},
    {C::kMoveCluster,           "FileMoveClusterInformation",           0,  0, 0,               0,                0},
    {C::kQuota,                 "FileQuotaInformation",                 0,  0, 0,               0,                0},
    {C::kReparsePoint,          "FileReparsePointInformation",          0,  0, 0,               0,                0},
    {C::kNetworkOpen,           "FileNetworkOpenInformation",          56,  0, kReadAttributes, 0,                0},
    {C::kAttributeTag,          "FileAttributeTagInformation",          8,  0, kReadAttributes, 0,                0},
    {C::kTracking,              "FileTrackingInformation",              0,  0, 0,               0,                0},
    {C::kIdBothDirectory,       "FileIdBothDirectoryInformation",       0,  0, 0,               0,                104},
    {C::kIdFullDirectory,       "FileIdFullDirectoryInformation",       0,  0, 0,               0,                80},
    {C::kValidDataLength,       "FileValidDataLengthInformation",       0,  8, 0,               kWriteData,       0},
    {C::kShortName,             "FileShortNameInformation",             0,  4, 0,               kDelete,          0},
    {C::kSfioReserve,           "FileSfioReserveInformation",           0,  0, 0,               0,                0},
    {C::kSfioVolume,            "FileSfioVolumeInformation",            0,  0, 0,               0,                0},
    {C::kHardLink,              "FileHardLinkInformation",              0,  0, 0,               0,                0},
    {C::kNormalizedName,        "FileNormalizedNameInformation",        8,  0, 0,               0,                0},
    {C::kIdGlobalTxDirectory,   "FileIdGlobalTxDirectoryInformation",   0,  0, 0,               0,                0},
    {C::kStandardLink,          "FileStandardLinkInformation",          0,  0, 0,               0,                0},
    {C::kId,                    "FileIdInformation",                   24,  0, 0,               0,                0},
    {C::kIdExtdDirectory,       "FileIdExtdDirectoryInformation",       0,  0, 0,               0,                88},
    {C::kDispositionEx,         "FileDispositionInformationEx",         0,  4, 0,               kDelete,          0},
    {C::kRenameEx,              "FileRenameInformationEx",              0, 20, 0,               kDelete,          0},
    {C::kId64ExtdDirectory,     "FileId64ExtdDirectoryInformation",     0,  0, 0,               0,                80},
    {C::kId64ExtdBothDirectory, "FileId64ExtdBothDirectoryInformation", 0,  0, 0,               0,                106},
    {C::kIdAllExtdDirectory,    "FileIdAllExtdDirectoryInformation",    0,  0, 0,               0,                96},
    {C::kIdAllExtdBothDirectory, "FileIdAllExtdBothDirectoryInformation", 0, 0, 0,              0,                122},
};

constexpr FsInformationClassRow kFsClasses[] = {
    {F::kVolume,      "FileFsVolumeInformation",      24},
    {F::kLabel,       "FileFsLabelInformation",        0},
    {F::kSize,        "FileFsSizeInformation",        24},
    {F::kDevice,      "FileFsDeviceInformation",       8},
    {F::kAttribute,   "FileFsAttributeInformation",   16},
    {F::kControl,     "FileFsControlInformation",     48},
    {F::kFullSize,    "FileFsFullSizeInformation",    32},
    {F::kObjectId,    "FileFsObjectIdInformation",    64},
    {F::kDriverPath,  "FileFsDriverPathInformation",   0},
    {F::kVolumeFlags, "FileFsVolumeFlagsInformation",  0},
    {F::kSectorSize,  "FileFsSectorSizeInformation",  28},
};
// clang-format on

template <class Row, std::size_t kCount>
const Row* Find(const Row (&rows)[kCount], std::uint8_t id) {
  const auto at = std::find_if(std::begin(rows), std::end(rows),
                               [&](const Row& row) { return static_cast<std::uint8_t>(row.id) == id; });
  return at == std::end(rows) ? nullptr : at;
}

}  // namespace

const FileInformationClassRow* FindFileInformationClass(std::uint8_t id) { return Find(kFileClasses, id); }
const FsInformationClassRow* FindFsInformationClass(std::uint8_t id) { return Find(kFsClasses, id); }

}  // namespace holdfast::fscc
