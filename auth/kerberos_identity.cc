#include "auth/kerberos_identity.h"

#include <algorithm>
#include <optional>

#include "protocol/dtyp/unicode.h"

namespace holdfast {
namespace {

struct PrincipalDeleter {
  krb5_context context;
  void operator()(krb5_principal principal) const { krb5_free_principal(context, principal); }
};
struct PacDeleter {
  krb5_context context;
  void operator()(krb5_pac pac) const { krb5_pac_free(context, pac); }
};
using Principal = std::unique_ptr<krb5_principal_data, PrincipalDeleter>;
using Pac = std::unique_ptr<krb5_pac_data, PacDeleter>;

// The PAC as the library passes it on after its own check; nullopt with the cause in `detail`.
std::optional<Bytes> AuthenticatedPac(gss_name_t client, std::string& detail) {
  gss_buffer_desc name = {10, const_cast<char*>("urn:mspac:")};
  int authenticated = 0, complete = 0, more = -1;
  GssBuffer value, display;
  OM_uint32 minor;
  const OM_uint32 major =
      gss_get_name_attribute(&minor, client, &name, &authenticated, &complete, value.out(), display.out(), &more);
  if (GSS_ERROR(major)) {
    detail = "the ticket has no PAC, or one whose signature, name or time does not hold";
    return std::nullopt;
  }
  if (!authenticated) {
    detail = "the PAC is not authenticated";
    return std::nullopt;
  }
  return value.bytes();
}

// [MS-KILE] 3.4.5.3: the server signature (type 6) with one of our keys; the name and the time of PAC_CLIENT_INFO with the ticket's.
krb5_error_code VerifyPac(krb5_context context, krb5_pac pac, krb5_timestamp authtime, krb5_const_principal client,
                          const Keytab& keytab) {
  krb5_error_code code = KRB5_KT_NOTFOUND;
  for (const krb5_keyblock& key : keytab.keys()) {
    code = krb5_pac_verify(context, pac, authtime, client, &key, nullptr);
    if (code == 0) return 0;
  }
  return code;
}

// The end of the ticket. The library lets an accepted context live for the clock skew longer; the session does not.
FileTime TicketEnd(krb5_context context, OM_uint32 lifetime_s, std::uint32_t clock_skew_s) {
  krb5_timestamp now = 0;
  if (krb5_timeofday(context, &now) != 0) return 0;
  const std::int64_t end = static_cast<std::int64_t>(static_cast<std::uint32_t>(now)) + lifetime_s - clock_skew_s;
  return kFileTimeOfUnixEpoch + static_cast<FileTime>(end) * 10'000'000ULL;
}

}  // namespace

NtStatus KerberosIdentity(gss_ctx_id_t gss_context, gss_name_t client_name, const Keytab& keytab, const KerberosPolicy& policy,
                          const IdentityPolicy& identity_policy, Identity& identity, std::string& detail) {
  const KerberosContext kerberos;
  if (!kerberos) {
    detail = "the Kerberos library did not start";
    return NtStatus::kInternalError;
  }
  const krb5_context context = kerberos.get();

  OM_uint32 minor;
  GssBuffer display;
  if (GSS_ERROR(gss_display_name(&minor, client_name, display.out(), nullptr))) {
    detail = "the client has no name";
    return NtStatus::kLogonFailure;
  }
  krb5_principal parsed = nullptr;
  const std::string name = display.text();
  if (const krb5_error_code code = krb5_parse_name(context, name.c_str(), &parsed)) {
    detail = "the client's name " + name + ": " + kerberos.ErrorText(code);
    return NtStatus::kLogonFailure;
  }
  const Principal principal(parsed, {context});
  const std::string realm(parsed->realm.data, parsed->realm.length);
  if (std::find(policy.client_realms.begin(), policy.client_realms.end(), realm) == policy.client_realms.end()) {
    detail = "clients of the realm " + realm + " are not allowed (" + name + ")";
    return NtStatus::kAccessDenied;
  }

  const auto pac_bytes = AuthenticatedPac(client_name, detail);
  if (!pac_bytes) {
    detail += " (" + name + ")";
    return NtStatus::kLogonFailure;
  }
  krb5_pac parsed_pac = nullptr;
  if (const krb5_error_code code = krb5_pac_parse(context, pac_bytes->data(), pac_bytes->size(), &parsed_pac)) {
    detail = "the PAC of " + name + ": " + kerberos.ErrorText(code);
    return NtStatus::kLogonFailure;
  }
  const Pac pac(parsed_pac, {context});
  krb5_timestamp authtime = 0;
  if (GSS_ERROR(gsskrb5_extract_authtime_from_sec_context(&minor, gss_context, &authtime))) {
    detail = "the ticket of " + name + " has no authentication time";
    return NtStatus::kLogonFailure;
  }
  if (const krb5_error_code code = VerifyPac(context, parsed_pac, authtime, parsed, keytab)) {
    detail = "the PAC of " + name + " is not signed with our key: " + kerberos.ErrorText(code);
    return NtStatus::kLogonFailure;
  }

  krb5_data logon_buffer = {};
  if (krb5_pac_get_buffer(context, parsed_pac, KRB5_PAC_LOGON_INFO, &logon_buffer) != 0) {
    detail = "the PAC of " + name + " has no LOGON_INFO";
    return NtStatus::kLogonFailure;
  }
  const auto info = DecodeLogonInfo({reinterpret_cast<const std::uint8_t*>(logon_buffer.data), logon_buffer.length});
  krb5_free_data_contents(context, &logon_buffer);
  if (!info) {
    detail = "the LOGON_INFO of " + name + " is malformed";
    return NtStatus::kLogonFailure;
  }
  auto token = TokenFromPac(*info, identity_policy);
  if (!token) {
    detail = "the SID " + info->user_sid().ToString() + " of " + name + " is not one that a KDC may assert";
    return NtStatus::kLogonFailure;
  }

  GssSessionKey session_key = InquireSessionKey(gss_context);
  if (session_key.key.empty() || !IsAes(static_cast<krb5_enctype>(session_key.encryption_type))) {
    detail = "the session key of " + name + " is not an AES key";
    return NtStatus::kLogonFailure;
  }
  OM_uint32 lifetime_s = 0;
  if (GSS_ERROR(gss_inquire_context(&minor, gss_context, nullptr, nullptr, &lifetime_s, nullptr, nullptr, nullptr, nullptr))) {
    detail = "the ticket of " + name + " has no end";
    return NtStatus::kLogonFailure;
  }

  identity.token = std::move(*token);
  identity.account_name = info->effective_name;
  if (identity.account_name.empty()) identity.account_name = Utf8ToUtf16Lossy(name.substr(0, name.rfind('@')));
  identity.domain_name = info->logon_domain_name;
  identity.session_key = std::move(session_key.key);
  identity.kerberos = true;
  identity.expires = TicketEnd(context, lifetime_s, policy.clock_skew_s);
  for (FileTime limit : {info->logoff_time, info->kick_off_time}) {
    if (limit != 0 && limit < kPacNever) identity.expires = std::min(*identity.expires, limit);
  }
  return NtStatus::kSuccess;
}

}  // namespace holdfast
