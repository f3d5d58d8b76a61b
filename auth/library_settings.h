// What the Kerberos and NTLM libraries read from the environment, set once for the process.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast {

struct LibrarySettings {
  std::uint32_t clock_skew_s = 300;
  std::string netbios_name;
};

// Puts a krb5.conf of ours in front of the system's (AES only, no DNS, the clock skew) and names the NTLM server. Changes the
// environment: to be called before other threads exist. False with a sentence in `error`.
bool ApplyLibrarySettings(const LibrarySettings& settings, std::string* error);

}  // namespace holdfast
