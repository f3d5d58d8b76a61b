#include "auth/local_name.h"

#include <limits.h>
#include <unistd.h>

namespace holdfast {

std::string LocalNetbiosName() {
  char host[HOST_NAME_MAX + 1] = {};
  if (::gethostname(host, sizeof host - 1) != 0 || host[0] == '\0') return "HOLDFAST";
  std::string name = host;
  name = name.substr(0, std::min<std::size_t>(name.find('.'), 15));
  for (char& c : name)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return name.empty() ? "HOLDFAST" : name;
}

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

}  // namespace holdfast
