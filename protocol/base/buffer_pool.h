// Large buffers that are used again. A new one of a MiB costs its pages' faults and two passes of zeros, which is more
// than the rest of what a server does for a READ.
#pragma once

#include <cstddef>
#include <memory>

#include "protocol/base/bytes.h"

namespace holdfast {

// `size` bytes of any content, small ones zero. From what this thread has given back, if something fits.
Bytes TakeBuffer(std::size_t size);
// Keeps a large buffer for the next TakeBuffer() of this thread, within 64 MiB; frees others.
void GiveBuffer(Bytes buffer);
// Shared; the buffer is given back by the thread that lets go of it last.
std::shared_ptr<Bytes> ShareBuffer(Bytes buffer);

}  // namespace holdfast
