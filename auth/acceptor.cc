#include "auth/acceptor.h"

#include <string.h>

#include <vector>

#include "auth/library_leaks.h"
#include "auth/local_name.h"
#include "protocol/dtyp/unicode.h"
#include "protocol/dtyp/upcase.h"

namespace holdfast {
namespace {

// One credential for `mechanism`. Both libraries ignore the elements of the store that are not theirs.
bool Acquire(gss_OID mechanism, gss_name_t name, const std::vector<gss_key_value_element_desc>& elements,
             GssCredential& credential, std::string* error) {
  gss_OID_set_desc mechanisms = {1, mechanism};
  const gss_key_value_set_desc store = {static_cast<OM_uint32>(elements.size()),
                                        const_cast<gss_key_value_element_desc*>(elements.data())};
  OM_uint32 minor;
  // krb5 1.20 forgets the principal it compares the keytab with: some bytes at each change of the keytab.
  const IgnoreLibraryLeaks ignore;
  const OM_uint32 major = gss_acquire_cred_from(&minor, name, GSS_C_INDEFINITE, &mechanisms, GSS_C_ACCEPT, &store,
                                                credential.out(), nullptr, nullptr);
  if (!GSS_ERROR(major)) return true;
  *error = GssErrorText(major, minor, mechanism);
  return false;
}

}  // namespace

std::shared_ptr<const Acceptor> Acceptor::Create(const AuthenticatorConfig& config, std::string* error) {
  auto acceptor = std::make_shared<Acceptor>();
  const std::string netbios_name = config.netbios_name.empty() ? LocalNetbiosName() : config.netbios_name;
  const std::string host = LowerAscii(netbios_name);
  acceptor->local_domain_ = Utf8ToUtf16Lossy(netbios_name);
  acceptor->identity_policy_.administrators = config.administrators;
  if (!config.keytab_path.empty() && !acceptor->LoadKeytab(config, host, error)) return nullptr;
  if (config.ntlm_enabled && !acceptor->LoadUsers(config, error)) return nullptr;
  if (!acceptor->AcquireCredentials(config, host, error)) return nullptr;
  return acceptor;
}

bool Acceptor::LoadKeytab(const AuthenticatorConfig& config, const std::string& host, std::string* error) {
  keytab_ = Keytab::Load(config.keytab_path, host, error);
  if (!keytab_) return false;
  kerberos_policy_.client_realms = config.client_realms.empty() ? keytab_->realms() : config.client_realms;
  kerberos_policy_.clock_skew_s = config.clock_skew_s;
  return true;
}

bool Acceptor::LoadUsers(const AuthenticatorConfig& config, std::string* error) {
  users_ = NtlmUsers::Load(config.ntlm_users_path, error);
  if (!users_) return false;
  identity_policy_.machine_sid = users_->machine_sid();
  // smbpasswd format: name:uid:LM hash:NT hash:flags. The LM hash is a place-holder that is no hash.
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (const NtlmUser& user : users_->users()) {
    text += user.name + ':' + std::to_string(user.rid) + ":XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:";
    for (std::uint8_t byte : user.nt_hash) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    text += ":[U]:\n";
  }
  std::string cause;
  user_hashes_ = MemoryFile::Create("holdfast-ntlm", text, &cause);
  explicit_bzero(text.data(), text.size());
  if (user_hashes_) return true;
  *error = "cannot keep the users' hashes in memory: " + cause;
  return false;
}

bool Acceptor::AcquireCredentials(const AuthenticatorConfig& config, const std::string& host, std::string* error) {
  // The NTLM library takes its user file only with a host-based name, and one SPNEGO credential has one name for both.
  std::string service = "cifs@" + host;
  gss_buffer_desc service_buffer = {service.size(), service.data()};
  GssName name;
  OM_uint32 minor;
  if (const OM_uint32 major = gss_import_name(&minor, &service_buffer, GSS_C_NT_HOSTBASED_SERVICE, name.out())) {
    *error = "the name " + service + ": " + GssErrorText(major, minor, GSS_C_NO_OID);
    return false;
  }

  const std::string hashes_path = user_hashes_ ? user_hashes_->path() : std::string();
  const std::string replay_cache =
      config.replay_cache_path.empty() ? "dfl:" : "file2:" + config.replay_cache_path;
  std::vector<gss_key_value_element_desc> store;
  std::vector<gss_OID_desc> mechanisms;
  if (keytab_) {
    mechanisms.push_back(*KerberosMechanism());
    store.push_back({"keytab", keytab_->memory_name().c_str()});
    store.push_back({"rcache", replay_cache.c_str()});
  }
  if (users_) {
    mechanisms.push_back(*NtlmMechanism());
    store.push_back({"ntlmssp_keyfile", hashes_path.c_str()});
  }
  if (mechanisms.empty()) {
    *error = "neither a keytab nor NTLM is configured: nobody could sign in";
    return false;
  }

  std::string cause;
  if (keytab_ && !Acquire(KerberosMechanism(), name.get(), store, kerberos_, &cause)) {
    *error = "keytab " + config.keytab_path + ": " + cause;
    return false;
  }
  if (users_ && !Acquire(NtlmMechanism(), name.get(), store, ntlm_, &cause)) {
    *error = "NTLM is not available (is the package gss-ntlmssp installed?): " + cause;
    return false;
  }
  if (!Acquire(SpnegoMechanism(), name.get(), store, spnego_, &cause)) {
    *error = "SPNEGO is not available: " + cause;
    return false;
  }
  // Without this SPNEGO would offer every mechanism that is installed.
  gss_OID_set_desc offered = {mechanisms.size(), mechanisms.data()};
  if (const OM_uint32 major = gss_set_neg_mechs(&minor, spnego_.get(), &offered)) {
    *error = "SPNEGO is not available: " + GssErrorText(major, minor, SpnegoMechanism());
    return false;
  }
  return true;
}

gss_cred_id_t Acceptor::CredentialFor(TokenForm form) const {
  switch (form) {
    case TokenForm::kSpnegoInit:
      return spnego_.get();
    case TokenForm::kKerberos:
      return kerberos_.get();
    case TokenForm::kNtlm:
      return ntlm_.get();
    case TokenForm::kSpnegoResponse:
    case TokenForm::kUnknown:
      break;
  }
  return GSS_C_NO_CREDENTIAL;
}

std::optional<Bytes> Acceptor::MakeHint(std::string* error) const {
  GssContext context;
  GssBuffer hint;
  gss_buffer_desc empty = GSS_C_EMPTY_BUFFER;
  OM_uint32 minor;
  const OM_uint32 major = gss_accept_sec_context(&minor, context.out(), spnego_.get(), &empty, GSS_C_NO_CHANNEL_BINDINGS,
                                                 nullptr, nullptr, hint.out(), nullptr, nullptr, nullptr);
  if (!GSS_ERROR(major)) return hint.bytes();
  *error = "SPNEGO is not available: " + GssErrorText(major, minor, SpnegoMechanism());
  return std::nullopt;
}

NtStatus Acceptor::IdentityOf(gss_ctx_id_t context, Identity& identity, std::string& detail) const {
  GssName client;
  gss_OID mechanism = GSS_C_NO_OID;
  OM_uint32 minor, flags = 0;
  const OM_uint32 major = gss_inquire_context(&minor, context, client.out(), nullptr, nullptr, &mechanism, &flags, nullptr, nullptr);
  if (GSS_ERROR(major) || !client) {
    detail = "the client has no name";
    return NtStatus::kLogonFailure;
  }
  if (flags & GSS_C_ANON_FLAG) {
    detail = "anonymous";
    return NtStatus::kAccessDenied;
  }
  if (keytab_ && IsMechanism(mechanism, KerberosMechanism()))
    return KerberosIdentity(context, client.get(), *keytab_, kerberos_policy_, identity_policy_, identity, detail);
  if (users_ && IsMechanism(mechanism, NtlmMechanism())) return NtlmIdentity(context, client.get(), identity, detail);
  detail = "signed in by a mechanism that is not configured";
  return NtStatus::kLogonFailure;
}

NtStatus Acceptor::NtlmIdentity(gss_ctx_id_t context, gss_name_t client, Identity& identity, std::string& detail) const {
  OM_uint32 minor;
  GssBuffer display;
  if (GSS_ERROR(gss_display_name(&minor, client, display.out(), nullptr))) {
    detail = "the client has no name";
    return NtStatus::kLogonFailure;
  }
  // "DOMAIN\user". The domain is what the client typed; our users have no other than ours.
  std::string name = display.text();
  while (name.ends_with('\0')) name.pop_back();  // the library counts the terminator
  const auto backslash = name.find('\\');
  const NtlmUser* user = users_->Find(backslash == std::string::npos ? name : name.substr(backslash + 1));
  if (user == nullptr) {
    detail = "no such user: " + name;
    return NtStatus::kLogonFailure;
  }
  if (user->disabled) {
    detail = "the account " + user->name + " is disabled";
    return NtStatus::kAccountDisabled;
  }
  GssSessionKey session_key = InquireSessionKey(context);
  if (session_key.key.size() != 16) {
    detail = "no session key for " + name;
    return NtStatus::kLogonFailure;
  }
  identity.token = TokenFromNtlmUser(*user, users_->machine_sid(), identity_policy_);
  identity.account_name = Utf8ToUtf16Lossy(user->name);
  identity.domain_name = local_domain_;
  identity.session_key = std::move(session_key.key);
  identity.kerberos = false;
  identity.expires.reset();
  return NtStatus::kSuccess;
}

LocalAccount Acceptor::AccountOf(const NtlmUser& user) const {
  return {users_->machine_sid().WithRid(user.rid), local_domain_, Utf8ToUtf16Lossy(user.name)};
}

std::optional<LocalAccount> Acceptor::FindAccount(const Sid& sid) const {
  if (!users_) return std::nullopt;
  for (const NtlmUser& user : users_->users()) {
    if (users_->machine_sid().WithRid(user.rid) == sid) return AccountOf(user);
  }
  return std::nullopt;
}

std::optional<LocalAccount> Acceptor::FindAccount(std::u16string_view domain, std::u16string_view name) const {
  if (!users_ || (!domain.empty() && !EqualsIgnoringCase(domain, local_domain_))) return std::nullopt;
  const NtlmUser* user = users_->Find(Utf16ToUtf8(name));
  return user ? std::optional(AccountOf(*user)) : std::nullopt;
}

std::optional<Sid> Acceptor::MachineSid() const {
  return users_ ? std::optional(users_->machine_sid()) : std::nullopt;
}

}  // namespace holdfast
