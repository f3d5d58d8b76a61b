// [MS-SMB2] 3.3.5.17: ECHO.
#include "protocol/smb2/messages/echo.h"

#include "server/commands/handler.h"
#include "server/commands/registry.h"

namespace holdfast {

Task<Reply> HandleEcho(RequestPtr request) {
  HOLDFAST_DECODE(smb2::EchoRequest, echo, request);
  static_cast<void>(echo);
  co_return Answer(smb2::EchoResponse{});
}

}  // namespace holdfast
