// [MS-SMB2] 3.3.5.15: IOCTL. What each control code does stands in server/ioctl.
#include "protocol/smb2/messages/ioctl.h"

#include "protocol/wire/endian.h"
#include "server/commands/handler.h"
#include "server/commands/registry.h"
#include "server/ioctl/registry.h"
#include "server/request/channel_sequence.h"

namespace holdfast {
namespace {

// The handle the FileId names, or the chain's for all ones in a related request.
NtStatus FindTarget(Request& request, const smb2::FileId& id) {
  if (!request.related || !id.IsAllOnes()) request.handle = request.session->FindHandle(id);
  const HandlePtr& handle = request.handle;
  if (!handle && request.related && id.IsAllOnes()) return request.chain_status;
  if (!handle || handle->closing || handle->tree != request.tree) return NtStatus::kFileClosed;
  return NtStatus::kSuccess;
}

// 3.3.5.15: InputOffset is a multiple of 8. That it lies inside has been checked by decoding.
bool IsInputAligned(const Request& request, const smb2::IoctlRequest& message) {
  if (message.input.empty()) return true;
  return wire::LoadLe<std::uint32_t>(request.message.data() + smb2::kHeaderSize + 24) % 8 == 0;
}

// Moves the output of an encoded response, which stands behind the fixed part.
void Pad(Bytes& body, std::uint8_t padding) {
  constexpr std::size_t kOutputOffset = 32, kFixedSize = 48;
  body.insert(body.begin() + kFixedSize, padding, 0);
  const auto offset = wire::LoadLe<std::uint32_t>(body.data() + kOutputOffset);
  wire::StoreLe(body.data() + kOutputOffset, offset + padding);
}

Reply Finish(const ControlCall& call, ControlResult result) {
  if (result.disconnect) return Reply::Disconnect(result.status);
  if (IsError(result.status) && !result.answers) return result.status;
  smb2::IoctlResponse response;
  response.ctl_code = call.message.ctl_code;
  response.file_id = call.request->handle ? call.request->handle->id : smb2::kAllOnesFileId;
  response.output = result.output;
  Bytes body = smb2::EncodeBody(response);
  if (result.padding != 0) Pad(body, result.padding);
  return Reply(result.status, std::move(body));
}

Task<Reply> Run(const ControlRow* row, ControlCall call) {
  ControlResult result = co_await row->run(call);
  co_return Finish(call, std::move(result));
}

// With an open found here the channel sequence is checked here too, 3.3.5.2.10: admission does it for the commands
// whose FileId always names one.
Task<Reply> RunOnOpen(const ControlRow* row, ControlCall call, bool admitted) {
  Request& request = *call.request;
  const OpenPtr open = request.open();
  bool counted = false;
  if (open && request.connection->smb3() && !admitted) {
    if (!EnterChannelSequence(*open, request.header, RowOf(smb2::Command::kIoctl).channel_sequence, &counted)) {
      co_return NtStatus::kFileNotAvailable;
    }
    open->is_replay_eligible = false;
  }
  Reply reply(NtStatus::kNotSupported);
  const std::uint32_t code = call.message.ctl_code;
  if (!row) {
    reply = ControlRefusal(code);
  } else if (row->target == ControlTarget::kPipe && !request.handle->pipe) {
    reply = NtStatus::kNotSupported;  // 3.3.5.15.3
  } else if (row->target == ControlTarget::kFile && !open) {
    reply = NtStatus::kInvalidDeviceRequest;
  } else {
    reply = co_await Run(row, std::move(call));
  }
  if (counted) LeaveChannelSequence(*open, request.header.channel_sequence());
  co_return reply;
}

}  // namespace

Task<Reply> HandleIoctl(RequestPtr request) {
  HOLDFAST_DECODE(smb2::IoctlRequest, message, request);
  if (message.flags != smb2::ioctl_flag::kIsFsctl) co_return NtStatus::kNotSupported;
  const std::uint32_t limit = MaxTransactBytes(*request);
  if (message.input.size() > limit || message.max_input_response > limit || message.max_output_response > limit) {
    co_return NtStatus::kInvalidParameter;
  }
  if (!IsInputAligned(*request, message)) co_return NtStatus::kInvalidParameter;

  const ControlRow* row = FindControl(message.ctl_code);
  if (row && row->target == ControlTarget::kConnection) {
    if (!message.file_id.IsAllOnes()) co_return NtStatus::kInvalidParameter;
    request->handle = nullptr;
    ControlCall call{request, message};
    co_return co_await Run(row, std::move(call));
  }
  const HandlePtr of_chain = request->handle;
  if (const NtStatus status = FindTarget(*request, message.file_id); status != NtStatus::kSuccess) co_return status;
  ControlCall call{request, message};
  co_return co_await RunOnOpen(row, std::move(call), request->handle == of_chain);
}

}  // namespace holdfast
