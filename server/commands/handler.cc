#include "server/commands/handler.h"

#include <algorithm>

namespace holdfast {

std::uint32_t MaxTransactBytes(const Request& request) {
  const std::uint32_t configured = request.server->config().max_transact_bytes;
  return request.connection->supports_multi_credit ? configured : std::min<std::uint32_t>(configured, 65536);
}

Reply ErrorWithData(const Request& request, NtStatus status, ByteView data) {
  smb2::ErrorResponse error;
  Bytes context;
  if (request.connection->smb311()) {
    context = smb2::EncodeErrorContext(smb2::ErrorContext::kDefault, data);
    error.error_context_count = 1;
    error.error_data = context;
  } else {
    error.error_data = data;
  }
  return Answer(error, status);
}

}  // namespace holdfast
