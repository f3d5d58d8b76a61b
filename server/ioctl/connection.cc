// Control codes about the connection: [MS-SMB2] 3.3.5.15.2 and 3.3.5.15.12.
#include "protocol/smb2/ioctl/validate_negotiate_info.h"
#include "server/ioctl/functions.h"

#include <algorithm>

namespace holdfast::ioctl {
namespace {

// Bytes of a VALIDATE_NEGOTIATE_INFO response.
constexpr std::size_t kResponseSize = 24;

// What the client says it has sent is what arrived.
bool IsAsNegotiated(const Connection& connection, const smb2::ValidateNegotiateInfoRequest& info) {
  const bool dialects_agree =
      std::equal(info.dialects.begin(), info.dialects.end(), connection.client_dialects.begin(),
                 connection.client_dialects.end(),
                 [](smb2::Dialect said, std::uint16_t arrived) { return static_cast<std::uint16_t>(said) == arrived; });
  return dialects_agree && info.guid == connection.client_guid &&
         info.security_mode == connection.client_security_mode && info.capabilities == connection.client_capabilities;
}

}  // namespace

// Somebody between has changed the negotiation: the connection ends. In 3.1.1 the question itself is out of place.
Task<ControlResult> ValidateNegotiateInfo(ControlCall call) {
  const Connection& connection = *call.request->connection;
  ControlResult mismatch(NtStatus::kInvalidParameter);
  mismatch.disconnect = true;
  if (connection.smb311() || call.max_output() < kResponseSize) co_return mismatch;
  const auto info = wire::Decode<smb2::ValidateNegotiateInfoRequest>(call.input());
  if (!info.ok() || !IsAsNegotiated(connection, *info)) co_return mismatch;
  co_return wire::Encode(
      smb2::ValidateNegotiateInfoResponse{.capabilities = connection.server_capabilities,
                                          .guid = call.request->server->server_guid(),
                                          .security_mode = connection.server_security_mode,
                                          .dialect = static_cast<smb2::Dialect>(connection.dialect)});
}

// No DFS here; Windows asks for every new path nevertheless.
Task<ControlResult> DfsGetReferrals(ControlCall) { co_return NtStatus::kFsDriverRequired; }

}  // namespace holdfast::ioctl
