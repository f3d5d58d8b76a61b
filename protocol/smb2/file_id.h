// [MS-SMB2] 2.2.14.1: SMB2_FILEID.
#pragma once

#include <cstdint>
#include <functional>

namespace holdfast::smb2 {

struct FileId {
  std::uint64_t persistent_id = 0;
  std::uint64_t volatile_id = 0;

  // "The open of the request before" in a related compound, and "no open" in IOCTLs that have none.
  bool IsAllOnes() const { return persistent_id == ~0ULL && volatile_id == ~0ULL; }
  bool operator==(const FileId&) const = default;

  static void Fields(auto& m, auto& c) {
    c.Field(m.persistent_id, "persistent_id");
    c.Field(m.volatile_id, "volatile_id");
  }
};

inline constexpr FileId kAllOnesFileId{~0ULL, ~0ULL};

}  // namespace holdfast::smb2

template <>
struct std::hash<holdfast::smb2::FileId> {
  std::size_t operator()(const holdfast::smb2::FileId& id) const noexcept {
    return static_cast<std::size_t>(id.persistent_id ^ (id.volatile_id * 0x9E3779B97F4A7C15ULL));
  }
};
