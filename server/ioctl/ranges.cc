// Control codes about ranges of a file: [MS-FSCC] 2.3.13, 2.3.51, 2.3.83 and 2.3.85, [MS-FSA] 2.1.5.10.
#include "protocol/smb2/ioctl/file_ranges.h"
#include "server/ioctl/functions.h"

#include <algorithm>
#include <limits>

#include "protocol/dtyp/access_mask.h"

namespace holdfast::ioctl {

// Without a buffer: set it.
Task<ControlResult> SetSparse(ControlCall call) {
  const OpenPtr open = call.open();
  if (open->directory()) co_return NtStatus::kInvalidParameter;
  constexpr std::uint32_t kAnyOf = access::kWriteData | access::kAppendData | access::kWriteAttributes;
  if ((open->granted_access & kAnyOf) == 0) co_return NtStatus::kAccessDenied;
  smb2::FileSetSparseBuffer buffer;
  if (!call.input().empty()) {
    const auto decoded = wire::Decode<smb2::FileSetSparseBuffer>(call.input());
    if (!decoded.ok()) co_return decoded.status();
    buffer = *decoded;
  }
  co_return co_await call.files().SetSparse(open, buffer.set_sparse != 0);
}

Task<ControlResult> SetZeroData(ControlCall call) {
  const auto zero = wire::Decode<smb2::FileZeroDataInformation>(call.input());
  if (!zero.ok()) co_return zero.status();
  if (zero->file_offset < 0 || zero->beyond_final_zero < zero->file_offset) co_return NtStatus::kInvalidParameter;
  const OpenPtr open = call.open();
  if (open->directory()) co_return NtStatus::kInvalidParameter;
  if ((open->granted_access & access::kWriteData) == 0) co_return NtStatus::kAccessDenied;
  co_return co_await call.files().ZeroRange(open, static_cast<std::uint64_t>(zero->file_offset),
                                            static_cast<std::uint64_t>(zero->beyond_final_zero));
}

Task<ControlResult> QueryAllocatedRanges(ControlCall call) {
  const auto within = wire::Decode<smb2::FileAllocatedRangeBuffer>(call.input());
  if (!within.ok()) co_return within.status();
  if (within->file_offset < 0 || within->length < 0 ||
      within->length > std::numeric_limits<std::int64_t>::max() - within->file_offset) {
    co_return NtStatus::kInvalidParameter;
  }
  const OpenPtr open = call.open();
  if (open->directory()) co_return NtStatus::kInvalidParameter;
  if ((open->granted_access & (access::kReadData | access::kExecute)) == 0) co_return NtStatus::kAccessDenied;
  if (within->length == 0) co_return NtStatus::kSuccess;
  const DataRange asked{.offset = static_cast<std::uint64_t>(within->file_offset),
                        .length = static_cast<std::uint64_t>(within->length)};
  auto found = co_await call.files().QueryAllocatedRanges(open, asked);
  if (!found.ok()) co_return found.status();

  constexpr std::size_t kEntrySize = 16;
  const std::size_t room = call.max_output() / kEntrySize;
  if (!found->empty() && room == 0) co_return NtStatus::kBufferTooSmall;
  smb2::FileAllocatedRanges ranges;
  for (const DataRange& range : *found) {
    if (ranges.ranges.size() == room) break;
    ranges.ranges.push_back({.file_offset = static_cast<std::int64_t>(range.offset),
                             .length = static_cast<std::int64_t>(range.length)});
  }
  const bool cut = ranges.ranges.size() < found->size();
  co_return ControlResult(cut ? NtStatus::kBufferOverflow : NtStatus::kSuccess, wire::Encode(ranges));
}

// [MS-FSA] 2.1.5.10.6: the whole clusters of the ranges are given back to the store, and read as zeros then.
Task<ControlResult> FileLevelTrim(ControlCall call) {
  const auto trim = wire::Decode<smb2::FileLevelTrim>(call.input());
  if (!trim.ok()) co_return trim.status();
  constexpr std::size_t kOutputSize = 4;
  smb2::FileLevelTrimOutput output;
  if (trim->key != 0 || trim->ranges.empty()) co_return NtStatus::kInvalidParameter;
  if (call.max_output() != 0 && call.max_output() < kOutputSize) co_return NtStatus::kInvalidParameter;
  const OpenPtr open = call.open();
  if (open->directory()) co_return NtStatus::kInvalidParameter;
  if ((open->granted_access & access::kWriteData) == 0) co_return NtStatus::kAccessDenied;
  constexpr std::uint64_t kMaxOffset = std::numeric_limits<std::int64_t>::max() - kClusterBytes;
  for (const smb2::FileLevelTrimRange& range : trim->ranges) {
    if (range.offset > kMaxOffset || range.length > kMaxOffset - range.offset) co_return NtStatus::kInvalidParameter;
    const std::uint64_t begin = (range.offset + kClusterBytes - 1) / kClusterBytes * kClusterBytes;
    const std::uint64_t end = (range.offset + range.length) / kClusterBytes * kClusterBytes;
    if (begin < end) {
      const NtStatus status = co_await call.files().ZeroRange(open, begin, end);
      if (status != NtStatus::kSuccess) co_return status;
    }
    ++output.num_ranges_processed;
  }
  if (call.max_output() == 0) co_return NtStatus::kSuccess;
  co_return wire::Encode(output);
}

// [MS-FSA] 2.1.5.10.24: what was written, and behind it what never was. Either usage may be asked for: NTFS knows the one,
// ReFS the other.
Task<ControlResult> QueryFileRegions(ControlCall call) {
  const OpenPtr open = call.open();
  if (open->directory()) co_return NtStatus::kInvalidParameter;
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  constexpr std::uint32_t kUsages =
      smb2::file_region_usage::kValidCachedData | smb2::file_region_usage::kValidNoncachedData;
  smb2::FileRegionInput input{.length = kMax, .desired_usage = smb2::file_region_usage::kValidNoncachedData};
  if (!call.input().empty()) {
    const auto decoded = wire::Decode<smb2::FileRegionInput>(call.input());
    if (!decoded.ok()) co_return NtStatus::kBufferTooSmall;
    input = *decoded;
  }
  if (input.length <= 0 || input.file_offset < 0 || input.length > kMax - input.file_offset ||
      (input.desired_usage & kUsages) == 0) {
    co_return NtStatus::kInvalidParameter;
  }
  constexpr std::size_t kHeaderSize = 16, kRegionSize = 24;
  if (call.max_output() < kHeaderSize + kRegionSize) co_return NtStatus::kBufferTooSmall;
  const auto facts = co_await call.files().QueryFacts(open);
  if (!facts.ok()) co_return facts.status();
  const auto valid = co_await call.files().QueryValidDataLength(open);
  if (!valid.ok()) co_return valid.status();

  const auto end = static_cast<std::int64_t>(facts->end_of_file);
  const auto written = std::min(static_cast<std::int64_t>(*valid), end);
  const std::int64_t begin = input.file_offset;
  const std::int64_t stop = begin + std::min(input.length, std::max<std::int64_t>(end - begin, 0));
  if (begin > end || (begin == end && end > 0)) co_return NtStatus::kSuccess;
  std::vector<smb2::FileRegionInfo> regions;
  if (begin < written) {
    regions.push_back({.file_offset = begin, .length = std::min(stop, written) - begin, .usage = input.desired_usage});
  }
  if (begin >= written || stop > written) {
    const std::int64_t from = std::max(begin, written);
    regions.push_back({.file_offset = from, .length = stop - from, .usage = 0});
  }
  smb2::FileRegionOutput output;
  output.total_region_entry_count = static_cast<std::uint32_t>(regions.size());
  const bool cut = call.max_output() < kHeaderSize + regions.size() * kRegionSize;
  if (cut) regions.resize(1);
  output.regions = std::move(regions);
  co_return ControlResult(cut ? NtStatus::kBufferOverflow : NtStatus::kSuccess, wire::Encode(output));
}

}  // namespace holdfast::ioctl
