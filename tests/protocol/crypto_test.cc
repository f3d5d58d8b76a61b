#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <thread>

#include "protocol/crypto/encryption.h"
#include "protocol/crypto/key_derivation.h"
#include "protocol/crypto/preauth.h"
#include "protocol/crypto/signing.h"
#include "tests/protocol/crypto_vectors.h"

namespace holdfast::crypto {
namespace {

using test::Hex;

TEST(KeyDerivation, GivesTheKeysOfThePublishedSessions) {
  for (const auto& v : test::kKeyVectors) {
    SCOPED_TRACE(v.session_key);
    const auto keys = DeriveSessionKeys(v.dialect, Cipher::kAes128Gcm, Hex(v.session_key), {}, Hex(v.preauth));
    EXPECT_EQ(keys.signing_key, Hex(v.signing));
    EXPECT_EQ(keys.application_key, Hex(v.application));
    // The vectors are the client's view: it decrypts what the server encrypts.
    EXPECT_EQ(keys.encryption_key, Hex(v.client_decryption));
    EXPECT_EQ(keys.decryption_key, Hex(v.client_encryption));
  }
}

TEST(KeyDerivation, UsesTheSessionKeyItselfBeforeDialect30) {
  const auto keys = DeriveSessionKeys(0x0210, Cipher::kNone, Hex("00112233445566778899AABBCCDDEEFF0011"), {}, {});
  EXPECT_EQ(keys.signing_key, Hex("00112233445566778899AABBCCDDEEFF"));
  EXPECT_TRUE(keys.encryption_key.empty());
}

TEST(KeyDerivation, PadsAShortSessionKeyWithZeros) {
  EXPECT_EQ(DeriveSigningKey(0x0202, Hex("0102030405060708"), {}), Hex("01020304050607080000000000000000"));
}

TEST(KeyDerivation, TakesTheFullKeyForAes256Only) {
  const Bytes full = Hex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
  const Bytes hash(64, 7);
  const auto long_keys = DeriveSessionKeys(0x0311, Cipher::kAes256Gcm, full, full, hash);
  const auto short_keys = DeriveSessionKeys(0x0311, Cipher::kAes128Gcm, full, full, hash);
  EXPECT_EQ(long_keys.encryption_key.size(), 32u);
  EXPECT_EQ(short_keys.encryption_key.size(), 16u);
  EXPECT_EQ(long_keys.signing_key, short_keys.signing_key);
  // L is part of the derivation: a long key does not begin with the short one.
  EXPECT_FALSE(
      std::equal(short_keys.encryption_key.begin(), short_keys.encryption_key.end(), long_keys.encryption_key.begin()));
  // Computed with Python's hmac from the definition: HMAC-SHA256(full, 1 || "SMBS2CCipherKey\0" || 0 || hash || 256).
  EXPECT_EQ(long_keys.encryption_key, Hex("545E2CF1C02652614F36C3B4735CCBE47E59C38DF704699CA865EEE59DE20161"));
}

TEST(PreauthIntegrity, FollowsThePublishedExchange) {
  PreauthIntegrity hash;
  hash.Update(Hex(test::kPreauthMessages[0]));
  hash.Update(Hex(test::kPreauthMessages[1]));
  EXPECT_TRUE(std::ranges::equal(hash.value(), Hex(test::kPreauthValueAfterNegotiate)));
  for (int i = 2; i < 5; ++i) {
    const Bytes message = Hex(test::kPreauthMessages[i]);
    const ByteView pieces[] = {ByteView(message).first(64), ByteView(message).subspan(64)};
    hash.Update(pieces);
  }
  EXPECT_TRUE(std::ranges::equal(hash.value(), Hex(test::kPreauthValue311)));
}

TEST(Signing, AcceptsASignatureOfAWindowsServer) {
  const Bytes message = Hex(test::kSignedSessionSetupResponse);
  const Signer signer(SigningAlgorithm::kAesCmac, Hex("73FE7A9A77BEF0BDE49C650D8CCB5F76"));
  EXPECT_TRUE(signer.Verify(message));
  EXPECT_TRUE(signer.Verify(message)) << "the second message with the same context";
}

// A signed header: command, flags and message id as the GMAC nonce needs them.
Bytes Message(std::uint16_t command, std::uint32_t flags, std::uint64_t message_id, std::size_t body) {
  Bytes m(64 + body);
  for (std::size_t i = 0; i < m.size(); ++i) m[i] = static_cast<std::uint8_t>(i * 7 + 3);
  for (int i = 0; i < 2; ++i) m[12 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(command >> (8 * i));
  for (int i = 0; i < 4; ++i) m[16 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(flags >> (8 * i));
  for (int i = 0; i < 8; ++i) m[24 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(message_id >> (8 * i));
  return m;
}

ByteView SignatureOf(const Bytes& m) { return ByteView(m).subspan(48, 16); }

TEST(Signing, HmacIsTheFirstHalfOverTheMessageWithZeroedSignature) {
  const Bytes key = Hex("00112233445566778899AABBCCDDEEFF");
  Bytes m = Message(5, 8, 77, 1000);
  Sign(SigningAlgorithm::kHmacSha256, key, m);
  Bytes zeroed = m;
  std::fill_n(zeroed.begin() + 48, 16, std::uint8_t{0});
  std::uint8_t expected[32];
  HMAC(EVP_sha256(), key.data(), 16, zeroed.data(), zeroed.size(), expected, nullptr);
  EXPECT_TRUE(std::ranges::equal(SignatureOf(m), ByteView(expected, 16)));
}

// Expected values: AES-GCM of Python's cryptography package, the message as additional data, the nonce of 3.1.4.1.
TEST(Signing, GmacNonceHoldsMessageIdRoleAndCancel) {
  const Bytes key = Hex("00112233445566778899AABBCCDDEEFF");
  struct Case {
    std::uint16_t command;
    std::uint32_t flags;
    std::string_view signature;
  };
  const Case cases[] = {
      {0x05, 0x08, "ED2F8272AF3E72821354A121019F41C5"},  // a request
      {0x05, 0x09, "8C2CFCA08026D22EE813E34159C8E64C"},  // a response
      {0x0C, 0x08, "A193F6FAEF3FB111F3368A20D4A6DF54"},  // CANCEL
  };
  for (const auto& c : cases) {
    Bytes m = Message(c.command, c.flags, 0x1122334455667788, 36);
    Sign(SigningAlgorithm::kAesGmac, key, m);
    EXPECT_TRUE(std::ranges::equal(SignatureOf(m), Hex(c.signature)));
  }
}

class EverySigningAlgorithm : public testing::TestWithParam<SigningAlgorithm> {};
INSTANTIATE_TEST_SUITE_P(Signing, EverySigningAlgorithm,
                         testing::Values(SigningAlgorithm::kHmacSha256, SigningAlgorithm::kAesCmac,
                                         SigningAlgorithm::kAesGmac));

TEST_P(EverySigningAlgorithm, RefusesAnyChangedByteAnotherKeyAndTruncation) {
  const Signer signer(GetParam(), Hex("00112233445566778899AABBCCDDEEFF"));
  const Signer other(GetParam(), Hex("00112233445566778899AABBCCDDEEFE"));
  Bytes m = Message(9, 8, 5, 50);
  signer.Sign(m);
  EXPECT_TRUE(signer.Verify(m));
  EXPECT_FALSE(other.Verify(m));
  for (std::size_t i = 0; i < m.size(); ++i) {
    Bytes changed = m;
    changed[i] ^= 0x40;
    EXPECT_FALSE(signer.Verify(changed)) << "byte " << i;
  }
  for (std::size_t size : {std::size_t{0}, std::size_t{63}, m.size() - 1})
    EXPECT_FALSE(signer.Verify(ByteView(m).first(size))) << size;
}

TEST_P(EverySigningAlgorithm, SignsPiecesLikeTheWhole) {
  const Signer signer(GetParam(), Hex("00112233445566778899AABBCCDDEEFF"));
  Bytes whole = Message(8, 9, 5, 70000);
  Bytes head(whole.begin(), whole.begin() + 80);
  const ByteView rest[] = {ByteView(whole).subspan(80, 13), ByteView(), ByteView(whole).subspan(93)};
  signer.Sign(whole);
  signer.Sign(head, rest);
  EXPECT_TRUE(std::ranges::equal(SignatureOf(whole), SignatureOf(head)));
  EXPECT_TRUE(signer.Verify(head, rest));
}

TEST_P(EverySigningAlgorithm, ServesManyThreadsAtOnce) {
  const Signer signer(GetParam(), Hex("00112233445566778899AABBCCDDEEFF"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        Bytes m = Message(8, 8, static_cast<std::uint64_t>(t * 1000 + i), 100);
        signer.Sign(m);
        EXPECT_TRUE(signer.Verify(m));
      }
    });
  for (auto& thread : threads) thread.join();
}

void ExpectDecrypts(Cipher cipher, std::string_view key, std::string_view transformed, std::string_view plain) {
  Bytes message = Hex(transformed);
  const MessageCipher direction(cipher, Hex(key));
  const auto text = direction.Decrypt(message);
  ASSERT_TRUE(text.ok());
  EXPECT_TRUE(std::ranges::equal(*text, Hex(plain)));
}

TEST(Encryption, DecryptsMessagesOfWindowsClientsAndServers) {
  ExpectDecrypts(Cipher::kAes128Ccm, test::kCcm30Key, test::kCcm30Request, test::kCcm30RequestPlain);
  ExpectDecrypts(Cipher::kAes128Ccm, test::kCcmServerKey, test::kCcmResponse, test::kCcmResponsePlain);
  ExpectDecrypts(Cipher::kAes128Gcm, test::kGcmKey, test::kGcmRequest, test::kGcmRequestPlain);
}

TEST(Encryption, GivesTheBytesOfAWindowsServerForTheSameNonce) {
  const MessageCipher direction(Cipher::kAes128Ccm, Hex(test::kCcmServerKey));
  const Bytes out = direction.Encrypt(0x100000000021, 0xB4B78E2EDD3168D9, Hex(test::kCcmResponsePlain));
  EXPECT_EQ(out, Hex(test::kCcmResponse));
}

class EveryCipher : public testing::TestWithParam<Cipher> {
 protected:
  Bytes Key(std::uint8_t first) const {
    Bytes key(KeySize(GetParam()), 0x5A);
    key[0] = first;
    return key;
  }
};
INSTANTIATE_TEST_SUITE_P(Encryption, EveryCipher,
                         testing::Values(Cipher::kAes128Ccm, Cipher::kAes128Gcm, Cipher::kAes256Ccm,
                                         Cipher::kAes256Gcm));

TEST_P(EveryCipher, RefusesAnyChangedByteAnotherKeyAndTruncation) {
  const MessageCipher direction(GetParam(), Key(1));
  const MessageCipher other(GetParam(), Key(2));
  const Bytes plain = Message(9, 8, 5, 33);
  const Bytes sealed = direction.Encrypt(99, 1, plain);
  EXPECT_EQ(TransformSessionId(sealed), 99u);
  Bytes copy = sealed;
  EXPECT_FALSE(other.Decrypt(copy).ok());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    copy = sealed;
    copy[i] ^= 1;
    // The end of the nonce field is authenticated though not part of the nonce.
    EXPECT_FALSE(direction.Decrypt(copy).ok()) << "byte " << i;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    copy.assign(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(direction.Decrypt(copy).ok()) << "size " << size;
  }
  copy = sealed;
  const auto text = direction.Decrypt(copy);
  ASSERT_TRUE(text.ok()) << "after all the refusals";
  EXPECT_TRUE(std::ranges::equal(*text, plain));
}

TEST_P(EveryCipher, EncryptsPiecesLikeTheWholeAndLeavesRoomInFront) {
  const MessageCipher direction(GetParam(), Key(1));
  const Bytes plain = Message(8, 9, 5, 70001);
  const ByteView pieces[] = {ByteView(plain).first(64), ByteView(), ByteView(plain).subspan(64, 17),
                             ByteView(plain).subspan(81)};
  Bytes whole = direction.Encrypt(99, 7, plain);
  Bytes reserved = direction.Encrypt(99, 7, pieces, 4);
  EXPECT_TRUE(std::ranges::equal(ByteView(reserved).subspan(4), whole));
  const auto text = direction.Decrypt(std::span(reserved).subspan(4));
  ASSERT_TRUE(text.ok());
  EXPECT_TRUE(std::ranges::equal(*text, plain));
}

TEST_P(EveryCipher, NeverRepeatsCiphertextForAnotherCounter) {
  const MessageCipher direction(GetParam(), Key(1));
  const Bytes plain(200, 0);
  EXPECT_NE(direction.Encrypt(99, 1, plain), direction.Encrypt(99, 2, plain));
}

}  // namespace
}  // namespace holdfast::crypto
