// Bytes of streams, striped over data objects. Knows nothing of sizes: the inode does.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/engine/engine.h"
#include "storage/volume/volume.h"

namespace holdfast {

class StreamData {
 public:
  StreamData(Engine& engine, std::uint64_t stripe_bytes) : engine_(engine), stripe_bytes_(stripe_bytes) {}

  Task<EngineError> Write(FileNumber number, StreamId stream, std::uint64_t offset, ByteView data,
                          Durability durability);
  Task<EngineError> Read(FileNumber number, StreamId stream, std::uint64_t offset, std::span<std::uint8_t> out);
  Task<EngineError> Zero(FileNumber number, StreamId stream, DataRange range, Durability durability);
  Task<EngineError> Duplicate(FileNumber number, StreamId stream, std::uint64_t offset, FileNumber to_number,
                              StreamId to_stream, std::uint64_t to_offset, std::uint64_t length, Durability durability);
  // No byte at or behind `size` is left.
  Task<EngineError> Truncate(FileNumber number, StreamId stream, std::uint64_t size, Durability durability);
  // Where the stream's bytes end, wherever the inode says; 0 when there are none.
  Task<EngineResult<std::uint64_t>> End(FileNumber number, StreamId stream);
  // The same of one of its objects.
  Task<EngineResult<std::uint64_t>> StripeEnd(std::string object, std::uint64_t stripe);
  Task<EngineResult<std::vector<DataRange>>> AllocatedRanges(FileNumber number, StreamId stream, DataRange within);
  Task<EngineResult<std::uint64_t>> AllocatedBytes(FileNumber number, StreamId stream);
  Task<EngineError> Flush(FileNumber number, StreamId stream);
  Task<EngineError> RemoveStream(FileNumber number, StreamId stream);
  // Every object of every stream.
  Task<EngineError> RemoveAll(FileNumber number);

 private:
  // Stripes that exist among first … last, ascending. When the range is no wider than a few, simply all of it.
  Task<EngineResult<std::vector<std::uint64_t>>> Stripes(FileNumber number, StreamId stream, std::uint64_t first,
                                                         std::uint64_t last);
  Task<EngineError> RemoveObjects(std::string prefix);
  std::uint64_t last_stripe() const { return (kMaxFileSize - 1) / stripe_bytes_; }

  Engine& engine_;
  std::uint64_t stripe_bytes_;
};

}  // namespace holdfast
