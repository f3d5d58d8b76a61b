#include "auth/gss_exchange.h"

#include <krb5/krb5.h>

#include <cerrno>
#include <cstring>

#include "protocol/base/check.h"

namespace holdfast {
namespace {

// This machine's fault, not the peer's: its replay cache cannot be read or written, or it has no memory or descriptors.
// SPNEGO gives the mechanism's minor codes numbers of its own, so that only their text tells.
bool IsOurs(const std::string& text) {
  for (const int cause : {ENOSPC, EDQUOT, EACCES, EPERM, EROFS, ENOENT, ENOTDIR, EISDIR, EIO, ENOMEM, EMFILE, ENFILE})
    if (text.find(std::strerror(cause)) != std::string::npos) return true;
  return false;
}

// The library's cause as the status a Windows server would give.
NtStatus StatusOf(OM_uint32 minor, const std::string& text, bool ntlm) {
  if (minor == static_cast<OM_uint32>(KRB5KRB_AP_ERR_SKEW)) return NtStatus::kTimeDifferenceAtDc;
  // The NTLM library has "no such file" for a user it does not know.
  return !ntlm && IsOurs(text) ? NtStatus::kInsufficientResources : NtStatus::kLogonFailure;
}

}  // namespace

AuthStep GssExchange::Accept(ByteView token) {
  if (state_ == State::kDone || state_ == State::kFailed) return Fail(NtStatus::kInvalidParameter, "a token after the end");

  TokenForm form = TokenForm::kUnknown;
  std::string detail;
  if (const NtStatus status = Examine(token, form, detail); status != NtStatus::kSuccess) return Fail(status, detail);
  if (state_ == State::kFirstToken) {
    acceptor_ = current_();
    first_form_ = form;
    credential_ = acceptor_->CredentialFor(form);
    if (credential_ == GSS_C_NO_CREDENTIAL) return Fail(NtStatus::kLogonFailure, "a mechanism that is not configured");
    state_ = State::kNextToken;
  }

  gss_buffer_desc input = {token.size(), const_cast<std::uint8_t*>(token.data())};
  gss_OID mechanism = GSS_C_NO_OID;
  GssBuffer output;
  OM_uint32 minor = 0;
  const OM_uint32 major = gss_accept_sec_context(&minor, context_.out(), credential_, &input, GSS_C_NO_CHANNEL_BINDINGS, nullptr,
                                                 &mechanism, output.out(), nullptr, nullptr, nullptr);
  if (GSS_ERROR(major)) {
    if (!detail.empty()) detail += ": ";
    const std::string cause = GssErrorText(major, minor, mechanism);
    const bool ntlm = NtlmMessageType(ParseToken(token).mechanism_token) != 0;
    return Fail(StatusOf(minor, cause, ntlm), detail + cause, output.bytes());
  }

  AuthStep step;
  step.reply = output.bytes();
  if (const std::uint32_t flags = NtlmChallengeFlags(ParseToken(step.reply).mechanism_token)) ntlm_challenge_flags_ = flags;
  if (major & GSS_S_CONTINUE_NEEDED) {
    step.status = NtStatus::kMoreProcessingRequired;
    return step;
  }

  step.status = acceptor_->IdentityOf(context_.get(), identity_, step.detail);
  context_.Reset();
  // The reply of a context that the library accepted and we refuse would tell the client that it is signed in.
  if (step.status != NtStatus::kSuccess) return Fail(step.status, step.detail);
  state_ = State::kDone;
  return step;
}

const Identity& GssExchange::identity() const {
  HOLDFAST_CHECK(state_ == State::kDone);
  return identity_;
}

AuthStep GssExchange::Fail(NtStatus status, std::string detail, Bytes reply) {
  state_ = State::kFailed;
  context_.Reset();
  return {status, std::move(reply), std::move(detail)};
}

NtStatus GssExchange::Examine(ByteView token, TokenForm& form, std::string& detail) {
  const TokenView view = ParseToken(token);
  form = view.form;
  const bool fits = state_ == State::kFirstToken
                        ? form == TokenForm::kSpnegoInit || form == TokenForm::kKerberos || form == TokenForm::kNtlm
                        : (first_form_ == TokenForm::kSpnegoInit) == (form == TokenForm::kSpnegoResponse);
  if (form == TokenForm::kUnknown || !fits) {
    detail = "not a SPNEGO, Kerberos or NTLMSSP token, or not at this place";
    return NtStatus::kInvalidParameter;
  }
  if (NtlmMessageType(view.mechanism_token) != 3) return NtStatus::kSuccess;
  if (state_ == State::kFirstToken) {
    detail = "an NTLM AUTHENTICATE without a CHALLENGE";
    return NtStatus::kInvalidParameter;
  }
  const NtStatus status = CheckNtlmAuthenticate(view.mechanism_token, ntlm_challenge_flags_);
  if (status == NtStatus::kSuccess)
    detail = "NTLM sign-in of " + NtlmClaimedName(view.mechanism_token, ntlm_challenge_flags_) + " failed";
  else
    detail = status == NtStatus::kAccessDenied   ? "anonymous"
             : status == NtStatus::kLogonFailure ? "LM or NTLMv1 instead of NTLMv2"
                                                 : "a malformed NTLM AUTHENTICATE";
  return status;
}

}  // namespace holdfast
