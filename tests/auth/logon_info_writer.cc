#include "tests/auth/logon_info_writer.h"

namespace holdfast {
namespace {

class NdrWriter {
 public:
  void U16(std::uint16_t v) {
    Align(2);
    for (int i = 0; i < 2; ++i) out_.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
  }
  void U32(std::uint32_t v) {
    Align(4);
    for (int i = 0; i < 4; ++i) out_.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
  }
  void Time(FileTime t) {
    U32(static_cast<std::uint32_t>(t));
    U32(static_cast<std::uint32_t>(t >> 32));
  }
  void Zeros(std::size_t count) { out_.insert(out_.end(), count, 0); }
  void Pointer(bool present) { U32(present ? referent_ += 4 : 0); }
  void StringFixed(const std::u16string& s) {
    U16(static_cast<std::uint16_t>(2 * s.size()));
    U16(static_cast<std::uint16_t>(2 * s.size()));
    Pointer(true);
  }
  void StringDeferred(const std::u16string& s) {
    U32(static_cast<std::uint32_t>(s.size()));
    U32(0);
    U32(static_cast<std::uint32_t>(s.size()));
    for (char16_t c : s) U16(c);
  }
  void DeferredSid(const Sid& sid) {
    U32(sid.count);
    sid.AppendTo(out_);
  }
  Bytes Finish() {
    Align(8);
    Bytes all = {1, 0x10, 8, 0, 0xCC, 0xCC, 0xCC, 0xCC};
    const auto size = static_cast<std::uint32_t>(out_.size());
    for (int i = 0; i < 4; ++i) all.push_back(static_cast<std::uint8_t>(size >> (8 * i)));
    all.insert(all.end(), 4, 0);
    all.insert(all.end(), out_.begin(), out_.end());
    return all;
  }

 private:
  void Align(std::size_t n) {
    while (out_.size() % n) out_.push_back(0);
  }
  Bytes out_;
  std::uint32_t referent_ = 0x20000;
};

void Rids(NdrWriter& w, const std::vector<PacGroup>& groups) {
  w.U32(static_cast<std::uint32_t>(groups.size()));
  for (const PacGroup& g : groups) {
    w.U32(g.sid.sub[g.sid.count - 1u]);
    w.U32(g.attributes);
  }
}

std::uint32_t Count(const std::vector<PacGroup>& groups) { return static_cast<std::uint32_t>(groups.size()); }

}  // namespace

Bytes EncodeLogonInfo(const PacLogonInfo& info) {
  NdrWriter w;
  w.Pointer(true);
  w.Time(0);
  w.Time(info.logoff_time);
  w.Time(info.kick_off_time);
  w.Zeros(24);
  w.StringFixed(info.effective_name);
  for (int i = 0; i < 5; ++i) w.StringFixed(u"");
  w.Zeros(4);
  w.U32(info.user_id);
  w.U32(info.primary_group_id);
  w.U32(Count(info.groups));
  w.Pointer(!info.groups.empty());
  w.U32((info.extra_sids.empty() ? 0u : 0x20u) | (info.resource_groups.empty() ? 0u : 0x200u));
  w.Zeros(16);
  w.StringFixed(u"KDC");
  w.StringFixed(info.logon_domain_name);
  w.Pointer(true);
  w.Zeros(40);
  w.U32(Count(info.extra_sids));
  w.Pointer(!info.extra_sids.empty());
  w.Pointer(!info.resource_groups.empty());
  w.U32(Count(info.resource_groups));
  w.Pointer(!info.resource_groups.empty());

  w.StringDeferred(info.effective_name);
  for (int i = 0; i < 5; ++i) w.StringDeferred(u"");
  if (!info.groups.empty()) Rids(w, info.groups);
  w.StringDeferred(u"KDC");
  w.StringDeferred(info.logon_domain_name);
  w.DeferredSid(info.logon_domain_id);
  if (!info.extra_sids.empty()) {
    w.U32(Count(info.extra_sids));
    for (const PacGroup& g : info.extra_sids) {
      w.Pointer(true);
      w.U32(g.attributes);
    }
    for (const PacGroup& g : info.extra_sids) w.DeferredSid(g.sid);
  }
  if (!info.resource_groups.empty()) {
    Sid domain = info.resource_groups.front().sid;
    --domain.count;
    w.DeferredSid(domain);
    Rids(w, info.resource_groups);
  }
  return w.Finish();
}

}  // namespace holdfast
