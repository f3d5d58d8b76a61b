// Encryption of whole messages, [MS-SMB2] 2.2.41 and 3.1.4.3.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "protocol/base/bytes.h"
#include "protocol/erref/result.h"

namespace holdfast::crypto {

// Ciphers of 2.2.3.1.2; kNone is the answer to a client with which no cipher is shared.
enum class Cipher : std::uint16_t { kNone = 0, kAes128Ccm = 1, kAes128Gcm = 2, kAes256Ccm = 3, kAes256Gcm = 4 };

constexpr bool IsGcm(Cipher c) { return c == Cipher::kAes128Gcm || c == Cipher::kAes256Gcm; }
constexpr std::size_t KeySize(Cipher c) {
  return c == Cipher::kNone ? 0 : c == Cipher::kAes256Ccm || c == Cipher::kAes256Gcm ? 32 : 16;
}
// Bytes of the 16-byte Nonce field that the cipher uses, 2.2.41.
constexpr std::size_t NonceSize(Cipher c) { return IsGcm(c) ? 12 : 11; }

inline constexpr std::size_t kTransformHeaderSize = 52;

// Session id of a message that begins with a whole TRANSFORM_HEADER (ProtocolId 0xFD 'S' 'M' 'B'): the receiver needs
// it to find the key. nullopt for anything else.
std::optional<std::uint64_t> TransformSessionId(ByteView message);

// One direction of one session: a cipher with its key. Keeps keyed contexts. Thread-safe.
class MessageCipher {
 public:
  // `key` is KeySize(cipher) bytes; the cipher is not kNone.
  MessageCipher(Cipher cipher, ByteView key);
  ~MessageCipher();
  MessageCipher(MessageCipher&&) noexcept;
  MessageCipher& operator=(MessageCipher&&) noexcept;

  Cipher cipher() const;

  // TRANSFORM_HEADER and ciphertext of the message given in pieces, in one run of bytes; `reserve` zero bytes come
  // first (4 leave room for the transport's length). `counter` must never repeat under this key: it is the nonce.
  Bytes Encrypt(std::uint64_t session_id, std::uint64_t counter, std::span<const ByteView> pieces,
                std::size_t reserve = 0) const;
  Bytes Encrypt(std::uint64_t session_id, std::uint64_t counter, ByteView message, std::size_t reserve = 0) const;

  // Decrypts in place; the plaintext is what follows the TRANSFORM_HEADER. kInvalidSignature when a byte, the key or
  // the size is wrong; the contents of `message` are then of no use. kInvalidParameter for a malformed header.
  Result<std::span<std::uint8_t>> Decrypt(std::span<std::uint8_t> message) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::crypto
