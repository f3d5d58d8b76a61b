// [MS-SMB2] 2.2.13.2.8, 2.2.13.2.10, 2.2.14.2.10 and 2.2.14.2.11: RqLs. Request and response have one layout; version
// 1 is 32 bytes long, version 2 is 52.
#pragma once

#include "protocol/dtyp/guid.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

struct LeaseContext {
  static constexpr std::size_t kSize = 32;

  Guid lease_key{};
  std::uint32_t lease_state = 0;  // lease_state::
  std::uint32_t lease_flags = 0;  // lease_flag, in the response only
  std::uint64_t lease_duration = 0;

  static void Fields(auto& m, auto& c) {
    c.Field(m.lease_key, "lease_key");
    c.Field(m.lease_state, "lease_state");
    c.Field(m.lease_flags, "lease_flags");
    c.Field(m.lease_duration, "lease_duration");
  }
};

struct LeaseContextV2 {
  static constexpr std::size_t kSize = 52;

  Guid lease_key{};
  std::uint32_t lease_state = 0;  // lease_state::
  std::uint32_t flags = 0;        // lease_flag
  std::uint64_t lease_duration = 0;
  Guid parent_lease_key{};  // when lease_flag::kParentLeaseKeySet
  std::uint16_t epoch = 0;

  static void Fields(auto& m, auto& c) {
    c.Field(m.lease_key, "lease_key");
    c.Field(m.lease_state, "lease_state");
    c.Field(m.flags, "flags");
    c.Field(m.lease_duration, "lease_duration");
    c.Field(m.parent_lease_key, "parent_lease_key");
    c.Field(m.epoch, "epoch");
    c.Reserved(2, "reserved");
  }
};

}  // namespace holdfast::smb2
