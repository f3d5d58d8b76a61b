// A sign-in under way on one connection: of a new session, of one that is renewed, or of one to be bound to the
// connection ([MS-SMB2] 3.3.1.15, PreauthSession).
#pragma once

#include <memory>

#include "auth/authenticator.h"
#include "protocol/crypto/preauth.h"

namespace holdfast {

struct SignIn {
  std::unique_ptr<AuthExchange> exchange;
  crypto::PreauthIntegrity preauth;  // 3.1.1
  bool binding = false;
  bool running = false;              // on a worker thread right now
};
using SignInPtr = std::shared_ptr<SignIn>;

}  // namespace holdfast
