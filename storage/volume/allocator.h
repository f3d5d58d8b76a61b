// File numbers, unique for ever: taken in slabs from the super object by compare-and-swap, used up in memory.
//
// What is left of a slab when the process ends is never used; 44 bits bear that for four thousand million starts.
#pragma once

#include "storage/engine/engine.h"
#include "storage/volume/named_locks.h"
#include "storage/volume/volume.h"

namespace holdfast {

inline constexpr FileNumber kFirstFileNumber = 64;  // below: the root and what may yet get a fixed number
inline constexpr std::uint64_t kSlabNumbers = 4096;
inline constexpr unsigned kFileNumberBits = 44;

class Allocator {
 public:
  Allocator(Engine& engine, std::uint64_t id_bits) : engine_(engine), id_bits_(id_bits) {}

  // kNoSpace when all numbers are used.
  Task<EngineResult<FileNumber>> Next();
  // The first number no slab has been cut from yet.
  Task<EngineResult<FileNumber>> ReadNextSlab();
  // For repair: numbers below `number` are never given out any more.
  Task<EngineError> SkipTo(FileNumber number);

 private:
  Task<EngineResult<FileNumber>> Take(FileNumber at_least, std::uint64_t count);

  Engine& engine_;
  std::uint64_t id_bits_;
  FileNumber next_ = 0;
  FileNumber end_ = 0;
  AsyncMutex taking_;
};

}  // namespace holdfast
