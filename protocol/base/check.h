// CHECK is for our own mistakes only: it crashes the server, and the handles fail over.
// What a peer or the environment can do wrong is a value, never a CHECK.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace holdfast {

[[noreturn]] inline void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace holdfast

#define HOLDFAST_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::holdfast::CheckFailed(__FILE__, __LINE__, #condition))
