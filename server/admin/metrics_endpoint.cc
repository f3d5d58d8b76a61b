#include "server/admin/metrics_endpoint.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "server/server.h"
#include "server/transport/tcp_transport.h"

namespace holdfast {
namespace {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;
constexpr auto kValue = boost::asio::as_tuple(boost::asio::use_awaitable);

std::string Gauges(Server& server) {
  const Files::Counts counts = server.seams().files->counts();
  const auto gauge = [](const char* name, const char* help, std::size_t value) {
    return std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " gauge\n" + name + " " +
           std::to_string(value) + "\n";
  };
  return gauge("holdfast_connections", "Connections open now.", server.connection_count()) +
         gauge("holdfast_open_files", "Files with opens.", counts.files) +
         gauge("holdfast_opens", "Opens.", counts.opens) +
         gauge("holdfast_persistent_opens", "Persistent opens.", counts.persistent) +
         gauge("holdfast_disconnected_opens", "Opens waiting for their client.", counts.disconnected) +
         gauge("holdfast_byte_range_locks", "Byte-range locks.", counts.locks);
}

Task<void> ServeOne(tcp::socket socket, Server& server) {
  boost::beast::tcp_stream stream(std::move(socket));
  stream.expires_after(std::chrono::seconds(10));
  boost::beast::flat_buffer buffer;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(8192);
  auto [read_error, n] = co_await http::async_read(stream, buffer, parser, kValue);
  if (read_error) co_return;
  http::response<http::string_body> response;
  response.version(11);
  response.set(http::field::connection, "close");
  if (parser.get().method() != http::verb::get || parser.get().target() != "/metrics") {
    response.result(http::status::not_found);
    response.body() = "only GET /metrics is here\n";
  } else {
    response.set(http::field::content_type, "text/plain; version=0.0.4");
    response.body() = server.metrics().ToText() + Gauges(server);
  }
  response.prepare_payload();
  (void)co_await http::async_write(stream, response, kValue);
  boost::system::error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
}

class Endpoint final : public MetricsEndpoint {
 public:
  explicit Endpoint(std::shared_ptr<tcp::acceptor> acceptor) : acceptor_(std::move(acceptor)) {}
  ~Endpoint() override {
    boost::system::error_code ignored;
    acceptor_->close(ignored);
  }
  static Task<void> AcceptLoop(std::shared_ptr<tcp::acceptor> acceptor, Server& server) {
    for (;;) {
      auto [error, socket] = co_await acceptor->async_accept(kValue);
      if (!acceptor->is_open() || error == boost::asio::error::operation_aborted) co_return;
      if (!error) Spawn(acceptor->get_executor(), ServeOne(std::move(socket), server));
    }
  }

 private:
  std::shared_ptr<tcp::acceptor> acceptor_;
};

}  // namespace

std::unique_ptr<MetricsEndpoint> MetricsEndpoint::Open(Executor executor, const std::string& address_and_port,
                                                       Server& server, std::string* error) {
  std::string host;
  std::uint16_t port = 0;
  boost::system::error_code ec;
  boost::asio::ip::address address;
  if (SplitAddress(address_and_port, &host, &port)) address = boost::asio::ip::make_address(host, ec);
  auto acceptor = std::make_shared<tcp::acceptor>(executor);
  const tcp::endpoint endpoint(address, port);
  if (host.empty()) ec = boost::asio::error::invalid_argument;
  if (!ec) acceptor->open(endpoint.protocol(), ec);
  if (!ec) acceptor->set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor->bind(endpoint, ec);
  if (!ec) acceptor->listen(64, ec);
  if (ec) {
    *error = "listen = \"" + address_and_port + "\": " + ec.message();
    return nullptr;
  }
  Spawn(executor, Endpoint::AcceptLoop(acceptor, server));
  return std::make_unique<Endpoint>(std::move(acceptor));
}

}  // namespace holdfast
