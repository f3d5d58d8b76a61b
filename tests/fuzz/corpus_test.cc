// Every fuzz target over the inputs kept of it (corpus/<target>.hex, one a line), and for a moment over inputs made of
// them. What a fuzzer finds becomes a line there.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "tests/protocol/hex_bytes.h"

#define TARGET(name) extern "C" int name(const std::uint8_t* data, std::size_t size);
#include "fuzz_targets.inc"
#undef TARGET

namespace holdfast {
namespace {

constexpr std::chrono::milliseconds kMoment(500);
constexpr std::size_t kMostBytes = 4096;

struct FuzzTarget {
  const char* name;
  int (*run)(const std::uint8_t* data, std::size_t size);
};

constexpr FuzzTarget kTargets[] = {
#define TARGET(name) {#name, name},
#include "fuzz_targets.inc"
#undef TARGET
};

std::vector<Bytes> Corpus(const FuzzTarget& target) {
  std::vector<Bytes> inputs;
  std::ifstream file(std::string(HOLDFAST_SOURCE_DIR "/tests/fuzz/corpus/") + target.name + ".hex");
  for (std::string line; std::getline(file, line);) inputs.push_back(HexBytes(line));
  return inputs;
}

// A child of one or two inputs: some bytes changed, a piece left out, repeated or taken from the other.
Bytes Child(const std::vector<Bytes>& inputs, std::mt19937& random) {
  const auto below = [&random](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  Bytes child = inputs[below(inputs.size())];
  const Bytes& other = inputs[below(inputs.size())];
  for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
    const auto at = static_cast<std::ptrdiff_t>(below(child.size() + 1));
    switch (below(5)) {
      case 0:
        if (!child.empty()) child[below(child.size())] ^= static_cast<std::uint8_t>(1u << below(8));
        break;
      case 1:
        if (!child.empty()) child[below(child.size())] = static_cast<std::uint8_t>(below(3) * 0x7F + below(3));
        break;
      case 2:
        child.resize(static_cast<std::size_t>(at));
        break;
      case 3:
        child.insert(child.begin() + at, 1 + below(9), static_cast<std::uint8_t>(below(256)));
        break;
      default: {
        const auto from = static_cast<std::ptrdiff_t>(below(other.size() + 1));
        child.resize(static_cast<std::size_t>(at));
        child.insert(child.end(), other.begin() + from, other.end());
      }
    }
  }
  if (child.size() > kMostBytes) child.resize(kMostBytes);
  return child;
}

class EveryFuzzTarget : public ::testing::TestWithParam<FuzzTarget> {};

TEST_P(EveryFuzzTarget, TakesItsCorpusAndWhatComesOfIt) {
  const std::vector<Bytes> inputs = Corpus(GetParam());
  ASSERT_FALSE(inputs.empty()) << "tests/fuzz/keep writes it";
  for (const Bytes& input : inputs) GetParam().run(input.data(), input.size());
  std::mt19937 random;  // the same children in every run
  for (const auto end = std::chrono::steady_clock::now() + kMoment; std::chrono::steady_clock::now() < end;) {
    const Bytes child = Child(inputs, random);
    GetParam().run(child.data(), child.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, EveryFuzzTarget, ::testing::ValuesIn(kTargets),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace holdfast
