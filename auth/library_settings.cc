#include "auth/library_settings.h"

#include <stdlib.h>

#include <optional>

#include "auth/file.h"

namespace holdfast {
namespace {

std::string KerberosProfile(const LibrarySettings& settings) {
  std::string text = "[libdefaults]\n";
  // The library's own default still takes RC4; this rules it out for tickets, session keys and sub-keys alike.
  text += "\tpermitted_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96 aes256-cts-hmac-sha384-192"
          " aes128-cts-hmac-sha256-128\n";
  text += "\tclockskew = " + std::to_string(settings.clock_skew_s) + "\n";
  // An acceptor has no use for DNS, and a sign-in must not wait for one that is down.
  text += "\tdns_lookup_realm = false\n\tdns_canonicalize_hostname = false\n\trdns = false\n";
  return text;
}

}  // namespace

bool ApplyLibrarySettings(const LibrarySettings& settings, std::string* error) {
  // Lives as long as the process: the libraries open it whenever they make a context.
  static std::optional<MemoryFile> profile;
  const std::string text = KerberosProfile(settings);
  std::string cause;
  if (profile) {
    if (profile->Rewrite(text, &cause)) return true;
  } else if ((profile = MemoryFile::Create("holdfast-krb5.conf", text, &cause))) {
    const char* system = ::getenv("KRB5_CONFIG");
    const std::string path = profile->path() + ":" + (system != nullptr ? system : "/etc/krb5.conf");
    ::setenv("KRB5_CONFIG", path.c_str(), 1);
    if (!settings.netbios_name.empty()) ::setenv("NETBIOS_COMPUTER_NAME", settings.netbios_name.c_str(), 1);
    // Any other domain makes the NTLM library think it is a domain member and accept LM and NTLMv1 "for the controller to judge".
    ::setenv("NETBIOS_DOMAIN_NAME", "WORKSTATION", 1);
    ::setenv("LM_COMPAT_LEVEL", "5", 1);
    return true;
  }
  *error = "cannot keep the Kerberos settings in memory: " + cause;
  return false;
}

}  // namespace holdfast
