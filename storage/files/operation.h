// Small facts that the operations on an open share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "protocol/dtyp/access_mask.h"
#include "storage/files/file_state.h"

namespace holdfast {

// Bits of Inode::sticky_times and Open::sticky_times.
namespace sticky_time {
inline constexpr std::uint32_t kCreation = 1;
inline constexpr std::uint32_t kAccess = 2;
inline constexpr std::uint32_t kWrite = 4;
inline constexpr std::uint32_t kChange = 8;
}  // namespace sticky_time

inline constexpr std::uint64_t kMaxOffset = 0x7FFF'FFFF'FFFF'FFFF;  // MAXLONGLONG of [MS-FSA]

inline bool HasAny(const Open& open, std::uint32_t access) { return (open.granted_access & access) != 0; }
inline bool HasAll(const Open& open, std::uint32_t access) { return (open.granted_access & access) == access; }

constexpr std::uint64_t RoundUpToCluster(std::uint64_t bytes) {
  return (bytes + (kClusterBytes - 1)) & ~std::uint64_t{kClusterBytes - 1};
}

// AllocationSize of a stream that is not sparse: never less than its size.
inline std::uint64_t FullAllocation(const StreamFacts& facts) {
  return RoundUpToCluster(std::max(facts.size, facts.allocation_size));
}

// FileAttributes as a client sees them: NORMAL when nothing else, [MS-FSA] 2.1.5.12.6.
std::uint32_t ShownAttributes(const Inode& inode, bool sparse);

// Name of what the open changes in reports of changes: "file" or "file:stream".
inline std::u16string ReportedName(const Open& open) {
  const StreamState* stream = open.stream == kUnnamedStream ? nullptr : open.file->Stream(open.stream);
  return stream ? open.link.name + u":" + stream->facts.name : open.link.name;
}

}  // namespace holdfast
