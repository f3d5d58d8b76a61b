// How a test runs coroutines: on an io_context of its own, until the one it asked for has ended.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "storage/async/asio_clock.h"
#include "storage/async/task.h"

namespace holdfast {

namespace run_internal {
inline Task<void> Store(Task<void> task, std::optional<bool>& value) {
  co_await std::move(task);
  value = true;
}
template <class T>
Task<void> Store(Task<T> task, std::optional<T>& value) {
  value.emplace(co_await std::move(task));
}
}  // namespace run_internal

// Runs `task` to its end and answers its value. Whatever else is queued on `context` runs meanwhile; what is not
// due by then stays queued. `idle` is called when nothing is ready: it answers false to wait for other threads.
// A task that does not end in `limit` of real time aborts the program, so that a deadlock has a stack trace.
template <class T, class Idle>
T RunWith(boost::asio::io_context& context, Task<T> task, std::chrono::seconds limit, Idle idle) {
  bool done = false;
  std::exception_ptr failure;
  std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> value;
  const auto work = boost::asio::make_work_guard(context);
  boost::asio::co_spawn(context, run_internal::Store(std::move(task), value), [&](std::exception_ptr e) {
    failure = e;
    done = true;
  });
  const auto deadline = std::chrono::steady_clock::now() + limit;
  context.restart();
  while (!done) {
    if (context.poll_one() != 0 || idle()) continue;
    context.run_one_for(std::chrono::milliseconds(100));
    const bool in_time = std::chrono::steady_clock::now() < deadline;
    HOLDFAST_CHECK(in_time && "the task never ended");
  }
  if (failure) std::rethrow_exception(failure);
  if constexpr (!std::is_void_v<T>) return std::move(*value);
}

template <class T>
T Run(boost::asio::io_context& context, Task<T> task, std::chrono::seconds limit = std::chrono::seconds(60)) {
  return RunWith(context, std::move(task), limit, [] { return false; });
}

// The same with time that the test owns: whenever nothing is ready, `clock` moves to its next timer.
// Only for code without threads of its own (the memory engine), else time races with the threads.
template <class T>
T RunStepping(boost::asio::io_context& context, ManualClock& clock, Task<T> task,
              std::chrono::seconds limit = std::chrono::seconds(60)) {
  return RunWith(context, std::move(task), limit, [&clock] { return clock.AdvanceToNextTimer(); });
}

// A fixture with a core of its own and a clock that the test moves.
class CoreTest : public ::testing::Test {
 public:
  Executor executor() { return context_.get_executor(); }
  boost::asio::io_context& context() { return context_; }
  ManualClock& clock() { return clock_; }

  template <class T>
  T Run(Task<T> task) {
    return holdfast::Run(context_, std::move(task));
  }
  template <class T>
  T RunStepping(Task<T> task) {
    return holdfast::RunStepping(context_, clock_, std::move(task));
  }
  // Starts a coroutine beside the test; it goes on whenever the test runs something or settles.
  void Start(Task<void> task) { Spawn(executor(), std::move(task)); }
  // Runs what is ready until nothing is; time stands still.
  void Settle() {
    context_.restart();
    context_.poll();
  }

 private:
  boost::asio::io_context context_;
  ManualClock clock_;
};

}  // namespace holdfast
