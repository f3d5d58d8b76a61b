#include "protocol/crypto/encryption.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <limits>

#include "protocol/base/buffer_pool.h"
#include "protocol/base/check.h"
#include "protocol/crypto/context_pool.h"
#include "protocol/wire/endian.h"

namespace holdfast::crypto {
namespace {

// Offsets in the TRANSFORM_HEADER, [MS-SMB2] 2.2.41.
constexpr std::uint32_t kProtocolId = 0x424D53FD;
constexpr std::size_t kTagOffset = 4;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kNonceOffset = 20;  // the authenticated data begin here
constexpr std::size_t kOriginalSizeOffset = 36;
constexpr std::size_t kFlagsOffset = 42;
constexpr std::size_t kSessionIdOffset = 44;
constexpr std::uint16_t kEncrypted = 0x0001;  // Flags of 3.1.1, and EncryptionAlgorithm AES-128-CCM of 3.0

const EVP_CIPHER* Evp(Cipher cipher) {
  switch (cipher) {
    case Cipher::kAes128Ccm:
      return EVP_aes_128_ccm();
    case Cipher::kAes128Gcm:
      return EVP_aes_128_gcm();
    case Cipher::kAes256Ccm:
      return EVP_aes_256_ccm();
    case Cipher::kAes256Gcm:
      return EVP_aes_256_gcm();
    case Cipher::kNone:
      break;
  }
  return nullptr;
}

}  // namespace

std::optional<std::uint64_t> TransformSessionId(ByteView message) {
  if (message.size() < kTransformHeaderSize || wire::LoadLe<std::uint32_t>(message.data()) != kProtocolId)
    return std::nullopt;
  return wire::LoadLe<std::uint64_t>(message.data() + kSessionIdOffset);
}

struct MessageCipher::State {
  Cipher cipher;
  Bytes key;
  ContextPool<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> encrypting;
  ContextPool<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> decrypting;

  ~State() { OPENSSL_cleanse(key.data(), key.size()); }

  EVP_CIPHER_CTX* NewContext(int encrypt) const {
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    HOLDFAST_CHECK(context != nullptr &&
                   EVP_CipherInit_ex(context, Evp(cipher), nullptr, nullptr, nullptr, encrypt) == 1);
    HOLDFAST_CHECK(
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(NonceSize(cipher)), nullptr) == 1);
    // CCM bakes the sizes of tag and length field into the first block, so the tag size comes before the key.
    if (!IsGcm(cipher)) HOLDFAST_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, nullptr) == 1);
    HOLDFAST_CHECK(EVP_CipherInit_ex(context, nullptr, nullptr, key.data(), nullptr, encrypt) == 1);
    return context;
  }
};

MessageCipher::MessageCipher(Cipher cipher, ByteView key) : state_(std::make_unique<State>()) {
  HOLDFAST_CHECK(cipher != Cipher::kNone && key.size() == KeySize(cipher));
  state_->cipher = cipher;
  state_->key.assign(key.begin(), key.end());
}

MessageCipher::~MessageCipher() = default;
MessageCipher::MessageCipher(MessageCipher&&) noexcept = default;
MessageCipher& MessageCipher::operator=(MessageCipher&&) noexcept = default;

Cipher MessageCipher::cipher() const { return state_->cipher; }

Bytes MessageCipher::Encrypt(std::uint64_t session_id, std::uint64_t counter, ByteView message,
                             std::size_t reserve) const {
  return Encrypt(session_id, counter, std::span<const ByteView>(&message, 1), reserve);
}

Bytes MessageCipher::Encrypt(std::uint64_t session_id, std::uint64_t counter, std::span<const ByteView> pieces,
                             std::size_t reserve) const {
  std::size_t size = 0;
  for (const ByteView piece : pieces) size += piece.size();
  HOLDFAST_CHECK(size <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  Bytes out = TakeBuffer(reserve + kTransformHeaderSize + size);
  std::fill_n(out.begin(), reserve + kTransformHeaderSize, std::uint8_t{0});
  std::uint8_t* const header = out.data() + reserve;
  wire::StoreLe(header, kProtocolId);
  wire::StoreLe(header + kNonceOffset, counter);
  wire::StoreLe(header + kOriginalSizeOffset, static_cast<std::uint32_t>(size));
  wire::StoreLe(header + kFlagsOffset, kEncrypted);
  wire::StoreLe(header + kSessionIdOffset, session_id);

  const auto lease = state_->encrypting.Take([&] { return state_->NewContext(1); });
  EVP_CIPHER_CTX* const context = lease.get();
  const std::uint8_t* const aad = header + kNonceOffset;
  const int aad_size = static_cast<int>(kTransformHeaderSize - kNonceOffset);
  std::uint8_t* at = header + kTransformHeaderSize;
  int length = 0;
  if (IsGcm(state_->cipher)) {
    HOLDFAST_CHECK(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, aad) == 1);
    HOLDFAST_CHECK(EVP_EncryptUpdate(context, nullptr, &length, aad, aad_size) == 1);
    for (const ByteView piece : pieces) {
      if (piece.empty()) continue;
      HOLDFAST_CHECK(EVP_EncryptUpdate(context, at, &length, piece.data(), static_cast<int>(piece.size())) == 1);
      at += length;
    }
  } else {
    // CCM wants the whole plaintext in one call: gathered where the ciphertext will stand.
    for (const ByteView piece : pieces) at = std::copy(piece.begin(), piece.end(), at);
    std::uint8_t* const text = header + kTransformHeaderSize;
    HOLDFAST_CHECK(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, aad) == 1);
    HOLDFAST_CHECK(EVP_EncryptUpdate(context, nullptr, &length, nullptr, static_cast<int>(size)) == 1);
    HOLDFAST_CHECK(EVP_EncryptUpdate(context, nullptr, &length, aad, aad_size) == 1);
    HOLDFAST_CHECK(EVP_EncryptUpdate(context, text, &length, text, static_cast<int>(size)) == 1);
  }
  HOLDFAST_CHECK(EVP_EncryptFinal_ex(context, at, &length) == 1);
  HOLDFAST_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, header + kTagOffset) == 1);
  return out;
}

Result<std::span<std::uint8_t>> MessageCipher::Decrypt(std::span<std::uint8_t> message) const {
  if (!TransformSessionId(message)) return NtStatus::kInvalidParameter;
  std::uint8_t* const header = message.data();
  const auto text = message.subspan(kTransformHeaderSize);
  if (wire::LoadLe<std::uint32_t>(header + kOriginalSizeOffset) != text.size() ||
      wire::LoadLe<std::uint16_t>(header + kFlagsOffset) != kEncrypted || text.empty() ||
      text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    return NtStatus::kInvalidParameter;

  const auto lease = state_->decrypting.Take([&] { return state_->NewContext(0); });
  EVP_CIPHER_CTX* const context = lease.get();
  const std::uint8_t* const aad = header + kNonceOffset;
  const int aad_size = static_cast<int>(kTransformHeaderSize - kNonceOffset);
  const int size = static_cast<int>(text.size());
  int length = 0;
  if (IsGcm(state_->cipher)) {
    HOLDFAST_CHECK(EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, aad) == 1);
    HOLDFAST_CHECK(EVP_DecryptUpdate(context, nullptr, &length, aad, aad_size) == 1);
    HOLDFAST_CHECK(EVP_DecryptUpdate(context, text.data(), &length, text.data(), size) == 1);
    HOLDFAST_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, header + kTagOffset) == 1);
    if (EVP_DecryptFinal_ex(context, text.data() + text.size(), &length) != 1) return NtStatus::kInvalidSignature;
    return text;
  }
  HOLDFAST_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, header + kTagOffset) == 1);
  HOLDFAST_CHECK(EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, aad) == 1);
  HOLDFAST_CHECK(EVP_DecryptUpdate(context, nullptr, &length, nullptr, size) == 1);
  HOLDFAST_CHECK(EVP_DecryptUpdate(context, nullptr, &length, aad, aad_size) == 1);
  // In CCM this call both deciphers and compares the tag.
  if (EVP_DecryptUpdate(context, text.data(), &length, text.data(), size) != 1) return NtStatus::kInvalidSignature;
  return text;
}

}  // namespace holdfast::crypto
