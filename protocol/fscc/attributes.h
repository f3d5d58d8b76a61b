// [MS-FSCC] 2.6: file attributes.
#pragma once

#include <cstdint>

namespace holdfast::file_attribute {

inline constexpr std::uint32_t kReadonly = 0x00000001;
inline constexpr std::uint32_t kHidden = 0x00000002;
inline constexpr std::uint32_t kSystem = 0x00000004;
inline constexpr std::uint32_t kDirectory = 0x00000010;
inline constexpr std::uint32_t kArchive = 0x00000020;
inline constexpr std::uint32_t kNormal = 0x00000080;
inline constexpr std::uint32_t kTemporary = 0x00000100;
inline constexpr std::uint32_t kSparseFile = 0x00000200;
inline constexpr std::uint32_t kReparsePoint = 0x00000400;
inline constexpr std::uint32_t kCompressed = 0x00000800;
inline constexpr std::uint32_t kOffline = 0x00001000;
inline constexpr std::uint32_t kNotContentIndexed = 0x00002000;
inline constexpr std::uint32_t kEncrypted = 0x00004000;
inline constexpr std::uint32_t kIntegrityStream = 0x00008000;
inline constexpr std::uint32_t kNoScrubData = 0x00020000;
inline constexpr std::uint32_t kRecallOnOpen = 0x00040000;
inline constexpr std::uint32_t kPinned = 0x00080000;
inline constexpr std::uint32_t kUnpinned = 0x00100000;
inline constexpr std::uint32_t kRecallOnDataAccess = 0x00400000;

// Every bit that the section defines.
inline constexpr std::uint32_t kValidMask = 0x005EFFB7;

}  // namespace holdfast::file_attribute
