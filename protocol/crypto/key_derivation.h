// Keys of a session and of its channels, [MS-SMB2] 3.1.4.2, 3.3.5.5.3.
#pragma once

#include <cstdint>

#include "protocol/base/bytes.h"
#include "protocol/crypto/encryption.h"

namespace holdfast::crypto {

// SP800-108 5.1: counter mode, HMAC-SHA256, r = 32. `size` bytes (16 or 32). Label and context are taken
// as given: the terminating zero byte of a label belongs to it, the zero separator is added here.
Bytes DeriveKey(ByteView key, ByteView label, ByteView context, std::size_t size);

// As the server names them: it encrypts what goes to the client. A client swaps the last two.
struct SessionKeys {
  Bytes signing_key;      // 16 bytes
  Bytes application_key;  // what the layer above SMB may ask for
  Bytes encryption_key;   // server to client; empty before dialect 3.0
  Bytes decryption_key;   // client to server; empty before dialect 3.0
};

// `dialect` is the number on the wire (0x0202 … 0x0311). `session_key` is as the sign-in gave it: the first 16 bytes
// are used, right-padded with zeros when shorter (3.3.1.8 Session.SessionKey). `full_session_key` is used instead for
// the encryption keys of AES-256 in 3.1.1 (Session.FullSessionKey). `preauth_hash` is
// Session.PreauthIntegrityHashValue, used in 3.1.1 only.
SessionKeys DeriveSessionKeys(std::uint16_t dialect, Cipher cipher, ByteView session_key, ByteView full_session_key,
                              ByteView preauth_hash);

// Channel.SigningKey of a binding (3.3.5.5.3): from the key and the preauth hash of the sign-in that bound the channel.
Bytes DeriveSigningKey(std::uint16_t dialect, ByteView session_key, ByteView preauth_hash);

}  // namespace holdfast::crypto
