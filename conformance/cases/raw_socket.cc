#include "conformance/cases/raw_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "conformance/cases/bed.h"
#include "protocol/smb2/messages/negotiate.h"

namespace holdfast::client {

RawSocket::RawSocket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval limit{5, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(TheEnvironment().port);
  ::inet_pton(AF_INET, TheEnvironment().address.c_str(), &address.sin_addr);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw CannotGoOn("raw connection refused");
  }
}

RawSocket::~RawSocket() { ::close(fd_); }

void RawSocket::Send(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void RawSocket::SendFrame(ByteView frame) {
  Bytes out = {0, static_cast<std::uint8_t>(frame.size() >> 16), static_cast<std::uint8_t>(frame.size() >> 8),
               static_cast<std::uint8_t>(frame.size())};
  out.insert(out.end(), frame.begin(), frame.end());
  Send(out);
}

std::optional<std::size_t> RawSocket::Receive(std::uint8_t* out, std::size_t size) {
  std::size_t have = 0;
  while (have < size) {
    const ssize_t n = ::recv(fd_, out + have, size - have, 0);
    if (n == 0) return std::nullopt;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) throw CannotGoOn("the server says nothing");
    if (n < 0) return std::nullopt;
    have += static_cast<std::size_t>(n);
  }
  return have;
}

std::optional<Bytes> RawSocket::ReceiveFrame() {
  std::uint8_t head[4];
  if (!Receive(head, sizeof head)) return std::nullopt;
  Bytes frame(static_cast<std::size_t>(head[1]) << 16 | static_cast<std::size_t>(head[2]) << 8 | head[3]);
  if (!Receive(frame.data(), frame.size())) return std::nullopt;
  return frame;
}

bool RawSocket::IsClosedByServer() {
  try {
    while (ReceiveFrame()) {
    }
  } catch (const CannotGoOn&) {
    return false;
  }
  return true;
}

Bytes RawSocket::Negotiate(std::uint16_t dialect) {
  SendFrame(NegotiateMessage(dialect, 0));
  auto answer = ReceiveFrame();
  if (!answer) throw CannotGoOn("NEGOTIATE ended the connection");
  return *answer;
}

smb2::Header RawHeader(smb2::Command command, std::uint64_t message_id) {
  smb2::Header header;
  header.command = command;
  header.credit_charge = 1;
  header.credits = 64;
  header.message_id = message_id;
  return header;
}

Bytes NegotiateMessage(std::uint16_t dialect, std::uint64_t message_id) {
  smb2::NegotiateRequest request;
  request.security_mode = smb2::security_mode::kSigningEnabled;
  request.client_guid = Guid::Generate(SystemRandom());
  request.dialects = {static_cast<smb2::Dialect>(dialect)};
  smb2::Header header = RawHeader(smb2::Command::kNegotiate, message_id);
  header.credit_charge = 0;
  return smb2::EncodeMessage(header, request);
}

}  // namespace holdfast::client
