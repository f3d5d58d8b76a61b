#include "protocol/base/random.h"

#include <openssl/rand.h>

#include "protocol/base/check.h"

namespace holdfast {
namespace {
class OpenSslRandom final : public Random {
 public:
  void Fill(std::span<std::uint8_t> out) override {
    HOLDFAST_CHECK(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
  }
};
}  // namespace

Random& SystemRandom() {
  static OpenSslRandom random;
  return random;
}

}  // namespace holdfast
