#include "auth/gss_handles.h"

#include <cstring>

namespace holdfast {
namespace {

// GSSAPI takes OIDs without const.
gss_OID_desc g_spnego = {6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};
gss_OID_desc g_kerberos = {9, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02")};
gss_OID_desc g_ntlm = {10, const_cast<char*>("\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a")};

// Element 1 of the session key's buffer set: this OID and one more arc, the encryption type.
constexpr char kKeyTypeOid[] = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x04";

std::string Display(OM_uint32 value, int kind, gss_OID mechanism) {
  std::string text;
  OM_uint32 more = 0;
  do {
    OM_uint32 minor;
    GssBuffer part;
    if (GSS_ERROR(gss_display_status(&minor, value, kind, mechanism, &more, part.out()))) break;
    if (!text.empty()) text += "; ";
    text += part.text();
  } while (more != 0);
  return text;
}

}  // namespace

gss_OID SpnegoMechanism() { return &g_spnego; }
gss_OID KerberosMechanism() { return &g_kerberos; }
gss_OID NtlmMechanism() { return &g_ntlm; }

bool IsMechanism(gss_OID mechanism, gss_OID wanted) {
  return mechanism != GSS_C_NO_OID && mechanism->length == wanted->length &&
         std::memcmp(mechanism->elements, wanted->elements, wanted->length) == 0;
}

std::string GssErrorText(OM_uint32 major, OM_uint32 minor, gss_OID mechanism) {
  std::string text = Display(major, GSS_C_GSS_CODE, mechanism);
  if (minor != 0) text += ": " + Display(minor, GSS_C_MECH_CODE, mechanism);
  return text;
}

GssSessionKey InquireSessionKey(gss_ctx_id_t context) {
  GssSessionKey result;
  OM_uint32 minor;
  gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
  if (GSS_ERROR(gss_inquire_sec_context_by_oid(&minor, context, GSS_C_INQ_SSPI_SESSION_KEY, &set))) return result;
  if (set != GSS_C_NO_BUFFER_SET && set->count > 0) {
    const auto* key = static_cast<const std::uint8_t*>(set->elements[0].value);
    result.key.assign(key, key + set->elements[0].length);
    constexpr std::size_t kPrefix = sizeof kKeyTypeOid - 1;
    if (set->count > 1 && set->elements[1].length > kPrefix &&
        std::memcmp(set->elements[1].value, kKeyTypeOid, kPrefix) == 0) {
      const auto* oid = static_cast<const std::uint8_t*>(set->elements[1].value);
      for (std::size_t i = kPrefix; i < set->elements[1].length; ++i)
        result.encryption_type = result.encryption_type << 7 | (oid[i] & 0x7Fu);
    }
    // The copy inside the library must not outlive its use.
    explicit_bzero(set->elements[0].value, set->elements[0].length);
  }
  gss_release_buffer_set(&minor, &set);
  return result;
}

}  // namespace holdfast
