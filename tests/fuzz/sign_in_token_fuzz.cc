// What looks at a client's security token before the GSS libraries do.
#include "auth/spnego_token.h"
#include "protocol/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  const ByteView bytes(data, size);
  const TokenView view = ParseToken(bytes);
  const ByteView inner = view.mechanism_token;
  HOLDFAST_CHECK(inner.empty() || (inner.data() >= data && inner.data() + inner.size() <= data + size));
  for (const ByteView message : {bytes, inner}) {
    for (const std::uint32_t flags : {0u, kNtlmNegotiateUnicode | kNtlmNegotiateKeyExchange}) {
      static_cast<void>(NtlmChallengeFlags(message));
      if (CheckNtlmAuthenticate(message, flags) == NtStatus::kSuccess)
        HOLDFAST_CHECK(NtlmClaimedName(message, flags).size() <= 4 * message.size());
    }
  }
  return 0;
}
