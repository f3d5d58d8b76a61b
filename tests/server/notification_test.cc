// Which channel a break is sent on, with transports that acknowledge when the test says so.
#include "server/request/notification.h"

#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/server.h"
#include "storage/async/asio_clock.h"

namespace holdfast {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

class Wire final : public Transport {
 public:
  Task<Result<Bytes>> Receive(std::size_t) override { co_return NtStatus::kConnectionDisconnected; }
  void Send(Bytes message) override {
    sent_ += message.size();
    ++messages_;
  }
  void Close(bool) override {}
  std::size_t queued_bytes() const override { return 0; }
  std::uint64_t sent_bytes() const override { return sent_; }
  std::uint64_t acknowledged_bytes() override { return dead ? acknowledged_ : acknowledged_ = sent_; }
  Task<void> WaitUntilBelow(std::size_t) override { co_return; }
  std::string peer() const override { return "127.0.0.1:1"; }
  std::string local() const override { return "127.0.0.1"; }

  int TakeMessages() { return std::exchange(messages_, 0); }
  bool dead = false;

 private:
  std::uint64_t sent_ = 0, acknowledged_ = 0;
  int messages_ = 0;
};

class NotificationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    session_ = std::make_shared<Session>();
    session_->session_id = 5;
    session_->state = SessionState::kValid;
    server_.AddSession(session_);
    for (std::uint64_t id = 1; id <= 3; ++id) {
      auto connection = std::make_shared<Connection>();
      connection->id = id;
      connection->server = &server_;
      connection->dialect = 0x0311;
      wires_.push_back(std::make_shared<Wire>());
      connection->transport = wires_.back();
      connections_.push_back(connection);
      server_.AddChannel(session_, connection, nullptr);
      server_.AddClient(connection);
    }
  }
  void TearDown() override {
    // A connection and its session hold each other.
    for (const auto& connection : connections_) connection->sessions.clear();
  }

  static Task<void> Into(Task<bool> told, std::optional<bool>* arrived) { *arrived = co_await std::move(told); }
  // How many copies each channel was sent, and whether one arrived, within `duration`.
  std::vector<int> Told(Task<bool> told, milliseconds duration) {
    arrived_ = {};
    Spawn(io_.get_executor(), Into(std::move(told), &arrived_));
    for (milliseconds passed{0}; passed <= duration; passed += milliseconds(10)) {
      io_.restart();
      io_.poll();
      clock_.Advance(milliseconds(10));
    }
    std::vector<int> counts;
    for (const auto& wire : wires_) counts.push_back(wire->TakeMessages());
    return counts;
  }
  std::vector<int> ToSession(milliseconds duration) {
    return Told(NotifySession(server_, 5, Bytes(24), false, nullptr), duration);
  }
  std::vector<int> ToClient(milliseconds duration) {
    return Told(NotifyClient(server_, Guid{}, Bytes(44), false, nullptr), duration);
  }

  boost::asio::io_context io_{1};
  ManualClock clock_;
  Server server_{{}, {.executor = io_.get_executor(), .clock = &clock_, .random = &SystemRandom()}};
  SessionPtr session_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Wire>> wires_;
  std::optional<bool> arrived_;
};

TEST_F(NotificationTest, GoesToTheOldestChannelThatTakesIt) {
  EXPECT_THAT(ToSession(milliseconds(50)), ElementsAre(1, 0, 0));
  EXPECT_EQ(arrived_, true);
  wires_[0]->dead = true;
  EXPECT_THAT(ToSession(milliseconds(1100)), ElementsAre(1, 0, 0));
  EXPECT_FALSE(arrived_.has_value());
  EXPECT_THAT(ToSession(milliseconds(1500)), ElementsAre(1, 2, 0)) << "the first break, and the second";
  EXPECT_EQ(arrived_, true);
}

TEST_F(NotificationTest, ASilentChannelIsTriedLastUntilItAcknowledges) {
  wires_[0]->dead = true;
  EXPECT_THAT(ToSession(milliseconds(1500)), ElementsAre(1, 1, 0));
  EXPECT_THAT(ToSession(milliseconds(50)), ElementsAre(0, 1, 0));
  EXPECT_THAT(ToClient(milliseconds(50)), ElementsAre(0, 1, 0));
  connections_[1]->closing = connections_[2]->closing = true;
  EXPECT_THAT(ToSession(milliseconds(1500)), ElementsAre(1, 0, 0)) << "better than none";
  EXPECT_FALSE(arrived_.has_value()) << "the last one has longer";
  connections_[1]->closing = connections_[2]->closing = false;
  wires_[0]->dead = false;
  EXPECT_THAT(ToClient(milliseconds(50)), ElementsAre(1, 0, 0));
  EXPECT_EQ(arrived_, true);
}

TEST_F(NotificationTest, NobodyTakesItWhenAllAreDead) {
  for (const auto& wire : wires_) wire->dead = true;
  EXPECT_THAT(ToSession(milliseconds(13'000)), ElementsAre(1, 1, 1));
  EXPECT_EQ(arrived_, false);
}

}  // namespace
}  // namespace holdfast
