// [MS-SMB2] 3.3.5.13: WRITE.
#include "protocol/smb2/messages/write.h"

#include <limits>

#include "protocol/dtyp/access_mask.h"
#include "protocol/wire/endian.h"
#include "server/commands/handler.h"
#include "server/commands/pipe_io.h"
#include "server/commands/registry.h"
#include "storage/files/file_state.h"

namespace holdfast {
namespace {

// [MS-FSA] 2.1.5.4: an offset of -1 writes at the end.
constexpr std::uint64_t kEndOfFileOffset = ~0ULL;

// Write-through is only asked for together with unbuffered: in the request from 3.0.2 on, of the open before.
bool AreFlagsAllowed(const Request& request, std::uint32_t flags) {
  if ((flags & smb2::write_flag::kWriteThrough) == 0) return true;
  const std::uint16_t dialect = request.connection->dialect;
  if (dialect < 0x0210) return true;  // 2.0.2 has no flags
  if (request.handle->open->create_options & smb2::create_option::kNoIntermediateBuffering) return true;
  return dialect >= 0x0302 && (flags & smb2::write_flag::kWriteUnbuffered) != 0;
}

Task<Reply> WriteToPipe(RequestPtr request, std::uint32_t flags, ByteView data) {
  const HandlePtr handle = request->handle;
  constexpr std::uint32_t kFileOnly = smb2::write_flag::kWriteThrough | smb2::write_flag::kWriteUnbuffered;
  if (request->connection->smb3() && (flags & kFileOnly) != 0) co_return NtStatus::kInvalidParameter;
  auto count = handle->pipe->Write(data);
  WakePipeReaders(*handle);  // after an error too: they get it as well
  if (!count.ok()) co_return count.status();
  smb2::WriteResponse response;
  response.count = static_cast<std::uint32_t>(*count);
  co_return Answer(response);
}

}  // namespace

Task<Reply> HandleWrite(RequestPtr request) {
  HOLDFAST_DECODE(smb2::WriteRequest, write, request);
  if (write.data.size() > MaxTransactBytes(*request)) co_return NtStatus::kInvalidParameter;
  // 3.3.5.13: not on an RDMA connection, and the data must begin near.
  if (request->connection->smb3() && write.channel != smb2::Channel::kNone) co_return NtStatus::kInvalidParameter;
  const auto data_offset = wire::LoadLe<std::uint16_t>(request->message.data() + smb2::kHeaderSize + 2);
  if (data_offset > smb2::WriteRequest::kMaxDataOffset) co_return NtStatus::kInvalidParameter;
  if (request->handle->pipe) co_return co_await WriteToPipe(request, write.flags, write.data);

  const OpenPtr open = request->open();
  if (open->directory()) co_return NtStatus::kInvalidDeviceRequest;
  const std::uint32_t granted = open->granted_access;
  if ((granted & (access::kWriteData | access::kAppendData)) == 0) co_return NtStatus::kAccessDenied;
  if (!AreFlagsAllowed(*request, write.flags)) co_return NtStatus::kInvalidParameter;

  std::uint64_t offset = write.offset;
  if (offset == kEndOfFileOffset && (granted & access::kWriteData) == 0) {
    const StreamState* stream = open->file->Stream(open->stream);
    offset = stream ? stream->facts.size : 0;
  }
  constexpr std::uint64_t kMaxOffset = std::numeric_limits<std::int64_t>::max();
  if (offset > kMaxOffset || write.data.size() > kMaxOffset - offset) co_return NtStatus::kInvalidParameter;

  const bool write_through =
      request->connection->dialect >= 0x0210 && (write.flags & smb2::write_flag::kWriteThrough) != 0;
  const bool unbuffered =
      request->connection->dialect >= 0x0302 && (write.flags & smb2::write_flag::kWriteUnbuffered) != 0;
  // `write.data` borrows from the frame, which the request keeps.
  const NtStatus status = co_await FilesOf(*request).Write(open, offset, write.data, write_through, unbuffered);
  if (status != NtStatus::kSuccess) co_return status;
  smb2::WriteResponse response;
  response.count = static_cast<std::uint32_t>(write.data.size());
  co_return Answer(response);
}

}  // namespace holdfast
