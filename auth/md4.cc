#include "auth/md4.h"

#include <bit>

namespace holdfast {
namespace {

using State = std::array<std::uint32_t, 4>;

// [RFC 1320] 3.4: three rounds of sixteen steps; a step rotates the roles of the four words.
void Mix(State& state, const std::uint8_t* block) {
  std::uint32_t x[16];
  for (int i = 0; i < 16; ++i)
    x[i] = static_cast<std::uint32_t>(block[4 * i]) | static_cast<std::uint32_t>(block[4 * i + 1]) << 8 |
           static_cast<std::uint32_t>(block[4 * i + 2]) << 16 | static_cast<std::uint32_t>(block[4 * i + 3]) << 24;

  static constexpr int kOrder[3][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                        {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15},
                                        {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15}};
  static constexpr int kShift[3][4] = {{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
  static constexpr std::uint32_t kConstant[3] = {0, 0x5A827999, 0x6ED9EBA1};

  auto [a, b, c, d] = state;
  for (int round = 0; round < 3; ++round) {
    for (int step = 0; step < 16; ++step) {
      const std::uint32_t f = round == 0   ? (b & c) | (~b & d)
                              : round == 1 ? (b & c) | (b & d) | (c & d)
                                           : b ^ c ^ d;
      const std::uint32_t mixed = std::rotl(a + f + x[kOrder[round][step]] + kConstant[round], kShift[round][step % 4]);
      a = d;
      d = c;
      c = b;
      b = mixed;
    }
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

}  // namespace

std::array<std::uint8_t, 16> Md4(ByteView message) {
  Bytes padded(message.begin(), message.end());
  padded.push_back(0x80);
  while (padded.size() % 64 != 56) padded.push_back(0);
  const std::uint64_t bits = std::uint64_t{message.size()} * 8;
  for (int i = 0; i < 8; ++i) padded.push_back(static_cast<std::uint8_t>(bits >> (8 * i)));

  State state = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476};
  for (std::size_t at = 0; at < padded.size(); at += 64) Mix(state, &padded[at]);

  std::array<std::uint8_t, 16> digest;
  for (std::size_t i = 0; i < 16; ++i) digest[i] = static_cast<std::uint8_t>(state[i / 4] >> (8 * (i % 4)));
  return digest;
}

}  // namespace holdfast
