#include "storage/volume/stream_data.h"

#include <algorithm>

#include "storage/volume/keys.h"

namespace holdfast {
namespace {

// Up to so many stripes asking each is cheaper than listing which exist.
constexpr std::uint64_t kFewStripes = 4;

}  // namespace

Task<EngineResult<std::vector<std::uint64_t>>> StreamData::Stripes(FileNumber number, StreamId stream,
                                                                   std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> stripes;
  last = std::min(last, last_stripe());
  if (first > last) co_return stripes;
  if (last - first < kFewStripes) {
    for (std::uint64_t stripe = first; stripe <= last; ++stripe) stripes.push_back(stripe);
    co_return stripes;
  }
  const std::string prefix = keys::StreamPrefix(number, stream);
  std::string after = first == 0 ? std::string() : keys::StripeObject(number, stream, first - 1);
  for (;;) {
    auto page = co_await engine_.List(prefix, after, 1024);
    if (!page.ok()) co_return page.error();
    if (page->empty()) co_return stripes;
    after = page->back();
    for (const std::string& object : *page) {
      const auto name = keys::ParseStripeObject(object);
      if (!name) continue;
      if (name->stripe > last) co_return stripes;
      stripes.push_back(name->stripe);
    }
  }
}

Task<EngineError> StreamData::Write(FileNumber number, StreamId stream, std::uint64_t offset, ByteView data,
                                    Durability durability) {
  while (!data.empty()) {
    const std::uint64_t stripe = offset / stripe_bytes_;
    const std::uint64_t within = offset % stripe_bytes_;
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), stripe_bytes_ - within));
    const EngineError error = co_await engine_.WriteData(keys::StripeObject(number, stream, stripe), within,
                                                         data.first(length), durability);
    if (error != EngineError::kNone) co_return error;
    data = data.subspan(length);
    offset += length;
  }
  co_return EngineError::kNone;
}

Task<EngineError> StreamData::Read(FileNumber number, StreamId stream, std::uint64_t offset,
                                   std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const std::uint64_t stripe = offset / stripe_bytes_;
    const std::uint64_t within = offset % stripe_bytes_;
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), stripe_bytes_ - within));
    auto read = co_await engine_.ReadData(keys::StripeObject(number, stream, stripe), within, out.first(length));
    if (!read.ok()) {
      if (read.error() != EngineError::kNotFound) co_return read.error();
      std::fill_n(out.begin(), length, std::uint8_t{0});
    }
    out = out.subspan(length);
    offset += length;
  }
  co_return EngineError::kNone;
}

Task<EngineError> StreamData::Zero(FileNumber number, StreamId stream, DataRange range, Durability durability) {
  if (range.length == 0 || range.offset >= kMaxFileSize) co_return EngineError::kNone;
  const std::uint64_t end = range.offset + std::min(range.length, kMaxFileSize - range.offset);
  auto stripes = co_await Stripes(number, stream, range.offset / stripe_bytes_, (end - 1) / stripe_bytes_);
  if (!stripes.ok()) co_return stripes.error();
  for (const std::uint64_t stripe : *stripes) {
    const std::uint64_t begin = stripe * stripe_bytes_;
    const std::uint64_t from = std::max(range.offset, begin) - begin;
    const std::uint64_t to = std::min(end - begin, stripe_bytes_);
    const DataRange piece{from, to - from};
    const EngineError error =
        co_await engine_.ZeroData(keys::StripeObject(number, stream, stripe), piece, durability);
    if (error != EngineError::kNone && error != EngineError::kNotFound) co_return error;
  }
  co_return EngineError::kNone;
}

Task<EngineError> StreamData::Duplicate(FileNumber number, StreamId stream, std::uint64_t offset, FileNumber to_number,
                                        StreamId to_stream, std::uint64_t to_offset, std::uint64_t length,
                                        Durability durability) {
  while (length != 0) {
    const std::uint64_t from = offset % stripe_bytes_;
    const std::uint64_t to = to_offset % stripe_bytes_;
    const std::uint64_t piece = std::min(length, stripe_bytes_ - std::max(from, to));
    const EngineError error = co_await engine_.DuplicateData(
        keys::StripeObject(number, stream, offset / stripe_bytes_), from,
        keys::StripeObject(to_number, to_stream, to_offset / stripe_bytes_), to, piece, durability);
    if (error != EngineError::kNone) co_return error;
    offset += piece;
    to_offset += piece;
    length -= piece;
  }
  co_return EngineError::kNone;
}

Task<EngineError> StreamData::Truncate(FileNumber number, StreamId stream, std::uint64_t size, Durability durability) {
  auto stripes = co_await Stripes(number, stream, size / stripe_bytes_, last_stripe());
  if (!stripes.ok()) co_return stripes.error();
  // From the end: a crash in between leaves no hole of zeros before bytes that should be gone.
  for (auto stripe = stripes->rbegin(); stripe != stripes->rend(); ++stripe) {
    const std::uint64_t begin = *stripe * stripe_bytes_;
    const std::string object = keys::StripeObject(number, stream, *stripe);
    EngineError error = EngineError::kNone;
    if (begin >= size && *stripe > 0) {
      error = co_await engine_.RemoveData(object);
    } else {
      error = co_await engine_.TruncateData(object, begin < size ? size - begin : 0, durability);
    }
    if (error != EngineError::kNone && error != EngineError::kNotFound) co_return error;
  }
  co_return EngineError::kNone;
}

Task<EngineResult<std::uint64_t>> StreamData::End(FileNumber number, StreamId stream) {
  auto stripes = co_await Stripes(number, stream, 0, last_stripe());
  if (!stripes.ok()) co_return stripes.error();
  for (auto stripe = stripes->rbegin(); stripe != stripes->rend(); ++stripe) {
    auto end = co_await StripeEnd(keys::StripeObject(number, stream, *stripe), *stripe);
    if (!end.ok() || *end > 0) co_return end;
  }
  co_return std::uint64_t{0};
}

Task<EngineResult<std::uint64_t>> StreamData::StripeEnd(std::string object, std::uint64_t stripe) {
  auto size = co_await engine_.DataSize(object);
  if (!size.ok() && size.error() != EngineError::kNotFound) co_return size.error();
  if (!size.ok() || *size == 0) co_return std::uint64_t{0};
  co_return stripe * stripe_bytes_ + *size;
}

Task<EngineResult<std::vector<DataRange>>> StreamData::AllocatedRanges(FileNumber number, StreamId stream,
                                                                       DataRange within) {
  std::vector<DataRange> ranges;
  if (within.length == 0 || within.offset >= kMaxFileSize) co_return ranges;
  const std::uint64_t end = within.offset + std::min(within.length, kMaxFileSize - within.offset);
  auto stripes = co_await Stripes(number, stream, within.offset / stripe_bytes_, (end - 1) / stripe_bytes_);
  if (!stripes.ok()) co_return stripes.error();
  for (const std::uint64_t stripe : *stripes) {
    const std::uint64_t begin = stripe * stripe_bytes_;
    const std::uint64_t from = std::max(within.offset, begin) - begin;
    const std::uint64_t to = std::min(end - begin, stripe_bytes_);
    auto found =
        co_await engine_.AllocatedRanges(keys::StripeObject(number, stream, stripe), DataRange{from, to - from});
    if (!found.ok()) {
      if (found.error() == EngineError::kNotFound) continue;
      co_return found.error();
    }
    for (const DataRange& range : *found) {
      const std::uint64_t offset = begin + range.offset;
      if (!ranges.empty() && ranges.back().offset + ranges.back().length == offset) {
        ranges.back().length += range.length;
      } else {
        ranges.push_back({offset, range.length});
      }
    }
  }
  co_return ranges;
}

Task<EngineResult<std::uint64_t>> StreamData::AllocatedBytes(FileNumber number, StreamId stream) {
  auto stripes = co_await Stripes(number, stream, 0, last_stripe());
  if (!stripes.ok()) co_return stripes.error();
  std::uint64_t total = 0;
  for (const std::uint64_t stripe : *stripes) {
    auto bytes = co_await engine_.AllocatedBytes(keys::StripeObject(number, stream, stripe));
    if (bytes.ok()) {
      total += *bytes;
    } else if (bytes.error() != EngineError::kNotFound) {
      co_return bytes.error();
    }
  }
  co_return total;
}

Task<EngineError> StreamData::Flush(FileNumber number, StreamId stream) {
  auto stripes = co_await Stripes(number, stream, 0, last_stripe());
  if (!stripes.ok()) co_return stripes.error();
  for (const std::uint64_t stripe : *stripes) {
    const EngineError error = co_await engine_.Flush(keys::StripeObject(number, stream, stripe));
    if (error != EngineError::kNone && error != EngineError::kNotFound) co_return error;
  }
  co_return EngineError::kNone;
}

Task<EngineError> StreamData::RemoveStream(FileNumber number, StreamId stream) {
  if (last_stripe() > 0) co_return co_await RemoveObjects(keys::StreamPrefix(number, stream));
  std::vector<Mutation> mutations{Mutation::RemoveObject()};
  auto written = co_await engine_.Write(keys::StripeObject(number, stream, 0), {}, std::move(mutations),
                                        Durability::kProcess, WriteClass::kRecord);
  co_return written.ok() || written.error() == EngineError::kNotFound ? EngineError::kNone : written.error();
}

Task<EngineError> StreamData::RemoveAll(FileNumber number) { return RemoveObjects(keys::StreamsPrefix(number)); }

Task<EngineError> StreamData::RemoveObjects(std::string prefix) {
  std::string after;
  for (;;) {
    auto page = co_await engine_.List(prefix, after, 1024);
    if (!page.ok()) co_return page.error();
    if (page->empty()) co_return EngineError::kNone;
    after = page->back();
    for (std::size_t i = 0; i < page->size(); ++i) {
      std::vector<Mutation> mutations{Mutation::RemoveObject()};
      auto written = co_await engine_.Write((*page)[i], {}, std::move(mutations), Durability::kProcess,
                                            WriteClass::kRecord);
      if (!written.ok() && written.error() != EngineError::kNotFound) co_return written.error();
    }
  }
}

}  // namespace holdfast
