// Named pipes as READ, WRITE and IOCTL see them: a READ of an empty pipe waits for the next WRITE.
#pragma once

#include "server/request/request.h"
#include "storage/async/task.h"

namespace holdfast {

// [MS-SMB2] 3.3.5.12. Waits until the pipe has bytes; ended by CANCEL (STATUS_CANCELLED) and by the end of the handle
// (STATUS_PIPE_BROKEN).
Task<Result<NamedPipe::Output>> ReadPipe(RequestPtr request, std::size_t max);

// After bytes went in: those who wait look again.
void WakePipeReaders(Handle& handle);

// The handle goes; `handle.closing` is set already.
void EndPipeReaders(Handle& handle);

}  // namespace holdfast
