// [MS-SMB2] 2.2.13 and 2.2.14: CREATE.
#pragma once

#include <string>
#include <vector>

#include "protocol/base/clock.h"
#include "protocol/smb2/constants.h"
#include "protocol/smb2/contexts/create_context.h"
#include "protocol/smb2/file_id.h"

namespace holdfast::smb2 {

// 2.2.13
struct CreateRequest {
  OplockLevel requested_oplock_level = OplockLevel::kNone;
  ImpersonationLevel impersonation_level = ImpersonationLevel::kImpersonation;
  std::uint32_t desired_access = 0;   // access::
  std::uint32_t file_attributes = 0;  // file_attribute::
  std::uint32_t share_access = 0;     // share_access::
  CreateDisposition create_disposition = CreateDisposition::kOpen;  // as sent: may hold an unknown value
  std::uint32_t create_options = 0;   // create_option::
  std::u16string name{};                // relative to the share, empty for its root
  std::vector<CreateContext> contexts{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(57);
    c.Reserved(1, "security_flags");
    c.Field(m.requested_oplock_level, "requested_oplock_level");
    c.Field(m.impersonation_level, "impersonation_level");
    c.Reserved(8, "smb_create_flags");
    c.Reserved(8, "reserved");
    c.Field(m.desired_access, "desired_access");
    c.Field(m.file_attributes, "file_attributes");
    c.Field(m.share_access, "share_access");
    c.Field(m.create_disposition, "create_disposition");
    c.Field(m.create_options, "create_options");
    c.Offset16(m.name, "name_offset");
    c.Length16(m.name, "name_length");
    c.Offset32(m.contexts, "create_contexts_offset");
    c.Length32(m.contexts, "create_contexts_length");
    c.Buffer(m.name, "name");
    c.ChainBuffer(m.contexts, "contexts");
    c.AtLeastOneByte();
  }
};

// 2.2.14
struct CreateResponse {
  OplockLevel oplock_level = OplockLevel::kNone;
  std::uint8_t flags = 0;  // create_response_flag
  CreateAction create_action = CreateAction::kOpened;
  FileTime creation_time = 0;
  FileTime last_access_time = 0;
  FileTime last_write_time = 0;
  FileTime change_time = 0;
  std::uint64_t allocation_size = 0;
  std::uint64_t end_of_file = 0;
  std::uint32_t file_attributes = 0;
  FileId file_id{};
  std::vector<CreateContext> contexts{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(89);
    c.Field(m.oplock_level, "oplock_level");
    c.Field(m.flags, "flags");
    c.Field(m.create_action, "create_action");
    c.Field(m.creation_time, "creation_time");
    c.Field(m.last_access_time, "last_access_time");
    c.Field(m.last_write_time, "last_write_time");
    c.Field(m.change_time, "change_time");
    c.Field(m.allocation_size, "allocation_size");
    c.Field(m.end_of_file, "end_of_file");
    c.Field(m.file_attributes, "file_attributes");
    c.Reserved(4, "reserved2");
    c.Field(m.file_id, "file_id");
    c.Offset32(m.contexts, "create_contexts_offset");
    c.Length32(m.contexts, "create_contexts_length");
    c.ChainBuffer(m.contexts, "contexts");
  }
};

}  // namespace holdfast::smb2
