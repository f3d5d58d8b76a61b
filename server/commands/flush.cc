// [MS-SMB2] 3.3.5.11: FLUSH.
#include "protocol/smb2/messages/flush.h"

#include "protocol/dtyp/access_mask.h"
#include "server/commands/handler.h"
#include "server/commands/registry.h"

namespace holdfast {

Task<Reply> HandleFlush(RequestPtr request) {
  HOLDFAST_DECODE(smb2::FlushRequest, flush, request);
  static_cast<void>(flush);
  // A pipe's bytes are consumed by its service the moment they are written.
  if (request->handle->pipe) co_return Answer(smb2::FlushResponse{});
  const OpenPtr open = request->open();
  // The same two bits are ADD_FILE and ADD_SUBDIRECTORY of a directory.
  if ((open->granted_access & (access::kWriteData | access::kAppendData)) == 0) co_return NtStatus::kAccessDenied;
  // Whatever a persistent open was acknowledged is stable already.
  if (!open->is_persistent()) {
    const NtStatus status = co_await FilesOf(*request).Flush(open);
    if (status != NtStatus::kSuccess) co_return status;
  }
  co_return Answer(smb2::FlushResponse{});
}

}  // namespace holdfast
