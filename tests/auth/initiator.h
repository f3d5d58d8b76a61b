// The client's side of a sign-in, in the same process.
#pragma once

#include <string>

#include "auth/authenticator.h"
#include "auth/gss_handles.h"

namespace holdfast {

class Initiator {
 public:
  // `mechanism`: SPNEGO around it, or the mechanism itself for raw tokens.
  static Initiator Ntlm(const std::string& domain, const std::string& user, const std::string& password, gss_OID mechanism);
  static Initiator Kerberos(const std::string& ccache, const std::string& service_and_realm, gss_OID mechanism);

  // The next token to send; empty when there is none. error() tells when the library refused.
  Bytes Step(ByteView token);
  bool complete() const { return complete_; }
  const std::string& error() const { return error_; }
  Bytes SessionKey() const { return InquireSessionKey(context_.get()).key; }

 private:
  gss_OID mechanism_ = GSS_C_NO_OID;
  GssCredential credential_;
  GssName target_;
  GssContext context_;
  bool complete_ = false;
  std::string error_;
};

// Runs tokens back and forth until the server is done; its last step.
AuthStep SignIn(Initiator& initiator, AuthExchange& exchange);

}  // namespace holdfast
