#include "protocol/crypto/signing.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

#include "protocol/base/check.h"
#include "protocol/crypto/context_pool.h"
#include "protocol/wire/endian.h"

namespace holdfast::crypto {
namespace {

// Offsets in the SMB2 header, [MS-SMB2] 2.2.1.
constexpr std::size_t kHeaderSize = 64;
constexpr std::size_t kCommandOffset = 12;
constexpr std::size_t kFlagsOffset = 16;
constexpr std::size_t kMessageIdOffset = 24;
constexpr std::uint16_t kCancel = 0x000C;
constexpr std::uint32_t kServerToRedir = 0x00000001;

using Signature = std::array<std::uint8_t, kSignatureSize>;

EVP_MAC* Fetch(const char* name) {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, name, nullptr);
  HOLDFAST_CHECK(mac != nullptr);
  return mac;
}

}  // namespace

struct Signer::State {
  SigningAlgorithm algorithm;
  Bytes key;
  ContextPool<EVP_MAC_CTX, EVP_MAC_CTX_free> mac_contexts;
  ContextPool<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> gmac_contexts;

  ~State() { OPENSSL_cleanse(key.data(), key.size()); }

  EVP_MAC_CTX* NewMacContext() const {
    static EVP_MAC* const hmac = Fetch("HMAC");
    static EVP_MAC* const cmac = Fetch("CMAC");
    const bool is_cmac = algorithm == SigningAlgorithm::kAesCmac;
    EVP_MAC_CTX* context = EVP_MAC_CTX_new(is_cmac ? cmac : hmac);
    HOLDFAST_CHECK(context != nullptr);
    char cipher[] = "AES-128-CBC";
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {is_cmac ? OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0)
                                         : OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    HOLDFAST_CHECK(EVP_MAC_init(context, key.data(), key.size(), params) == 1);
    return context;
  }

  EVP_CIPHER_CTX* NewGmacContext() const {
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    HOLDFAST_CHECK(context != nullptr &&
                   EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nullptr, key.data(), nullptr) == 1);
    return context;
  }

  // `message` feeds the parts of the message, its signature zeroed, to the function it is given.
  template <class Message>
  Signature Mac(Message&& message) {
    const auto lease = mac_contexts.Take([&] { return NewMacContext(); });
    HOLDFAST_CHECK(EVP_MAC_init(lease.get(), nullptr, 0, nullptr) == 1);  // keeps the key
    message([&](ByteView part) { HOLDFAST_CHECK(EVP_MAC_update(lease.get(), part.data(), part.size()) == 1); });
    std::array<std::uint8_t, 32> tag{};
    std::size_t size = 0;
    HOLDFAST_CHECK(EVP_MAC_final(lease.get(), tag.data(), &size, tag.size()) == 1 && size >= kSignatureSize);
    Signature signature;
    std::copy_n(tag.begin(), kSignatureSize, signature.begin());
    return signature;
  }

  template <class Message>
  Signature Gmac(ByteView header, Message&& message) {
    std::array<std::uint8_t, 12> nonce{};
    std::copy_n(header.begin() + kMessageIdOffset, 8, nonce.begin());
    if (wire::LoadLe<std::uint32_t>(header.data() + kFlagsOffset) & kServerToRedir) nonce[8] |= 1;
    if (wire::LoadLe<std::uint16_t>(header.data() + kCommandOffset) == kCancel) nonce[8] |= 2;
    const auto lease = gmac_contexts.Take([&] { return NewGmacContext(); });
    EVP_CIPHER_CTX* const context = lease.get();
    HOLDFAST_CHECK(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1);
    int length = 0;
    message([&](ByteView part) {
      HOLDFAST_CHECK(EVP_EncryptUpdate(context, nullptr, &length, part.data(), static_cast<int>(part.size())) == 1);
    });
    Signature signature;
    HOLDFAST_CHECK(EVP_EncryptFinal_ex(context, nullptr, &length) == 1 &&
                   EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kSignatureSize, signature.data()) == 1);
    return signature;
  }

  Signature Compute(ByteView head, std::span<const ByteView> rest) {
    const auto message = [&](auto&& add) {
      static constexpr Signature kZero{};
      add(head.first(kSignatureOffset));
      add(ByteView(kZero));
      if (head.size() > kHeaderSize) add(head.subspan(kHeaderSize));
      for (const ByteView part : rest)
        if (!part.empty()) add(part);
    };
    return algorithm == SigningAlgorithm::kAesGmac ? Gmac(head, message) : Mac(message);
  }
};

Signer::Signer(SigningAlgorithm algorithm, ByteView key) : state_(std::make_unique<State>()) {
  HOLDFAST_CHECK(algorithm == SigningAlgorithm::kHmacSha256 || key.size() == 16);
  state_->algorithm = algorithm;
  state_->key.assign(key.begin(), key.end());
}

Signer::~Signer() = default;
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;

SigningAlgorithm Signer::algorithm() const { return state_->algorithm; }

void Signer::Sign(std::span<std::uint8_t> message) const { Sign(message, {}); }

void Signer::Sign(std::span<std::uint8_t> head, std::span<const ByteView> rest) const {
  HOLDFAST_CHECK(head.size() >= kHeaderSize);
  const Signature signature = state_->Compute(head, rest);
  std::copy(signature.begin(), signature.end(), head.begin() + kSignatureOffset);
}

bool Signer::Verify(ByteView message) const { return Verify(message, {}); }

bool Signer::Verify(ByteView head, std::span<const ByteView> rest) const {
  if (head.size() < kHeaderSize) return false;
  const Signature signature = state_->Compute(head, rest);
  return CRYPTO_memcmp(signature.data(), head.data() + kSignatureOffset, kSignatureSize) == 0;
}

void Sign(SigningAlgorithm algorithm, ByteView key, std::span<std::uint8_t> message) {
  Signer(algorithm, key).Sign(message);
}

bool Verify(SigningAlgorithm algorithm, ByteView key, ByteView message) {
  return Signer(algorithm, key).Verify(message);
}

}  // namespace holdfast::crypto
