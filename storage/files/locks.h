// Byte-range locks of one stream as a list, [MS-FSA] 2.1.4.10, 2.1.5.8 and 2.1.5.9: no waiting, no records.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "storage/files/files.h"

namespace holdfast {

// A blocking lock that waits for its turn.
struct PendingLock {
  OpenPtr open;
  LockRange range;
  ByteRangeLock granted;       // valid once `result` is kSuccess
  OneShot<NtStatus> result;
};

// 2.1.4.10. `lock_intent`: to lock rather than to read or write. [0, 0] conflicts with nothing.
bool ConflictsWithLocks(const std::vector<ByteRangeLock>& locks, const Open& open, std::uint64_t offset,
                        std::uint64_t length, bool exclusive, bool lock_intent);

// Ranges that reach behind 2^64 - 1 cannot be locked: kInvalidLockRange.
constexpr bool IsLockableRange(std::uint64_t offset, std::uint64_t length) {
  return length == 0 || offset + (length - 1) >= offset;
}

// Gives waiting locks what they no longer conflict with, in the order of asking.
void GrantWaitingLocks(FileState& file, StreamState& stream);

}  // namespace holdfast
