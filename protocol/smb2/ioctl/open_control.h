// Buffers of FSCTLs about an open or its snapshots: resiliency, snapshots, branch-cache hashes.
#pragma once

#include <string>

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// [MS-SMB2] 2.2.31.3: FSCTL_LMR_REQUEST_RESILIENCY. There is no output.
struct NetworkResiliencyRequest {
  std::uint32_t timeout = 0;  // milliseconds

  static void Fields(auto& m, auto& c) {
    c.Field(m.timeout, "timeout");
    c.Reserved(4, "reserved");
  }
};

// [MS-SMB2] 2.2.32.2: FSCTL_SRV_ENUMERATE_SNAPSHOTS. When the array does not fit, only its size is told.
struct SrvSnapshotArray {
  std::uint32_t number_of_snap_shots = 0;
  std::uint32_t number_of_snap_shots_returned = 0;
  std::uint32_t snap_shot_array_size = 0;  // bytes
  std::u16string snap_shots{};             // "@GMT-..." tokens, each terminated, and one more terminator

  static void Fields(auto& m, auto& c) {
    c.Field(m.number_of_snap_shots, "number_of_snap_shots");
    c.Field(m.number_of_snap_shots_returned, "number_of_snap_shots_returned");
    c.Field(m.snap_shot_array_size, "snap_shot_array_size");
    c.Rest(m.snap_shots, "snap_shots");
  }
};

// [MS-SMB2] 2.2.31.2: FSCTL_SRV_READ_HASH.
struct SrvReadHashRequest {
  std::uint32_t hash_type = 1;
  std::uint32_t hash_version = 1;
  std::uint32_t hash_retrieval_type = 1;
  std::uint32_t length = 0;
  std::uint64_t offset = 0;

  static void Fields(auto& m, auto& c) {
    c.Field(m.hash_type, "hash_type");
    c.Field(m.hash_version, "hash_version");
    c.Field(m.hash_retrieval_type, "hash_retrieval_type");
    c.Field(m.length, "length");
    c.Field(m.offset, "offset");
  }
};

}  // namespace holdfast::smb2
