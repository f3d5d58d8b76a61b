// [MS-LSAT] and a little of [MS-LSAD]: names for the SIDs in security dialogs.
#include <set>
#include <vector>

#include "protocol/dtyp/unicode.h"
#include "protocol/dtyp/upcase.h"
#include "protocol/erref/ntstatus.h"
#include "server/pipes/service.h"
#include "server/pipes/well_known_accounts.h"

namespace holdfast {
namespace {

using rpc::CallResult;
using rpc::NdrReader;
using rpc::NdrWriter;

constexpr std::size_t kMaximumHandles = 64;
constexpr std::uint32_t kMaximumSids = 20480;  // the range of the IDL
constexpr std::uint32_t kMaximumNames = 1000;
constexpr std::uint32_t kNoDomain = 0xFFFFFFFF;

// RPC_UNICODE_STRINGs and SIDs of the domains that the answer's entries point to by index.
class ReferencedDomains {
 public:
  std::uint32_t Index(const AccountName& account) {
    for (std::size_t i = 0; i < domains_.size(); ++i)
      if (domains_[i].domain_sid == account.domain_sid) return static_cast<std::uint32_t>(i);
    domains_.push_back(account);
    return static_cast<std::uint32_t>(domains_.size() - 1);
  }

  void Write(NdrWriter& out) const {
    out.Pointer(true, [&] {
      const auto count = static_cast<std::uint32_t>(domains_.size());
      out.U32(count);
      out.Pointer(count != 0, [&, count] {
        out.U32(count);
        for (const AccountName& domain : domains_) {
          out.UnicodeString(domain.domain);
          out.SidPointer(domain.domain_sid);
        }
      });
      out.U32(32);  // MaxEntries, not used by anyone
    });
    out.Complete();
  }

 private:
  std::vector<AccountName> domains_;
};

NtStatus LookupStatus(std::size_t mapped, std::size_t asked) {
  if (mapped == asked) return NtStatus::kSuccess;
  return mapped == 0 ? NtStatus::kNoneMapped : NtStatus::kSomeNotMapped;
}

class Lsarpc final : public PipeService {
 public:
  explicit Lsarpc(const PipeEnvironment& environment) : environment_(environment) {}

  CallResult Call(std::uint16_t opnum, ByteView stub) override {
    NdrReader in(stub);
    switch (opnum) {
      case 0:
        return Close(in);
      case 6:
      case 44:
        return OpenPolicy();
      case 7:
      case 46:
        return QueryInformationPolicy(in);
      case 14:
        return LookupNames(in, {.has_handle = true, .full_sid = false, .flags = false});
      case 58:
        return LookupNames(in, {.has_handle = true, .full_sid = false, .flags = true});
      case 68:
        return LookupNames(in, {.has_handle = true, .full_sid = true, .flags = true});
      case 77:
        return LookupNames(in, {.has_handle = false, .full_sid = true, .flags = true});
      case 15:
        return LookupSids(in, {.has_handle = true, .full_sid = false, .flags = false});
      case 57:
        return LookupSids(in, {.has_handle = true, .full_sid = false, .flags = true});
      case 76:
        return LookupSids(in, {.has_handle = false, .full_sid = false, .flags = true});
      case 45:
        return GetUserName(in);
      default:
        return rpc::fault::kOperationRange;
    }
  }

 private:
  // How the generations of one operation differ.
  struct Variant {
    bool has_handle, full_sid, flags;
  };

  static void Status(NdrWriter& out, NtStatus status) { out.U32(static_cast<std::uint32_t>(status)); }

  // A context handle of 20 bytes: attributes 0, then a UUID, of which we use a number.
  bool ReadHandle(NdrReader& in, std::uint32_t* number = nullptr) const {
    in.U32();
    const std::uint32_t value = in.U32();
    in.Raw(12);
    if (number) *number = value;
    return in.ok() && handles_.count(value) != 0;
  }

  static void WriteHandle(NdrWriter& out, std::uint32_t number) {
    out.U32(0);
    out.U32(number);
    for (int i = 0; i < 3; ++i) out.U32(number == 0 ? 0 : 0x66646C68);
  }

  CallResult OpenPolicy() {
    NdrWriter out;
    if (handles_.size() == kMaximumHandles) {
      WriteHandle(out, 0);
      Status(out, NtStatus::kInsufficientResources);
      return out.Take();
    }
    handles_.insert(++last_handle_);
    WriteHandle(out, last_handle_);
    Status(out, NtStatus::kSuccess);
    return out.Take();
  }

  CallResult Close(NdrReader& in) {
    std::uint32_t number = 0;
    if (!ReadHandle(in, &number)) return rpc::fault::kContextMismatch;
    handles_.erase(number);
    NdrWriter out;
    WriteHandle(out, 0);
    Status(out, NtStatus::kSuccess);
    return out.Take();
  }

  // [MS-LSAD] 3.1.4.4.4: primary, account and DNS domain, and the role.
  CallResult QueryInformationPolicy(NdrReader& in) const {
    if (!ReadHandle(in)) return rpc::fault::kContextMismatch;
    constexpr std::uint16_t kPrimaryDomain = 3, kAccountDomain = 5, kServerRole = 6, kDnsDomain = 12;
    const std::uint16_t info_class = in.U16();
    if (!in.ok()) return rpc::fault::kBadStubData;
    const bool known = info_class == kPrimaryDomain || info_class == kAccountDomain || info_class == kServerRole ||
                       info_class == kDnsDomain;
    NdrWriter out;
    out.Pointer(known, [&] {
      out.U16(info_class);
      out.Align(8);  // an arm of the union holds a hyper, and every arm stands where that one would
      if (info_class == kServerRole) {
        out.U16(3);  // primary
      } else if (info_class == kPrimaryDomain) {
        out.UnicodeString(environment_.domain_name);
        out.NullPointer();  // the SID of a domain is not known here
      } else if (info_class == kAccountDomain) {
        out.UnicodeString(environment_.server_name);
        out.SidPointer(environment_.machine_sid);
      } else {
        out.UnicodeString(environment_.domain_name);
        out.UnicodeString(u"");
        out.UnicodeString(u"");
        out.Raw(Guid{}.bytes);
        out.NullPointer();
      }
    });
    out.Complete();
    Status(out, known ? NtStatus::kSuccess : NtStatus::kInvalidParameter);
    return out.Take();
  }

  bool FindSid(const Sid& sid, AccountName* account) const {
    if (FindWellKnownSid(sid, account)) return true;
    if (sid == environment_.machine_sid && sid.count != 0) {
      *account = {environment_.server_name, environment_.server_name, sid, sid_use::kDomain};
      return true;
    }
    return environment_.find_sid && environment_.find_sid(sid, account);
  }

  bool FindName(std::u16string_view text, Sid* sid, AccountName* account) const {
    std::u16string_view domain;
    std::u16string_view name = text;
    if (const auto slash = text.find(u'\\'); slash != text.npos) {
      domain = text.substr(0, slash);
      name = text.substr(slash + 1);
    } else if (const auto at = text.rfind(u'@'); at != text.npos) {
      name = text.substr(0, at);
      domain = text.substr(at + 1);
    }
    if (FindWellKnownName(domain, name, sid, account)) return true;
    return environment_.find_name && environment_.find_name(domain, name, sid, account);
  }

  CallResult LookupSids(NdrReader& in, const Variant& variant) const {
    if (variant.has_handle && !ReadHandle(in)) return rpc::fault::kContextMismatch;
    const std::uint32_t count = in.U32();
    std::vector<Sid> sids;
    if (in.Pointer()) {
      const std::uint32_t maximum = in.U32();
      if (count > kMaximumSids || maximum != count || count > in.remaining() / 4) return rpc::fault::kBadStubData;
      std::uint32_t present = 0;
      for (std::uint32_t i = 0; i < count; ++i) present += in.Pointer() ? 1 : 0;
      if (present != count) return rpc::fault::kBadStubData;
      for (std::uint32_t i = 0; i < count && in.ok(); ++i) sids.push_back(in.RpcSid());
    }
    if (!in.ok() || sids.size() != count) return rpc::fault::kBadStubData;

    ReferencedDomains domains;
    struct Entry {
      std::uint16_t use = sid_use::kUnknown;
      std::u16string name;
      std::uint32_t domain = kNoDomain;
    };
    std::vector<Entry> entries;
    std::uint32_t mapped = 0;
    for (const Sid& sid : sids) {
      AccountName account;
      Entry entry;
      if (FindSid(sid, &account)) {
        entry = {account.use, account.name, domains.Index(account)};
        ++mapped;
      } else {
        entry.name = Utf8ToUtf16Lossy(sid.ToString());
      }
      entries.push_back(std::move(entry));
    }
    NdrWriter out;
    domains.Write(out);
    out.U32(count);
    out.Pointer(count != 0, [&] {
      out.U32(count);
      for (const Entry& entry : entries) {
        out.U16(entry.use);
        out.Align(4);
        out.UnicodeString(entry.name);
        out.U32(entry.domain);
        if (variant.flags) out.U32(0);
      }
    });
    out.Complete();
    out.U32(mapped);
    Status(out, LookupStatus(mapped, count));
    return out.Take();
  }

  CallResult LookupNames(NdrReader& in, const Variant& variant) const {
    if (variant.has_handle && !ReadHandle(in)) return rpc::fault::kContextMismatch;
    const std::uint32_t count = in.U32();
    if (count > kMaximumNames || in.U32() != count || count > in.remaining() / 8) return rpc::fault::kBadStubData;
    std::vector<bool> present;
    for (std::uint32_t i = 0; i < count; ++i) present.push_back(in.UnicodeHeader());
    std::vector<std::u16string> names;
    for (std::uint32_t i = 0; i < count && in.ok(); ++i)
      names.push_back(present[i] ? in.UnicodeBuffer() : std::u16string());
    if (!in.ok()) return rpc::fault::kBadStubData;

    ReferencedDomains domains;
    struct Entry {
      std::uint16_t use = sid_use::kUnknown;
      std::optional<Sid> sid;
      std::uint32_t domain = kNoDomain;
    };
    std::vector<Entry> entries;
    std::uint32_t mapped = 0;
    for (const std::u16string& name : names) {
      AccountName account;
      Entry entry;
      Sid sid;
      if (FindName(name, &sid, &account)) {
        entry = {account.use, sid, domains.Index(account)};
        ++mapped;
      }
      entries.push_back(entry);
    }
    NdrWriter out;
    domains.Write(out);
    out.U32(count);
    out.Pointer(count != 0, [&] {
      out.U32(count);
      for (const Entry& entry : entries) {
        out.U16(entry.use);
        out.Align(4);
        if (variant.full_sid) {
          out.SidPointer(entry.sid);
        } else {
          const bool relative = entry.sid && entry.use != sid_use::kDomain && entry.sid->count != 0;
          out.U32(relative ? entry.sid->sub[entry.sid->count - 1u] : 0xFFFFFFFF);
        }
        out.U32(entry.domain);
        if (variant.flags) out.U32(0);
      }
    });
    out.Complete();
    out.U32(mapped);
    Status(out, LookupStatus(mapped, count));
    return out.Take();
  }

  // 3.1.4.4: the caller's own name.
  CallResult GetUserName(NdrReader& in) const {
    in.UniqueWideString();  // SystemName
    if (in.Pointer() && in.UnicodeHeader()) in.UnicodeBuffer();
    const bool wants_domain = in.Pointer();
    if (!in.ok()) return rpc::fault::kBadStubData;
    AccountName account;
    const bool known = environment_.caller != nullptr && FindSid(environment_.caller->user, &account);
    if (!known) account = {u"NT AUTHORITY", u"ANONYMOUS LOGON", Sid(5, {}), sid_use::kWellKnownGroup};
    if (!known && environment_.caller != nullptr) {
      account.domain.clear();
      account.name = Utf8ToUtf16Lossy(environment_.caller->user.ToString());
    }
    NdrWriter out;
    out.Pointer(true, [&] { out.UnicodeString(account.name); });
    out.Complete();
    out.Pointer(wants_domain, [&] { out.Pointer(true, [&] { out.UnicodeString(account.domain); }); });
    out.Complete();
    Status(out, NtStatus::kSuccess);
    return out.Take();
  }

  const PipeEnvironment& environment_;
  std::set<std::uint32_t> handles_;
  std::uint32_t last_handle_ = 0;
};

}  // namespace

std::unique_ptr<PipeService> NewLsarpc(const PipeEnvironment& environment) {
  return std::make_unique<Lsarpc>(environment);
}

}  // namespace holdfast
