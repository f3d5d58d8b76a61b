#include "protocol/erref/ntstatus.h"

#include <cstdio>

namespace holdfast {

std::string_view NtStatusName(NtStatus status) {
  switch (status) {
#define HOLDFAST_NT_STATUS_CASE(name, value, text) \
  case NtStatus::name:                             \
    return text;
    HOLDFAST_NT_STATUS_LIST(HOLDFAST_NT_STATUS_CASE)
#undef HOLDFAST_NT_STATUS_CASE
  }
  thread_local char buffer[16];
  std::snprintf(buffer, sizeof buffer, "0x%08X", static_cast<unsigned>(status));
  return buffer;
}

}  // namespace holdfast
