// Control codes of [MS-FSCC] 2.3, [MS-SMB2] 2.2.31, [MS-DFSC] 2.2.2, [MS-RSVD] 2.2.2 and [MS-SQOS] 2.2.1.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::fsctl {

#define HOLDFAST_FSCTL_LIST(X)                                                     \
  X(kDfsGetReferrals, 0x00060194, "DFS_GET_REFERRALS")                             \
  X(kDfsGetReferralsEx, 0x000601B0, "DFS_GET_REFERRALS_EX")                        \
  X(kRequestBatchOplock, 0x00090008, "REQUEST_BATCH_OPLOCK")                \
  X(kIsPathnameValid, 0x0009002C, "IS_PATHNAME_VALID")                             \
  X(kGetCompression, 0x0009003C, "GET_COMPRESSION")                                \
  X(kQueryFatBpb, 0x00090058, "QUERY_FAT_BPB")                                     \
  X(kFilesystemGetStatistics, 0x00090060, "FILESYSTEM_GET_STATISTICS")             \
  X(kGetNtfsVolumeData, 0x00090064, "GET_NTFS_VOLUME_DATA")                        \
  X(kGetRetrievalPointers, 0x00090073, "GET_RETRIEVAL_POINTERS")                   \
  X(kIsVolumeDirty, 0x00090078, "IS_VOLUME_DIRTY")                                 \
  X(kAllowExtendedDasdIo, 0x00090083, "ALLOW_EXTENDED_DASD_IO")                    \
  X(kFindFilesBySid, 0x0009008F, "FIND_FILES_BY_SID")                              \
  X(kSetObjectId, 0x00090098, "SET_OBJECT_ID")                                     \
  X(kGetObjectId, 0x0009009C, "GET_OBJECT_ID")                                     \
  X(kDeleteObjectId, 0x000900A0, "DELETE_OBJECT_ID")                               \
  X(kSetReparsePoint, 0x000900A4, "SET_REPARSE_POINT")                             \
  X(kGetReparsePoint, 0x000900A8, "GET_REPARSE_POINT")                             \
  X(kDeleteReparsePoint, 0x000900AC, "DELETE_REPARSE_POINT")                       \
  X(kSetObjectIdExtended, 0x000900BC, "SET_OBJECT_ID_EXTENDED")                    \
  X(kCreateOrGetObjectId, 0x000900C0, "CREATE_OR_GET_OBJECT_ID")                   \
  X(kSetSparse, 0x000900C4, "SET_SPARSE")                                          \
  X(kSetEncryption, 0x000900D7, "SET_ENCRYPTION")                                  \
  X(kReadFileUsnData, 0x000900EB, "READ_FILE_USN_DATA")                            \
  X(kWriteUsnCloseRecord, 0x000900EF, "WRITE_USN_CLOSE_RECORD")                    \
  X(kExtendVolume, 0x000900F0, "EXTEND_VOLUME")                                    \
  X(kMarkHandle, 0x000900FC, "MARK_HANDLE")                                        \
  X(kSisCopyfile, 0x00090100, "SIS_COPYFILE")                                      \
  X(kRecallFile, 0x00090117, "RECALL_FILE")                                        \
  X(kFilePrefetch, 0x00090120, "FILE_PREFETCH")                                    \
  X(kQuerySparingInfo, 0x00090138, "QUERY_SPARING_INFO")                           \
  X(kQueryOnDiskVolumeInfo, 0x0009013C, "QUERY_ON_DISK_VOLUME_INFO")               \
  X(kSetZeroOnDeallocation, 0x00090194, "SET_ZERO_ON_DEALLOCATION")                \
  X(kShrinkVolume, 0x000901B0, "SHRINK_VOLUME")                                    \
  X(kSdGlobalChange, 0x000901F4, "SD_GLOBAL_CHANGE")                               \
  X(kLookupStreamFromCluster, 0x000901FC, "LOOKUP_STREAM_FROM_CLUSTER")            \
  X(kGetBootAreaInfo, 0x00090230, "GET_BOOT_AREA_INFO")                            \
  X(kGetRetrievalPointerBase, 0x00090234, "GET_RETRIEVAL_POINTER_BASE")            \
  X(kSetPersistentVolumeState, 0x00090238, "SET_PERSISTENT_VOLUME_STATE")          \
  X(kQueryPersistentVolumeState, 0x0009023C, "QUERY_PERSISTENT_VOLUME_STATE")      \
  X(kGetIntegrityInformation, 0x0009027C, "GET_INTEGRITY_INFORMATION")             \
  X(kQueryFileRegions, 0x00090284, "QUERY_FILE_REGIONS")                           \
  X(kGetRefsVolumeData, 0x000902D8, "GET_REFS_VOLUME_DATA")                        \
  X(kQuerySharedVirtualDiskSupport, 0x00090300, "QUERY_SHARED_VIRTUAL_DISK_SUPPORT") \
  X(kSvhdxSyncTunnelRequest, 0x00090304, "SVHDX_SYNC_TUNNEL_REQUEST")              \
  X(kStorageQosControl, 0x00090350, "STORAGE_QOS_CONTROL")                         \
  X(kSvhdxAsyncTunnelRequest, 0x00090364, "SVHDX_ASYNC_TUNNEL_REQUEST")            \
  X(kSetIntegrityInformationEx, 0x00090380, "SET_INTEGRITY_INFORMATION_EX")        \
  X(kGetRetrievalPointersAndRefcount, 0x000903D3, "GET_RETRIEVAL_POINTERS_AND_REFCOUNT") \
  X(kGetRetrievalPointerCount, 0x0009042B, "GET_RETRIEVAL_POINTER_COUNT")          \
  X(kRefsStreamSnapshotManagement, 0x00090440, "REFS_STREAM_SNAPSHOT_MANAGEMENT")  \
  X(kQueryAllocatedRanges, 0x000940CF, "QUERY_ALLOCATED_RANGES")                   \
  X(kOffloadRead, 0x00094264, "OFFLOAD_READ")                                      \
  X(kSetZeroData, 0x000980C8, "SET_ZERO_DATA")                                     \
  X(kSetDefectManagement, 0x00098134, "SET_DEFECT_MANAGEMENT")                     \
  X(kFileLevelTrim, 0x00098208, "FILE_LEVEL_TRIM")                                 \
  X(kOffloadWrite, 0x00098268, "OFFLOAD_WRITE")                                    \
  X(kDuplicateExtentsToFile, 0x00098344, "DUPLICATE_EXTENTS_TO_FILE")              \
  X(kDuplicateExtentsToFileEx, 0x000983E8, "DUPLICATE_EXTENTS_TO_FILE_EX")         \
  X(kSetCompression, 0x0009C040, "SET_COMPRESSION")                                \
  X(kSetIntegrityInformation, 0x0009C280, "SET_INTEGRITY_INFORMATION")             \
  X(kPipeWait, 0x00110018, "PIPE_WAIT")                                            \
  X(kPipePeek, 0x0011400C, "PIPE_PEEK")                                            \
  X(kPipeTransceive, 0x0011C017, "PIPE_TRANSCEIVE")                                \
  X(kSrvRequestResumeKey, 0x00140078, "SRV_REQUEST_RESUME_KEY")                    \
  X(kLmrGetLinkTrackingInformation, 0x001400E8, "LMR_GET_LINK_TRACKING_INFORMATION") \
  X(kLmrSetLinkTrackingInformation, 0x001400EC, "LMR_SET_LINK_TRACKING_INFORMATION") \
  X(kLmrRequestResiliency, 0x001401D4, "LMR_REQUEST_RESILIENCY")                   \
  X(kQueryNetworkInterfaceInfo, 0x001401FC, "QUERY_NETWORK_INTERFACE_INFO")        \
  X(kValidateNegotiateInfo, 0x00140204, "VALIDATE_NEGOTIATE_INFO")                 \
  X(kSrvEnumerateSnapshots, 0x00144064, "SRV_ENUMERATE_SNAPSHOTS")                 \
  X(kSrvCopychunk, 0x001440F2, "SRV_COPYCHUNK")                                    \
  X(kSrvReadHash, 0x001441BB, "SRV_READ_HASH")                                     \
  X(kSrvCopychunkWrite, 0x001480F2, "SRV_COPYCHUNK_WRITE")

#define HOLDFAST_FSCTL_CONSTANT(name, value, text) inline constexpr std::uint32_t name = value;
HOLDFAST_FSCTL_LIST(HOLDFAST_FSCTL_CONSTANT)
#undef HOLDFAST_FSCTL_CONSTANT

// Of no specification: Samba's smbtorture asks its server for what its tests need. Test builds only.
inline constexpr std::uint32_t kSmbtortureForceUnackedTimeout = 0x83848003;
inline constexpr std::uint32_t kSmbtortureIoctlResponseBodyPadding8 = 0x83848013;
inline constexpr std::uint32_t kSmbtortureGlobalReadResponseBodyPadding8 = 0x83848023;
inline constexpr std::uint32_t kSmbtortureFspAsyncSleep = 0x83848043;

// "QUERY_ALLOCATED_RANGES"; "UNKNOWN" for a code that is not in the list.
constexpr std::string_view Name(std::uint32_t code) {
  switch (code) {
#define HOLDFAST_FSCTL_CASE(name, value, text) \
  case value:                                  \
    return text;
    HOLDFAST_FSCTL_LIST(HOLDFAST_FSCTL_CASE)
#undef HOLDFAST_FSCTL_CASE
    default:
      return "UNKNOWN";
  }
}

}  // namespace holdfast::fsctl
