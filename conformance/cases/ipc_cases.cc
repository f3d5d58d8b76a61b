// IPC$: what Windows asks there before it opens a file, answered at once. facts: a slow answer stalls every new path.
#include "conformance/cases/bed.h"

#include "protocol/fscc/fsctl.h"
#include "protocol/smb2/ioctl/dfs_referral.h"
#include "protocol/smb2/messages/ioctl.h"

namespace holdfast::client {
namespace {

constexpr Duration kAtOnce = std::chrono::milliseconds(400);  // under sanitizers, on a busy machine

smb2::CreateRequest PipeRequest(const std::string& name) {
  auto request = FileRequest(name, smb2::CreateDisposition::kOpen);
  request.desired_access = 0x0012019F;
  request.create_options = 0;
  return request;
}

}  // namespace

CASE(Ipc, DfsReferralIsAnsweredAtOnce) {
  const TreePtr tree = co_await bed.Mount("IPC$");
  smb2::DfsReferralRequest request;
  request.max_referral_level = 4;
  request.request_file_name = u"\\fs.example.test\\profiles\0";
  request.request_file_name.push_back(u'\0');
  const SteadyTime begun = bed.clock().Now();
  const auto answer =
      co_await tree->Ioctl(smb2::kAllOnesFileId, fsctl::kDfsGetReferrals, wire::Encode(request), 8192);
  EXPECT_LT(bed.clock().Now() - begun, kAtOnce);
  EXPECT_EQ(answer.status(), NtStatus::kFsDriverRequired);
}

CASE(Ipc, UnknownPipeIsAnsweredAtOnce) {
  const TreePtr tree = co_await bed.Mount("IPC$");
  const SteadyTime begun = bed.clock().Now();
  EXPECT_EQ(co_await StatusOfCreate(tree, PipeRequest("no_such_pipe")), NtStatus::kObjectNameNotFound);
  EXPECT_LT(bed.clock().Now() - begun, kAtOnce);
}

CASE(Ipc, KnownPipesOpen) {
  const TreePtr tree = co_await bed.Mount("IPC$");
  const std::vector<std::string> pipes = {"srvsvc", "wkssvc", "lsarpc", "SRVSVC"};
  for (const std::string& pipe : pipes) {
    EXPECT_EQ(co_await StatusOfCreate(tree, PipeRequest(pipe)), NtStatus::kSuccess) << pipe;
  }
}

CASE(Ipc, InterfacesAreAnsweredAtOnce) {
  const TreePtr tree = co_await bed.Mount("IPC$");
  const SteadyTime begun = bed.clock().Now();
  const Bytes nothing;
  const auto answer =
      co_await tree->Ioctl(smb2::kAllOnesFileId, fsctl::kQueryNetworkInterfaceInfo, nothing, 65536);
  EXPECT_LT(bed.clock().Now() - begun, kAtOnce);
  // Either a list, or the refusal that clients take for "one interface".
  EXPECT_TRUE(answer.ok() || answer.status() == NtStatus::kNotSupported ||
              answer.status() == NtStatus::kInvalidDeviceRequest)
      << NtStatusName(answer.status());
}

CASE(Ipc, PipesDoNotWaitForAnInstance) {
  const TreePtr tree = co_await bed.Mount("IPC$");
  const auto answer = co_await tree->Ioctl(smb2::kAllOnesFileId, fsctl::kPipeWait, Bytes(20), 0);
  EXPECT_TRUE(IsError(answer.status())) << NtStatusName(answer.status());
  EXPECT_EQ(co_await StatusOfEcho(tree->session()), NtStatus::kSuccess);
}

CASE(Ipc, UnknownControlCodesAreRefusedAtOnce) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const smb2::FileId file = co_await Opened(tree, FileRequest(Bed::Fresh("ctl"), smb2::CreateDisposition::kCreate));
  const std::vector<std::uint32_t> codes = {0x00090000, 0x0014FFFF, fsctl::kSvhdxSyncTunnelRequest,
                                            fsctl::kQuerySharedVirtualDiskSupport, fsctl::kReadFileUsnData};
  for (const std::uint32_t code : codes) {
    const SteadyTime begun = bed.clock().Now();
    const auto answer = co_await tree->Ioctl(file, code, Bytes(64), 4096);
    EXPECT_TRUE(answer.status() == NtStatus::kNotSupported || answer.status() == NtStatus::kInvalidDeviceRequest)
        << std::hex << code << ": " << NtStatusName(answer.status());
    EXPECT_LT(bed.clock().Now() - begun, kAtOnce);
  }
}

}  // namespace holdfast::client
