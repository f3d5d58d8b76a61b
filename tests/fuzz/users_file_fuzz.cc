// The file of NTLM users, which an administrator may have edited by hand.
#include "auth/ntlm_users.h"
#include "protocol/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string error;
  const auto users =
      holdfast::NtlmUsers::Parse({reinterpret_cast<const char*>(data), size}, "/etc/holdfast/users", &error);
  // Refused in words that name the file, or read.
  HOLDFAST_CHECK(users.has_value() || error.find("/etc/holdfast/users") != std::string::npos);
  return 0;
}
