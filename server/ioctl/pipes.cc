// Control codes of named pipes: [MS-SMB2] 3.3.5.15.3, 3.3.5.15.4 and 3.3.5.15.10.
#include "protocol/smb2/ioctl/pipe.h"
#include "server/commands/pipe_io.h"
#include "server/ioctl/functions.h"

namespace holdfast::ioctl {

// Every pipe of ours has a free instance at any time, so there is nothing to wait for.
Task<ControlResult> PipeWait(ControlCall call) {
  const auto wait = wire::Decode<smb2::PipeWaitRequest>(call.input());
  if (!wait.ok() || !PipeExists(wait->name)) co_return NtStatus::kObjectNameNotFound;
  co_return NtStatus::kSuccess;
}

// Tells how much there is; the bytes themselves come with READ only.
Task<ControlResult> PipePeek(ControlCall call) {
  constexpr std::size_t kFixedSize = 16;
  if (call.max_output() < kFixedSize) co_return NtStatus::kInvalidParameter;
  smb2::PipePeekResponse response;
  response.read_data_available = static_cast<std::uint32_t>(call.pipe().available());
  response.number_of_messages = response.read_data_available != 0 ? 1 : 0;
  response.message_length = response.read_data_available;
  co_return ControlResult(response.read_data_available != 0 ? NtStatus::kBufferOverflow : NtStatus::kSuccess,
                          wire::Encode(response));
}

Task<ControlResult> PipeTransceive(ControlCall call) {
  auto output = call.pipe().Transceive(call.input(), call.max_output());
  WakePipeReaders(*call.request->handle);
  if (!output.ok()) co_return output.status();
  co_return ControlResult(output->more ? NtStatus::kBufferOverflow : NtStatus::kSuccess, std::move(output->data));
}

}  // namespace holdfast::ioctl
