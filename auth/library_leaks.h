// Leaks of the libraries that we cannot mend, kept out of the leak checker's report so that our own stand out.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define HOLDFAST_LEAK_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOLDFAST_LEAK_CHECKED 1
#endif
#endif

#if HOLDFAST_LEAK_CHECKED
#include <sanitizer/lsan_interface.h>
#endif

namespace holdfast {

// While it lives, this thread's allocations are not reported.
class IgnoreLibraryLeaks {
 public:
#if HOLDFAST_LEAK_CHECKED
  IgnoreLibraryLeaks() { __lsan_disable(); }
  ~IgnoreLibraryLeaks() { __lsan_enable(); }
#else
  IgnoreLibraryLeaks() {}
  ~IgnoreLibraryLeaks() {}
#endif
  IgnoreLibraryLeaks(const IgnoreLibraryLeaks&) = delete;
  IgnoreLibraryLeaks& operator=(const IgnoreLibraryLeaks&) = delete;
};

}  // namespace holdfast
