// [MS-SMB2] 2.2.13.2.13 and 2.2.13.2.15: the identity by which a failed-over application replaces its own opens.
#pragma once

#include "protocol/dtyp/guid.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.13.2.13
struct AppInstanceId {
  Guid app_instance_id{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(20);
    c.Reserved(2, "reserved");
    c.Field(m.app_instance_id, "app_instance_id");
  }
};

// 2.2.13.2.15
struct AppInstanceVersion {
  std::uint64_t app_instance_version_high = 0;
  std::uint64_t app_instance_version_low = 0;

  static void Fields(auto& m, auto& c) {
    c.StructureSize(24);
    c.Reserved(6, "reserved");
    c.Field(m.app_instance_version_high, "app_instance_version_high");
    c.Field(m.app_instance_version_low, "app_instance_version_low");
  }
};

}  // namespace holdfast::smb2
