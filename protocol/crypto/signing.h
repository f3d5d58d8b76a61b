// Message signatures, [MS-SMB2] 3.1.4.1 and 3.1.5.1.
#pragma once

#include <memory>
#include <span>

#include "protocol/base/bytes.h"

namespace holdfast::crypto {

// SigningAlgorithms of 2.2.3.1.7.
enum class SigningAlgorithm : std::uint16_t { kHmacSha256 = 0, kAesCmac = 1, kAesGmac = 2 };

// What a dialect signs with when SMB2_SIGNING_CAPABILITIES was not negotiated.
constexpr SigningAlgorithm DefaultSigningAlgorithm(std::uint16_t dialect) {
  return dialect >= 0x0300 ? SigningAlgorithm::kAesCmac : SigningAlgorithm::kHmacSha256;
}

inline constexpr std::size_t kSignatureOffset = 48;  // in the SMB2 header, 2.2.1
inline constexpr std::size_t kSignatureSize = 16;

// One key with one algorithm. Keeps keyed contexts, so that a message costs no key schedule. Thread-safe.
class Signer {
 public:
  // `key` is 16 bytes (HMAC-SHA256 takes any size).
  Signer(SigningAlgorithm algorithm, ByteView key);
  ~Signer();
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;

  SigningAlgorithm algorithm() const;

  // Writes the signature into the header. The caller has set SMB2_FLAGS_SIGNED and everything else; the GMAC nonce
  // takes MessageId, SERVER_TO_REDIR (our role) and the command from the header. `message` is one element of a
  // compound with its padding, at least the 64 bytes of the header.
  void Sign(std::span<std::uint8_t> message) const;
  // The same when the message continues in `rest`: `head` holds at least the header.
  void Sign(std::span<std::uint8_t> head, std::span<const ByteView> rest) const;

  // True when the signature in the header is right. False too for fewer bytes than a header. Constant time.
  bool Verify(ByteView message) const;
  bool Verify(ByteView head, std::span<const ByteView> rest) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One message with a key used once; a session keeps a Signer instead.
void Sign(SigningAlgorithm algorithm, ByteView key, std::span<std::uint8_t> message);
bool Verify(SigningAlgorithm algorithm, ByteView key, ByteView message);

}  // namespace holdfast::crypto
