// Times that follow from use, [MS-FSA] 2.1.4.17, 2.1.4.18 and 2.1.4.20, as one open sees them.
#include "protocol/fscc/attributes.h"
#include "storage/files/files.h"
#include "storage/files/operation.h"

namespace holdfast {
namespace {

void ShowWriteTime(Open& open, FileTime when) {
  if (std::exchange(open.delayed_write_time, 0) == 0 || !open.file) return;
  if (open.sticky_times & sticky_time::kWrite) return;
  Inode& inode = open.file->inode;
  inode.last_write_time = std::max(inode.last_write_time + 1, when);
  open.file->times_dirty = true;
}

}  // namespace

void Files::TouchThrough(const Open& open, bool access, bool write, bool change) {
  FileState& file = *open.file;
  const std::uint32_t fixed = open.sticky_times;
  Touch(file, access && !(fixed & sticky_time::kAccess), write && !(fixed & sticky_time::kWrite),
        change && !(fixed & sticky_time::kChange));
  if (!write || file.inode.directory || (file.inode.file_attributes & file_attribute::kArchive)) return;
  file.inode.file_attributes |= file_attribute::kArchive;
  file.times_dirty = true;
}

void Files::TouchWritten(const OpenPtr& open) {
  if (options_.write_time_delay == Duration{}) {
    TouchThrough(*open, true, true, true);
    return;
  }
  const FileTime shown = open->file->inode.last_write_time;
  TouchThrough(*open, true, true, true);
  if (open->sticky_times & sticky_time::kWrite) return;
  open->file->inode.last_write_time = shown;
  open->delayed_write_time = Now();
  if (open->write_time_delayed) return;
  open->write_time_delayed = true;
  clock_.Schedule(clock_.Now() + options_.write_time_delay, [weak = std::weak_ptr<Open>(open)] {
    if (const OpenPtr written = weak.lock()) ShowWriteTime(*written, written->delayed_write_time);
  });
}

void Files::SettleWriteTime(Open& open) { ShowWriteTime(open, Now()); }

}  // namespace holdfast
