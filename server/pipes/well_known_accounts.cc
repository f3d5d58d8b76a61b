#include "server/pipes/well_known_accounts.h"

#include "protocol/dtyp/upcase.h"

namespace holdfast {
namespace {

struct Row {
  Sid sid;
  std::u16string_view domain;
  std::u16string_view name;
  std::uint16_t use;
};

const std::vector<Row>& Rows() {
  using namespace sid_use;
  static const std::vector<Row> rows = {
      {Sid(1, {0}), u"", u"Everyone", kWellKnownGroup},
      {Sid(3, {0}), u"", u"CREATOR OWNER", kWellKnownGroup},
      {Sid(3, {1}), u"", u"CREATOR GROUP", kWellKnownGroup},
      {Sid(3, {4}), u"", u"OWNER RIGHTS", kWellKnownGroup},
      {Sid(5, {1}), u"NT AUTHORITY", u"DIALUP", kWellKnownGroup},
      {Sid(5, {2}), u"NT AUTHORITY", u"NETWORK", kWellKnownGroup},
      {Sid(5, {3}), u"NT AUTHORITY", u"BATCH", kWellKnownGroup},
      {Sid(5, {4}), u"NT AUTHORITY", u"INTERACTIVE", kWellKnownGroup},
      {Sid(5, {6}), u"NT AUTHORITY", u"SERVICE", kWellKnownGroup},
      {Sid(5, {7}), u"NT AUTHORITY", u"ANONYMOUS LOGON", kWellKnownGroup},
      {Sid(5, {9}), u"NT AUTHORITY", u"ENTERPRISE DOMAIN CONTROLLERS", kWellKnownGroup},
      {Sid(5, {10}), u"NT AUTHORITY", u"SELF", kWellKnownGroup},
      {Sid(5, {11}), u"NT AUTHORITY", u"Authenticated Users", kWellKnownGroup},
      {Sid(5, {12}), u"NT AUTHORITY", u"RESTRICTED", kWellKnownGroup},
      {Sid(5, {14}), u"NT AUTHORITY", u"REMOTE INTERACTIVE LOGON", kWellKnownGroup},
      {Sid(5, {15}), u"NT AUTHORITY", u"This Organization", kWellKnownGroup},
      {Sid(5, {18}), u"NT AUTHORITY", u"SYSTEM", kWellKnownGroup},
      {Sid(5, {19}), u"NT AUTHORITY", u"LOCAL SERVICE", kWellKnownGroup},
      {Sid(5, {20}), u"NT AUTHORITY", u"NETWORK SERVICE", kWellKnownGroup},
      {Sid(5, {32}), u"BUILTIN", u"BUILTIN", kDomain},
      {Sid(5, {32, 544}), u"BUILTIN", u"Administrators", kAlias},
      {Sid(5, {32, 545}), u"BUILTIN", u"Users", kAlias},
      {Sid(5, {32, 546}), u"BUILTIN", u"Guests", kAlias},
      {Sid(5, {32, 547}), u"BUILTIN", u"Power Users", kAlias},
      {Sid(5, {32, 549}), u"BUILTIN", u"Server Operators", kAlias},
      {Sid(5, {32, 551}), u"BUILTIN", u"Backup Operators", kAlias},
      {Sid(5, {32, 555}), u"BUILTIN", u"Remote Desktop Users", kAlias},
  };
  return rows;
}

AccountName ToAccount(const Row& row) {
  Sid domain = row.sid;
  if (row.use != sid_use::kDomain) --domain.count;
  return {std::u16string(row.domain), std::u16string(row.name), domain, row.use};
}

}  // namespace

bool FindWellKnownSid(const Sid& sid, AccountName* found) {
  for (const Row& row : Rows()) {
    if (row.sid != sid) continue;
    *found = ToAccount(row);
    return true;
  }
  return false;
}

bool FindWellKnownName(std::u16string_view domain, std::u16string_view name, Sid* sid, AccountName* found) {
  for (const Row& row : Rows()) {
    if (!EqualsIgnoringCase(row.name, name) || (!domain.empty() && !EqualsIgnoringCase(row.domain, domain))) continue;
    *sid = row.sid;
    *found = ToAccount(row);
    return true;
  }
  return false;
}

}  // namespace holdfast
