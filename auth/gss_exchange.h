// One sign-in through GSSAPI.
#pragma once

#include <functional>
#include <memory>

#include "auth/acceptor.h"
#include "auth/authenticator.h"

namespace holdfast {

class GssExchange final : public AuthExchange {
 public:
  using AcceptorSource = std::function<std::shared_ptr<const Acceptor>()>;

  // `current` is asked at the first token, on the worker thread, because a changed keytab is read then.
  explicit GssExchange(AcceptorSource current) : current_(std::move(current)) {}

  AuthStep Accept(ByteView token) override;
  const Identity& identity() const override;

 private:
  enum class State { kFirstToken, kNextToken, kDone, kFailed };

  AuthStep Fail(NtStatus status, std::string detail, Bytes reply = {});
  // What must hold of a token before a library sees it; STATUS_SUCCESS to go on, with what to log if the library refuses.
  NtStatus Examine(ByteView token, TokenForm& form, std::string& detail);

  AcceptorSource current_;
  std::shared_ptr<const Acceptor> acceptor_;
  State state_ = State::kFirstToken;
  TokenForm first_form_ = TokenForm::kUnknown;
  std::uint32_t ntlm_challenge_flags_ = 0;
  GssContext context_;
  gss_cred_id_t credential_ = GSS_C_NO_CREDENTIAL;
  Identity identity_;
};

}  // namespace holdfast
