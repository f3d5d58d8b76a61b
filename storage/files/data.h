// What the operations on the bytes and sizes of a stream share.
#pragma once

#include "storage/files/files.h"

namespace holdfast {

// Sees to it that bytes below `end` are found again after a crash before they are written: the inode's size or
// may_extend_to covers them with this durability. The caller holds stream.data.
Task<NtStatus> ReserveEnd(Volume& volume, const FileState& file, StreamState& stream, std::uint64_t end,
                          Durability durability);

// Marks the open as one that has changed its stream, and with `report` tells those who watch.
void ReportWritten(Files& files, Open& open, bool size_changed, bool report);

}  // namespace holdfast
