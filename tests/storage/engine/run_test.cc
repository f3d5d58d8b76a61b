#include "tests/storage/run.h"

#include <string>
#include <vector>

#include "storage/engine/engine.h"

namespace holdfast {
namespace {

using RunTest = CoreTest;

Task<std::string> Greet(WorkerPool& pool) {
  const int n = co_await pool.Run([] { return 41; });
  co_return std::to_string(n + 1);
}

Task<EngineResult<std::string>> Fallible() { co_return std::string("fine"); }

TEST_F(RunTest, AnswersWhatATaskReturnsThroughAWorkerThread) {
  WorkerPool pool(1);
  EXPECT_EQ(Run(Greet(pool)), "42");
}

TEST_F(RunTest, TakesEngineResults) {
  auto result = Run(Fallible());
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, "fine");
}

TEST_F(RunTest, SteppingRunsTimersInOrderWithoutRealTime) {
  std::vector<int> order;
  Start([](Clock& clock, std::vector<int>& out) -> Task<void> {
    co_await SleepFor(clock, std::chrono::hours(2));
    out.push_back(2);
  }(clock(), order));
  RunStepping([](Clock& clock, std::vector<int>& out) -> Task<void> {
    co_await SleepFor(clock, std::chrono::hours(1));
    out.push_back(1);
    co_await SleepFor(clock, std::chrono::hours(2));
    out.push_back(3);
  }(clock(), order));
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

}  // namespace
}  // namespace holdfast
