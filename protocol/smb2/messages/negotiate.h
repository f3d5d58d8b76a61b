// [MS-SMB2] 2.2.3 and 2.2.4: NEGOTIATE.
#pragma once

#include <algorithm>
#include <vector>

#include "protocol/base/clock.h"
#include "protocol/dtyp/guid.h"
#include "protocol/smb2/constants.h"
#include "protocol/smb2/contexts/negotiate_context.h"

namespace holdfast::smb2 {

// 2.2.3
struct NegotiateRequest {
  std::uint16_t security_mode = 0;
  std::uint32_t capabilities = 0;
  Guid client_guid{};
  std::vector<Dialect> dialects{};  // as sent: may hold unknown values
  std::vector<NegotiateContext> negotiate_contexts{};  // only when 3.1.1 is offered

  bool Offers(Dialect dialect) const { return std::find(dialects.begin(), dialects.end(), dialect) != dialects.end(); }

  static void Fields(auto& m, auto& c) {
    c.StructureSize(36);
    c.Count16(m.dialects, "dialect_count");
    c.Field(m.security_mode, "security_mode");
    c.Reserved(2, "reserved");
    c.Field(m.capabilities, "capabilities");
    c.Field(m.client_guid, "client_guid");
    // ClientStartTime, unused, when 3.1.1 is not offered.
    c.Offset32(m.negotiate_contexts, "negotiate_context_offset");
    c.Count16(m.negotiate_contexts, "negotiate_context_count");
    c.Reserved(2, "reserved2");
    c.Array(m.dialects, "dialects");
    if (m.Offers(Dialect::k311)) c.AlignedArray(m.negotiate_contexts, "negotiate_contexts");
  }
};

// 2.2.4
struct NegotiateResponse {
  std::uint16_t security_mode = 0;
  Dialect dialect_revision = Dialect::k202;
  Guid server_guid{};
  std::uint32_t capabilities = 0;
  std::uint32_t max_transact_size = 0;
  std::uint32_t max_read_size = 0;
  std::uint32_t max_write_size = 0;
  FileTime system_time = 0;
  FileTime server_start_time = 0;
  ByteView security_buffer{};
  std::vector<NegotiateContext> negotiate_contexts{};  // only with 3.1.1

  static void Fields(auto& m, auto& c) {
    c.StructureSize(65);
    c.Field(m.security_mode, "security_mode");
    c.Field(m.dialect_revision, "dialect_revision");
    c.Count16(m.negotiate_contexts, "negotiate_context_count");
    c.Field(m.server_guid, "server_guid");
    c.Field(m.capabilities, "capabilities");
    c.Field(m.max_transact_size, "max_transact_size");
    c.Field(m.max_read_size, "max_read_size");
    c.Field(m.max_write_size, "max_write_size");
    c.Field(m.system_time, "system_time");
    c.Field(m.server_start_time, "server_start_time");
    c.Offset16(m.security_buffer, "security_buffer_offset");
    c.Length16(m.security_buffer, "security_buffer_length");
    c.Offset32(m.negotiate_contexts, "negotiate_context_offset");
    c.Buffer(m.security_buffer, "security_buffer");
    if (m.dialect_revision == Dialect::k311) c.AlignedArray(m.negotiate_contexts, "negotiate_contexts");
    c.AtLeastOneByte();
  }
};

}  // namespace holdfast::smb2
