// What a FileId of a session leads to: an Open of a file or a named pipe. [MS-SMB2] 3.3.1.10, the session's part.
#pragma once

#include <memory>
#include <vector>

#include "protocol/smb2/file_id.h"
#include "server/pipes/pipe.h"
#include "storage/async/task.h"
#include "storage/files/open.h"

namespace holdfast {

struct TreeConnect;

struct Handle {
  smb2::FileId id;                       // volatile_id unique in the session; persistent_id of the Open (pipes: own)
  std::shared_ptr<TreeConnect> tree;
  OpenPtr open;                          // null for a pipe
  std::shared_ptr<NamedPipe> pipe;       // null for a file
  std::uint32_t current_ea_index = 1;    // Open.CurrentEaIndex, 3.3.5.20.1
  bool closing = false;
  std::vector<std::shared_ptr<OneShot<bool>>> pipe_readers;  // READs of the empty pipe: commands/pipe_io.h
};
using HandlePtr = std::shared_ptr<Handle>;

}  // namespace holdfast
