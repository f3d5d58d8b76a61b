// How full the file system may become: new data stops at a reserve, so that records and deletes always find room.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "storage/engine/engine.h"
#include "storage/engine/file_system.h"

namespace holdfast {

class SpaceGauge {
 public:
  SpaceGauge(std::shared_ptr<FileSystemSeam> files, std::string directory, unsigned percent, std::uint64_t bytes)
      : files_(std::move(files)), directory_(std::move(directory)), percent_(percent), bytes_(bytes) {}

  EngineUsage Usage() const {
    FileSystemSeam::Space space;
    if (files_->GetSpace(directory_, &space) < 0) return {};
    const std::uint64_t reserve = std::max(space.total_bytes / 100 * percent_, bytes_);
    return {space.total_bytes, space.free_bytes - std::min(reserve, space.free_bytes)};
  }
  // Asked anew each time: other programs fill the disk too, and statvfs costs a microsecond.
  bool MayGrow(std::uint64_t by) const { return by <= Usage().free_bytes; }

 private:
  std::shared_ptr<FileSystemSeam> files_;
  std::string directory_;
  unsigned percent_;
  std::uint64_t bytes_;
};

}  // namespace holdfast
