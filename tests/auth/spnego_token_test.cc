#include "auth/spnego_token.h"

#include <gtest/gtest.h>

#include <random>

namespace holdfast {
namespace {

void Put(Bytes& out, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

constexpr std::size_t kAvPairs = 88 + 44;  // in what Authenticate() makes

// An AUTHENTICATE with an NTLMv2 response of 60 bytes and the user "ab".
Bytes Authenticate() {
  Bytes m(88, 0);
  const std::uint8_t signature[] = {'N', 'T', 'L', 'M', 'S', 'S', 'P', 0, 3};
  std::copy(std::begin(signature), std::end(signature), m.begin());
  const auto field = [&m](std::size_t at, std::uint16_t length) {
    Put(m, at, length, 2);
    Put(m, at + 2, length, 2);
    Put(m, at + 4, m.size(), 4);
    m.insert(m.end(), length, 0x41);
  };
  field(20, 60);
  Put(m, kAvPairs, 1, 2);
  Put(m, kAvPairs + 2, 4, 2);
  Put(m, kAvPairs + 8, 0, 4);  // MsvAvEOL, and padding behind it
  field(36, 4);
  field(52, 16);
  return m;
}

constexpr std::uint32_t kFlags = kNtlmNegotiateUnicode | kNtlmNegotiateKeyExchange;

TEST(CheckNtlmAuthenticate, TakesASoundMessage) {
  EXPECT_EQ(CheckNtlmAuthenticate(Authenticate(), kFlags), NtStatus::kSuccess);
  EXPECT_EQ(NtlmClaimedName(Authenticate(), 0), "\\AAAA");
}

TEST(CheckNtlmAuthenticate, RefusesEveryTruncation) {
  const Bytes whole = Authenticate();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(CheckNtlmAuthenticate(ByteView(whole).first(size), kFlags), NtStatus::kInvalidParameter) << size;
}

TEST(CheckNtlmAuthenticate, RefusesNtlmV1) {
  Bytes m = Authenticate();
  Put(m, 20, 24, 2);
  EXPECT_EQ(CheckNtlmAuthenticate(m, kFlags), NtStatus::kLogonFailure);
}

TEST(CheckNtlmAuthenticate, RefusesAvPairsWithoutAnEnd) {
  for (const std::size_t length : {5u, 60u, 0xFFFFu}) {
    Bytes m = Authenticate();
    Put(m, kAvPairs + 2, length, 2);
    EXPECT_EQ(CheckNtlmAuthenticate(m, kFlags), NtStatus::kInvalidParameter) << length;
  }
  Bytes m = Authenticate();
  Put(m, 20, 44, 2);
  EXPECT_EQ(CheckNtlmAuthenticate(m, kFlags), NtStatus::kInvalidParameter);
}

TEST(CheckNtlmAuthenticate, RefusesAnonymous) {
  Bytes m = Authenticate();
  Put(m, 36, 0, 2);
  EXPECT_EQ(CheckNtlmAuthenticate(m, kFlags), NtStatus::kAccessDenied);
}

// The library copies sixteen bytes from it without asking.
TEST(CheckNtlmAuthenticate, RefusesAnAbsentOrShortSessionKey) {
  for (unsigned length : {0u, 1u, 15u, 17u}) {
    Bytes m = Authenticate();
    m.push_back(0);
    Put(m, 52, length, 2);
    EXPECT_EQ(CheckNtlmAuthenticate(m, kFlags), NtStatus::kInvalidParameter) << length;
  }
}

TEST(CheckNtlmAuthenticate, RefusesFieldsOutsideTheMessage) {
  for (std::size_t at : {20, 36, 52}) {
    for (std::uint32_t offset : {0u, 63u, 150u, 0xFFFFFFFFu, 0xFFFFFFF0u}) {
      Bytes m = Authenticate();
      Put(m, at + 4, offset, 4);
      if (at != 20 && offset == 150) continue;  // inside, for the short ones
      EXPECT_EQ(CheckNtlmAuthenticate(m, kFlags), NtStatus::kInvalidParameter) << at << ' ' << offset;
    }
  }
}

// NegTokenResp { responseToken } as the Linux client sends it.
TEST(ParseToken, FindsTheResponseToken) {
  const Bytes token = {0xA1, 0x09, 0x30, 0x07, 0xA2, 0x05, 0x04, 0x03, 'a', 'b', 'c'};
  const TokenView view = ParseToken(token);
  EXPECT_EQ(view.form, TokenForm::kSpnegoResponse);
  EXPECT_EQ(Bytes(view.mechanism_token.begin(), view.mechanism_token.end()), (Bytes{'a', 'b', 'c'}));
}

TEST(ParseToken, RefusesADoubledOrMisplacedField) {
  EXPECT_EQ(ParseToken(Bytes{0xA1, 0x10, 0x30, 0x0E, 0xA2, 0x05, 0x04, 0x03, 1, 2, 3, 0xA2, 0x05, 0x04, 0x03, 1, 2, 3}).form,
            TokenForm::kUnknown);
  EXPECT_EQ(ParseToken(Bytes{0xA1, 0x0C, 0x30, 0x0A, 0xA2, 0x05, 0x04, 0x03, 1, 2, 3, 0xA0, 0x01, 0}).form, TokenForm::kUnknown);
}

TEST(ParseToken, KnowsRawMessagesAndRefusesOthers) {
  EXPECT_EQ(ParseToken(Authenticate()).form, TokenForm::kNtlm);
  EXPECT_EQ(ParseToken({}).form, TokenForm::kUnknown);
  EXPECT_EQ(ParseToken(Bytes{0x60}).form, TokenForm::kUnknown);
  EXPECT_EQ(ParseToken(Bytes{0x60, 0x80, 0, 0}).form, TokenForm::kUnknown);
  EXPECT_EQ(ParseToken(Bytes(64, 'x')).form, TokenForm::kUnknown);
}

TEST(ParseToken, StaysInsideRandomBytes) {
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    Bytes token(random() % 64);
    for (auto& b : token) b = static_cast<std::uint8_t>(random());
    if (!token.empty()) token[0] = round % 2 ? 0x60 : 0xA1;
    const TokenView view = ParseToken(token);
    EXPECT_LE(view.mechanism_token.size(), token.size());
  }
}

}  // namespace
}  // namespace holdfast
