// Every structure of the registry: the first byte chooses one, the rest is its bytes. What can be read must be
// printable, and what is written from it must read the same again.
//
// With HOLDFAST_FUZZ_SEEDS=<folder> a sample of each structure is written there first, as a corpus to start from.
#include <cstdlib>
#include <fstream>

#include "protocol/base/check.h"
#include "protocol/smb2/registry.h"
#include "tests/protocol/smb2_samples.h"

namespace holdfast::smb2 {
namespace {

void TryOne(std::size_t index, ByteView bytes) {
  std::size_t i = 0;
  ForEachStructure([&](const auto& entry) {
    if (i++ != index) return;
    const auto first = DecodeAs(entry, bytes);
    if (!first.ok()) return;
    const std::string text = Print(*first);
    const Bytes again = Framed(entry, EncodeAs(entry, *first));
    const auto second = DecodeAs(entry, again);
    HOLDFAST_CHECK(second.ok());
    HOLDFAST_CHECK(Print(*second) == text);
  });
}

void WriteSeeds(const std::string& folder) {
  std::size_t i = 0;
  ForEachStructure([&](const auto& entry) {
    using M = typename std::decay_t<decltype(entry)>::Type;
    const Bytes bytes = Framed(entry, EncodeAs(entry, Sample<M>()));
    std::ofstream file(folder + "/" + std::string(entry.name), std::ios::binary);
    file.put(static_cast<char>(i++));
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  });
}

}  // namespace
}  // namespace holdfast::smb2

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (const char* folder = std::getenv("HOLDFAST_FUZZ_SEEDS")) holdfast::smb2::WriteSeeds(folder);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Larger messages could not always be written again: offsets of 16 bits.
  if (size == 0 || size > 16384) return 0;
  holdfast::smb2::TryOne(data[0], holdfast::ByteView(data + 1, size - 1));
  return 0;
}
