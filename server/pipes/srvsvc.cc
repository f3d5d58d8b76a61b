// [MS-SRVS]: the operations that clients use to look at a file server.
#include <algorithm>
#include <chrono>
#include <optional>

#include "protocol/dtyp/unicode.h"
#include "protocol/dtyp/upcase.h"
#include "server/pipes/service.h"

namespace holdfast {
namespace {

using rpc::CallResult;
using rpc::NdrReader;
using rpc::NdrWriter;

constexpr std::uint32_t kPlatformNt = 500;         // PLATFORM_ID_NT
constexpr std::uint32_t kServerType = 0x00009003;  // workstation, server, NT, server NT; [MS-SRVS] 2.2.2.7
constexpr std::uint32_t kMayRead = 1, kMayAll = 127;

// The in-out pair that every enumeration begins with: level, union switch, pointer to an (empty) container.
struct EnumRequest {
  std::uint32_t level = 0;
  bool has_container = false;
  std::uint32_t preferred_size = 0;
  std::optional<std::uint32_t> resume_handle;

  static EnumRequest Read(NdrReader& in) {
    EnumRequest request;
    request.level = in.U32();
    const std::uint32_t arm = in.U32();
    if (arm != request.level) in.Fail();
    request.has_container = in.Pointer();
    if (request.has_container) {
      const std::uint32_t count = in.U32();
      // Clients send an empty container. Entries in it would have to be read over: none does so.
      if (in.Pointer() && (in.U32() != 0 || count != 0)) in.Fail();
    }
    request.preferred_size = in.U32();
    if (in.Pointer()) request.resume_handle = in.U32();
    return request;
  }
};

// The answer of an enumeration. `fixed` writes the fixed part of one entry.
template <class Entry, class Fixed>
Bytes EnumAnswer(const EnumRequest& request, const std::vector<Entry>& entries, std::uint32_t error, Fixed&& fixed) {
  NdrWriter out;
  out.U32(request.level);
  out.U32(request.level);
  out.Pointer(true, [&] {
    const auto count = static_cast<std::uint32_t>(entries.size());
    out.U32(count);
    out.Pointer(count != 0, [&, count] {
      out.U32(count);
      for (const Entry& entry : entries) fixed(out, entry);
    });
  });
  out.Complete();
  out.U32(static_cast<std::uint32_t>(entries.size()));  // TotalEntries
  out.Pointer(request.resume_handle.has_value(), [&] { out.U32(0); });
  out.Complete();
  out.U32(error);
  return out.Take();
}

class Srvsvc final : public PipeService {
 public:
  explicit Srvsvc(const PipeEnvironment& environment) : environment_(environment) {}

  CallResult Call(std::uint16_t opnum, ByteView stub) override {
    NdrReader in(stub);
    in.UniqueWideString();  // ServerName: every operation below begins with it, and this server is meant
    switch (opnum) {
      case 12:
        return SessionEnum(in);
      case 15:
      case 36:
        return ShareEnum(in, opnum == 36);
      case 16:
        return ShareGetInfo(in);
      case 21:
        return ServerGetInfo(in);
      case 26:
        return ServerTransportEnum(in);
      case 28:
        return RemoteTod(in);
      default:
        return rpc::fault::kOperationRange;
    }
  }

 private:
  std::vector<ShareFacts> Shares() const {
    return environment_.shares ? environment_.shares() : std::vector<ShareFacts>();
  }

  static bool IsShareLevel(std::uint32_t level) {
    return level == 0 || level == 1 || level == 2 || level == 501 || level == 502;
  }

  // 2.2.4.22 and following: the levels are prefixes of one another but for their ends.
  void WriteShare(NdrWriter& out, std::uint32_t level, const ShareFacts& share) const {
    if (level == 1005) {
      out.U32(share.csc_flags);
      return;
    }
    out.StringPointer(share.name);
    if (level == 0) return;
    out.U32(share.type);
    out.StringPointer(share.comment);
    if (level == 501) out.U32(share.csc_flags & 0x30);  // CSC_MASK
    if (level != 2 && level != 502) return;
    // What Windows tells administrators only: the place on disk and the descriptor.
    const bool administrator = CallerIsAdministrator(environment_);
    out.U32(administrator ? kMayAll : kMayRead);
    out.U32(share.max_uses);
    out.U32(share.current_uses);
    out.StringPointer(administrator ? std::u16string_view(share.path) : std::u16string_view());
    out.NullPointer();  // password
    if (level != 502) return;
    const ByteView descriptor = administrator ? ByteView(share.security_descriptor) : ByteView();
    out.U32(static_cast<std::uint32_t>(descriptor.size()));
    out.BytesPointer(descriptor);
  }

  CallResult ShareEnum(NdrReader& in, bool sticky) const {
    const EnumRequest request = EnumRequest::Read(in);
    if (!in.ok() || !IsShareLevel(request.level)) return rpc::fault::kBadStubData;
    std::vector<ShareFacts> shares = Shares();
    // Sticky shares are those that survive a restart: all but the ones of the system.
    if (sticky) std::erase_if(shares, [](const ShareFacts& share) { return share.type & 0x80000000; });
    return EnumAnswer(request, shares, win32_error::kSuccess,
                      [&](NdrWriter& out, const ShareFacts& share) { WriteShare(out, request.level, share); });
  }

  CallResult ShareGetInfo(NdrReader& in) const {
    const std::u16string name = in.WideString();
    const std::uint32_t level = in.U32();
    if (!in.ok()) return rpc::fault::kBadStubData;
    NdrWriter out;
    out.U32(level);
    if (!IsShareLevel(level) && level != 1005) {
      out.U32(win32_error::kInvalidLevel);
      return out.Take();
    }
    const std::vector<ShareFacts> shares = Shares();
    const auto share = std::find_if(shares.begin(), shares.end(),
                                    [&](const ShareFacts& s) { return EqualsIgnoringCase(s.name, name); });
    const bool found = share != shares.end();
    out.Pointer(found, [&] { WriteShare(out, level, *share); });
    out.Complete();
    out.U32(found ? win32_error::kSuccess : win32_error::kNetNameNotFound);
    return out.Take();
  }

  CallResult ServerGetInfo(NdrReader& in) const {
    const std::uint32_t level = in.U32();
    if (!in.ok()) return rpc::fault::kBadStubData;
    NdrWriter out;
    out.U32(level);
    if (level < 100 || level > 102) {
      out.NullPointer();
      out.U32(win32_error::kInvalidLevel);
      return out.Take();
    }
    out.Pointer(true, [&] {
      out.U32(kPlatformNt);
      out.StringPointer(environment_.server_name);
      if (level == 100) return;
      out.U32(environment_.version_major);
      out.U32(environment_.version_minor);
      out.U32(kServerType);
      out.StringPointer(environment_.server_comment);
      if (level == 101) return;
      out.U32(0xFFFFFFFF);  // users: no limit
      out.U32(15);          // idle minutes before a disconnect
      out.U32(0);           // not hidden
      out.U32(240);         // announce
      out.U32(3000);        // announce delta
      out.U32(0);           // licences
      out.StringPointer(u"");
    });
    out.Complete();
    out.U32(win32_error::kSuccess);
    return out.Take();
  }

  CallResult SessionEnum(NdrReader& in) const {
    in.UniqueWideString();  // ClientName and UserName narrow the list
    const auto user = in.UniqueWideString();
    const EnumRequest request = EnumRequest::Read(in);
    const std::uint32_t level = request.level;
    const bool known = level == 0 || level == 1 || level == 2 || level == 10 || level == 502;
    if (!in.ok() || !known) return rpc::fault::kBadStubData;
    const bool allowed = level == 0 || level == 10 || CallerIsAdministrator(environment_);
    std::vector<SessionFacts> sessions;
    if (allowed && environment_.sessions) sessions = environment_.sessions();
    if (user && !user->empty())
      std::erase_if(sessions, [&](const SessionFacts& s) { return !EqualsIgnoringCase(s.user, *user); });
    return EnumAnswer(request, sessions, allowed ? win32_error::kSuccess : win32_error::kAccessDenied,
                      [&](NdrWriter& out, const SessionFacts& session) {
                        out.StringPointer(session.client);
                        if (level == 0) return;
                        out.StringPointer(session.user);
                        if (level != 10) out.U32(session.opens);
                        out.U32(session.active_seconds);
                        out.U32(session.idle_seconds);
                        if (level == 10) return;
                        out.U32(0);  // not a guest
                        if (level == 1) return;
                        out.StringPointer(u"");                    // client type
                        if (level == 502) out.StringPointer(u"");  // transport
                      });
  }

  CallResult ServerTransportEnum(NdrReader& in) const {
    const EnumRequest request = EnumRequest::Read(in);
    if (!in.ok() || request.level != 0) return rpc::fault::kBadStubData;
    const auto addresses = environment_.addresses ? environment_.addresses() : std::vector<std::u16string>();
    Bytes name(environment_.server_name.begin(), environment_.server_name.end());
    name.resize(16, ' ');  // NetBIOS form
    return EnumAnswer(request, addresses, win32_error::kSuccess, [&](NdrWriter& out, const std::u16string& address) {
      out.U32(0);  // virtual circuits
      out.StringPointer(u"\\Device\\NetbiosSmb");
      out.BytesPointer(name);
      out.U32(static_cast<std::uint32_t>(name.size()));
      out.StringPointer(address);
    });
  }

  CallResult RemoteTod(NdrReader& in) const {
    if (!in.ok()) return rpc::fault::kBadStubData;
    using namespace std::chrono;
    const FileTime now = environment_.now ? environment_.now() : kFileTimeOfUnixEpoch;
    const std::uint64_t ticks = now - kFileTimeOfUnixEpoch;
    const sys_seconds time{seconds(static_cast<std::int64_t>(ticks / 10'000'000))};
    const sys_days day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    NdrWriter out;
    out.Pointer(true, [&] {
      const auto put = [&](auto value) { out.U32(static_cast<std::uint32_t>(value)); };
      put(ticks / 10'000'000);  // seconds since 1970
      put(ticks / 10'000);      // milliseconds since an arbitrary time
      put(clock.hours().count());
      put(clock.minutes().count());
      put(clock.seconds().count());
      put(ticks / 100'000 % 100);  // hundredths
      put(0);                      // minutes west of UTC
      put(310);                    // clock tick, in tenths of a millisecond
      put(static_cast<unsigned>(date.day()));
      put(static_cast<unsigned>(date.month()));
      put(static_cast<int>(date.year()));
      put(weekday(day).c_encoding());
    });
    out.Complete();
    out.U32(win32_error::kSuccess);
    return out.Take();
  }

  const PipeEnvironment& environment_;
};

}  // namespace

std::unique_ptr<PipeService> NewSrvsvc(const PipeEnvironment& environment) {
  return std::make_unique<Srvsvc>(environment);
}

}  // namespace holdfast
