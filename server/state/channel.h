// [MS-SMB2] 3.3.1.14: a session on one of its connections.
#pragma once

#include <cstdint>
#include <memory>

#include "protocol/crypto/signing.h"

namespace holdfast {

class Connection;

struct Channel {
  std::uint64_t connection_id = 0;
  std::weak_ptr<Connection> connection;
  std::shared_ptr<crypto::Signer> signer;  // SigningKey with the connection's algorithm; null while signing in
};

}  // namespace holdfast
