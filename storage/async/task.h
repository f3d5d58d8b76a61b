// The coroutine type of everything that waits, and the few ways to wait.
//
// One executor thread runs all protocol and file state ("the core"). Nothing on it blocks: blocking work
// runs on a WorkerPool and comes back to the core. Code on the core can be interleaved only at co_await.
// g++ 12 miscompiles temporaries inside a co_await expression: a closure made there whose captures have destructors may
// be destroyed twice, a braced list there does not compile. Give both a name on a line of their own first.
// Waits are ended by completing them with a status (NtStatus::kCancelled), never by Asio cancellation.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "protocol/base/check.h"
#include "protocol/base/clock.h"

namespace holdfast {

template <class T>
using Task = boost::asio::awaitable<T>;
using Executor = boost::asio::any_io_executor;

// Starts a coroutine of its own. An exception that reaches its end is our own fault and crashes.
void Spawn(const Executor& executor, Task<void> task);

// Suspends the caller until `resume` (handed to `start`) is called, on any thread, exactly once.
// The caller goes on at its own executor with the value given.
template <class T, class Start>
Task<T> Await(Start start) {
  auto executor = co_await boost::asio::this_coro::executor;
  auto initiate = [executor, start = std::move(start)](auto handler) mutable {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    start(std::function<void(T)>([executor, shared](T value) {
      boost::asio::post(executor, [shared, value = std::move(value)]() mutable {
        auto h = std::move(*shared);
        h(std::move(value));
      });
    }));
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(T)>(
      std::move(initiate), boost::asio::use_awaitable);
}

// One value, set once, awaited by any number of coroutines of the same executor.
template <class T>
class OneShot {
 public:
  bool is_set() const { return value_.has_value(); }
  // The first value wins; later ones are ignored and answer false.
  bool Set(T value) {
    if (value_) return false;
    value_ = std::move(value);
    for (auto& waiter : std::exchange(waiters_, {})) waiter(*value_);
    return true;
  }
  Task<T> Wait() {
    if (value_) co_return *value_;
    co_return co_await Await<T>([this](std::function<void(T)> resume) { waiters_.push_back(std::move(resume)); });
  }

 private:
  std::optional<T> value_;
  std::deque<std::function<void(T)>> waiters_;
};

// Fair mutex of one executor: may be held across co_await, is granted in order of asking.
class AsyncMutex {
 public:
  class Guard {
   public:
    Guard() = default;
    explicit Guard(AsyncMutex* mutex) : mutex_(mutex) {}
    Guard(Guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Guard& operator=(Guard&& other) noexcept {
      if (this != &other) {
        Release();
        mutex_ = std::exchange(other.mutex_, nullptr);
      }
      return *this;
    }
    ~Guard() { Release(); }
    void Release() {
      if (mutex_) std::exchange(mutex_, nullptr)->Unlock();
    }
    bool owns() const { return mutex_ != nullptr; }

   private:
    AsyncMutex* mutex_ = nullptr;
  };
  Task<Guard> Lock() {
    if (!locked_) {
      locked_ = true;
      co_return Guard(this);
    }
    co_await Await<int>([this](std::function<void(int)> resume) { waiters_.push_back(std::move(resume)); });
    co_return Guard(this);  // ownership was handed over by Unlock()
  }
  bool locked() const { return locked_; }

 private:
  void Unlock() {
    if (waiters_.empty()) {
      locked_ = false;
      return;
    }
    auto next = std::move(waiters_.front());
    waiters_.pop_front();
    next(0);
  }
  bool locked_ = false;
  std::deque<std::function<void(int)>> waiters_;
};

// Many shared holders or one exclusive; fair (an exclusive waiter holds back later shared ones).
class AsyncSharedMutex {
 public:
  class Guard {
   public:
    Guard() = default;
    Guard(AsyncSharedMutex* mutex, bool exclusive) : mutex_(mutex), exclusive_(exclusive) {}
    Guard(Guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)), exclusive_(other.exclusive_) {}
    Guard& operator=(Guard&& other) noexcept {
      if (this != &other) {
        Release();
        mutex_ = std::exchange(other.mutex_, nullptr);
        exclusive_ = other.exclusive_;
      }
      return *this;
    }
    ~Guard() { Release(); }
    void Release() {
      if (mutex_) std::exchange(mutex_, nullptr)->Unlock(exclusive_);
    }

   private:
    AsyncSharedMutex* mutex_ = nullptr;
    bool exclusive_ = false;
  };
  Task<Guard> LockShared() { return Lock(false); }
  Task<Guard> LockExclusive() { return Lock(true); }

 private:
  Task<Guard> Lock(bool exclusive) {
    if (waiters_.empty() && !exclusive_held_ && (!exclusive || shared_held_ == 0)) {
      Take(exclusive);
      co_return Guard(this, exclusive);
    }
    co_await Await<int>(
        [this, exclusive](std::function<void(int)> resume) { waiters_.push_back({exclusive, std::move(resume)}); });
    co_return Guard(this, exclusive);
  }
  void Take(bool exclusive) {
    if (exclusive) exclusive_held_ = true;
    else ++shared_held_;
  }
  void Unlock(bool exclusive) {
    if (exclusive) exclusive_held_ = false;
    else --shared_held_;
    while (!waiters_.empty() && !exclusive_held_ && (!waiters_.front().exclusive || shared_held_ == 0)) {
      auto next = std::move(waiters_.front());
      waiters_.pop_front();
      Take(next.exclusive);
      next.resume(0);
    }
  }
  struct Waiter {
    bool exclusive;
    std::function<void(int)> resume;
  };
  bool exclusive_held_ = false;
  std::size_t shared_held_ = 0;
  std::deque<Waiter> waiters_;
};

// Threads for work that blocks or burns a core: disk, RocksDB, sealing of large messages, Kerberos.
class WorkerPool {
 public:
  explicit WorkerPool(std::size_t threads) : pool_(threads) {}
  ~WorkerPool() { pool_.join(); }
  void Post(std::function<void()> work) { boost::asio::post(pool_, std::move(work)); }
  // Runs `work` (copyable callable) on a thread of the pool; the caller goes on at its own executor with the result.
  template <class Work>
  auto Run(Work work) -> Task<decltype(work())> {
    using T = decltype(work());
    auto shared_work = std::make_shared<Work>(std::move(work));
    auto start = [this, &shared_work](std::function<void(std::shared_ptr<T>)> resume) {
      Post([shared_work, resume = std::move(resume)] { resume(std::make_shared<T>((*shared_work)())); });
    };
    auto result = co_await Await<std::shared_ptr<T>>(start);
    co_return std::move(*result);
  }

 private:
  boost::asio::thread_pool pool_;
};

// Resumes at or after `when`.
Task<void> SleepUntil(Clock& clock, SteadyTime when);
inline Task<void> SleepFor(Clock& clock, Duration duration) { return SleepUntil(clock, clock.Now() + duration); }

}  // namespace holdfast
