// Looking into the client's token before the libraries do: which mechanism it is for, and whether an NTLM message is sound.
#pragma once

#include <string>

#include "protocol/base/bytes.h"
#include "protocol/erref/ntstatus.h"

namespace holdfast {

enum class TokenForm { kUnknown, kSpnegoInit, kSpnegoResponse, kKerberos, kNtlm };

struct TokenView {
  TokenForm form = TokenForm::kUnknown;
  // The token of the mechanism: mechToken of a NegTokenInit, responseToken of a NegTokenResp ([RFC 4178] 4.2), empty when absent;
  // the whole token when it is not wrapped.
  ByteView mechanism_token;
};

// kUnknown when `token` is neither well-formed DER of one of the wrapped forms nor a raw NTLMSSP message.
TokenView ParseToken(ByteView token);

bool IsNtlmMessage(ByteView token);
// MessageType of an NTLMSSP message, [MS-NLMP] 2.2.1; 0 when it is none.
std::uint32_t NtlmMessageType(ByteView token);
// NegotiateFlags of the CHALLENGE, [MS-NLMP] 2.2.1.2; 0 when `token` is not one.
std::uint32_t NtlmChallengeFlags(ByteView token);

inline constexpr std::uint32_t kNtlmNegotiateUnicode = 0x00000001;
inline constexpr std::uint32_t kNtlmNegotiateKeyExchange = 0x40000000;

// [MS-NLMP] 2.2.1.3: what the NTLM library takes on trust. Every field lies inside the message, the response is NTLMv2 with a list of
// AV_PAIRs (2.2.2.1), and the session key is there when `challenge_flags` promised one. STATUS_SUCCESS, STATUS_INVALID_PARAMETER, STATUS_ACCESS_DENIED for an
// anonymous sign-in, STATUS_LOGON_FAILURE for LM and NTLMv1.
NtStatus CheckNtlmAuthenticate(ByteView message, std::uint32_t challenge_flags);

// "DOMAIN\user" of an AUTHENTICATE that CheckNtlmAuthenticate() passed, for the log: what the client says, proved or not.
std::string NtlmClaimedName(ByteView message, std::uint32_t challenge_flags);

}  // namespace holdfast
