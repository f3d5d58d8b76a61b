// Time as a seam: nobody asks the operating system directly, so that the simulation owns time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace holdfast {

using Duration = std::chrono::nanoseconds;
// Monotonic time since an arbitrary origin.
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// 100 ns units since 1601-01-01 UTC, [MS-DTYP] 2.3.3. 0 means "no time".
using FileTime = std::uint64_t;

inline constexpr FileTime kFileTimeOfUnixEpoch = 116444736000000000ULL;

class Clock {
 public:
  using TimerId = std::uint64_t;
  virtual ~Clock() = default;
  virtual SteadyTime Now() const = 0;
  virtual FileTime NowFileTime() const = 0;
  // Runs `callback` once on the owner's executor at or after `when`. Never runs it from inside this call.
  virtual TimerId Schedule(SteadyTime when, std::function<void()> callback) = 0;
  // True when the callback had not run and now never will.
  virtual bool Cancel(TimerId id) = 0;
};

}  // namespace holdfast
