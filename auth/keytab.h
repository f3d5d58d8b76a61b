// The service's keys: the AES keys of a FILE keytab, copied into memory for the acceptor and for checking PAC signatures.
#pragma once

#include <krb5/krb5.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

// A krb5_context of one thread.
class KerberosContext {
 public:
  KerberosContext();
  ~KerberosContext();
  KerberosContext(const KerberosContext&) = delete;
  KerberosContext& operator=(const KerberosContext&) = delete;
  krb5_context get() const { return context_; }
  explicit operator bool() const { return context_ != nullptr; }
  std::string ErrorText(krb5_error_code code) const;

 private:
  krb5_context context_ = nullptr;
};

class Keytab {
 public:
  // Null with a sentence naming the file and the cause in `error`. `service_host`: every key is also filed under
  // cifs/<service_host>, the name that the acceptor's credential bears, because a key that fits is all that matters: Windows asks
  // for tickets by cifs/, host/ or an alias, and all are encrypted with the account's one key.
  static std::unique_ptr<Keytab> Load(const std::string& path, std::string_view service_host, std::string* error);
  ~Keytab();

  const std::string& memory_name() const { return memory_name_; }  // "MEMORY:…"
  const std::vector<std::string>& realms() const { return realms_; }
  const std::vector<krb5_keyblock>& keys() const { return keys_; }

 private:
  Keytab() = default;
  std::string Copy(const std::string& path, std::string_view service_host);
  std::string CopyEntry(krb5_keytab_entry& entry, std::string_view service_host);

  KerberosContext context_;
  krb5_keytab memory_ = nullptr;
  std::string memory_name_;
  std::vector<std::string> realms_;
  std::vector<krb5_keyblock> keys_;
};

// AES128/256 with SHA-1 or SHA-2, [RFC 3962] and [RFC 8009].
bool IsAes(krb5_enctype type);

}  // namespace holdfast
