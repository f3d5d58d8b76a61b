// [MS-SMB2] 2.2: the values that more than one message, context or handler speaks of.
// Enumerations hold one of a list, namespaces hold bits that combine.
#pragma once

#include <cstdint>

namespace holdfast::smb2 {

enum class Dialect : std::uint16_t {
  k202 = 0x0202,
  k210 = 0x0210,
  k2FF = 0x02FF,  // the wildcard that answers an SMB1 multi-protocol negotiate, 2.2.4
  k300 = 0x0300,
  k302 = 0x0302,
  k311 = 0x0311,
};

// "3.1.1"
constexpr const char* DialectName(Dialect dialect) {
  switch (dialect) {
    case Dialect::k202: return "2.0.2";
    case Dialect::k210: return "2.1";
    case Dialect::k2FF: return "2.???";
    case Dialect::k300: return "3.0";
    case Dialect::k302: return "3.0.2";
    case Dialect::k311: return "3.1.1";
  }
  return "unknown";
}

// The SMB 3.x dialect family.
constexpr bool IsSmb3(Dialect dialect) { return dialect >= Dialect::k300; }

// 2.2.3: SecurityMode.
namespace security_mode {
inline constexpr std::uint16_t kSigningEnabled = 0x0001;
inline constexpr std::uint16_t kSigningRequired = 0x0002;
}  // namespace security_mode

// 2.2.3, 2.2.4: Capabilities.
namespace capability {
inline constexpr std::uint32_t kDfs = 0x00000001;
inline constexpr std::uint32_t kLeasing = 0x00000002;
inline constexpr std::uint32_t kLargeMtu = 0x00000004;
inline constexpr std::uint32_t kMultiChannel = 0x00000008;
inline constexpr std::uint32_t kPersistentHandles = 0x00000010;
inline constexpr std::uint32_t kDirectoryLeasing = 0x00000020;
inline constexpr std::uint32_t kEncryption = 0x00000040;
inline constexpr std::uint32_t kNotifications = 0x00000080;
}  // namespace capability

// 2.2.5: SESSION_SETUP request Flags.
namespace session_setup_flag {
inline constexpr std::uint8_t kBinding = 0x01;
}  // namespace session_setup_flag

// 2.2.6: SessionFlags.
namespace session_flag {
inline constexpr std::uint16_t kIsGuest = 0x0001;
inline constexpr std::uint16_t kIsNull = 0x0002;
inline constexpr std::uint16_t kEncryptData = 0x0004;
}  // namespace session_flag

// 2.2.9: TREE_CONNECT request Flags (3.1.1 only; ignored before).
namespace tree_connect_flag {
inline constexpr std::uint16_t kClusterReconnect = 0x0001;
inline constexpr std::uint16_t kRedirectToOwner = 0x0002;
inline constexpr std::uint16_t kExtensionPresent = 0x0004;
}  // namespace tree_connect_flag

// 2.2.10
enum class ShareType : std::uint8_t { kDisk = 0x01, kPipe = 0x02, kPrint = 0x03 };

namespace share_flag {
inline constexpr std::uint32_t kManualCaching = 0x00000000;
inline constexpr std::uint32_t kAutoCaching = 0x00000010;
inline constexpr std::uint32_t kVdoCaching = 0x00000020;
inline constexpr std::uint32_t kNoCaching = 0x00000030;
inline constexpr std::uint32_t kDfs = 0x00000001;
inline constexpr std::uint32_t kDfsRoot = 0x00000002;
inline constexpr std::uint32_t kRestrictExclusiveOpens = 0x00000100;
inline constexpr std::uint32_t kForceSharedDelete = 0x00000200;
inline constexpr std::uint32_t kAllowNamespaceCaching = 0x00000400;
inline constexpr std::uint32_t kAccessBasedDirectoryEnum = 0x00000800;
inline constexpr std::uint32_t kForceLevelIIOplock = 0x00001000;
inline constexpr std::uint32_t kEnableHashV1 = 0x00002000;
inline constexpr std::uint32_t kEnableHashV2 = 0x00004000;
inline constexpr std::uint32_t kEncryptData = 0x00008000;
inline constexpr std::uint32_t kIdentityRemoting = 0x00040000;
inline constexpr std::uint32_t kCompressData = 0x00100000;
inline constexpr std::uint32_t kIsolatedTransport = 0x00200000;
}  // namespace share_flag

namespace share_capability {
inline constexpr std::uint32_t kDfs = 0x00000008;
inline constexpr std::uint32_t kContinuousAvailability = 0x00000010;
inline constexpr std::uint32_t kScaleout = 0x00000020;
inline constexpr std::uint32_t kCluster = 0x00000040;
inline constexpr std::uint32_t kAsymmetric = 0x00000080;
inline constexpr std::uint32_t kRedirectToOwner = 0x00000100;
}  // namespace share_capability

// 2.2.13
enum class OplockLevel : std::uint8_t {
  kNone = 0x00,
  kLevelII = 0x01,
  kExclusive = 0x08,
  kBatch = 0x09,
  kLease = 0xFF,
};
enum class ImpersonationLevel : std::uint32_t {
  kAnonymous = 0,
  kIdentification = 1,
  kImpersonation = 2,
  kDelegate = 3,
};
enum class CreateDisposition : std::uint32_t {
  kSupersede = 0,
  kOpen = 1,
  kCreate = 2,
  kOpenIf = 3,
  kOverwrite = 4,
  kOverwriteIf = 5,
};

namespace share_access {
inline constexpr std::uint32_t kRead = 0x00000001;
inline constexpr std::uint32_t kWrite = 0x00000002;
inline constexpr std::uint32_t kDelete = 0x00000004;
inline constexpr std::uint32_t kAll = 0x00000007;
}  // namespace share_access

namespace create_option {
inline constexpr std::uint32_t kDirectoryFile = 0x00000001;
inline constexpr std::uint32_t kWriteThrough = 0x00000002;
inline constexpr std::uint32_t kSequentialOnly = 0x00000004;
inline constexpr std::uint32_t kNoIntermediateBuffering = 0x00000008;
inline constexpr std::uint32_t kSynchronousIoAlert = 0x00000010;
inline constexpr std::uint32_t kSynchronousIoNonalert = 0x00000020;
inline constexpr std::uint32_t kNonDirectoryFile = 0x00000040;
inline constexpr std::uint32_t kCompleteIfOplocked = 0x00000100;
inline constexpr std::uint32_t kNoEaKnowledge = 0x00000200;
inline constexpr std::uint32_t kOpenRemoteInstance = 0x00000400;
inline constexpr std::uint32_t kRandomAccess = 0x00000800;
inline constexpr std::uint32_t kDeleteOnClose = 0x00001000;
inline constexpr std::uint32_t kOpenByFileId = 0x00002000;
inline constexpr std::uint32_t kOpenForBackupIntent = 0x00004000;
inline constexpr std::uint32_t kNoCompression = 0x00008000;
inline constexpr std::uint32_t kOpenRequiringOplock = 0x00010000;
inline constexpr std::uint32_t kDisallowExclusive = 0x00020000;
inline constexpr std::uint32_t kReserveOpfilter = 0x00100000;
inline constexpr std::uint32_t kOpenReparsePoint = 0x00200000;
inline constexpr std::uint32_t kOpenNoRecall = 0x00400000;
inline constexpr std::uint32_t kOpenForFreeSpaceQuery = 0x00800000;
}  // namespace create_option

// 2.2.14
namespace create_response_flag {
inline constexpr std::uint8_t kReparsePoint = 0x01;
}  // namespace create_response_flag
enum class CreateAction : std::uint32_t { kSuperseded = 0, kOpened = 1, kCreated = 2, kOverwritten = 3 };

// 2.2.13.2.8, 2.2.13.2.10: LeaseState and its Flags.
namespace lease_state {
inline constexpr std::uint32_t kNone = 0x00;
inline constexpr std::uint32_t kReadCaching = 0x01;
inline constexpr std::uint32_t kHandleCaching = 0x02;
inline constexpr std::uint32_t kWriteCaching = 0x04;
}  // namespace lease_state

namespace lease_flag {
inline constexpr std::uint32_t kBreakInProgress = 0x00000002;
inline constexpr std::uint32_t kParentLeaseKeySet = 0x00000004;
}  // namespace lease_flag

// 2.2.23.2: Flags of the lease break notification.
namespace lease_break_flag {
inline constexpr std::uint32_t kAckRequired = 0x00000001;
}  // namespace lease_break_flag

// 2.2.13.2.11: Flags of the durable handle contexts, version 2.
namespace durable_flag {
inline constexpr std::uint32_t kPersistent = 0x00000002;
}  // namespace durable_flag

// 2.2.15, 2.2.16
namespace close_flag {
inline constexpr std::uint16_t kPostqueryAttrib = 0x0001;
}  // namespace close_flag

// 2.2.19, 2.2.20
namespace read_flag {
inline constexpr std::uint8_t kReadUnbuffered = 0x01;
inline constexpr std::uint8_t kRequestCompressed = 0x02;
}  // namespace read_flag

// 2.2.21
namespace write_flag {
inline constexpr std::uint32_t kWriteThrough = 0x00000001;
inline constexpr std::uint32_t kWriteUnbuffered = 0x00000002;
}  // namespace write_flag

// 2.2.19, 2.2.21: Channel.
enum class Channel : std::uint32_t { kNone = 0, kRdmaV1 = 1, kRdmaV1Invalidate = 2, kRdmaTransform = 3 };

// 2.2.26.1
namespace lock_flag {
inline constexpr std::uint32_t kSharedLock = 0x00000001;
inline constexpr std::uint32_t kExclusiveLock = 0x00000002;
inline constexpr std::uint32_t kUnlock = 0x00000004;
inline constexpr std::uint32_t kFailImmediately = 0x00000010;
}  // namespace lock_flag

// 2.2.31
namespace ioctl_flag {
inline constexpr std::uint32_t kIsFsctl = 0x00000001;
}  // namespace ioctl_flag

// 2.2.33
namespace query_directory_flag {
inline constexpr std::uint8_t kRestartScans = 0x01;
inline constexpr std::uint8_t kReturnSingleEntry = 0x02;
inline constexpr std::uint8_t kIndexSpecified = 0x04;
inline constexpr std::uint8_t kReopen = 0x10;
}  // namespace query_directory_flag

// 2.2.35
namespace change_notify_flag {
inline constexpr std::uint16_t kWatchTree = 0x0001;
}  // namespace change_notify_flag

namespace completion_filter {
inline constexpr std::uint32_t kFileName = 0x00000001;
inline constexpr std::uint32_t kDirName = 0x00000002;
inline constexpr std::uint32_t kAttributes = 0x00000004;
inline constexpr std::uint32_t kSize = 0x00000008;
inline constexpr std::uint32_t kLastWrite = 0x00000010;
inline constexpr std::uint32_t kLastAccess = 0x00000020;
inline constexpr std::uint32_t kCreation = 0x00000040;
inline constexpr std::uint32_t kEa = 0x00000080;
inline constexpr std::uint32_t kSecurity = 0x00000100;
inline constexpr std::uint32_t kStreamName = 0x00000200;
inline constexpr std::uint32_t kStreamSize = 0x00000400;
inline constexpr std::uint32_t kStreamWrite = 0x00000800;
inline constexpr std::uint32_t kValidMask = 0x00000FFF;
}  // namespace completion_filter

// 2.2.37, 2.2.39
enum class InfoType : std::uint8_t { kFile = 0x01, kFilesystem = 0x02, kSecurity = 0x03, kQuota = 0x04 };

// 2.2.37: AdditionalInformation of a security query or set.
namespace security_information {
inline constexpr std::uint32_t kOwner = 0x00000001;
inline constexpr std::uint32_t kGroup = 0x00000002;
inline constexpr std::uint32_t kDacl = 0x00000004;
inline constexpr std::uint32_t kSacl = 0x00000008;
inline constexpr std::uint32_t kLabel = 0x00000010;
inline constexpr std::uint32_t kAttribute = 0x00000020;
inline constexpr std::uint32_t kScope = 0x00000040;
inline constexpr std::uint32_t kBackup = 0x00010000;
}  // namespace security_information

// 2.2.37: Flags of a FileFullEaInformation query.
namespace query_ea_flag {
inline constexpr std::uint32_t kRestartScan = 0x00000001;
inline constexpr std::uint32_t kReturnSingleEntry = 0x00000002;
inline constexpr std::uint32_t kIndexSpecified = 0x00000004;
}  // namespace query_ea_flag

}  // namespace holdfast::smb2
