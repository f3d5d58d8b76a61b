// [MS-SMB2] 2.2.13.2.1, .2, .5, .6, .7, .9 and 2.2.14.2.5, .9: the contexts that ask or tell about the file itself.
// ExtA holds FILE_FULL_EA_INFORMATION entries ([MS-FSCC] 2.4.16) and SecD a self-relative security descriptor
// ([MS-DTYP] 2.4.6): their data is taken as it is. QFid is empty in the request.
#pragma once

#include "protocol/base/clock.h"
#include "protocol/erref/ntstatus.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.13.2.5: MxAc. The data may also be empty; then there is nothing to decode.
struct QueryMaximalAccessRequest {
  FileTime timestamp = 0;  // no answer is wanted when the file has not changed since

  static void Fields(auto& m, auto& c) { c.Field(m.timestamp, "timestamp"); }
};

// 2.2.14.2.5: MxAc.
struct QueryMaximalAccessResponse {
  NtStatus query_status = NtStatus::kSuccess;
  std::uint32_t maximal_access = 0;  // access::

  static void Fields(auto& m, auto& c) {
    c.Field(m.query_status, "query_status");
    c.Field(m.maximal_access, "maximal_access");
  }
};

// 2.2.13.2.6: AlSi.
struct AllocationSize {
  std::uint64_t allocation_size = 0;  // bytes

  static void Fields(auto& m, auto& c) { c.Field(m.allocation_size, "allocation_size"); }
};

// 2.2.13.2.7: TWrp.
struct TimewarpToken {
  FileTime timestamp = 0;

  static void Fields(auto& m, auto& c) { c.Field(m.timestamp, "timestamp"); }
};

// 2.2.14.2.9: QFid.
struct QueryOnDiskIdResponse {
  std::uint64_t disk_file_id = 0;
  std::uint64_t volume_id = 0;

  static void Fields(auto& m, auto& c) {
    c.Field(m.disk_file_id, "disk_file_id");
    c.Field(m.volume_id, "volume_id");
    c.Reserved(16, "reserved");
  }
};

}  // namespace holdfast::smb2
