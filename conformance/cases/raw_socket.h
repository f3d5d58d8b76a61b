// A TCP connection on which a case says exactly what it wants to say, outside of our client's good manners.
#pragma once

#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/smb2/header.h"

namespace holdfast::client {

// Blocks, for at most five seconds each call.
class RawSocket {
 public:
  RawSocket();  // connected to the server of TheEnvironment(), or CannotGoOn
  ~RawSocket();
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  // Errors do not count: the server may have closed already.
  void Send(ByteView bytes);
  // With the 4-byte length of the direct TCP transport before it, [MS-SMB2] 2.1.
  void SendFrame(ByteView frame);
  // One frame without its length; nullopt when the server has closed the connection, CannotGoOn when it says nothing.
  std::optional<Bytes> ReceiveFrame();
  // Whether the server closes the connection; what it says before is read over.
  bool IsClosedByServer();
  // NEGOTIATE of this dialect and its answer; afterwards message id 1 is next.
  Bytes Negotiate(std::uint16_t dialect);

 private:
  std::optional<std::size_t> Receive(std::uint8_t* out, std::size_t size);
  int fd_ = -1;
};

// Header fields that every hand-made request starts from: one credit of charge, 64 asked for.
smb2::Header RawHeader(smb2::Command command, std::uint64_t message_id);
// A whole NEGOTIATE for one dialect other than 3.1.1.
Bytes NegotiateMessage(std::uint16_t dialect, std::uint64_t message_id);

}  // namespace holdfast::client
