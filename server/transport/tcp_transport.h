// Direct TCP, [MS-SMB2] 2.1: the listener and the transport over a socket.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "server/transport/transport.h"

namespace holdfast {

class TcpListener {
 public:
  virtual ~TcpListener() = default;
  // Accepts until Close(); each connection goes to `accepted`. The address's port in use, no such address: a message.
  static std::unique_ptr<TcpListener> Open(Executor executor, const std::string& address_and_port,
                                           std::function<void(std::shared_ptr<Transport>)> accepted,
                                           std::string* error);
  virtual void Close() = 0;
};

// "127.0.0.1:445" or "[::1]:445"; false when it is neither.
bool SplitAddress(const std::string& text, std::string* host, std::uint16_t* port);

}  // namespace holdfast
