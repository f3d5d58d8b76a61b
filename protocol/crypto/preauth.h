// The running hash over what was said before keys existed, [MS-SMB2] 3.3.5.4 and 3.3.5.5.
#pragma once

#include <array>
#include <span>

#include "protocol/base/bytes.h"

namespace holdfast::crypto {

// SHA-512 chain: value = SHA512(value || message), zero at the start. A session copies its connection's value.
class PreauthIntegrity {
 public:
  static constexpr std::uint16_t kSha512 = 0x0001;  // HashAlgorithms, 2.2.3.1.1
  using Value = std::array<std::uint8_t, 64>;

  // One whole SMB2 message, from the header's ProtocolId on, without the transport's length.
  void Update(ByteView message);
  // The same message in pieces.
  void Update(std::span<const ByteView> pieces);
  const Value& value() const { return value_; }

 private:
  Value value_{};
};

}  // namespace holdfast::crypto
