// STATUS_STOPPED_ON_SYMLINK and where the link leads, [MS-SMB2] 2.2.2.2.1.
#pragma once

#include "server/request/request.h"

namespace holdfast {

// The answer to a CREATE of `path` that storage/files stopped at a symbolic link. Looks for the first link on the path
// once more; when it has gone meanwhile the answer has no data.
Task<Reply> StoppedOnSymlink(RequestPtr request, std::u16string path);

}  // namespace holdfast
