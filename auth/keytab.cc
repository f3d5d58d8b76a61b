#include "auth/keytab.h"

#include <algorithm>
#include <atomic>

#include "auth/file.h"

namespace holdfast {

KerberosContext::KerberosContext() {
  if (krb5_init_context(&context_) != 0) context_ = nullptr;
}

KerberosContext::~KerberosContext() {
  if (context_ != nullptr) krb5_free_context(context_);
}

std::string KerberosContext::ErrorText(krb5_error_code code) const {
  const char* message = krb5_get_error_message(context_, code);
  std::string text = message;
  krb5_free_error_message(context_, message);
  return text;
}

bool IsAes(krb5_enctype type) {
  return type == ENCTYPE_AES256_CTS_HMAC_SHA1_96 || type == ENCTYPE_AES128_CTS_HMAC_SHA1_96 ||
         type == ENCTYPE_AES256_CTS_HMAC_SHA384_192 || type == ENCTYPE_AES128_CTS_HMAC_SHA256_128;
}

std::unique_ptr<Keytab> Keytab::Load(const std::string& path, std::string_view service_host, std::string* error) {
  // Read first by ourselves: the library's message for an absent or unreadable file does not always name the cause.
  std::string cause;
  if (!ReadFile(path, &cause)) {
    *error = "keytab " + path + ": " + cause;
    return nullptr;
  }
  auto keytab = std::unique_ptr<Keytab>(new Keytab());
  if (!keytab->context_) {
    *error = "keytab " + path + ": the Kerberos library did not start (see KRB5_CONFIG)";
    return nullptr;
  }
  cause = keytab->Copy(path, service_host);
  if (!cause.empty()) {
    *error = "keytab " + path + ": " + cause;
    return nullptr;
  }
  return keytab;
}

Keytab::~Keytab() {
  for (krb5_keyblock& key : keys_) krb5_free_keyblock_contents(context_.get(), &key);
  if (memory_ != nullptr) krb5_kt_close(context_.get(), memory_);
}

std::string Keytab::Copy(const std::string& path, std::string_view service_host) {
  static std::atomic<unsigned> serial{0};
  memory_name_ = "MEMORY:holdfast-" + std::to_string(++serial);
  const krb5_context context = context_.get();
  if (const krb5_error_code code = krb5_kt_resolve(context, memory_name_.c_str(), &memory_)) return context_.ErrorText(code);

  krb5_keytab file = nullptr;
  if (const krb5_error_code code = krb5_kt_resolve(context, ("FILE:" + path).c_str(), &file)) return context_.ErrorText(code);
  std::string cause;
  krb5_kt_cursor cursor;
  krb5_error_code code = krb5_kt_start_seq_get(context, file, &cursor);
  if (code == 0) {
    krb5_keytab_entry entry;
    while (cause.empty() && (code = krb5_kt_next_entry(context, file, &entry, &cursor)) == 0) {
      if (IsAes(entry.key.enctype)) cause = CopyEntry(entry, service_host);
      krb5_free_keytab_entry_contents(context, &entry);
    }
    krb5_kt_end_seq_get(context, file, &cursor);
  }
  if (cause.empty() && code != KRB5_KT_END) cause = context_.ErrorText(code);
  if (cause.empty() && keys_.empty()) cause = "it holds no AES key";
  krb5_kt_close(context, file);
  return cause;
}

std::string Keytab::CopyEntry(krb5_keytab_entry& entry, std::string_view service_host) {
  const krb5_context context = context_.get();
  const std::string realm(entry.principal->realm.data, entry.principal->realm.length);
  if (std::find(realms_.begin(), realms_.end(), realm) == realms_.end()) realms_.push_back(realm);

  const auto same = [&entry](const krb5_keyblock& key) {
    return key.enctype == entry.key.enctype && key.length == entry.key.length &&
           std::equal(key.contents, key.contents + key.length, entry.key.contents);
  };
  if (std::any_of(keys_.begin(), keys_.end(), same)) return {};  // the same account under another of its names
  keys_.emplace_back();
  if (const krb5_error_code code = krb5_copy_keyblock_contents(context, &entry.key, &keys_.back())) {
    keys_.pop_back();
    return context_.ErrorText(code);
  }

  krb5_keytab_entry alias = entry;
  const std::string host(service_host);
  krb5_error_code code = krb5_build_principal(context, &alias.principal, static_cast<unsigned>(realm.size()), realm.c_str(),
                                              "cifs", host.c_str(), static_cast<char*>(nullptr));
  if (code != 0) return context_.ErrorText(code);
  code = krb5_kt_add_entry(context, memory_, &alias);
  krb5_free_principal(context, alias.principal);
  return code == 0 ? std::string() : context_.ErrorText(code);
}

}  // namespace holdfast
