#include "protocol/dtyp/guid.h"

#include <cstdio>

namespace holdfast {

std::string Guid::ToString() const {
  const auto& b = bytes;
  char text[40];
  std::snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[3], b[2],
                b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
  return text;
}

Guid Guid::Generate(Random& random) {
  Guid g;
  random.Fill(g.bytes);
  g.bytes[7] = static_cast<std::uint8_t>((g.bytes[7] & 0x0F) | 0x40);
  g.bytes[8] = static_cast<std::uint8_t>((g.bytes[8] & 0x3F) | 0x80);
  return g;
}

}  // namespace holdfast
