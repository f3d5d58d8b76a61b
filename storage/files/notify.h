// What CHANGE_NOTIFY speaks of: the actions and filters that ReportChange takes.
#pragma once

#include <cstdint>

namespace holdfast {

// FILE_ACTION_*, [MS-FSCC] 2.7.1.
namespace file_action {
inline constexpr std::uint32_t kAdded = 1;
inline constexpr std::uint32_t kRemoved = 2;
inline constexpr std::uint32_t kModified = 3;
inline constexpr std::uint32_t kRenamedOldName = 4;
inline constexpr std::uint32_t kRenamedNewName = 5;
inline constexpr std::uint32_t kAddedStream = 6;
inline constexpr std::uint32_t kRemovedStream = 7;
inline constexpr std::uint32_t kModifiedStream = 8;
}  // namespace file_action

// FILE_NOTIFY_CHANGE_*, the bits of a completion filter.
namespace notify_filter {
inline constexpr std::uint32_t kFileName = 0x00000001;
inline constexpr std::uint32_t kDirectoryName = 0x00000002;
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
}  // namespace notify_filter

}  // namespace holdfast
