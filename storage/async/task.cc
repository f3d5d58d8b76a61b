#include "storage/async/task.h"

#include <exception>
#include <cstdio>

namespace holdfast {

void Spawn(const Executor& executor, Task<void> task) {
  boost::asio::co_spawn(executor, std::move(task), [](std::exception_ptr failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "a coroutine ended in an exception: %s\n", e.what());
    } catch (...) {
      std::fprintf(stderr, "a coroutine ended in an exception\n");
    }
    std::abort();
  });
}

Task<void> SleepUntil(Clock& clock, SteadyTime when) {
  co_await Await<int>([&clock, when](std::function<void(int)> resume) { clock.Schedule(when, [resume] { resume(0); }); });
}

}  // namespace holdfast
