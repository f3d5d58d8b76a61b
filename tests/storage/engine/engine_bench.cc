// How many small stable writes the embedded engine makes a second: engine_bench DIRECTORY [SECONDS].
// The directory must exist and lie on the disk to be measured; the store in it is removed afterwards.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "storage/engine/embedded_engine.h"
#include "storage/engine/limits.h"
#include "tests/storage/run.h"

namespace holdfast {
namespace {

using Clock = std::chrono::steady_clock;

struct Tally {
  std::vector<double> microseconds;
  int running = 0;
  OneShot<int> done;
};

enum class Work { kKeys, kOneKeyObject, kBytesOneFile, kBytesManyFiles, kReadKeys, kReadBytes };

Task<void> Worker(Engine& engine, Work work, int number, Clock::time_point end, Tally& tally) {
  const Bytes page(kEnginePageBytes, static_cast<std::uint8_t>(number));
  Bytes out(kEnginePageBytes);
  const bool shared = work == Work::kOneKeyObject || work == Work::kBytesOneFile;
  const std::string object = shared ? "shared" : "object" + std::to_string(number);
  for (std::uint64_t i = 0; Clock::now() < end; ++i) {
    const auto start = Clock::now();
    bool ok = true;
    if (work == Work::kKeys || work == Work::kOneKeyObject) {
      const std::string key = "key" + std::to_string(number) + "." + std::to_string(i % 100);
      std::vector<Guard> guards;
      if (i >= 100) guards.push_back(Guard::KeyPresent(key));
      std::vector<Mutation> mutations = {Mutation::Set(key, std::string(200, 'v'))};
      auto result = co_await engine.Write(object, std::move(guards), std::move(mutations));
      ok = result.ok();
    } else if (work == Work::kReadKeys) {
      KeyRange range;
      range.limit = 10;
      auto result = co_await engine.ReadKeys("shared", range);
      ok = result.ok();
    } else if (work == Work::kReadBytes) {
      auto result = co_await engine.ReadData("shared", 0, out);
      ok = result.ok();
    } else {
      const std::uint64_t offset = (static_cast<std::uint64_t>(number) * 256 + i % 256) * kEnginePageBytes;
      ok = co_await engine.WriteData(object, offset, page, Durability::kStable) == EngineError::kNone;
    }
    if (!ok) std::abort();
    tally.microseconds.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  if (--tally.running == 0) tally.done.Set(0);
}

Task<void> Measure(Engine& engine, const char* name, Work work, int concurrency, double seconds) {
  Tally tally;
  tally.running = concurrency;
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto start = Clock::now();
  const auto end = start + std::chrono::microseconds(static_cast<int>(seconds * 1e6));
  for (int i = 0; i < concurrency; ++i) Spawn(executor, Worker(engine, work, i, end, tally));
  co_await tally.done.Wait();
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  auto& all = tally.microseconds;
  std::sort(all.begin(), all.end());
  std::printf("%-34s x%-3d %9.0f /s   p50 %8.0f us   p99 %8.0f us\n", name, concurrency,
              static_cast<double>(all.size()) / took, all[all.size() / 2], all[all.size() * 99 / 100]);
  std::fflush(stdout);
}

Task<void> MeasureAll(Engine& engine, double seconds) {
  for (const int n : {1, 16, 64}) co_await Measure(engine, "stable key write, own object", Work::kKeys, n, seconds);
  co_await Measure(engine, "stable key write, one object", Work::kOneKeyObject, 64, seconds);
  for (const int n : {1, 16}) co_await Measure(engine, "stable 4 KiB write, one file", Work::kBytesOneFile, n, seconds);
  for (const int n : {1, 16}) {
    co_await Measure(engine, "stable 4 KiB write, own file", Work::kBytesManyFiles, n, seconds);
  }
  co_await Measure(engine, "read of 10 keys", Work::kReadKeys, 1, seconds / 4);
  co_await Measure(engine, "cached read of 4 KiB", Work::kReadBytes, 1, seconds / 4);
}

int Main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: engine_bench DIRECTORY [SECONDS]\n");
    return 2;
  }
  const std::string store = std::string(argv[1]) + "/engine-bench-store";
  std::filesystem::create_directories(store);
  boost::asio::io_context context;
  EmbeddedOptions options;
  options.directory = store;
  auto opened = EmbeddedEngine::Open(options, context.get_executor());
  if (!opened.engine) {
    std::fprintf(stderr, "%s\n", opened.error.c_str());
    return 1;
  }
  Run(context, MeasureAll(*opened.engine, argc > 2 ? std::atof(argv[2]) : 3), std::chrono::seconds(600));
  opened.engine.reset();
  std::filesystem::remove_all(store);
  return 0;
}

}  // namespace
}  // namespace holdfast

int main(int argc, char** argv) { return holdfast::Main(argc, argv); }
