#include "tests/auth/initiator.h"

#include "auth/library_leaks.h"

namespace holdfast {
namespace {

GssName Import(std::string text, gss_OID type) {
  gss_buffer_desc buffer = {text.size(), text.data()};
  GssName name;
  OM_uint32 minor;
  gss_import_name(&minor, &buffer, type, name.out());
  return name;
}

}  // namespace

Initiator Initiator::Ntlm(const std::string& domain, const std::string& user, const std::string& password, gss_OID mechanism) {
  Initiator i;
  i.mechanism_ = mechanism;
  // This library's client, unlike others, wants the name that its own server puts into the CHALLENGE.
  i.target_ = Import("cifs@fs", GSS_C_NT_HOSTBASED_SERVICE);
  const GssName name = Import(domain + "\\" + user, GSS_C_NT_USER_NAME);
  std::string secret = password;
  gss_buffer_desc buffer = {secret.size(), secret.data()};
  gss_OID_set_desc mechanisms = {1, mechanism};
  gss_OID_set_desc only_ntlm = {1, NtlmMechanism()};
  OM_uint32 minor;
  // gss-ntlmssp 1.2 does not free the digest with which it hashes the password.
  const IgnoreLibraryLeaks ignore;
  OM_uint32 major = gss_acquire_cred_with_password(&minor, name.get(), &buffer, GSS_C_INDEFINITE, &mechanisms, GSS_C_INITIATE,
                                                   i.credential_.out(), nullptr, nullptr);
  if (!GSS_ERROR(major) && mechanism == SpnegoMechanism()) major = gss_set_neg_mechs(&minor, i.credential_.get(), &only_ntlm);
  if (GSS_ERROR(major)) i.error_ = GssErrorText(major, minor, mechanism);
  return i;
}

Initiator Initiator::Kerberos(const std::string& ccache, const std::string& service_and_realm, gss_OID mechanism) {
  Initiator i;
  i.mechanism_ = mechanism;
  i.target_ = Import(service_and_realm, const_cast<gss_OID>(GSS_KRB5_NT_PRINCIPAL_NAME));
  gss_key_value_element_desc element = {"ccache", ccache.c_str()};
  const gss_key_value_set_desc store = {1, &element};
  gss_OID_set_desc mechanisms = {1, mechanism};
  OM_uint32 minor;
  const OM_uint32 major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms, GSS_C_INITIATE, &store,
                                                i.credential_.out(), nullptr, nullptr);
  if (GSS_ERROR(major)) i.error_ = GssErrorText(major, minor, mechanism);
  return i;
}

Bytes Initiator::Step(ByteView token) {
  if (!error_.empty()) return {};
  gss_buffer_desc input = {token.size(), const_cast<std::uint8_t*>(token.data())};
  GssBuffer output;
  OM_uint32 minor;
  const OM_uint32 major = gss_init_sec_context(
      &minor, credential_.get(), context_.out(), target_.get(), mechanism_,
      GSS_C_MUTUAL_FLAG | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG, 0,
      GSS_C_NO_CHANNEL_BINDINGS, &input, nullptr, output.out(), nullptr, nullptr);
  if (GSS_ERROR(major)) error_ = GssErrorText(major, minor, mechanism_);
  complete_ = major == GSS_S_COMPLETE;
  return output.bytes();
}

AuthStep SignIn(Initiator& initiator, AuthExchange& exchange) {
  AuthStep step;
  step.status = NtStatus::kMoreProcessingRequired;
  while (step.status == NtStatus::kMoreProcessingRequired) {
    const Bytes token = initiator.Step(step.reply);
    if (!initiator.error().empty()) return {NtStatus::kUnsuccessful, {}, "initiator: " + initiator.error()};
    step = exchange.Accept(token);
  }
  if (step.status == NtStatus::kSuccess && !initiator.complete()) initiator.Step(step.reply);
  return step;
}

}  // namespace holdfast
