// The pipeline with a transport of the test's own.
#include "server/request/pipeline.h"

#include <deque>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "protocol/smb2/header.h"
#include "protocol/smb2/messages/echo.h"
#include "server/server.h"
#include "storage/async/asio_clock.h"

namespace holdfast {
namespace {

// A peer that says what is in `frames`. Then it leaves, or is silent until it is thrown out.
class Script final : public Transport {
 public:
  Script(std::deque<Bytes> frames, bool leaves) : frames_(std::move(frames)), leaves_(leaves) {}

  Task<Result<Bytes>> Receive(std::size_t) override {
    if (frames_.empty() && !leaves_) co_await closed_.Wait();
    if (frames_.empty()) co_return NtStatus::kConnectionDisconnected;
    Bytes frame = std::move(frames_.front());
    frames_.pop_front();
    co_return frame;
  }
  void Send(Bytes) override {}
  void Close(bool) override {
    frames_.clear();
    closed_.Set(true);
  }
  std::size_t queued_bytes() const override { return 0; }
  std::uint64_t sent_bytes() const override { return 0; }
  std::uint64_t acknowledged_bytes() override { return 0; }
  Task<void> WaitUntilBelow(std::size_t) override { co_return; }
  std::string peer() const override { return "127.0.0.1:1"; }
  std::string local() const override { return "127.0.0.1"; }
  bool closed() const { return closed_.is_set(); }

 private:
  std::deque<Bytes> frames_;
  bool leaves_;
  OneShot<bool> closed_;
};

Bytes EchoMessage(std::uint64_t message_id, std::uint32_t next_command) {
  smb2::Header header;
  header.command = smb2::Command::kEcho;
  header.message_id = message_id;
  header.next_command = next_command;
  Bytes message = smb2::EncodeMessage(header, smb2::EchoRequest{});
  if (next_command != 0) message.resize(next_command);
  return message;
}

struct Bed {
  boost::asio::io_context io{1};
  ManualClock clock;
  Server server{{}, {.executor = io.get_executor(), .clock = &clock, .random = &SystemRandom()}};

  void Settle() {
    io.restart();
    io.poll();
  }
};

// Serves the frames to the end. Whether anything of the connection is left then.
bool LeavesAnything(std::deque<Bytes> frames) {
  Bed bed;
  auto transport = std::make_shared<Script>(std::move(frames), true);
  const std::weak_ptr<Script> weak = transport;
  Spawn(bed.io.get_executor(), bed.server.Serve(std::move(transport)));
  bed.Settle();
  return !weak.expired();
}

TEST(Pipeline, ConnectionThatBreaksTheProtocolIsForgotten) {
  EXPECT_FALSE(LeavesAnything({EchoMessage(0, 0)})) << "before NEGOTIATE";
  Bytes chain = EchoMessage(0, 72);
  const Bytes outside = EchoMessage(1000, 0);
  chain.insert(chain.end(), outside.begin(), outside.end());
  EXPECT_FALSE(LeavesAnything({chain})) << "a message id outside of the window behind one inside";
}

// [MS-SMB2] 3.3.6.3
TEST(Pipeline, WhoDoesNotSignInLosesTheConnection) {
  Bed bed;
  const auto transport = std::make_shared<Script>(std::deque<Bytes>(), false);
  Spawn(bed.io.get_executor(), bed.server.Serve(transport));
  bed.Settle();
  bed.clock.Advance(std::chrono::seconds(44));
  bed.Settle();
  EXPECT_FALSE(transport->closed());
  bed.clock.Advance(std::chrono::seconds(2));
  bed.Settle();
  EXPECT_TRUE(transport->closed());
  EXPECT_EQ(bed.server.connection_count(), 0u);
}

}  // namespace
}  // namespace holdfast
