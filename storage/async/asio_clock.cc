#include "storage/async/asio_clock.h"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <unordered_map>

namespace holdfast {
namespace {

class AsioClock final : public Clock {
 public:
  explicit AsioClock(Executor executor) : executor_(std::move(executor)) {}
  SteadyTime Now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }
  FileTime NowFileTime() const override {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return kFileTimeOfUnixEpoch +
           static_cast<FileTime>(std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count() / 100);
  }
  TimerId Schedule(SteadyTime when, std::function<void()> callback) override {
    const TimerId id = next_id_++;
    auto timer = std::make_unique<boost::asio::steady_timer>(
        executor_, std::chrono::time_point_cast<std::chrono::steady_clock::duration>(when));
    timer->async_wait([this, id, callback = std::move(callback)](boost::system::error_code) {
      // A cancelled timer was erased before its handler ran.
      if (timers_.erase(id)) callback();
    });
    timers_.emplace(id, std::move(timer));
    return id;
  }
  bool Cancel(TimerId id) override { return timers_.erase(id) != 0; }

 private:
  Executor executor_;
  TimerId next_id_ = 1;
  std::unordered_map<TimerId, std::unique_ptr<boost::asio::steady_timer>> timers_;
};

}  // namespace

std::unique_ptr<Clock> MakeAsioClock(const Executor& executor) { return std::make_unique<AsioClock>(executor); }

FileTime ManualClock::NowFileTime() const {
  constexpr FileTime kStart = 133000000000000000ULL;  // a day in 2022; any fixed day will do
  return kStart + static_cast<FileTime>(now_.time_since_epoch().count() / 100);
}

Clock::TimerId ManualClock::Schedule(SteadyTime when, std::function<void()> callback) {
  const TimerId id = next_id_++;
  const auto at = std::upper_bound(timers_.begin(), timers_.end(), when,
                                   [](SteadyTime t, const Timer& timer) { return t < timer.when; });
  timers_.insert(at, Timer{id, when, std::move(callback)});
  return id;
}

bool ManualClock::Cancel(TimerId id) {
  return std::erase_if(timers_, [id](const Timer& t) { return t.id == id; }) != 0;
}

void ManualClock::Advance(Duration by) {
  const SteadyTime end = now_ + by;
  while (!timers_.empty() && timers_.front().when <= end) AdvanceToNextTimer();
  now_ = end;
}

bool ManualClock::AdvanceToNextTimer() {
  if (timers_.empty()) return false;
  Timer timer = std::move(timers_.front());
  timers_.pop_front();
  now_ = std::max(now_, timer.when);
  timer.callback();
  return true;
}

}  // namespace holdfast
