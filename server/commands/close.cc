// [MS-SMB2] 3.3.5.10: CLOSE.
#include "protocol/smb2/messages/close.h"

#include "server/commands/handler.h"
#include "server/commands/pipe_io.h"
#include "server/commands/registry.h"

namespace holdfast {

Task<Reply> HandleClose(RequestPtr request) {
  HOLDFAST_DECODE(smb2::CloseRequest, close, request);
  const HandlePtr handle = request->handle;
  // First of all nobody finds the handle any more: a second CLOSE gets STATUS_FILE_CLOSED, and a connection that is
  // lost meanwhile does not preserve the open.
  handle->closing = true;
  request->server->RemoveHandle(request->session, handle);
  smb2::CloseResponse response;
  if (handle->pipe) {
    EndPipeReaders(*handle);
    co_return Answer(response);
  }
  const OpenPtr open = handle->open;
  Files& files = FilesOf(*request);
  co_await files.AskBeforeDelete(open, request->wait);
  if ((close.flags & smb2::close_flag::kPostqueryAttrib) != 0) {
    files.SettleWriteTime(*open);
    const auto facts = co_await files.QueryFacts(open);
    if (facts.ok()) {
      response.flags = smb2::close_flag::kPostqueryAttrib;
      response.creation_time = facts->creation_time;
      response.last_access_time = facts->last_access_time;
      response.last_write_time = facts->last_write_time;
      response.change_time = facts->change_time;
      response.allocation_size = facts->allocation_size;
      response.end_of_file = facts->end_of_file;
      response.file_attributes = facts->file_attributes;
    }
  }
  const NtStatus status = co_await files.Close(open);
  if (status != NtStatus::kSuccess) co_return status;
  co_return Answer(response);
}

}  // namespace holdfast
