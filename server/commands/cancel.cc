// [MS-SMB2] 3.3.5.16: CANCEL. It has no response; the request it names is answered.
#include "server/commands/registry.h"
#include "server/state/connection.h"

namespace holdfast {

Task<Reply> HandleCancel(RequestPtr request) {
  Connection& connection = *request->connection;
  RequestPtr target;
  if (request->header.is_async()) {
    const auto found = connection.pending_async.find(request->header.async_id);
    if (found != connection.pending_async.end()) target = found->second;
  } else {
    const auto found = connection.pending.find(request->header.message_id);
    if (found != connection.pending.end()) target = found->second;
  }
  // The target's own session counts: one user does not cancel another's work on a shared connection.
  if (target && target->header.session_id == request->header.session_id) target->wait->Cancel(NtStatus::kCancelled);
  Reply reply(NtStatus::kSuccess);
  reply.no_response = true;
  co_return reply;
}

}  // namespace holdfast
