// The client's side of a sign-in: SPNEGO over NTLM with a password, or over Kerberos with a credential cache.
#pragma once

#include <memory>
#include <string>

#include "protocol/base/bytes.h"
#include "protocol/erref/result.h"

namespace holdfast::client {

struct Credentials {
  std::string domain = "WORKGROUP";
  std::string user;
  std::string password;
  std::string ccache;       // "FILE:/path": Kerberos instead of NTLM
  std::string server_name;  // for cifs/<server_name>
  std::uint32_t ticket_seconds = 0;  // of the service ticket asked for; 0: as long as the KDC gives
  // gss-ntlmssp refuses a CHALLENGE of a server that calls itself otherwise.
  std::string netbios_name = "NODE1";
};

class GssInitiator {
 public:
  virtual ~GssInitiator() = default;
  // kLogonFailure with a text in `error` when there are no usable credentials.
  static Result<std::unique_ptr<GssInitiator>> Make(const Credentials& credentials, std::string* error);
  // The next token for the server, given its last one (empty at first).
  virtual Result<Bytes> Step(ByteView from_server) = 0;
  virtual bool complete() const = 0;
  virtual Bytes session_key() const = 0;
};

}  // namespace holdfast::client
