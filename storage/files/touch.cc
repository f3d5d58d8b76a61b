// Times that follow from use, [MS-FSA] 2.1.4.17, 2.1.4.18 and 2.1.4.20, as one open sees them.
#include "protocol/fscc/attributes.h"
#include "storage/files/files.h"
#include "storage/files/operation.h"

namespace holdfast {

void Files::TouchThrough(const Open& open, bool access, bool write, bool change) {
  FileState& file = *open.file;
  const std::uint32_t fixed = open.sticky_times;
  Touch(file, access && !(fixed & sticky_time::kAccess), write && !(fixed & sticky_time::kWrite),
        change && !(fixed & sticky_time::kChange));
  if (!write || file.inode.directory || (file.inode.file_attributes & file_attribute::kArchive)) return;
  file.inode.file_attributes |= file_attribute::kArchive;
  file.times_dirty = true;
}

}  // namespace holdfast
