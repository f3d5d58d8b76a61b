#include "storage/volume/number_set.h"

namespace holdfast {

Task<EngineError> NumberSet::Add(FileNumber number, Durability durability) {
  std::vector<Mutation> mutations{Mutation::Set(keys::NumberKey(number), "1")};
  auto written = co_await engine_.Write(object_, {}, std::move(mutations), durability, WriteClass::kRecord);
  co_return written.ok() ? EngineError::kNone : written.error();
}

Task<EngineError> NumberSet::Remove(FileNumber number) {
  std::vector<Mutation> mutations{Mutation::Remove(keys::NumberKey(number))};
  auto written = co_await engine_.Write(object_, {}, std::move(mutations), Durability::kProcess, WriteClass::kRecord);
  co_return written.ok() || written.error() == EngineError::kNotFound ? EngineError::kNone : written.error();
}

Task<EngineResult<std::vector<FileNumber>>> NumberSet::ReadAll() {
  std::vector<FileNumber> numbers;
  std::string from;
  for (bool more = true; more;) {
    KeyRange range{from, {}, 1024};
    auto page = co_await engine_.ReadKeys(object_, std::move(range));
    if (!page.ok()) {
      if (page.error() == EngineError::kNotFound) break;
      co_return page.error();
    }
    for (const KeyValue& entry : page->entries) {
      if (const auto number = keys::ParseNumberKey(entry.key)) numbers.push_back(*number);
    }
    more = page->more && !page->entries.empty();
    if (more) from = keys::After(page->entries.back().key);
  }
  co_return numbers;
}

}  // namespace holdfast
