// [MS-SMB2] 2.2.26 and 2.2.27: LOCK.
#pragma once

#include <vector>

#include "protocol/smb2/constants.h"
#include "protocol/smb2/file_id.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.26.1
struct LockElement {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint32_t flags = 0;  // lock_flag

  bool operator==(const LockElement&) const = default;

  static void Fields(auto& m, auto& c) {
    c.Field(m.offset, "offset");
    c.Field(m.length, "length");
    c.Field(m.flags, "flags");
    c.Reserved(4, "reserved");
  }
};

// 2.2.26
struct LockRequest {
  std::uint32_t lock_sequence = 0;  // number in the low 4 bits, index (1..64, 0 none) in the others
  FileId file_id{};
  std::vector<LockElement> locks{};  // may be empty on the wire, which is an error of the request

  std::uint8_t lock_sequence_number() const { return static_cast<std::uint8_t>(lock_sequence & 0xF); }
  std::uint32_t lock_sequence_index() const { return lock_sequence >> 4; }

  static void Fields(auto& m, auto& c) {
    c.StructureSize(48);
    c.Count16(m.locks, "lock_count");
    c.Field(m.lock_sequence, "lock_sequence");
    c.Field(m.file_id, "file_id");
    c.Array(m.locks, "locks");
  }
};

// 2.2.27
struct LockResponse {
  static void Fields(auto&, auto& c) {
    c.StructureSize(4);
    c.Reserved(2, "reserved");
  }
};

}  // namespace holdfast::smb2
