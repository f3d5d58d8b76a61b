// Randomness as a seam: the simulation replays a seed, production takes the kernel's.
#pragma once

#include <cstdint>
#include <span>

namespace holdfast {

class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(std::span<std::uint8_t> out) = 0;
  std::uint64_t Next64() {
    std::uint8_t b[8];
    Fill(b);
    std::uint64_t v = 0;
    for (std::uint8_t x : b) v = v << 8 | x;
    return v;
  }
};

// Cryptographically strong (OpenSSL); one for the process, thread-safe.
Random& SystemRandom();

}  // namespace holdfast
