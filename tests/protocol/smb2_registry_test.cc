// What holds for every structure of protocol/smb2/registry.h.
#include "protocol/smb2/registry.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/protocol/smb2_samples.h"

namespace holdfast::smb2 {
namespace {

TEST(Registry, NamesAreUnique) {
  std::set<std::string_view> names;
  ForEachStructure([&](const auto& entry) { EXPECT_TRUE(names.insert(entry.name).second) << entry.name; });
  EXPECT_FALSE(names.empty());
}

TEST(Registry, RoundTripKeepsEveryField) {
  ForEachStructure([](const auto& entry) {
    using M = typename std::decay_t<decltype(entry)>::Type;
    const M sample = Sample<M>();
    const Bytes encoded = EncodeAs(entry, sample);
    const Bytes framed = Framed(entry, encoded);
    const char* failed_field = "";
    const Result<M> decoded = DecodeAs(entry, framed, &failed_field);
    ASSERT_TRUE(decoded.ok()) << entry.name << ": " << failed_field;
    EXPECT_EQ(Print(*decoded), Print(sample)) << entry.name;
    EXPECT_EQ(EncodeAs(entry, *decoded), encoded) << entry.name;
  });
}

TEST(Registry, RoundTripKeepsAnEmptyStructure) {
  ForEachStructure([](const auto& entry) {
    using M = typename std::decay_t<decltype(entry)>::Type;
    const Bytes encoded = EncodeAs(entry, M{});
    const Bytes framed = Framed(entry, encoded);
    const Result<M> decoded = DecodeAs(entry, framed);
    ASSERT_TRUE(decoded.ok()) << entry.name;
    EXPECT_EQ(EncodeAs(entry, *decoded), encoded) << entry.name;
  });
}

// A structure that ends with "the rest" may be cut where its last part stays whole; then it must say just that.
TEST(Registry, TruncationIsRefusedOrShortensTheRest) {
  ForEachStructure([](const auto& entry) {
    using M = typename std::decay_t<decltype(entry)>::Type;
    const Bytes framed = Framed(entry, EncodeAs(entry, Sample<M>()));
    std::size_t refused = 0;
    for (std::size_t size = 0; size < framed.size(); ++size) {
      // A buffer of exactly that size, so that the sanitizer sees a read beyond it.
      const Bytes cut(framed.begin(), framed.begin() + static_cast<std::ptrdiff_t>(size));
      const char* failed_field = "";
      const Result<M> decoded = DecodeAs(entry, cut, &failed_field);
      if (!decoded.ok()) {
        ++refused;
        EXPECT_EQ(decoded.status(), NtStatus::kInvalidParameter);
        EXPECT_STRNE(failed_field, "") << entry.name;
      } else {
        EXPECT_EQ(Framed(entry, EncodeAs(entry, *decoded)), cut) << entry.name << " cut at " << size;
      }
    }
    if constexpr (std::decay_t<decltype(entry)>::kFraming == Framing::kMessage) {
      EXPECT_EQ(refused, framed.size()) << entry.name;  // nothing of a message may be missing
    }
  });
}

// Whatever one changed byte makes of a message, reading it ends well, and what was read can be written and read again.
TEST(Registry, DamageOfOneByteIsRefusedOrReadsTheSameTwice) {
  ForEachStructure([](const auto& entry) {
    using M = typename std::decay_t<decltype(entry)>::Type;
    const Bytes framed = Framed(entry, EncodeAs(entry, Sample<M>()));
    for (std::size_t at = 0; at < framed.size(); ++at) {
      for (const int value : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
        Bytes damaged = framed;
        damaged[at] = static_cast<std::uint8_t>(value);
        const Result<M> first = DecodeAs(entry, damaged);
        if (!first.ok()) continue;
        const Bytes again = Framed(entry, EncodeAs(entry, *first));
        const Result<M> second = DecodeAs(entry, again);
        ASSERT_TRUE(second.ok()) << entry.name << " byte " << at;
        EXPECT_EQ(Print(*second), Print(*first)) << entry.name << " byte " << at;
      }
    }
  });
}

std::string HexDump(ByteView bytes, std::size_t first_offset) {
  std::string text;
  char piece[16];
  for (std::size_t i = 0; i < bytes.size(); i += 16) {
    std::snprintf(piece, sizeof piece, "%04zx:", first_offset + i);
    text += piece;
    for (std::size_t j = i; j < bytes.size() && j < i + 16; ++j) {
      std::snprintf(piece, sizeof piece, " %02x", bytes[j]);
      text += piece;
    }
    text += '\n';
  }
  return text;
}

// The bytes of every sample, as files that a reviewer can hold against the specification. HOLDFAST_REWRITE_GOLDEN=1
// writes them anew.
TEST(Registry, BytesAreGolden) {
  const bool rewrite = std::getenv("HOLDFAST_REWRITE_GOLDEN") != nullptr;
  ForEachStructure([&](const auto& entry) {
    using Entry = std::decay_t<decltype(entry)>;
    const auto sample = Sample<typename Entry::Type>();
    const std::size_t first_offset = Entry::kFraming == Framing::kMessage ? kHeaderSize : 0;
    const std::string text = "# " + Print(sample) + "\n" + HexDump(EncodeAs(entry, sample), first_offset);
    const std::string path = HOLDFAST_SOURCE_DIR "/tests/golden/messages/" + std::string(entry.name) + ".hex";
    if (rewrite) {
      std::ofstream(path) << text;
      return;
    }
    std::ifstream file(path);
    ASSERT_TRUE(file.is_open()) << path << " is missing: run once with HOLDFAST_REWRITE_GOLDEN=1";
    std::stringstream golden;
    golden << file.rdbuf();
    EXPECT_EQ(text, golden.str()) << path;
  });
}

}  // namespace
}  // namespace holdfast::smb2
