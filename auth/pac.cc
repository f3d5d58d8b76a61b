#include "auth/pac.h"

#include <cstddef>

namespace holdfast {
namespace {

// [C706] 14: NDR as type serialization uses it: little-endian, primitives aligned to their size from the start of the stream.
// After the first short read every later one yields zero; ok() tells once at the end.
class NdrReader {
 public:
  explicit NdrReader(ByteView bytes) : bytes_(bytes) {}

  std::uint16_t U16() { return static_cast<std::uint16_t>(Integer(2)); }
  std::uint32_t U32() { return static_cast<std::uint32_t>(Integer(4)); }
  // FILETIME is a structure of two 32-bit integers and aligned as such.
  FileTime Time() {
    const std::uint64_t low = U32();
    return low | static_cast<std::uint64_t>(U32()) << 32;
  }
  void Skip(std::size_t count) {
    if (Has(count)) position_ += count;
  }
  ByteView Take(std::size_t count) {
    if (!Has(count)) return {};
    const ByteView part = bytes_.subspan(position_, count);
    position_ += count;
    return part;
  }
  // A count of elements that must still follow, each at least `size` bytes: what bounds every allocation.
  std::uint32_t Count(std::size_t size) {
    const std::uint32_t count = U32();
    if (count > (bytes_.size() - position_) / size) Fail();
    return ok_ ? count : 0;
  }
  void Fail() { ok_ = false; }
  bool ok() const { return ok_; }
  ByteView rest() const { return bytes_.subspan(position_); }

 private:
  bool Has(std::size_t count) {
    if (bytes_.size() - position_ < count) ok_ = false;
    return ok_;
  }
  std::uint64_t Integer(std::size_t size) {
    const std::size_t padding = (size - position_ % size) % size;
    if (!Has(padding + size)) return 0;
    position_ += padding;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= static_cast<std::uint64_t>(bytes_[position_ + i]) << (8 * i);
    position_ += size;
    return value;
  }

  ByteView bytes_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

// RPC_UNICODE_STRING, [MS-DTYP] 2.3.10: its fixed part stands in the structure, its characters among the deferred referents.
struct UnicodeString {
  std::uint16_t length = 0;  // bytes
  bool present = false;

  void ReadFixed(NdrReader& in) {
    length = in.U16();
    in.U16();  // MaximumLength
    present = in.U32() != 0;
    if (length % 2 != 0) in.Fail();
  }
  std::u16string ReadDeferred(NdrReader& in) const {
    std::u16string text;
    if (!present) return text;
    const std::uint32_t maximum = in.U32();
    const std::uint32_t offset = in.U32();
    const std::uint32_t actual = in.Count(2);
    if (offset != 0 || actual > maximum || actual != length / 2u) in.Fail();
    const ByteView characters = in.Take(std::size_t{actual} * 2);
    text.reserve(characters.size() / 2);
    for (std::size_t i = 0; i + 1 < characters.size(); i += 2)
      text.push_back(static_cast<char16_t>(characters[i] | characters[i + 1] << 8));
    return text;
  }
};

// A conformant RPC_SID, [MS-DTYP] 2.4.2.3.
Sid ReadSid(NdrReader& in) {
  const std::uint32_t conformance = in.U32();
  std::size_t used = 0;
  const auto sid = in.ok() ? Sid::Decode(in.rest(), &used) : std::nullopt;
  if (!sid || sid->count != conformance) {
    in.Fail();
    return {};
  }
  in.Skip(used);
  return *sid;
}

// GROUP_MEMBERSHIP array, [MS-PAC] 2.2.2: RIDs, to be joined with a domain.
std::vector<PacGroup> ReadRids(NdrReader& in, std::uint32_t expected) {
  const std::uint32_t count = in.Count(8);
  if (count != expected) in.Fail();
  std::vector<PacGroup> rids;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    PacGroup group;
    group.sid.count = 1;
    group.sid.sub[0] = in.U32();
    group.attributes = in.U32();
    rids.push_back(group);
  }
  return rids;
}

// KERB_SID_AND_ATTRIBUTES array, [MS-PAC] 2.2.1: pointers and attributes first, the SIDs behind them.
std::vector<PacGroup> ReadSids(NdrReader& in, std::uint32_t expected) {
  const std::uint32_t count = in.Count(8);
  if (count != expected) in.Fail();
  std::vector<PacGroup> sids;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    if (in.U32() == 0) in.Fail();
    sids.push_back({Sid(), in.U32()});
  }
  for (PacGroup& group : sids) {
    if (!in.ok()) break;
    group.sid = ReadSid(in);
  }
  return sids;
}

bool JoinDomain(std::vector<PacGroup>& rids, const Sid& domain) {
  if (!rids.empty() && domain.count >= Sid::kMaxSubAuthorities) return false;
  for (PacGroup& group : rids) group.sid = domain.WithRid(group.sid.sub[0]);
  return true;
}

}  // namespace

Result<PacLogonInfo> DecodeLogonInfo(ByteView buffer) {
  NdrReader in(buffer);
  // Common header (version 1, little-endian, 8 bytes) and private header of [MS-RPCE] 2.2.6.1 and 2.2.6.2.
  const ByteView common = in.Take(8);
  if (!in.ok() || common[0] != 1 || common[1] != 0x10 || common[2] != 8 || common[3] != 0) return NtStatus::kInvalidToken;
  const std::uint32_t object_length = in.U32();
  in.Skip(4);
  if (!in.ok() || object_length > buffer.size() - 16) return NtStatus::kInvalidToken;
  if (in.U32() == 0) return NtStatus::kInvalidToken;

  PacLogonInfo info;
  in.Time();  // LogonTime
  info.logoff_time = in.Time();
  info.kick_off_time = in.Time();
  in.Skip(3 * 8);  // PasswordLastSet, PasswordCanChange, PasswordMustChange

  // EffectiveName, FullName, LogonScript, ProfilePath, HomeDirectory, HomeDirectoryDrive.
  UnicodeString names[6];
  for (UnicodeString& name : names) name.ReadFixed(in);
  in.Skip(4);  // LogonCount, BadPasswordCount
  info.user_id = in.U32();
  info.primary_group_id = in.U32();
  const std::uint32_t group_count = in.U32();
  const bool has_groups = in.U32() != 0;
  in.U32();      // UserFlags: a KDC that sends SIDs means them, whether or not it also set the flag that announces them
  in.Skip(16);   // UserSessionKey
  UnicodeString logon_server, logon_domain_name;
  logon_server.ReadFixed(in);
  logon_domain_name.ReadFixed(in);
  const bool has_domain = in.U32() != 0;
  in.Skip(8);               // Reserved1
  in.Skip(4 + 4);           // UserAccountControl, SubAuthStatus
  in.Skip(8 + 8 + 4 + 4);   // LastSuccessfulILogon, LastFailedILogon, FailedILogonCount, Reserved3
  const std::uint32_t sid_count = in.U32();
  const bool has_extra_sids = in.U32() != 0;
  const bool has_resource_domain = in.U32() != 0;
  const std::uint32_t resource_group_count = in.U32();
  const bool has_resource_groups = in.U32() != 0;
  if (!in.ok() || !has_domain || (has_resource_groups && !has_resource_domain)) return NtStatus::kInvalidToken;

  for (std::size_t i = 0; i < 6; ++i) {
    std::u16string text = names[i].ReadDeferred(in);
    if (i == 0) info.effective_name = std::move(text);
  }
  if (has_groups) info.groups = ReadRids(in, group_count);
  logon_server.ReadDeferred(in);
  info.logon_domain_name = logon_domain_name.ReadDeferred(in);
  info.logon_domain_id = ReadSid(in);
  if (has_extra_sids) info.extra_sids = ReadSids(in, sid_count);
  const Sid resource_domain = has_resource_domain ? ReadSid(in) : Sid();
  if (has_resource_groups) info.resource_groups = ReadRids(in, resource_group_count);

  if (!in.ok() || info.logon_domain_id.count >= Sid::kMaxSubAuthorities) return NtStatus::kInvalidToken;
  if (!JoinDomain(info.groups, info.logon_domain_id) || !JoinDomain(info.resource_groups, resource_domain))
    return NtStatus::kInvalidToken;
  return info;
}

}  // namespace holdfast
