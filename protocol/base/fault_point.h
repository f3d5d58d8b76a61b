// Named places where a crash test may kill the process: FAULT_POINT("create.persist.after").
// Armed by the environment: HOLDFAST_FAULT="name" or "name:N" (the N-th pass, from 1) raises SIGKILL there.
// Compiled to nothing when HOLDFAST_FAULT_POINTS is off (release packages).
#pragma once

#include <atomic>
#include <string_view>

namespace holdfast {

// Arms a point from a test or from main (HOLDFAST_FAULT). An empty text disarms. Form: "name" or "name:N".
void ArmFaultPoint(std::string_view text);
void ReachFaultPoint(std::string_view name);
inline std::atomic<bool> g_fault_point_armed{false};

}  // namespace holdfast

#if HOLDFAST_FAULT_POINTS
// The name is not even built while nothing is armed.
#define FAULT_POINT(name) \
  (::holdfast::g_fault_point_armed.load(std::memory_order_relaxed) ? ::holdfast::ReachFaultPoint(name) : static_cast<void>(0))
#else
#define FAULT_POINT(name) static_cast<void>(sizeof(name))
#endif
