// Service tickets of our own making, no KDC: what a KDC would issue, and what a forger would try.
#pragma once

#include <krb5/krb5.h>

#include <optional>
#include <string>

#include "auth/keytab.h"
#include "auth/pac.h"

namespace holdfast {

enum class TicketKey { kService, kOther, kRc4 };
enum class PacFault { kNone, kNoPac, kNoLogonInfo, kLogonInfoChanged, kOtherName, kOtherTime };

struct TicketSpec {
  std::string client = "alice@example.test";
  std::string client_realm = "KERBEROS.MICROSOFTONLINE.COM";
  std::string service = "cifs/fs.example.test";
  std::string realm = "KERBEROS.MICROSOFTONLINE.COM";
  int start_s = -60;  // from now
  int end_s = 3600;
  krb5_enctype session_key_type = ENCTYPE_AES256_CTS_HMAC_SHA1_96;
  TicketKey key = TicketKey::kService;
  PacFault fault = PacFault::kNone;
  PacLogonInfo logon_info;
};

// A cloud-only user with two cloud groups.
PacLogonInfo CloudLogonInfo();
// A hybrid user with domain groups, a resource group and a cloud group.
PacLogonInfo HybridLogonInfo();

class Mint {
 public:
  Mint();
  ~Mint();
  // The service's AES-256 key, and beside it an RC4 key when asked for. `service` is the principal without realm.
  void WriteKeytab(const std::string& path, bool with_rc4 = false, const std::string& service = "cifs/fs.example.test");
  void WriteRc4OnlyKeytab(const std::string& path);
  void NewServiceKey();
  // The name of a MEMORY ccache that holds the ticket.
  std::string Ticket(const TicketSpec& spec);

 private:
  void AddToKeytab(const std::string& path, const std::string& service, const krb5_keyblock& key);

  KerberosContext context_;
  krb5_keyblock service_key_{}, other_key_{}, rc4_key_{}, kdc_key_{};
};

}  // namespace holdfast
