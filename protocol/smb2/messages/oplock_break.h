// [MS-SMB2] 2.2.23 to 2.2.25: OPLOCK_BREAK, for oplocks and for leases. The StructureSize (PeekStructureSize) tells
// which of the two an acknowledgment is.
#pragma once

#include "protocol/dtyp/guid.h"
#include "protocol/smb2/constants.h"
#include "protocol/smb2/file_id.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.23.1
struct OplockBreakNotification {
  static constexpr std::uint16_t kStructureSize = 24;

  OplockLevel oplock_level = OplockLevel::kNone;
  FileId file_id{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(kStructureSize);
    c.Field(m.oplock_level, "oplock_level");
    c.Reserved(5, "reserved");
    c.Field(m.file_id, "file_id");
  }
};

using OplockBreakAcknowledgment = OplockBreakNotification;  // 2.2.24.1 has the same layout ...
using OplockBreakResponse = OplockBreakNotification;        // ... and so has 2.2.25.1

// 2.2.23.2
struct LeaseBreakNotification {
  static constexpr std::uint16_t kStructureSize = 44;

  std::uint16_t new_epoch = 0;
  std::uint32_t flags = 0;  // lease_break_flag
  Guid lease_key{};
  std::uint32_t current_lease_state = 0;
  std::uint32_t new_lease_state = 0;
  std::uint32_t break_reason = 0;
  std::uint32_t access_mask_hint = 0;
  std::uint32_t share_mask_hint = 0;

  static void Fields(auto& m, auto& c) {
    c.StructureSize(kStructureSize);
    c.Field(m.new_epoch, "new_epoch");
    c.Field(m.flags, "flags");
    c.Field(m.lease_key, "lease_key");
    c.Field(m.current_lease_state, "current_lease_state");
    c.Field(m.new_lease_state, "new_lease_state");
    c.Field(m.break_reason, "break_reason");
    c.Field(m.access_mask_hint, "access_mask_hint");
    c.Field(m.share_mask_hint, "share_mask_hint");
  }
};

// 2.2.24.2
struct LeaseBreakAcknowledgment {
  static constexpr std::uint16_t kStructureSize = 36;

  std::uint32_t flags = 0;
  Guid lease_key{};
  std::uint32_t lease_state = 0;  // lease_state::
  std::uint64_t lease_duration = 0;

  static void Fields(auto& m, auto& c) {
    c.StructureSize(kStructureSize);
    c.Reserved(2, "reserved");
    c.Field(m.flags, "flags");
    c.Field(m.lease_key, "lease_key");
    c.Field(m.lease_state, "lease_state");
    c.Field(m.lease_duration, "lease_duration");
  }
};

using LeaseBreakResponse = LeaseBreakAcknowledgment;  // 2.2.25.2 has the same layout

}  // namespace holdfast::smb2
