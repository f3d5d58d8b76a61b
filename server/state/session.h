// [MS-SMB2] 3.3.1.8: a user signed in. Lives on one node; its opens may outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "auth/authenticator.h"
#include "protocol/crypto/encryption.h"
#include "protocol/crypto/key_derivation.h"
#include "protocol/crypto/preauth.h"
#include "protocol/crypto/signing.h"
#include "server/state/handle.h"
#include "server/state/tree_connect.h"

namespace holdfast {

class Connection;

enum class SessionState : std::uint8_t { kInProgress, kValid, kExpired };

struct Session {
  std::uint64_t session_id = 0;
  std::weak_ptr<Connection> connection;
  SessionState state = SessionState::kInProgress;
  bool encrypt_data = false;        // Session.EncryptData
  bool signing_required = false;
  std::shared_ptr<const SecurityToken> token;
  std::u16string account_name, domain_name;
  std::optional<FileTime> expires;
  Bytes session_key, full_session_key;
  crypto::SessionKeys keys;
  std::shared_ptr<crypto::Signer> signer;                  // null before the session is valid
  std::shared_ptr<crypto::MessageCipher> encryptor, decryptor;  // null when no cipher was negotiated
  std::uint64_t next_nonce = 1;
  crypto::PreauthIntegrity preauth;                        // of the sign-in under way, 3.1.1
  std::unique_ptr<AuthExchange> exchange;                  // of the sign-in under way
  bool exchange_running = false;                           // on a worker thread right now
  bool logged_off = false;

  std::map<std::uint32_t, TreeConnectPtr> trees;
  std::unordered_map<std::uint64_t, HandlePtr> handles;    // by volatile id
  std::uint32_t next_tree_id = 1;
  std::uint64_t next_volatile_id = 1;
};
using SessionPtr = std::shared_ptr<Session>;

}  // namespace holdfast
