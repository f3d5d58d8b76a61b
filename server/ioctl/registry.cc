#include "server/ioctl/registry.h"

#include <algorithm>
#include <iterator>

#include "protocol/fscc/fsctl.h"
#include "server/ioctl/functions.h"

namespace holdfast {
namespace {

using enum ControlTarget;

// clang-format off
constexpr ControlRow kControls[] = {
  {fsctl::kDfsGetReferrals,              kConnection, ioctl::DfsGetReferrals},
  {fsctl::kDfsGetReferralsEx,            kConnection, ioctl::DfsGetReferrals},
  {fsctl::kPipeWait,                     kConnection, ioctl::PipeWait},
  {fsctl::kQueryNetworkInterfaceInfo,    kConnection, ioctl::QueryNetworkInterfaceInfo},
  {fsctl::kValidateNegotiateInfo,        kConnection, ioctl::ValidateNegotiateInfo},
  {fsctl::kPipePeek,                     kPipe,       ioctl::PipePeek},
  {fsctl::kPipeTransceive,               kPipe,       ioctl::PipeTransceive},
  {fsctl::kCreateOrGetObjectId,          kFile,       ioctl::CreateOrGetObjectId},
  {fsctl::kDeleteObjectId,               kFile,       ioctl::DeleteObjectId},
  {fsctl::kDeleteReparsePoint,           kFile,       ioctl::DeleteReparsePoint},
  {fsctl::kDuplicateExtentsToFile,       kFile,       ioctl::DuplicateExtentsToFile},
  {fsctl::kDuplicateExtentsToFileEx,     kFile,       ioctl::DuplicateExtentsToFileEx},
  {fsctl::kFileLevelTrim,                kFile,       ioctl::FileLevelTrim},
  {fsctl::kGetCompression,               kFile,       ioctl::GetCompression},
  {fsctl::kGetObjectId,                  kFile,       ioctl::GetObjectId},
  {fsctl::kGetReparsePoint,              kFile,       ioctl::GetReparsePoint},
  {fsctl::kIsPathnameValid,              kFile,       ioctl::IsPathnameValid},
  {fsctl::kLmrRequestResiliency,         kFile,       ioctl::LmrRequestResiliency},
  {fsctl::kMarkHandle,                   kFile,       ioctl::MarkHandle},
  {fsctl::kQueryAllocatedRanges,         kFile,       ioctl::QueryAllocatedRanges},
  {fsctl::kQueryFileRegions,             kFile,       ioctl::QueryFileRegions},
  {fsctl::kSetCompression,               kFile,       ioctl::SetCompression},
  {fsctl::kSetReparsePoint,              kFile,       ioctl::SetReparsePoint},
  {fsctl::kSetSparse,                    kFile,       ioctl::SetSparse},
  {fsctl::kSetZeroData,                  kFile,       ioctl::SetZeroData},
  {fsctl::kSrvCopychunk,                 kFile,       ioctl::SrvCopychunk},
  {fsctl::kSrvCopychunkWrite,            kFile,       ioctl::SrvCopychunk},
  {fsctl::kSrvEnumerateSnapshots,        kFile,       ioctl::SrvEnumerateSnapshots},
  {fsctl::kSrvReadHash,                  kFile,       ioctl::SrvReadHash},
  {fsctl::kSrvRequestResumeKey,          kFile,       ioctl::SrvRequestResumeKey},
#if HOLDFAST_FAULT_POINTS
  {fsctl::kSmbtortureIoctlResponseBodyPadding8,       kConnection, ioctl::IoctlResponseBodyPadding8},
  {fsctl::kSmbtortureGlobalReadResponseBodyPadding8,  kConnection, ioctl::ReadResponseBodyPadding8},
  {fsctl::kSmbtortureFspAsyncSleep,                   kFile,       ioctl::FspAsyncSleep},
#endif
};

// Windows passes these to the file system (behaviour note 380, and 2.2.31); ours does none of them.
constexpr std::uint32_t kAllowedButNotHere[] = {
  fsctl::kFilesystemGetStatistics, fsctl::kFindFilesBySid,
  fsctl::kGetNtfsVolumeData, fsctl::kGetRetrievalPointerCount, fsctl::kGetRetrievalPointers,
  fsctl::kGetRetrievalPointersAndRefcount, fsctl::kLmrSetLinkTrackingInformation, fsctl::kOffloadRead,
  fsctl::kOffloadWrite, fsctl::kQueryFatBpb, fsctl::kQueryOnDiskVolumeInfo,
  fsctl::kQuerySharedVirtualDiskSupport, fsctl::kQuerySparingInfo, fsctl::kReadFileUsnData,
  fsctl::kRefsStreamSnapshotManagement, fsctl::kSetDefectManagement, fsctl::kSetIntegrityInformation,
  fsctl::kSetIntegrityInformationEx, fsctl::kSetObjectId, fsctl::kSetObjectIdExtended,
  fsctl::kSetZeroOnDeallocation, fsctl::kStorageQosControl, fsctl::kSvhdxAsyncTunnelRequest,
  fsctl::kSvhdxSyncTunnelRequest, fsctl::kWriteUsnCloseRecord,
};
// clang-format on

}  // namespace

const ControlRow* FindControl(std::uint32_t code) {
  const auto found = std::find_if(std::begin(kControls), std::end(kControls),
                                  [code](const ControlRow& row) { return row.code == code; });
  return found == std::end(kControls) ? nullptr : found;
}

NtStatus ControlRefusal(std::uint32_t code) {
  const bool allowed =
      std::find(std::begin(kAllowedButNotHere), std::end(kAllowedButNotHere), code) != std::end(kAllowedButNotHere);
  return allowed ? NtStatus::kInvalidDeviceRequest : NtStatus::kNotSupported;
}

}  // namespace holdfast
