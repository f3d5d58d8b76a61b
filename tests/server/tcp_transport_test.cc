// Which bytes the peer's TCP has acknowledged.
#include "server/transport/tcp_transport.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

namespace holdfast {
namespace {

using boost::asio::ip::tcp;

// A transport and the peer's socket.
class Pair {
 public:
  Pair() : peer(io) {
    std::string error;
    std::uint16_t port = 0;
    // The listener does not tell a port that the kernel chose.
    for (std::uint16_t candidate = 20445; !listener_ && candidate < 20545; ++candidate) {
      port = candidate;
      listener_ = TcpListener::Open(io.get_executor(), "127.0.0.1:" + std::to_string(port),
                                    [this](std::shared_ptr<Transport> accepted) { transport = std::move(accepted); }, &error);
    }
    EXPECT_TRUE(listener_) << error;
    peer.open(tcp::v4());
    peer.set_option(boost::asio::socket_base::receive_buffer_size(4096));
    peer.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
    Until([this] { return transport != nullptr; });
  }

  bool Until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition() && std::chrono::steady_clock::now() < end) io.run_one_for(std::chrono::milliseconds(5));
    return condition();
  }

  boost::asio::io_context io{1};
  std::shared_ptr<Transport> transport;
  tcp::socket peer;

 private:
  std::unique_ptr<TcpListener> listener_;
};

}  // namespace

TEST(TcpTransport, AcknowledgedBytesAreThoseSent) {
  Pair pair;
  EXPECT_EQ(pair.transport->sent_bytes(), 0u);
  EXPECT_EQ(pair.transport->acknowledged_bytes(), 0u);
  for (std::size_t size : {1u, 100u, 1000u}) {
    pair.transport->Send(Bytes(4 + size));
    const std::uint64_t sent = pair.transport->sent_bytes();
    EXPECT_TRUE(pair.Until([&] { return pair.transport->acknowledged_bytes() >= sent; }));
    EXPECT_EQ(pair.transport->acknowledged_bytes(), sent);
  }
}

TEST(TcpTransport, WhatThePeerHasNoRoomForIsNotAcknowledged) {
  Pair pair;
  constexpr std::size_t kLarge = 8u << 20;
  pair.transport->Send(Bytes(kLarge));
  EXPECT_EQ(pair.transport->sent_bytes(), kLarge);
  pair.Until([&] { return pair.transport->acknowledged_bytes() > 0; });
  pair.io.run_for(std::chrono::milliseconds(50));
  EXPECT_LT(pair.transport->acknowledged_bytes(), kLarge);
  // A little at a time, until all has come.
  Bytes in(64 * 1024);
  pair.peer.non_blocking(true);
  EXPECT_TRUE(pair.Until([&] {
    boost::system::error_code error;
    pair.peer.read_some(boost::asio::buffer(in), error);
    return pair.transport->acknowledged_bytes() == kLarge;
  }));
}

TEST(TcpTransport, AClosedOneKeepsWhatItKnew) {
  Pair pair;
  pair.transport->Send(Bytes(100));
  EXPECT_TRUE(pair.Until([&] { return pair.transport->acknowledged_bytes() == 100; }));
  pair.transport->Close(true);
  EXPECT_EQ(pair.transport->acknowledged_bytes(), 100u);
  pair.transport->Send(Bytes(100));
  EXPECT_EQ(pair.transport->sent_bytes(), 100u);
}

}  // namespace holdfast
