#include "server/transport/tcp_transport.h"

#include "server/transport/tcp_acknowledged.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/asio/as_tuple.hpp>

#include <charconv>
#include <cstring>
#include <deque>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "protocol/base/buffer_pool.h"

namespace holdfast {
namespace {

using boost::asio::ip::tcp;

// A host that lost its power says nothing, and until its connection ends its handles count as held: nobody could open
// its files. The kernel's own values are two hours without, and a quarter of an hour with, something on its way.
constexpr int kIdleBeforeProbesS = 20;
constexpr int kProbeIntervalS = 5;
constexpr int kProbes = 5;
// The same for what is sent and not acknowledged, and for a peer whose receive window stays shut.
constexpr unsigned kUnacknowledgedMs = 45'000;

void LimitSilence(int fd) {
  // A socket that knows none of these still works, only with the kernel's patience.
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &kIdleBeforeProbesS, sizeof kIdleBeforeProbesS);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &kProbeIntervalS, sizeof kProbeIntervalS);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &kProbes, sizeof kProbes);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMs, sizeof kUnacknowledgedMs);
}

// A part of what the kernel is willing to hold for a connection.
constexpr std::size_t kMostToWaitFor = 128 * 1024;

constexpr auto kValue = boost::asio::as_tuple(boost::asio::use_awaitable);

std::string Describe(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

class TcpTransport final : public Transport, public std::enable_shared_from_this<TcpTransport> {
 public:
  explicit TcpTransport(tcp::socket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.set_option(boost::asio::socket_base::keep_alive(true), ignored);
    LimitSilence(socket_.native_handle());
    const auto peer = socket_.remote_endpoint(ignored);
    peer_ = ignored ? "?" : Describe(peer);
    const auto local = socket_.local_endpoint(ignored);
    local_ = ignored ? "?" : local.address().to_string();
  }

  Task<Result<Bytes>> Receive(std::size_t max_bytes) override {
    auto self = shared_from_this();
    WaitForAtLeast(1);
    while (buffered() < 4) {
      if (!co_await Fill()) co_return NtStatus::kConnectionDisconnected;
    }
    const std::uint8_t* p = buffer_.data() + begin_;
    const std::size_t length = static_cast<std::size_t>(p[1]) << 16 | static_cast<std::size_t>(p[2]) << 8 | p[3];
    if (p[0] == 0x85 && length == 0) {  // NetBIOS keep-alive
      begin_ += 4;
      co_return Bytes{};
    }
    if (p[0] != 0 || length > max_bytes) co_return NtStatus::kInvalidParameter;
    begin_ += 4;
    if (length == 0) co_return Bytes{};
    Bytes frame = TakeBuffer(length);
    const std::size_t have = std::min(buffered(), length);
    std::memcpy(frame.data(), buffer_.data() + begin_, have);
    begin_ += have;
    std::size_t got = have;
    while (got < length) {
      WaitForAtLeast(std::min(length - got, kMostToWaitFor));
      if (length - got < buffer_.size() / 4) {
        // The end of this frame may come together with the next ones: read through the buffer.
        if (!co_await Fill()) co_return NtStatus::kConnectionDisconnected;
        const std::size_t n = std::min(buffered(), length - got);
        std::memcpy(frame.data() + got, buffer_.data() + begin_, n);
        begin_ += n;
        got += n;
        continue;
      }
      auto [error, n] =
          co_await socket_.async_read_some(boost::asio::buffer(frame.data() + got, length - got), kValue);
      if (error) co_return NtStatus::kConnectionDisconnected;
      got += n;
    }
    co_return frame;
  }

  void Send(Bytes message) override {
    if (closed_) return;
    HOLDFAST_CHECK(message.size() >= 4);
    const std::size_t length = message.size() - 4;
    HOLDFAST_CHECK(length < (1u << 24));
    message[0] = 0;
    message[1] = static_cast<std::uint8_t>(length >> 16);
    message[2] = static_cast<std::uint8_t>(length >> 8);
    message[3] = static_cast<std::uint8_t>(length);
    queued_ += message.size();
    sent_ += message.size();
    queue_.push_back(std::move(message));
    if (!writing_) {
      writing_ = true;
      Spawn(socket_.get_executor(), WriteQueue(shared_from_this()));
    }
  }

  void Close(bool abort) override {
    if (closed_) return;
    closed_ = true;
    boost::system::error_code ignored;
    if (abort) {
      // An RST tells the client at once that waiting is of no use.
      socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
    }
    if (abort || !writing_) socket_.close(ignored);
    WakeWaiters();
  }

  std::size_t queued_bytes() const override { return queued_; }
  std::uint64_t sent_bytes() const override { return sent_; }

  std::uint64_t acknowledged_bytes() override {
    if (socket_.is_open()) {
      if (const auto bytes = TcpAcknowledgedBytes(socket_.native_handle())) acknowledged_ = *bytes;
    }
    return acknowledged_;
  }

  Task<void> WaitUntilBelow(std::size_t limit) override {
    auto self = shared_from_this();
    while (!closed_ && queued_ >= limit) {
      co_await Await<int>([this](std::function<void(int)> resume) { waiters_.push_back(std::move(resume)); });
    }
  }

  std::string peer() const override { return peer_; }
  std::string local() const override { return local_; }

 private:
  std::size_t buffered() const { return end_ - begin_; }

  // No wake-up before so many bytes are there, which the peer has announced. Each one costs both sides as much as receiving
  // dozens of KiB.
  void WaitForAtLeast(std::size_t bytes) {
    if (bytes == least_) return;
    least_ = bytes;
    const int value = static_cast<int>(bytes);
    (void)setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
  }

  Task<bool> Fill() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (end_ == buffer_.size()) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, buffered());
      end_ -= begin_;
      begin_ = 0;
    }
    auto [error, n] =
        co_await socket_.async_read_some(boost::asio::buffer(buffer_.data() + end_, buffer_.size() - end_), kValue);
    if (error) co_return false;
    end_ += n;
    co_return true;
  }

  static Task<void> WriteQueue(std::shared_ptr<TcpTransport> self) {
    std::deque<Bytes> batch;
    while (!self->queue_.empty()) {
      batch.swap(self->queue_);
      std::vector<boost::asio::const_buffer> pieces;
      std::size_t bytes = 0;
      for (const Bytes& message : batch) {
        pieces.push_back(boost::asio::buffer(message));
        bytes += message.size();
      }
      auto [error, n] = co_await boost::asio::async_write(self->socket_, pieces, kValue);
      self->queued_ -= bytes;
      for (Bytes& message : batch) GiveBuffer(std::move(message));
      batch.clear();
      self->WakeWaiters();
      if (error) {
        self->queue_.clear();
        self->queued_ = 0;
        break;
      }
    }
    self->writing_ = false;
    if (self->closed_) {
      boost::system::error_code ignored;
      self->socket_.shutdown(tcp::socket::shutdown_both, ignored);
      self->socket_.close(ignored);
    }
  }

  void WakeWaiters() {
    for (auto& waiter : std::exchange(waiters_, {})) waiter(0);
  }

  tcp::socket socket_;
  std::size_t least_ = 1;  // SO_RCVLOWAT
  std::string peer_, local_;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(64 * 1024);
  std::size_t begin_ = 0, end_ = 0;
  std::deque<Bytes> queue_;
  std::size_t queued_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t acknowledged_ = 0;
  bool writing_ = false;
  bool closed_ = false;
  std::deque<std::function<void(int)>> waiters_;
};

class TcpListenerImpl final : public TcpListener, public std::enable_shared_from_this<TcpListenerImpl> {
 public:
  TcpListenerImpl(Executor executor, std::function<void(std::shared_ptr<Transport>)> accepted)
      : executor_(executor), acceptor_(executor), accepted_(std::move(accepted)) {}

  bool Listen(const tcp::endpoint& endpoint, std::string* error) {
    boost::system::error_code ec;
    acceptor_.open(endpoint.protocol(), ec);
    if (!ec) acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor_.bind(endpoint, ec);
    if (!ec) acceptor_.listen(1024, ec);
    if (ec) *error = "listen = \"" + Describe(endpoint) + "\": " + ec.message();
    return !ec;
  }

  static Task<void> AcceptLoop(std::shared_ptr<TcpListenerImpl> self) {
    for (;;) {
      auto [error, socket] = co_await self->acceptor_.async_accept(kValue);
      if (!self->acceptor_.is_open()) co_return;
      if (error) {
        // Out of descriptors or a connection that is gone already: later ones may succeed.
        if (error == boost::asio::error::operation_aborted) co_return;
        boost::asio::steady_timer pause(self->executor_, std::chrono::milliseconds(100));
        co_await pause.async_wait(kValue);
        if (!self->acceptor_.is_open()) co_return;
        continue;
      }
      self->accepted_(std::make_shared<TcpTransport>(std::move(socket)));
    }
  }

  void Close() override {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  Executor executor_;
  tcp::acceptor acceptor_;
  std::function<void(std::shared_ptr<Transport>)> accepted_;
};

// Owns the shared state that the accept loop keeps alive.
class ListenerHandle final : public TcpListener {
 public:
  explicit ListenerHandle(std::shared_ptr<TcpListenerImpl> impl) : impl_(std::move(impl)) {}
  ~ListenerHandle() override { impl_->Close(); }
  void Close() override { impl_->Close(); }

 private:
  std::shared_ptr<TcpListenerImpl> impl_;
};

}  // namespace

bool SplitAddress(const std::string& text, std::string* host, std::uint16_t* port) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  std::string_view digits = std::string_view(text).substr(colon + 1);
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), *port);
  if (ec != std::errc() || end != digits.data() + digits.size()) return false;
  *host = text.substr(0, colon);
  if (host->size() > 2 && host->front() == '[' && host->back() == ']') *host = host->substr(1, host->size() - 2);
  return !host->empty();
}

std::unique_ptr<TcpListener> TcpListener::Open(Executor executor, const std::string& address_and_port,
                                               std::function<void(std::shared_ptr<Transport>)> accepted,
                                               std::string* error) {
  std::string host;
  std::uint16_t port = 0;
  boost::system::error_code ec;
  boost::asio::ip::address address;
  if (SplitAddress(address_and_port, &host, &port)) address = boost::asio::ip::make_address(host, ec);
  if (host.empty() || ec) {
    *error = "listen = \"" + address_and_port + "\": not an address and port such as \"127.0.0.1:445\"";
    return nullptr;
  }
  auto impl = std::make_shared<TcpListenerImpl>(executor, std::move(accepted));
  if (!impl->Listen(tcp::endpoint(address, port), error)) return nullptr;
  Spawn(executor, TcpListenerImpl::AcceptLoop(impl));
  return std::make_unique<ListenerHandle>(std::move(impl));
}

}  // namespace holdfast
