#include "protocol/crypto/preauth.h"

#include <openssl/evp.h>

#include <memory>

#include "protocol/base/check.h"

namespace holdfast::crypto {

void PreauthIntegrity::Update(ByteView message) { Update(std::span<const ByteView>(&message, 1)); }

void PreauthIntegrity::Update(std::span<const ByteView> pieces) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  HOLDFAST_CHECK(context && EVP_DigestInit_ex(context.get(), EVP_sha512(), nullptr) == 1);
  HOLDFAST_CHECK(EVP_DigestUpdate(context.get(), value_.data(), value_.size()) == 1);
  for (const ByteView piece : pieces) HOLDFAST_CHECK(EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1);
  HOLDFAST_CHECK(EVP_DigestFinal_ex(context.get(), value_.data(), nullptr) == 1);
}

}  // namespace holdfast::crypto
