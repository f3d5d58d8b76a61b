#include "tests/auth/minted_ticket.h"

#include <time.h>

#include <cstdio>
#include <cstdlib>

#include "tests/auth/logon_info_writer.h"

// Exported by libkrb5, declared in no public header: the two steps of a KDC that nothing else does.
extern "C" {
krb5_error_code krb5_encrypt_tkt_part(krb5_context, const krb5_keyblock*, krb5_ticket*);
krb5_error_code encode_krb5_ticket(const krb5_ticket*, krb5_data**);
}

namespace holdfast {
namespace {

constexpr char kRealm[] = "KERBEROS.MICROSOFTONLINE.COM";

void Must(krb5_error_code code, const char* what) {
  if (code == 0) return;
  std::fprintf(stderr, "minted_ticket: %s: Kerberos error %ld\n", what, static_cast<long>(code));
  std::abort();
}
#define MUST(call) Must(call, #call)

PacGroup Group(const char* sid, std::uint32_t attributes = 7) { return {*Sid::Parse(sid), attributes}; }

}  // namespace

PacLogonInfo CloudLogonInfo() {
  PacLogonInfo info;
  info.effective_name = u"alice@example.test";
  info.logon_domain_name = u"AzureAD";
  info.logon_domain_id = *Sid::Parse("S-1-12-1-1780165693-1618038367-3047461762");
  info.user_id = 4192786374;
  info.primary_group_id = 513;
  info.extra_sids = {Group("S-1-12-1-3888643736-1189937757-387532977-1831556275"), Group("S-1-12-1-1-2-3-4"), Group("S-1-18-1")};
  return info;
}

PacLogonInfo HybridLogonInfo() {
  PacLogonInfo info;
  info.effective_name = u"alice";
  info.logon_domain_name = u"CONTOSO";
  info.logon_domain_id = *Sid::Parse("S-1-5-21-1004336348-1177238915-682003330");
  info.user_id = 1104;
  info.primary_group_id = 513;
  info.groups = {{info.logon_domain_id.WithRid(513), 7}, {info.logon_domain_id.WithRid(1105), 7}};
  info.extra_sids = {Group("S-1-12-1-1-2-3-4"), Group("S-1-18-1")};
  info.resource_groups = {Group("S-1-5-21-1004336348-1177238915-682003330-2001", 0x20000007)};
  return info;
}

Mint::Mint() {
  const krb5_context k = context_.get();
  for (krb5_keyblock* key : {&service_key_, &other_key_, &kdc_key_})
    MUST(krb5_c_make_random_key(k, ENCTYPE_AES256_CTS_HMAC_SHA1_96, key));
  MUST(krb5_c_make_random_key(k, ENCTYPE_ARCFOUR_HMAC, &rc4_key_));
}

Mint::~Mint() {
  for (krb5_keyblock* key : {&service_key_, &other_key_, &kdc_key_, &rc4_key_}) krb5_free_keyblock_contents(context_.get(), key);
}

void Mint::NewServiceKey() {
  krb5_free_keyblock_contents(context_.get(), &service_key_);
  MUST(krb5_c_make_random_key(context_.get(), ENCTYPE_AES256_CTS_HMAC_SHA1_96, &service_key_));
}

void Mint::WriteKeytab(const std::string& path, bool with_rc4, const std::string& service) {
  std::remove(path.c_str());
  if (with_rc4) AddToKeytab(path, service, rc4_key_);
  AddToKeytab(path, service, service_key_);
}

void Mint::WriteRc4OnlyKeytab(const std::string& path) {
  std::remove(path.c_str());
  AddToKeytab(path, "cifs/fs.example.test", rc4_key_);
}

void Mint::AddToKeytab(const std::string& path, const std::string& service, const krb5_keyblock& key) {
  const krb5_context k = context_.get();
  krb5_keytab keytab;
  krb5_keytab_entry entry{};
  MUST(krb5_kt_resolve(k, ("FILE:" + path).c_str(), &keytab));
  MUST(krb5_parse_name(k, (service + "@" + kRealm).c_str(), &entry.principal));
  entry.vno = 1;
  entry.key = key;
  MUST(krb5_kt_add_entry(k, keytab, &entry));
  krb5_free_principal(k, entry.principal);
  krb5_kt_close(k, keytab);
}

std::string Mint::Ticket(const TicketSpec& spec) {
  const krb5_context k = context_.get();
  const time_t now = ::time(nullptr);
  const krb5_keyblock& key = spec.key == TicketKey::kService ? service_key_ : spec.key == TicketKey::kOther ? other_key_ : rc4_key_;

  krb5_principal service = nullptr, client = nullptr, named = nullptr;
  MUST(krb5_parse_name(k, (spec.service + "@" + spec.realm).c_str(), &service));
  MUST(krb5_build_principal(k, &client, static_cast<unsigned>(spec.client_realm.size()), spec.client_realm.c_str(), spec.client.c_str(),
                            static_cast<char*>(nullptr)));
  MUST(krb5_build_principal(k, &named, static_cast<unsigned>(spec.client_realm.size()), spec.client_realm.c_str(),
                            spec.fault == PacFault::kOtherName ? "administrator" : spec.client.c_str(), static_cast<char*>(nullptr)));

  krb5_keyblock session{};
  MUST(krb5_c_make_random_key(k, spec.session_key_type, &session));
  krb5_enc_tkt_part part{};
  part.flags = TKT_FLG_FORWARDABLE;
  part.session = &session;
  part.client = client;
  part.transited.tr_type = KRB5_DOMAIN_X500_COMPRESS;
  part.times.authtime = part.times.starttime = static_cast<krb5_timestamp>(now + spec.start_s);
  part.times.endtime = static_cast<krb5_timestamp>(now + spec.end_s);
  krb5_ticket ticket{};
  ticket.server = service;
  ticket.enc_part2 = &part;

  krb5_data signed_pac{};
  krb5_authdata** container = nullptr;
  if (spec.fault != PacFault::kNoPac) {
    krb5_pac pac;
    MUST(krb5_pac_init(k, &pac));
    if (spec.fault != PacFault::kNoLogonInfo) {
      Bytes logon = EncodeLogonInfo(spec.logon_info);
      krb5_data data = {0, static_cast<unsigned>(logon.size()), reinterpret_cast<char*>(logon.data())};
      MUST(krb5_pac_add_buffer(k, pac, KRB5_PAC_LOGON_INFO, &data));
    }
    const krb5_timestamp authtime = part.times.authtime + (spec.fault == PacFault::kOtherTime ? 77 : 0);
    MUST(krb5_pac_sign_ext(k, pac, authtime, named, &key, &kdc_key_, FALSE, &signed_pac));
    krb5_pac_free(k, pac);
    if (spec.fault == PacFault::kLogonInfoChanged) {
      // The first buffer's content: its offset stands at byte 16. The primary group becomes another after signing.
      std::uint8_t* bytes = reinterpret_cast<std::uint8_t*>(signed_pac.data);
      const std::size_t at = bytes[16] | static_cast<std::size_t>(bytes[17]) << 8;
      bytes[at + 16 + 4 + 48 + 48 + 4 + 4] ^= 1;
    }
    krb5_authdata entry{};
    entry.ad_type = KRB5_AUTHDATA_WIN2K_PAC;
    entry.length = signed_pac.length;
    entry.contents = reinterpret_cast<krb5_octet*>(signed_pac.data);
    krb5_authdata* list[2] = {&entry, nullptr};
    MUST(krb5_encode_authdata_container(k, KRB5_AUTHDATA_IF_RELEVANT, list, &container));
    part.authorization_data = container;
  }
  MUST(krb5_encrypt_tkt_part(k, &key, &ticket));
  ticket.enc_part.kvno = 1;
  krb5_data* encoded = nullptr;
  MUST(encode_krb5_ticket(&ticket, &encoded));

  // What the client believes of the ticket always allows it to be sent.
  krb5_creds credentials{};
  credentials.client = client;
  credentials.server = service;
  credentials.keyblock = session;
  credentials.times.authtime = credentials.times.starttime = static_cast<krb5_timestamp>(now - 60);
  credentials.times.endtime = static_cast<krb5_timestamp>(now + 36000);
  credentials.ticket_flags = part.flags;
  credentials.ticket = *encoded;
  static int serial = 0;
  const std::string name = "MEMORY:minted-" + std::to_string(++serial);
  krb5_ccache cache;
  MUST(krb5_cc_resolve(k, name.c_str(), &cache));
  MUST(krb5_cc_initialize(k, cache, client));
  MUST(krb5_cc_store_cred(k, cache, &credentials));
  krb5_cc_close(k, cache);

  krb5_free_data(k, encoded);
  krb5_free_data_contents(k, &ticket.enc_part.ciphertext);
  krb5_free_authdata(k, container);
  krb5_free_data_contents(k, &signed_pac);
  krb5_free_keyblock_contents(k, &session);
  krb5_free_principal(k, service);
  krb5_free_principal(k, client);
  krb5_free_principal(k, named);
  return name;
}

}  // namespace holdfast
