// [MS-DTYP] 2.4.3 and [MS-SMB2] 2.2.13.1: the bits of an access mask.
#pragma once

#include <cstdint>

namespace holdfast::access {

// Rights of files and pipes; the second name is the meaning on a directory.
inline constexpr std::uint32_t kReadData = 0x00000001;
inline constexpr std::uint32_t kListDirectory = 0x00000001;
inline constexpr std::uint32_t kWriteData = 0x00000002;
inline constexpr std::uint32_t kAddFile = 0x00000002;
inline constexpr std::uint32_t kAppendData = 0x00000004;
inline constexpr std::uint32_t kAddSubdirectory = 0x00000004;
inline constexpr std::uint32_t kReadEa = 0x00000008;
inline constexpr std::uint32_t kWriteEa = 0x00000010;
inline constexpr std::uint32_t kExecute = 0x00000020;
inline constexpr std::uint32_t kTraverse = 0x00000020;
inline constexpr std::uint32_t kDeleteChild = 0x00000040;
inline constexpr std::uint32_t kReadAttributes = 0x00000080;
inline constexpr std::uint32_t kWriteAttributes = 0x00000100;

inline constexpr std::uint32_t kDelete = 0x00010000;
inline constexpr std::uint32_t kReadControl = 0x00020000;
inline constexpr std::uint32_t kWriteDac = 0x00040000;
inline constexpr std::uint32_t kWriteOwner = 0x00080000;
inline constexpr std::uint32_t kSynchronize = 0x00100000;
inline constexpr std::uint32_t kAccessSystemSecurity = 0x01000000;
inline constexpr std::uint32_t kMaximumAllowed = 0x02000000;

inline constexpr std::uint32_t kGenericAll = 0x10000000;
inline constexpr std::uint32_t kGenericExecute = 0x20000000;
inline constexpr std::uint32_t kGenericWrite = 0x40000000;
inline constexpr std::uint32_t kGenericRead = 0x80000000;

// What the generic rights stand for on a file, [MS-SMB2] 2.2.13.1.1.
inline constexpr std::uint32_t kFileGenericRead = kReadControl | kReadData | kReadAttributes | kReadEa | kSynchronize;
inline constexpr std::uint32_t kFileGenericWrite =
    kReadControl | kWriteData | kWriteAttributes | kWriteEa | kAppendData | kSynchronize;
inline constexpr std::uint32_t kFileGenericExecute = kReadControl | kReadAttributes | kExecute | kSynchronize;
inline constexpr std::uint32_t kFileAllAccess = 0x001F01FF;

inline constexpr std::uint32_t kStandardRightsAll = kDelete | kReadControl | kWriteDac | kWriteOwner | kSynchronize;
// Every bit a CREATE may ask for; others are STATUS_ACCESS_DENIED.
inline constexpr std::uint32_t kValidMask = kFileAllAccess | kAccessSystemSecurity | kMaximumAllowed | kGenericAll |
                                            kGenericExecute | kGenericWrite | kGenericRead;

// Generic bits replaced by the file rights they stand for; other bits unchanged.
constexpr std::uint32_t MapGeneric(std::uint32_t mask) {
  std::uint32_t mapped = mask & ~(kGenericAll | kGenericExecute | kGenericWrite | kGenericRead);
  if (mask & kGenericAll) mapped |= kFileAllAccess;
  if (mask & kGenericExecute) mapped |= kFileGenericExecute;
  if (mask & kGenericWrite) mapped |= kFileGenericWrite;
  if (mask & kGenericRead) mapped |= kFileGenericRead;
  return mapped;
}

}  // namespace holdfast::access
