#include "protocol/crypto/key_derivation.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <string_view>

#include "protocol/base/check.h"

namespace holdfast::crypto {
namespace {

constexpr std::size_t kSessionKeySize = 16;

void AppendBigEndian32(Bytes& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

// The labels and contexts of [MS-SMB2] 3.3.5.5.3 end with their zero byte.
Bytes Text(std::string_view text) {
  Bytes bytes(text.begin(), text.end());
  bytes.push_back(0);
  return bytes;
}

Bytes SessionKey16(ByteView key) {
  Bytes out(kSessionKeySize, 0);
  std::copy_n(key.begin(), std::min(key.size(), kSessionKeySize), out.begin());
  return out;
}

}  // namespace

Bytes DeriveKey(ByteView key, ByteView label, ByteView context, std::size_t size) {
  HOLDFAST_CHECK(size <= 32);  // one round of the PRF
  Bytes input;
  AppendBigEndian32(input, 1);
  input.insert(input.end(), label.begin(), label.end());
  input.push_back(0);
  input.insert(input.end(), context.begin(), context.end());
  AppendBigEndian32(input, static_cast<std::uint32_t>(size * 8));
  Bytes output(32);
  unsigned length = 0;
  HOLDFAST_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), input.data(), input.size(), output.data(),
                      &length) != nullptr);
  output.resize(size);
  return output;
}

Bytes DeriveSigningKey(std::uint16_t dialect, ByteView session_key, ByteView preauth_hash) {
  const Bytes key = SessionKey16(session_key);
  if (dialect < 0x0300) return key;
  if (dialect < 0x0311) return DeriveKey(key, Text("SMB2AESCMAC"), Text("SmbSign"), kSessionKeySize);
  return DeriveKey(key, Text("SMBSigningKey"), preauth_hash, kSessionKeySize);
}

SessionKeys DeriveSessionKeys(std::uint16_t dialect, Cipher cipher, ByteView session_key, ByteView full_session_key,
                              ByteView preauth_hash) {
  SessionKeys keys;
  const Bytes key = SessionKey16(session_key);
  keys.signing_key = DeriveSigningKey(dialect, session_key, preauth_hash);
  if (dialect < 0x0300) {
    keys.application_key = key;
    return keys;
  }
  if (dialect < 0x0311) {
    keys.application_key = DeriveKey(key, Text("SMB2APP"), Text("SmbRpc"), kSessionKeySize);
    keys.encryption_key = DeriveKey(key, Text("SMB2AESCCM"), Text("ServerOut"), kSessionKeySize);
    // The blank after "ServerIn" is part of the specification.
    keys.decryption_key = DeriveKey(key, Text("SMB2AESCCM"), Text("ServerIn "), kSessionKeySize);
    return keys;
  }
  const bool long_keys = KeySize(cipher) == 32;
  const Bytes full(full_session_key.begin(), full_session_key.end());
  const Bytes& from = long_keys ? full : key;
  const std::size_t size = long_keys ? 32 : kSessionKeySize;
  keys.application_key = DeriveKey(key, Text("SMBAppKey"), preauth_hash, kSessionKeySize);
  keys.encryption_key = DeriveKey(from, Text("SMBS2CCipherKey"), preauth_hash, size);
  keys.decryption_key = DeriveKey(from, Text("SMBC2SCipherKey"), preauth_hash, size);
  return keys;
}

}  // namespace holdfast::crypto
