#include "conformance/client/gss_initiator.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include "auth/library_leaks.h"

namespace holdfast::client {
namespace {

gss_OID_desc kSpnego = {6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};
gss_OID_desc kNtlm = {10, const_cast<char*>("\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a")};

std::string ErrorText(OM_uint32 major, OM_uint32 minor) {
  std::string text;
  for (const auto& [code, type] : {std::pair{major, GSS_C_GSS_CODE}, std::pair{minor, GSS_C_MECH_CODE}}) {
    OM_uint32 ignored, more = 0;
    gss_buffer_desc part = GSS_C_EMPTY_BUFFER;
    gss_display_status(&ignored, code, type, GSS_C_NO_OID, &more, &part);
    if (part.length) text += (text.empty() ? "" : ": ") + std::string(static_cast<char*>(part.value), part.length);
    gss_release_buffer(&ignored, &part);
  }
  return text;
}

gss_name_t Import(const std::string& text, gss_OID type) {
  OM_uint32 minor;
  gss_buffer_desc buffer = {text.size(), const_cast<char*>(text.data())};
  gss_name_t name = GSS_C_NO_NAME;
  gss_import_name(&minor, &buffer, type, &name);
  return name;
}

class Initiator final : public GssInitiator {
 public:
  ~Initiator() override {
    OM_uint32 minor;
    gss_delete_sec_context(&minor, &context_, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &credential_);
    gss_release_name(&minor, &target_);
  }

  std::string Acquire(const Credentials& c) {
    const IgnoreLibraryLeaks ignore;
    OM_uint32 minor, major;
    seconds_ = c.ticket_seconds;
    gss_OID_set_desc spnego = {1, &kSpnego};
    if (!c.ccache.empty()) {
      target_ = Import("cifs@" + c.server_name, GSS_C_NT_HOSTBASED_SERVICE);
      gss_key_value_element_desc element = {"ccache", c.ccache.c_str()};
      const gss_key_value_set_desc store = {1, &element};
      gss_OID_set_desc krb5 = {1, const_cast<gss_OID>(gss_mech_krb5)};
      major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &spnego, GSS_C_INITIATE, &store,
                                    &credential_, nullptr, nullptr);
      if (!GSS_ERROR(major)) major = gss_set_neg_mechs(&minor, credential_, &krb5);
    } else {
      target_ = Import("cifs@" + c.netbios_name, GSS_C_NT_HOSTBASED_SERVICE);
      gss_name_t user = Import(c.domain + "\\" + c.user, GSS_C_NT_USER_NAME);
      gss_buffer_desc password = {c.password.size(), const_cast<char*>(c.password.data())};
      gss_OID_set_desc ntlm = {1, &kNtlm};
      major = gss_acquire_cred_with_password(&minor, user, &password, GSS_C_INDEFINITE, &spnego, GSS_C_INITIATE,
                                             &credential_, nullptr, nullptr);
      if (!GSS_ERROR(major)) major = gss_set_neg_mechs(&minor, credential_, &ntlm);
      OM_uint32 ignored;
      gss_release_name(&ignored, &user);
    }
    return GSS_ERROR(major) ? ErrorText(major, minor) : std::string();
  }

  Result<Bytes> Step(ByteView from_server) override {
    const IgnoreLibraryLeaks ignore;  // gss-ntlmssp forgets its message digests
    gss_buffer_desc input = {from_server.size(), const_cast<std::uint8_t*>(from_server.data())};
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor, ignored;
    const OM_uint32 major = gss_init_sec_context(
        &minor, credential_, &context_, target_, &kSpnego,
        GSS_C_MUTUAL_FLAG | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_REPLAY_FLAG, seconds_,
        GSS_C_NO_CHANNEL_BINDINGS, &input, nullptr, &output, nullptr, nullptr);
    if (GSS_ERROR(major)) return NtStatus::kLogonFailure;
    complete_ = major == GSS_S_COMPLETE;
    const auto* p = static_cast<const std::uint8_t*>(output.value);
    Bytes token(p, p + output.length);
    gss_release_buffer(&ignored, &output);
    return token;
  }

  bool complete() const override { return complete_; }

  Bytes session_key() const override {
    OM_uint32 minor;
    gss_buffer_set_t keys = GSS_C_NO_BUFFER_SET;
    if (GSS_ERROR(gss_inquire_sec_context_by_oid(&minor, context_, GSS_C_INQ_SSPI_SESSION_KEY, &keys)) || !keys->count) {
      return {};
    }
    const auto* p = static_cast<const std::uint8_t*>(keys->elements[0].value);
    Bytes key(p, p + keys->elements[0].length);
    gss_release_buffer_set(&minor, &keys);
    return key;
  }

 private:
  OM_uint32 seconds_ = 0;
  gss_ctx_id_t context_ = GSS_C_NO_CONTEXT;
  gss_cred_id_t credential_ = GSS_C_NO_CREDENTIAL;
  gss_name_t target_ = GSS_C_NO_NAME;
  bool complete_ = false;
};

}  // namespace

Result<std::unique_ptr<GssInitiator>> GssInitiator::Make(const Credentials& credentials, std::string* error) {
  auto initiator = std::make_unique<Initiator>();
  const std::string problem = initiator->Acquire(credentials);
  if (!problem.empty()) {
    if (error) *error = problem;
    return NtStatus::kLogonFailure;
  }
  return std::unique_ptr<GssInitiator>(std::move(initiator));
}

}  // namespace holdfast::client
