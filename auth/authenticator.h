// Sign-in as tokens in and tokens out: SPNEGO, Kerberos 5 and NTLMv2 behind one interface, so that SESSION_SETUP
// ([MS-SMB2] 3.3.5.5) never sees a mechanism. Everything after success is in Identity.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/clock.h"
#include "protocol/dtyp/security_token.h"
#include "protocol/erref/ntstatus.h"

namespace holdfast {

struct AuthenticatorConfig {
  // A FILE keytab with the keys of cifs/<every name of the cluster>; empty: no Kerberos. Only its AES keys are used.
  // Its content may change while the server runs (key rotation): the next exchange uses the new keys.
  std::string keytab_path;
  // Realms whose clients may sign in; empty: the realms of the keytab's principals.
  std::vector<std::string> client_realms;
  // How far client and KDC clocks may differ from ours, [RFC 4120] 1.6.
  std::uint32_t clock_skew_s = 300;
  // Where seen authenticators are remembered; empty: the library's place, /var/tmp/krb5_<uid>.rcache2.
  std::string replay_cache_path;

  // NTLMv2 is for workgroups and tests: off unless asked for.
  bool ntlm_enabled = false;
  // See auth/ntlm_users.h for the format; re-read when it changes.
  std::string ntlm_users_path;
  // What an NTLM CHALLENGE names as the server, and the domain of its users, [MS-NLMP] 2.2.2.1; empty: the host's name.
  std::string netbios_name;

  // Users and groups that are BUILTIN\Administrators here, whichever mechanism they come by.
  std::vector<Sid> administrators;
};

// Who signed in, and the key that both sides now share.
struct Identity {
  SecurityToken token;
  std::u16string account_name;  // sAMAccountName, without domain
  std::u16string domain_name;   // NetBIOS domain
  Bytes session_key;            // the whole key of the mechanism: 16 bytes (NTLM, AES-128) or 32 (AES-256)
  bool kerberos = false;
  // When the client must sign in again (STATUS_NETWORK_SESSION_EXPIRED), from the ticket; NTLM never expires.
  std::optional<FileTime> expires;
};

// What one token of the client led to.
struct AuthStep {
  // STATUS_MORE_PROCESSING_REQUIRED: send `reply`, expect another token. STATUS_SUCCESS: `reply` goes into the final
  // response, identity() is valid. Anything else: the exchange is over. STATUS_LOGON_FAILURE: wrong secret, unknown user, ticket
  // refused, PAC absent or not verified. STATUS_ACCOUNT_DISABLED: the secret was right. STATUS_ACCESS_DENIED: realm not allowed,
  // anonymous. STATUS_INVALID_PARAMETER: not a token. STATUS_TIME_DIFFERENCE_AT_DC: clock skew.
  NtStatus status = NtStatus::kLogonFailure;
  Bytes reply;         // may be non-empty with an error too (KRB-ERROR, negTokenResp reject): Windows sends it as well
  std::string detail;  // for the log, never for the client; no secrets
};

// One sign-in, from its first token to success or failure. Used by one thread at a time.
class AuthExchange {
 public:
  virtual ~AuthExchange() = default;
  // May block for milliseconds (ciphers, replay-cache file): call it on a worker thread.
  virtual AuthStep Accept(ByteView token) = 0;
  // CHECKs that Accept() answered STATUS_SUCCESS.
  virtual const Identity& identity() const = 0;
};

// An account of the users file, for the names in security dialogs.
struct LocalAccount {
  Sid sid;
  std::u16string domain;  // as Identity::domain_name
  std::u16string name;
};

// Holds the acceptor's credentials. Thread-safe; several exchanges may run at once.
class Authenticator {
 public:
  // Null on failure, with a sentence naming the file and the cause in `error`. Sets environment variables that the Kerberos and
  // NTLM libraries read (KRB5_CONFIG gets our settings in front): call it once, before other threads exist.
  static std::unique_ptr<Authenticator> Create(const AuthenticatorConfig& config, std::string* error);
  virtual ~Authenticator() = default;

  // Why the last change of the keytab or the users file could not be taken over (the old content stays in use); empty: all is well.
  virtual std::string ReloadError() const = 0;
  // The SecurityBuffer of the NEGOTIATE response: SPNEGO NegTokenInit2, [MS-SPNG] 2.2.1.
  virtual const Bytes& NegotiateHint() const = 0;
  // A new sign-in. The client's first token tells whether it is SPNEGO, raw NTLMSSP or a raw Kerberos AP-REQ.
  // It must end before the authenticator does.
  virtual std::unique_ptr<AuthExchange> Begin() = 0;

  // nullopt when there is no such local account. `domain` may be empty.
  virtual std::optional<LocalAccount> FindAccount(const Sid& sid) const = 0;
  virtual std::optional<LocalAccount> FindAccount(std::u16string_view domain, std::u16string_view name) const = 0;
  // What the SIDs of local accounts begin with; nullopt without a users file.
  virtual std::optional<Sid> MachineSid() const = 0;
};

}  // namespace holdfast
