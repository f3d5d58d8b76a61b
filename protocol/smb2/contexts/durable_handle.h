// [MS-SMB2] 2.2.13.2.3, .4, .11, .12 and 2.2.14.2.3, .12: durable and persistent handles.
#pragma once

#include "protocol/dtyp/guid.h"
#include "protocol/smb2/file_id.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.13.2.3: DHnQ.
struct DurableHandleRequest {
  static void Fields(auto&, auto& c) { c.Reserved(16, "durable_request"); }
};

// 2.2.14.2.3: DHnQ.
struct DurableHandleResponse {
  static void Fields(auto&, auto& c) { c.Reserved(8, "reserved"); }
};

// 2.2.13.2.4: DHnC. The server looks at the persistent half only.
struct DurableHandleReconnect {
  FileId file_id{};

  static void Fields(auto& m, auto& c) { c.Field(m.file_id, "file_id"); }
};

// 2.2.13.2.11: DH2Q.
struct DurableHandleRequestV2 {
  std::uint32_t timeout = 0;  // milliseconds; 0 leaves it to the server
  std::uint32_t flags = 0;    // durable_flag
  Guid create_guid{};

  static void Fields(auto& m, auto& c) {
    c.Field(m.timeout, "timeout");
    c.Field(m.flags, "flags");
    c.Reserved(8, "reserved");
    c.Field(m.create_guid, "create_guid");
  }
};

// 2.2.14.2.12: DH2Q.
struct DurableHandleResponseV2 {
  std::uint32_t timeout = 0;  // milliseconds
  std::uint32_t flags = 0;    // durable_flag

  static void Fields(auto& m, auto& c) {
    c.Field(m.timeout, "timeout");
    c.Field(m.flags, "flags");
  }
};

// 2.2.13.2.12: DH2C.
struct DurableHandleReconnectV2 {
  FileId file_id{};
  Guid create_guid{};
  std::uint32_t flags = 0;  // durable_flag

  static void Fields(auto& m, auto& c) {
    c.Field(m.file_id, "file_id");
    c.Field(m.create_guid, "create_guid");
    c.Field(m.flags, "flags");
  }
};

}  // namespace holdfast::smb2
