// [MS-SMB2] 3.3.1.7: one TCP connection of a client, with what was negotiated on it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/crypto/encryption.h"
#include "protocol/crypto/preauth.h"
#include "protocol/crypto/signing.h"
#include "protocol/dtyp/guid.h"
#include "server/request/credits.h"
#include "server/request/request.h"
#include "server/state/session.h"
#include "server/state/sign_in.h"
#include "server/transport/transport.h"

namespace holdfast {

class Server;

class Connection {
 public:
  std::uint64_t id = 0;  // unique in the process, given to storage/files as "which connection"
  Server* server = nullptr;
  std::shared_ptr<Transport> transport;

  // Negotiated, constant afterwards. dialect 0: not yet.
  std::uint16_t dialect = 0;
  bool negotiate_with_2ff = false;          // the SMB1 negotiate was answered 0x02FF: one SMB2 NEGOTIATE follows
  Guid client_guid;
  std::uint32_t client_capabilities = 0;
  std::uint32_t server_capabilities = 0;    // as answered
  std::uint16_t client_security_mode = 0;
  std::uint16_t server_security_mode = 0;
  std::vector<std::uint16_t> client_dialects;  // for FSCTL_VALIDATE_NEGOTIATE_INFO
  crypto::Cipher cipher = crypto::Cipher::kNone;
  crypto::SigningAlgorithm signing_algorithm = crypto::SigningAlgorithm::kHmacSha256;
  crypto::PreauthIntegrity preauth;
  bool signing_required = false;
  bool supports_multi_credit = false;

  CreditWindow credits;
  std::map<std::uint64_t, SessionPtr> sessions;                 // signed in here, or bound
  std::unordered_map<std::uint64_t, SignInPtr> sign_ins;        // by session id, under way
  std::unordered_map<std::uint64_t, RequestPtr> pending;        // by message id, executing
  std::unordered_map<std::uint64_t, RequestPtr> pending_async;  // by async id
  std::uint64_t next_async_id = 1;
  bool closing = false;
  // Test builds: nothing sent here counts as received, as on a path that has died (FSCTL_SMBTORTURE).
  bool unacknowledged = false;
  // What has to be acknowledged before this channel counts as alive again: a break was given up here. 0: it is alive.
  std::uint64_t silent_below = 0;
  std::uint8_t read_padding = 0;  // test builds: bytes before the data of a READ response

  bool smb3() const { return dialect >= 0x0300; }
  bool smb311() const { return dialect == 0x0311; }
  // Sessions whose first sign-in is under way do not count.
  bool is_anybody_signed_in() const {
    return std::any_of(sessions.begin(), sessions.end(),
                       [](const auto& entry) { return entry.second->state != SessionState::kInProgress; });
  }
};

}  // namespace holdfast
