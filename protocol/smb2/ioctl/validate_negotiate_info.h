// [MS-SMB2] 2.2.31.4 and 2.2.32.6: FSCTL_VALIDATE_NEGOTIATE_INFO.
#pragma once

#include <vector>

#include "protocol/dtyp/guid.h"
#include "protocol/smb2/constants.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.31.4
struct ValidateNegotiateInfoRequest {
  std::uint32_t capabilities = 0;
  Guid guid{};  // ClientGuid
  std::uint16_t security_mode = 0;
  std::vector<Dialect> dialects{};

  static void Fields(auto& m, auto& c) {
    c.Field(m.capabilities, "capabilities");
    c.Field(m.guid, "guid");
    c.Field(m.security_mode, "security_mode");
    c.Count16(m.dialects, "dialect_count");
    c.Array(m.dialects, "dialects");
  }
};

// 2.2.32.6
struct ValidateNegotiateInfoResponse {
  std::uint32_t capabilities = 0;
  Guid guid{};  // ServerGuid
  std::uint16_t security_mode = 0;
  Dialect dialect = Dialect::k202;

  static void Fields(auto& m, auto& c) {
    c.Field(m.capabilities, "capabilities");
    c.Field(m.guid, "guid");
    c.Field(m.security_mode, "security_mode");
    c.Field(m.dialect, "dialect");
  }
};

}  // namespace holdfast::smb2
