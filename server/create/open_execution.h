// [MS-SMB2] 3.3.5.9 without wire: from what is asked to an open handle.
#pragma once

#include "server/create/create_intent.h"
#include "server/request/request.h"

namespace holdfast {

struct CreateResult {
  HandlePtr handle;
  std::uint32_t create_action = 0;
  bool durable_response = false;
  std::optional<std::uint8_t> oplock_level;  // of a replay; else that of the open
};

// Checks of the fixed fields that no file is needed for.
NtStatus CheckCreateFields(const smb2::CreateRequest& message);

// A file or directory of a disk share: opens, creates, replays or reconnects it, and puts it into the session.
// With STATUS_STOPPED_ON_SYMLINK `stopped` tells where.
Task<Result<CreateResult>> OpenFile(RequestPtr request, smb2::CreateRequest message, CreateIntent intent,
                                    std::shared_ptr<SymlinkStop> stopped);

// A pipe of IPC$.
Result<CreateResult> OpenNamedPipe(Request& request, const smb2::CreateRequest& message, const CreateIntent& intent);

}  // namespace holdfast
