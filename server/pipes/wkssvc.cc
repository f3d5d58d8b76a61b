// [MS-WKST]: what Explorer asks of a machine before it shows its shares.
#include "server/pipes/service.h"

namespace holdfast {
namespace {

class Wkssvc final : public PipeService {
 public:
  explicit Wkssvc(const PipeEnvironment& environment) : environment_(environment) {}

  rpc::CallResult Call(std::uint16_t opnum, ByteView stub) override {
    constexpr std::uint16_t kNetrWkstaGetInfo = 0;
    if (opnum != kNetrWkstaGetInfo) return rpc::fault::kOperationRange;
    rpc::NdrReader in(stub);
    in.UniqueWideString();  // ServerName
    const std::uint32_t level = in.U32();
    if (!in.ok()) return rpc::fault::kBadStubData;
    rpc::NdrWriter out;
    out.U32(level);
    if (level < 100 || level > 102) {
      out.NullPointer();
      out.U32(win32_error::kInvalidLevel);
      return out.Take();
    }
    out.Pointer(true, [&] {
      constexpr std::uint32_t kPlatformNt = 500;
      out.U32(kPlatformNt);
      out.StringPointer(environment_.server_name);
      out.StringPointer(environment_.domain_name);
      out.U32(environment_.version_major);
      out.U32(environment_.version_minor);
      if (level >= 101) out.StringPointer(u"");  // root of the operating system
      if (level >= 102) out.U32(0);              // users signed in at the console
    });
    out.Complete();
    out.U32(win32_error::kSuccess);
    return out.Take();
  }

 private:
  const PipeEnvironment& environment_;
};

}  // namespace

std::unique_ptr<PipeService> NewWkssvc(const PipeEnvironment& environment) {
  return std::make_unique<Wkssvc>(environment);
}

}  // namespace holdfast
