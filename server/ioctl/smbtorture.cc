// FSCTL_SMBTORTURE: what smbtorture's tests ask of a server under test. Not in release builds.
#include "server/ioctl/smbtorture.h"

#include "protocol/fscc/fsctl.h"
#include "server/ioctl/functions.h"

#if HOLDFAST_FAULT_POINTS

namespace holdfast::ioctl {
namespace {

constexpr std::uint8_t kPadding = 8;

}  // namespace

// From now on this connection is one whose path has died: what is sent arrives, and is not seen to.
bool ForceUnackedTimeout(const Request& request) {
  if (request.header.command != smb2::Command::kIoctl || request.header.session_id != 0) return false;
  const auto message = smb2::Decode<smb2::IoctlRequest>(request.message);
  if (!message.ok() || message->ctl_code != fsctl::kSmbtortureForceUnackedTimeout) return false;
  request.connection->unacknowledged = true;
  return true;
}

Reply ForcedUnackedTimeout() {
  smb2::IoctlResponse response;
  response.ctl_code = fsctl::kSmbtortureForceUnackedTimeout;
  response.file_id = smb2::kAllOnesFileId;
  return Answer(response);
}

// The output, all eights, stands 8 bytes behind where it usually does.
Task<ControlResult> IoctlResponseBodyPadding8(ControlCall call) {
  if (!call.input().empty()) co_return NtStatus::kInvalidParameter;
  ControlResult result(Bytes(call.max_output(), kPadding));
  result.padding = kPadding;
  co_return result;
}

// So does the data of every READ response of this connection.
Task<ControlResult> ReadResponseBodyPadding8(ControlCall call) {
  if (!call.input().empty()) co_return NtStatus::kInvalidParameter;
  call.request->connection->read_padding = kPadding;
  co_return NtStatus::kSuccess;
}

// One byte of milliseconds. A CLOSE that comes meanwhile waits for the answer.
Task<ControlResult> FspAsyncSleep(ControlCall call) {
  if (call.input().size() != 1) co_return NtStatus::kInvalidParameter;
  const OpenUse use(call.open());
  const auto duration = std::chrono::milliseconds(call.input()[0]);
  co_await SleepFor(call.request->server->clock(), duration);
  co_return NtStatus::kSuccess;
}

}  // namespace holdfast::ioctl

#endif
