#include "storage/volume/allocator.h"

#include <algorithm>

#include "storage/volume/codec.h"
#include "storage/volume/keys.h"

namespace holdfast {

Task<EngineResult<FileNumber>> Allocator::Next() {
  if (next_ == end_) {
    auto lock = co_await taking_.Lock();
    if (next_ == end_) {
      auto first = co_await Take(kFirstFileNumber, kSlabNumbers);
      if (!first.ok()) co_return first.error();
      next_ = *first;
      end_ = next_ + kSlabNumbers;
    }
  }
  co_return id_bits_ | next_++;
}

Task<EngineResult<FileNumber>> Allocator::ReadNextSlab() {
  std::vector<std::string> wanted{std::string(keys::kAllocationKey)};
  auto values = co_await engine_.ReadKeysExact(std::string(keys::kSuperObject), std::move(wanted));
  if (!values.ok()) co_return values.error();
  if (!values->front()) co_return FileNumber{kFirstFileNumber};
  const auto allocation = codec::Parse<pb::NumberAllocation>(*values->front());
  if (!allocation) co_return EngineError::kCorrupt;
  co_return FileNumber{allocation->next_number()};
}

Task<EngineError> Allocator::SkipTo(FileNumber number) {
  auto taken = co_await Take(number & ~id_bits_, 0);
  co_return taken.ok() ? EngineError::kNone : taken.error();
}

Task<EngineResult<FileNumber>> Allocator::Take(FileNumber at_least, std::uint64_t count) {
  const std::string key(keys::kAllocationKey);
  for (;;) {
    std::vector<std::string> wanted{key};
    auto values = co_await engine_.ReadKeysExact(std::string(keys::kSuperObject), std::move(wanted));
    if (!values.ok()) co_return values.error();
    const auto& raw = values->front();
    auto allocation = raw ? codec::Parse<pb::NumberAllocation>(*raw) : pb::NumberAllocation();
    if (!allocation) co_return EngineError::kCorrupt;
    const FileNumber first = std::max<FileNumber>(allocation->next_number(), at_least);
    if (first + count > FileNumber{1} << kFileNumberBits) co_return EngineError::kNoSpace;
    allocation->set_next_number(first + count);
    std::vector<Guard> guards{raw ? Guard::KeyEquals(key, *raw) : Guard::KeyAbsent(key)};
    std::vector<Mutation> mutations{Mutation::Set(key, codec::Serialise(*allocation))};
    auto written = co_await engine_.Write(std::string(keys::kSuperObject), std::move(guards), std::move(mutations),
                                          Durability::kStable, WriteClass::kRecord);
    if (written.ok()) co_return first;
    if (written.error() != EngineError::kGuardFailed) co_return written.error();
  }
}

}  // namespace holdfast
