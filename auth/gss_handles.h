// Owners for what GSSAPI hands out, and its words for an error.
#pragma once

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include <string>
#include <string_view>
#include <utility>

#include "protocol/base/bytes.h"

namespace holdfast {

// The mechanisms: [RFC 4178] 1.3.6.1.5.5.2, [RFC 4121] 1.2.840.113554.1.2.2, [MS-NLMP] 1.3.6.1.4.1.311.2.2.10.
gss_OID SpnegoMechanism();
gss_OID KerberosMechanism();
gss_OID NtlmMechanism();
bool IsMechanism(gss_OID mechanism, gss_OID wanted);

template <class Handle, OM_uint32 (*Release)(OM_uint32*, Handle*)>
class GssHandle {
 public:
  GssHandle() = default;
  GssHandle(GssHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  GssHandle& operator=(GssHandle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~GssHandle() { Reset(); }
  void Reset() {
    OM_uint32 minor;
    if (handle_ != nullptr) Release(&minor, &handle_);
    handle_ = nullptr;
  }
  Handle get() const { return handle_; }
  Handle* out() { return &handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  Handle handle_ = nullptr;
};

inline OM_uint32 DeleteGssContext(OM_uint32* minor, gss_ctx_id_t* context) {
  return gss_delete_sec_context(minor, context, GSS_C_NO_BUFFER);
}

using GssName = GssHandle<gss_name_t, gss_release_name>;
using GssCredential = GssHandle<gss_cred_id_t, gss_release_cred>;
using GssContext = GssHandle<gss_ctx_id_t, DeleteGssContext>;

class GssBuffer {
 public:
  GssBuffer() = default;
  GssBuffer(const GssBuffer&) = delete;
  GssBuffer& operator=(const GssBuffer&) = delete;
  ~GssBuffer() {
    OM_uint32 minor;
    gss_release_buffer(&minor, &buffer_);
  }
  gss_buffer_t out() { return &buffer_; }
  ByteView view() const { return {static_cast<const std::uint8_t*>(buffer_.value), buffer_.length}; }
  Bytes bytes() const { return Bytes(view().begin(), view().end()); }
  std::string text() const { return std::string(static_cast<const char*>(buffer_.value), buffer_.length); }

 private:
  gss_buffer_desc buffer_ = GSS_C_EMPTY_BUFFER;
};

// "Unspecified GSS failure: Request is a replay".
std::string GssErrorText(OM_uint32 major, OM_uint32 minor, gss_OID mechanism);

// GSS_C_INQ_SSPI_SESSION_KEY of an established context: the key and, for Kerberos, its encryption type ([RFC 3961], 0 otherwise).
// An empty key when the context has none.
struct GssSessionKey {
  Bytes key;
  std::uint32_t encryption_type = 0;
};
GssSessionKey InquireSessionKey(gss_ctx_id_t context);

}  // namespace holdfast
