// [MS-ERREF] 2.3: the NTSTATUS values that Holdfast answers or understands.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast {

// One list: name in code, value. NtStatusName prints "STATUS_..." forms from the same list.
#define HOLDFAST_NT_STATUS_LIST(X)                 \
  X(kSuccess, 0x00000000, "STATUS_SUCCESS")        \
  X(kPending, 0x00000103, "STATUS_PENDING")        \
  X(kNotifyCleanup, 0x0000010B, "STATUS_NOTIFY_CLEANUP") \
  X(kNotifyEnumDir, 0x0000010C, "STATUS_NOTIFY_ENUM_DIR") \
  X(kOplockBreakInProgress, 0x00000108, "STATUS_OPLOCK_BREAK_IN_PROGRESS") \
  X(kBufferOverflow, 0x80000005, "STATUS_BUFFER_OVERFLOW") \
  X(kNoMoreFiles, 0x80000006, "STATUS_NO_MORE_FILES") \
  X(kNoMoreEas, 0x80000012, "STATUS_NO_MORE_EAS") \
  X(kInvalidEaName, 0x80000013, "STATUS_INVALID_EA_NAME") \
  X(kEaListInconsistent, 0x80000014, "STATUS_EA_LIST_INCONSISTENT") \
  X(kInvalidEaFlag, 0x80000015, "STATUS_INVALID_EA_FLAG") \
  X(kStoppedOnSymlink, 0x8000002D, "STATUS_STOPPED_ON_SYMLINK") \
  X(kUnsuccessful, 0xC0000001, "STATUS_UNSUCCESSFUL") \
  X(kNotImplemented, 0xC0000002, "STATUS_NOT_IMPLEMENTED") \
  X(kInvalidInfoClass, 0xC0000003, "STATUS_INVALID_INFO_CLASS") \
  X(kInfoLengthMismatch, 0xC0000004, "STATUS_INFO_LENGTH_MISMATCH") \
  X(kInvalidHandle, 0xC0000008, "STATUS_INVALID_HANDLE") \
  X(kInvalidParameter, 0xC000000D, "STATUS_INVALID_PARAMETER") \
  X(kNoSuchDevice, 0xC000000E, "STATUS_NO_SUCH_DEVICE") \
  X(kNoSuchFile, 0xC000000F, "STATUS_NO_SUCH_FILE") \
  X(kInvalidDeviceRequest, 0xC0000010, "STATUS_INVALID_DEVICE_REQUEST") \
  X(kEndOfFile, 0xC0000011, "STATUS_END_OF_FILE") \
  X(kMoreProcessingRequired, 0xC0000016, "STATUS_MORE_PROCESSING_REQUIRED") \
  X(kNoMemory, 0xC0000017, "STATUS_NO_MEMORY") \
  X(kAccessDenied, 0xC0000022, "STATUS_ACCESS_DENIED") \
  X(kBufferTooSmall, 0xC0000023, "STATUS_BUFFER_TOO_SMALL") \
  X(kObjectNameInvalid, 0xC0000033, "STATUS_OBJECT_NAME_INVALID") \
  X(kObjectNameNotFound, 0xC0000034, "STATUS_OBJECT_NAME_NOT_FOUND") \
  X(kObjectNameCollision, 0xC0000035, "STATUS_OBJECT_NAME_COLLISION") \
  X(kObjectPathInvalid, 0xC0000039, "STATUS_OBJECT_PATH_INVALID") \
  X(kObjectPathNotFound, 0xC000003A, "STATUS_OBJECT_PATH_NOT_FOUND") \
  X(kObjectPathSyntaxBad, 0xC000003B, "STATUS_OBJECT_PATH_SYNTAX_BAD") \
  X(kDataError, 0xC000003E, "STATUS_DATA_ERROR") \
  X(kCrcError, 0xC000003F, "STATUS_CRC_ERROR") \
  X(kSharingViolation, 0xC0000043, "STATUS_SHARING_VIOLATION") \
  X(kQuotaExceeded, 0xC0000044, "STATUS_QUOTA_EXCEEDED") \
  X(kEaTooLarge, 0xC0000050, "STATUS_EA_TOO_LARGE") \
  X(kNonexistentEaEntry, 0xC0000051, "STATUS_NONEXISTENT_EA_ENTRY") \
  X(kNoEasOnFile, 0xC0000052, "STATUS_NO_EAS_ON_FILE") \
  X(kEaCorruptError, 0xC0000053, "STATUS_EA_CORRUPT_ERROR") \
  X(kFileLockConflict, 0xC0000054, "STATUS_FILE_LOCK_CONFLICT") \
  X(kLockNotGranted, 0xC0000055, "STATUS_LOCK_NOT_GRANTED") \
  X(kDeletePending, 0xC0000056, "STATUS_DELETE_PENDING") \
  X(kPrivilegeNotHeld, 0xC0000061, "STATUS_PRIVILEGE_NOT_HELD") \
  X(kWrongPassword, 0xC000006A, "STATUS_WRONG_PASSWORD") \
  X(kLogonFailure, 0xC000006D, "STATUS_LOGON_FAILURE") \
  X(kAccountRestriction, 0xC000006E, "STATUS_ACCOUNT_RESTRICTION") \
  X(kAccountDisabled, 0xC0000072, "STATUS_ACCOUNT_DISABLED") \
  X(kTimeDifferenceAtDc, 0xC0000133, "STATUS_TIME_DIFFERENCE_AT_DC") \
  X(kInvalidSid, 0xC0000078, "STATUS_INVALID_SID") \
  X(kInvalidOwner, 0xC000005A, "STATUS_INVALID_OWNER") \
  X(kInvalidPrimaryGroup, 0xC000005B, "STATUS_INVALID_PRIMARY_GROUP") \
  X(kInvalidAcl, 0xC0000077, "STATUS_INVALID_ACL") \
  X(kInvalidSecurityDescr, 0xC0000079, "STATUS_INVALID_SECURITY_DESCR") \
  X(kRangeNotLocked, 0xC000007E, "STATUS_RANGE_NOT_LOCKED") \
  X(kDiskFull, 0xC000007F, "STATUS_DISK_FULL") \
  X(kInsufficientResources, 0xC000009A, "STATUS_INSUFFICIENT_RESOURCES") \
  X(kMediaWriteProtected, 0xC00000A2, "STATUS_MEDIA_WRITE_PROTECTED") \
  X(kPipeDisconnected, 0xC00000B0, "STATUS_PIPE_DISCONNECTED") \
  X(kPipeEmpty, 0xC00000D9, "STATUS_PIPE_EMPTY") \
  X(kPipeBusy, 0xC00000AE, "STATUS_PIPE_BUSY") \
  X(kIoTimeout, 0xC00000B5, "STATUS_IO_TIMEOUT") \
  X(kFileForcedClosed, 0xC00000B6, "STATUS_FILE_FORCED_CLOSED") \
  X(kFileIsADirectory, 0xC00000BA, "STATUS_FILE_IS_A_DIRECTORY") \
  X(kNotSupported, 0xC00000BB, "STATUS_NOT_SUPPORTED") \
  X(kDuplicateName, 0xC00000BD, "STATUS_DUPLICATE_NAME") \
  X(kBadNetworkPath, 0xC00000BE, "STATUS_BAD_NETWORK_PATH") \
  X(kInvalidNetworkResponse, 0xC00000C3, "STATUS_INVALID_NETWORK_RESPONSE") \
  X(kNetworkNameDeleted, 0xC00000C9, "STATUS_NETWORK_NAME_DELETED") \
  X(kNetworkAccessDenied, 0xC00000CA, "STATUS_NETWORK_ACCESS_DENIED") \
  X(kBadDeviceType, 0xC00000CB, "STATUS_BAD_DEVICE_TYPE") \
  X(kBadNetworkName, 0xC00000CC, "STATUS_BAD_NETWORK_NAME") \
  X(kTooManySessions, 0xC00000CE, "STATUS_TOO_MANY_SESSIONS") \
  X(kRequestNotAccepted, 0xC00000D0, "STATUS_REQUEST_NOT_ACCEPTED") \
  X(kNotSameDevice, 0xC00000D4, "STATUS_NOT_SAME_DEVICE") \
  X(kFileRenamed, 0xC00000D5, "STATUS_FILE_RENAMED") \
  X(kInvalidOplockProtocol, 0xC00000E3, "STATUS_INVALID_OPLOCK_PROTOCOL") \
  X(kInternalError, 0xC00000E5, "STATUS_INTERNAL_ERROR") \
  X(kUnexpectedIoError, 0xC00000E9, "STATUS_UNEXPECTED_IO_ERROR") \
  X(kDirectoryNotEmpty, 0xC0000101, "STATUS_DIRECTORY_NOT_EMPTY") \
  X(kFileCorruptError, 0xC0000102, "STATUS_FILE_CORRUPT_ERROR") \
  X(kNotADirectory, 0xC0000103, "STATUS_NOT_A_DIRECTORY") \
  X(kNameTooLong, 0xC0000106, "STATUS_NAME_TOO_LONG") \
  X(kTooManyOpenedFiles, 0xC000011F, "STATUS_TOO_MANY_OPENED_FILES") \
  X(kCancelled, 0xC0000120, "STATUS_CANCELLED") \
  X(kCannotDelete, 0xC0000121, "STATUS_CANNOT_DELETE") \
  X(kFileDeleted, 0xC0000123, "STATUS_FILE_DELETED") \
  X(kFileClosed, 0xC0000128, "STATUS_FILE_CLOSED") \
  X(kInvalidLevel, 0xC0000148, "STATUS_INVALID_LEVEL") \
  X(kPipeBroken, 0xC000014B, "STATUS_PIPE_BROKEN") \
  X(kInvalidDeviceState, 0xC0000184, "STATUS_INVALID_DEVICE_STATE") \
  X(kIllFormedServiceEntry, 0xC0000160, "STATUS_ILL_FORMED_SERVICE_ENTRY") \
  X(kUserSessionDeleted, 0xC0000203, "STATUS_USER_SESSION_DELETED") \
  X(kInsuffServerResources, 0xC0000205, "STATUS_INSUFF_SERVER_RESOURCES") \
  X(kNotFound, 0xC0000225, "STATUS_NOT_FOUND") \
  X(kDuplicateObjectid, 0xC000022A, "STATUS_DUPLICATE_OBJECTID") \
  X(kObjectidNotFound, 0xC00002F0, "STATUS_OBJECTID_NOT_FOUND") \
  X(kConnectionDisconnected, 0xC000020C, "STATUS_CONNECTION_DISCONNECTED") \
  X(kConnectionReset, 0xC000020D, "STATUS_CONNECTION_RESET") \
  X(kConnectionRefused, 0xC0000236, "STATUS_CONNECTION_REFUSED") \
  X(kPathNotCovered, 0xC0000257, "STATUS_PATH_NOT_COVERED") \
  X(kNotAReparsePoint, 0xC0000275, "STATUS_NOT_A_REPARSE_POINT") \
  X(kIoReparseTagInvalid, 0xC0000276, "STATUS_IO_REPARSE_TAG_INVALID") \
  X(kIoReparseTagMismatch, 0xC0000277, "STATUS_IO_REPARSE_TAG_MISMATCH") \
  X(kIoReparseDataInvalid, 0xC0000278, "STATUS_IO_REPARSE_DATA_INVALID") \
  X(kReparsePointNotResolved, 0xC0000280, "STATUS_REPARSE_POINT_NOT_RESOLVED") \
  X(kDirectoryIsAReparsePoint, 0xC0000281, "STATUS_DIRECTORY_IS_A_REPARSE_POINT") \
  X(kNetworkSessionExpired, 0xC000035C, "STATUS_NETWORK_SESSION_EXPIRED") \
  X(kVolumeDismounted, 0xC000026E, "STATUS_VOLUME_DISMOUNTED") \
  X(kTooManyLinks, 0xC0000265, "STATUS_TOO_MANY_LINKS") \
  X(kContextMismatch, 0xC0000719, "STATUS_CONTEXT_MISMATCH") \
  X(kServerUnavailable, 0xC0000466, "STATUS_SERVER_UNAVAILABLE") \
  X(kFileNotAvailable, 0xC0000467, "STATUS_FILE_NOT_AVAILABLE") \
  X(kShareUnavailable, 0xC0000480, "STATUS_SHARE_UNAVAILABLE") \
  X(kFsDriverRequired, 0xC000019C, "STATUS_FS_DRIVER_REQUIRED") \
  X(kInvalidSignature, 0xC000A000, "STATUS_INVALID_SIGNATURE") \
  X(kHashNotSupported, 0xC000A100, "STATUS_HASH_NOT_SUPPORTED") \
  X(kInvalidToken, 0xC0000465, "STATUS_INVALID_TOKEN") \
  X(kNoSuchUser, 0xC0000064, "STATUS_NO_SUCH_USER") \
  X(kNoneMapped, 0xC0000073, "STATUS_NONE_MAPPED") \
  X(kSomeNotMapped, 0x00000107, "STATUS_SOME_NOT_MAPPED") \
  X(kSmbNoPreauthIntegrityHashOverlap, 0xC05D0000, "STATUS_SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP") \
  X(kSmbBadClusterDialect, 0xC05D0001, "STATUS_SMB_BAD_CLUSTER_DIALECT")

enum class [[nodiscard]] NtStatus : std::uint32_t {
#define HOLDFAST_NT_STATUS_ENUM(name, value, text) name = value,
  HOLDFAST_NT_STATUS_LIST(HOLDFAST_NT_STATUS_ENUM)
#undef HOLDFAST_NT_STATUS_ENUM
};

// "STATUS_SHARING_VIOLATION"; a value not in the list prints as "0xC0001234" (static buffer per thread).
std::string_view NtStatusName(NtStatus status);

// Severity bits 11: an error, [MS-ERREF] 2.3.
constexpr bool IsError(NtStatus status) { return (static_cast<std::uint32_t>(status) >> 30) == 3; }

}  // namespace holdfast
