// The production clock: the kernel's time, timers on an executor.
#pragma once

#include <memory>

#include "storage/async/task.h"

namespace holdfast {

// Schedule and Cancel must be called on `executor`'s thread; callbacks run there.
std::unique_ptr<Clock> MakeAsioClock(const Executor& executor);

// A clock that only a test moves. Advance() runs due callbacks in order of their time.
class ManualClock final : public Clock {
 public:
  SteadyTime Now() const override { return now_; }
  FileTime NowFileTime() const override;
  TimerId Schedule(SteadyTime when, std::function<void()> callback) override;
  bool Cancel(TimerId id) override;
  void Advance(Duration by);
  // Moves to the earliest timer, if any, and runs it.
  bool AdvanceToNextTimer();
  bool has_timers() const { return !timers_.empty(); }

 private:
  struct Timer {
    TimerId id;
    SteadyTime when;
    std::function<void()> callback;
  };
  SteadyTime now_{};
  TimerId next_id_ = 1;
  std::deque<Timer> timers_;  // sorted by time, then id
};

}  // namespace holdfast
