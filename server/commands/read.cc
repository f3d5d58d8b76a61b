// [MS-SMB2] 3.3.5.12: READ.
#include "protocol/smb2/messages/read.h"

#include <algorithm>
#include <limits>

#include "protocol/base/buffer_pool.h"
#include "protocol/dtyp/access_mask.h"
#include "protocol/wire/endian.h"
#include "server/commands/handler.h"
#include "server/commands/pipe_io.h"
#include "server/commands/registry.h"

namespace holdfast {
namespace {

// The fixed part of the response; the data stands right behind it, at 80 bytes from the header.
constexpr std::size_t kFixedSize = 16;

// Makes the answer of a buffer of kReplyRoom, kFixedSize, `padding` and data: the body of a READ response, 2.2.20.
Reply Finish(NtStatus status, Bytes buffer, std::size_t padding, std::size_t count) {
  buffer.resize(kReplyRoom + kFixedSize + padding + count);
  std::uint8_t* const body = buffer.data() + kReplyRoom;
  std::fill_n(body, kFixedSize + padding, std::uint8_t{0});
  wire::StoreLe(body, std::uint16_t{17});
  body[2] = static_cast<std::uint8_t>(smb2::kHeaderSize + kFixedSize + padding);
  wire::StoreLe(body + 4, static_cast<std::uint32_t>(count));
  if (count == 0) buffer.push_back(0);  // the buffer has at least one byte
  return Reply(status, std::move(buffer), kReplyRoom);
}

// Which channels a dialect knows; none of ours moves data by RDMA.
bool IsChannelAllowed(const Request& request, smb2::Channel channel) {
  return channel == smb2::Channel::kNone || !request.connection->smb3();
}

Task<Reply> ReadFromPipe(RequestPtr request, std::uint32_t length) {
  auto output = co_await ReadPipe(request, length);
  if (!output.ok()) co_return output.status();
  const std::size_t count = output->data.size();
  Bytes buffer(kReplyRoom + kFixedSize);
  buffer.insert(buffer.end(), output->data.begin(), output->data.end());
  co_return Finish(output->more ? NtStatus::kBufferOverflow : NtStatus::kSuccess, std::move(buffer), 0, count);
}

}  // namespace

Task<Reply> HandleRead(RequestPtr request) {
  HOLDFAST_DECODE(smb2::ReadRequest, read, request);
  const bool has_unbuffered = request->connection->dialect >= 0x0302;
  const bool unbuffered = has_unbuffered && (read.flags & smb2::read_flag::kReadUnbuffered) != 0;
  if (read.length > MaxTransactBytes(*request)) co_return NtStatus::kInvalidParameter;
  if (!IsChannelAllowed(*request, read.channel)) co_return NtStatus::kInvalidParameter;
  if (request->handle->pipe) {
    if (unbuffered) co_return NtStatus::kInvalidParameter;
    co_return co_await ReadFromPipe(request, read.length);
  }

  const OpenPtr open = request->open();
  if (open->directory()) co_return NtStatus::kInvalidDeviceRequest;
  // 3.3.5.9: FILE_EXECUTE brings the right to read.
  if ((open->granted_access & (access::kReadData | access::kExecute)) == 0) co_return NtStatus::kAccessDenied;
  // [MS-FSA] 2.1.5.3: offsets are signed.
  constexpr std::uint64_t kMaxOffset = std::numeric_limits<std::int64_t>::max();
  if (read.offset > kMaxOffset || read.length > kMaxOffset - read.offset) co_return NtStatus::kInvalidParameter;

  const std::size_t padding = request->connection->read_padding;
  const std::size_t before_data = kReplyRoom + kFixedSize + padding;
  Bytes buffer = TakeBuffer(before_data + read.length);
  auto count = co_await FilesOf(*request).Read(open, read.offset, std::span(buffer).subspan(before_data), unbuffered);
  if (!count.ok()) co_return count.status();
  if (*count < read.minimum_count) co_return NtStatus::kEndOfFile;
  co_return Finish(NtStatus::kSuccess, std::move(buffer), padding, *count);
}

}  // namespace holdfast
