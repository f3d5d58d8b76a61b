// [MS-FSCC] 2.1.2: reparse points.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/base/bytes.h"
#include "protocol/dtyp/guid.h"
#include "protocol/erref/result.h"

namespace holdfast::fscc {

namespace reparse_tag {  // 2.1.2.1
inline constexpr std::uint32_t kMountPoint = 0xA0000003;
inline constexpr std::uint32_t kSymlink = 0xA000000C;
inline constexpr std::uint32_t kNfs = 0x80000014;
inline constexpr std::uint32_t kDedup = 0x80000013;
inline constexpr std::uint32_t kAppExecLink = 0x8000001B;
inline constexpr std::uint32_t kLxSymlink = 0xA000001D;
constexpr bool IsMicrosoft(std::uint32_t tag) { return tag & 0x80000000; }
constexpr bool IsNameSurrogate(std::uint32_t tag) { return tag & 0x20000000; }
}  // namespace reparse_tag

inline constexpr std::size_t kMaximumReparseSize = 16384;

// REPARSE_DATA_BUFFER (Microsoft tags) or REPARSE_GUID_DATA_BUFFER (all others).
struct ReparsePoint {
  std::uint32_t tag = 0;
  Guid guid;  // of the tags that are not Microsoft's
  Bytes data;

  // As FSCTL_SET_REPARSE_POINT checks it: kIoReparseDataInvalid when sizes disagree, the buffer is larger than 16 KiB
  // or a symbolic link's or mount point's names lead outside; kIoReparseTagInvalid for reserved tags.
  static Result<ReparsePoint> Parse(ByteView bytes);
  // The header of FSCTL_DELETE_REPARSE_POINT: no data. Same errors.
  static Result<ReparsePoint> ParseDelete(ByteView bytes);
  Bytes Encode() const;
  bool operator==(const ReparsePoint&) const = default;
};

// 2.1.2.4; names with backslashes, the substitute name in the form "\??\C:\…" unless relative.
struct SymbolicLink {
  std::u16string substitute_name;
  std::u16string print_name;
  bool relative = false;  // SYMLINK_FLAG_RELATIVE

  static Result<SymbolicLink> Parse(ByteView data);  // ReparsePoint::data
  ReparsePoint ToReparsePoint() const;
};

// 2.1.2.5
struct MountPoint {
  std::u16string substitute_name;
  std::u16string print_name;

  static Result<MountPoint> Parse(ByteView data);
  ReparsePoint ToReparsePoint() const;
};

}  // namespace holdfast::fscc
