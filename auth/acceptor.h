// The server's credentials for one state of the keytab and the users file. Immutable; exchanges that began with it end with it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "auth/authenticator.h"
#include "auth/file.h"
#include "auth/gss_handles.h"
#include "auth/kerberos_identity.h"
#include "auth/keytab.h"
#include "auth/ntlm_users.h"
#include "auth/spnego_token.h"

namespace holdfast {

class Acceptor {
 public:
  // Null with a sentence naming the cause in `error`.
  static std::shared_ptr<const Acceptor> Create(const AuthenticatorConfig& config, std::string* error);

  // The credential for a first token of this form; null when the configuration rules the mechanism out.
  gss_cred_id_t CredentialFor(TokenForm form) const;
  // NegTokenInit2 as the library's SPNEGO makes it from an empty token.
  std::optional<Bytes> MakeHint(std::string* error) const;
  NtStatus IdentityOf(gss_ctx_id_t context, Identity& identity, std::string& detail) const;

  // As in Authenticator.
  std::optional<LocalAccount> FindAccount(const Sid& sid) const;
  std::optional<LocalAccount> FindAccount(std::u16string_view domain, std::u16string_view name) const;
  std::optional<Sid> MachineSid() const;

 private:
  LocalAccount AccountOf(const NtlmUser& user) const;
  bool LoadKeytab(const AuthenticatorConfig& config, const std::string& host, std::string* error);
  bool LoadUsers(const AuthenticatorConfig& config, std::string* error);
  bool AcquireCredentials(const AuthenticatorConfig& config, const std::string& host, std::string* error);
  NtStatus NtlmIdentity(gss_ctx_id_t context, gss_name_t client, Identity& identity, std::string& detail) const;

  std::unique_ptr<Keytab> keytab_;
  std::optional<NtlmUsers> users_;
  std::optional<MemoryFile> user_hashes_;  // what the NTLM library reads: smbpasswd format, never on disk
  std::u16string local_domain_;            // of NTLM users
  KerberosPolicy kerberos_policy_;
  IdentityPolicy identity_policy_;
  // Declared last: they refer to the keytab and the hashes.
  GssCredential spnego_, kerberos_, ntlm_;
};

}  // namespace holdfast
