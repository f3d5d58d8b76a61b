// A set of file numbers kept as keys of one object: the takeover index, the orphans.
#pragma once

#include <string>
#include <vector>

#include "storage/engine/engine.h"
#include "storage/volume/keys.h"

namespace holdfast {

class NumberSet {
 public:
  NumberSet(Engine& engine, std::string object) : engine_(engine), object_(std::move(object)) {}

  const std::string& object() const { return object_; }
  Task<EngineError> Add(FileNumber number, Durability durability);
  // Never waits for the disk: an entry too many is harmless.
  Task<EngineError> Remove(FileNumber number);
  Task<EngineResult<std::vector<FileNumber>>> ReadAll();

 private:
  Engine& engine_;
  std::string object_;
};

}  // namespace holdfast
