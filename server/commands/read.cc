// [MS-SMB2] 3.3.5.12: READ.
#include "protocol/smb2/messages/read.h"

#include <algorithm>
#include <limits>

#include "protocol/dtyp/access_mask.h"
#include "protocol/wire/endian.h"
#include "server/commands/handler.h"
#include "server/commands/pipe_io.h"
#include "server/commands/registry.h"

namespace holdfast {
namespace {

// The fixed part of the response; the data stands right behind it, at 80 bytes from the header.
constexpr std::size_t kFixedSize = 16;

// Turns a buffer of kFixedSize, `padding` and data into the body of a READ response, 2.2.20.
Bytes FinishBody(Bytes body, std::size_t padding, std::size_t count) {
  body.resize(kFixedSize + padding + count);
  wire::StoreLe(body.data(), std::uint16_t{17});
  body[2] = static_cast<std::uint8_t>(smb2::kHeaderSize + kFixedSize + padding);
  wire::StoreLe(body.data() + 4, static_cast<std::uint32_t>(count));
  if (count == 0) body.push_back(0);  // the buffer has at least one byte
  return body;
}

// Which channels a dialect knows; none of ours moves data by RDMA.
bool IsChannelAllowed(const Request& request, smb2::Channel channel) {
  return channel == smb2::Channel::kNone || !request.connection->smb3();
}

Task<Reply> ReadFromPipe(RequestPtr request, std::uint32_t length) {
  auto output = co_await ReadPipe(request, length);
  if (!output.ok()) co_return output.status();
  const std::size_t count = output->data.size();
  Bytes body(kFixedSize + count);
  std::copy(output->data.begin(), output->data.end(), body.begin() + kFixedSize);
  co_return Reply(output->more ? NtStatus::kBufferOverflow : NtStatus::kSuccess, FinishBody(std::move(body), 0, count));
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
  Bytes body(kFixedSize + padding + read.length);
  auto count = co_await FilesOf(*request).Read(open, read.offset, std::span(body).subspan(kFixedSize + padding), unbuffered);
  if (!count.ok()) co_return count.status();
  if (*count < read.minimum_count) co_return NtStatus::kEndOfFile;
  co_return Reply(FinishBody(std::move(body), padding, *count));
}

}  // namespace holdfast
