// Paths, stream targets and search patterns as clients write them: UTF-16LE, a pattern in front of the first zero.
#include "protocol/base/check.h"
#include "protocol/dtyp/unicode.h"
#include "storage/files/path.h"
#include "storage/files/wildcard.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  const auto text = Utf16FromLe(ByteView(data, size & ~std::size_t{1}));
  if (!text || text->size() > 4096) return 0;
  const std::u16string_view whole = *text;
  if (const auto parsed = ParsePath(whole); parsed.ok()) {
    std::size_t units = parsed->stream.size();
    for (const std::u16string& component : parsed->components) {
      HOLDFAST_CHECK(CheckComponent(component) == NtStatus::kSuccess);
      units += component.size();
    }
    HOLDFAST_CHECK(units <= whole.size());
  }
  if (const auto stream = ParseStreamTarget(whole); stream.ok()) HOLDFAST_CHECK(stream->size() < whole.size());

  const std::size_t zero = std::min(whole.find(u'\0'), whole.size());
  const std::u16string_view pattern = whole.substr(0, std::min<std::size_t>(zero, 256));
  const std::u16string_view name = zero < whole.size() ? whole.substr(zero + 1, 256) : whole.substr(0, 0);
  const bool matches = MatchesPattern(pattern, name);
  if (pattern == u"*" && !name.empty()) HOLDFAST_CHECK(matches);
  if (!HasWildcards(name) && !name.empty()) HOLDFAST_CHECK(MatchesPattern(name, name));
  return 0;
}
