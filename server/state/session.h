// [MS-SMB2] 3.3.1.8: a user signed in. Lives on one node; its opens may outlive it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "auth/authenticator.h"
#include "protocol/crypto/encryption.h"
#include "protocol/crypto/key_derivation.h"
#include "protocol/crypto/signing.h"
#include "server/state/channel.h"
#include "server/state/handle.h"
#include "server/state/tree_connect.h"

namespace holdfast {

enum class SessionState : std::uint8_t { kInProgress, kValid, kExpired };

struct Session {
  std::uint64_t session_id = 0;
  // Of the connection it was signed in on; a connection that is bound to it has the same.
  std::uint16_t dialect = 0;
  crypto::Cipher cipher = crypto::Cipher::kNone;
  std::vector<Channel> channels;    // ChannelList, the oldest first; one before dialect 3.0
  SessionState state = SessionState::kInProgress;
  bool encrypt_data = false;        // Session.EncryptData
  bool signing_required = false;
  std::shared_ptr<const SecurityToken> token;
  std::u16string account_name, domain_name;
  std::optional<FileTime> expires;
  Bytes session_key, full_session_key;
  crypto::SessionKeys keys;
  std::shared_ptr<crypto::Signer> signer;                  // SigningKey; null before the session is valid
  std::shared_ptr<crypto::MessageCipher> encryptor, decryptor;  // null when no cipher was negotiated
  std::uint64_t next_nonce = 1;
  bool logged_off = false;

  std::map<std::uint32_t, TreeConnectPtr> trees;
  std::unordered_map<std::uint64_t, HandlePtr> handles;    // by volatile id
  // CREATEs that a lost channel had begun, for their replays to find.
  std::vector<std::weak_ptr<PendingWait>> outliving;
  std::uint32_t next_tree_id = 1;
  std::uint64_t next_volatile_id = 1;

  // Whether the user must sign in again; the state says so from the first time this is asked behind the end.
  bool IsExpired(FileTime now) {
    if (expires && now >= *expires && state == SessionState::kValid) state = SessionState::kExpired;
    return state == SessionState::kExpired;
  }
  // Null when there is none with both ids.
  HandlePtr FindHandle(const smb2::FileId& id) const {
    const auto found = handles.find(id.volatile_id);
    return found != handles.end() && found->second->id == id ? found->second : nullptr;
  }
  // The channel of a connection; null when the session is not bound to it.
  Channel* FindChannel(std::uint64_t connection_id) {
    const auto found = std::find_if(channels.begin(), channels.end(),
                                    [&](const Channel& channel) { return channel.connection_id == connection_id; });
    return found == channels.end() ? nullptr : &*found;
  }
};
using SessionPtr = std::shared_ptr<Session>;

}  // namespace holdfast
