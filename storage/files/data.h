// What the operations on the bytes and sizes of a stream share.
#pragma once

#include "storage/files/files.h"

namespace holdfast {

// Marks the open as one that has changed its stream, and with `report` tells those who watch.
void ReportWritten(Files& files, Open& open, bool size_changed, bool report);

}  // namespace holdfast
