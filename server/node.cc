#include "server/node.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "server/admin/metrics_endpoint.h"
#include "server/log_text.h"
#include "server/server.h"
#include "server/transport/tcp_transport.h"
#include "storage/async/asio_clock.h"
#include "storage/engine/embedded_engine.h"
#include "storage/engine/memory_engine.h"

namespace holdfast {
namespace {

// "%*": the text of the line.
class LogText final : public spdlog::custom_flag_formatter {
 public:
  explicit LogText(bool json) : json_(json) {}
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string text = EscapedForLog({message.payload.data(), message.payload.size()}, json_);
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<LogText>(json_); }

 private:
  bool json_;
};

void SetUpLog(const ServerConfig& config) {
  auto logger = std::make_shared<spdlog::logger>("holdfastd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  const bool json = config.log_format == "json";
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<LogText>('*', json);
  formatter->set_pattern(json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","text":"%*"})"
                              : "%Y-%m-%d %H:%M:%S.%e %l %*");
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(config.log_level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

// Every handle of a session host costs descriptors in the engine's cache.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace

struct Node::Parts {
  boost::asio::io_context io{1};
  std::unique_ptr<Clock> clock;
  std::unique_ptr<WorkerPool> workers;
  std::unique_ptr<WorkerPool> disks;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Volume> volume;
  LocalHomes homes;
  std::unique_ptr<Files> files;
  std::unique_ptr<Authenticator> authenticator;
  std::unique_ptr<Server> server;
  std::vector<std::unique_ptr<TcpListener>> listeners;
  std::unique_ptr<MetricsEndpoint> metrics;

  std::string OpenEngine(const ServerConfig& config);
  Task<std::string> Start(const ServerConfig& config);
  void Stop();
};

std::string Node::Parts::OpenEngine(const ServerConfig& config) {
  if (config.engine == "memory") {
    engine = std::make_unique<MemoryEngine>(MemoryStore::Make(), io.get_executor());
    return {};
  }
  EmbeddedOptions options;
  options.directory = config.engine_directory;
  std::error_code ec;
  std::filesystem::create_directories(config.engine_directory, ec);
  if (ec) return "engine_directory = \"" + config.engine_directory + "\": " + ec.message();
  auto opened = EmbeddedEngine::Open(options, io.get_executor());
  engine = std::move(opened.engine);
  return engine ? std::string() : "engine_directory: " + opened.error;
}

Task<std::string> Node::Parts::Start(const ServerConfig& config) {
  VolumeOptions volume_options;
  std::string problem;
  volume_options.problem = &problem;
  auto mounted = co_await Volume::Mount(*engine, *clock, SystemRandom(), volume_options);
  if (!mounted.ok()) {
    co_return "volume: " + (problem.empty() ? std::string(NtStatusName(mounted.status())) : problem);
  }
  volume = std::move(*mounted);
  FilesOptions files_options;
  files_options.write_time_delay = std::chrono::milliseconds(config.write_time_delay_ms);
  files = std::make_unique<Files>(io.get_executor(), *volume, homes, *clock, SystemRandom(), files_options);

  ServerSeams seams;
  seams.executor = io.get_executor();
  seams.clock = clock.get();
  seams.random = &SystemRandom();
  seams.workers = workers.get();
  seams.authenticator = authenticator.get();
  seams.files = files.get();
  server = std::make_unique<Server>(config, seams);
  const NtStatus prepared = co_await server->Prepare();
  if (prepared != NtStatus::kSuccess) co_return "shares: " + std::string(NtStatusName(prepared));
  Spawn(io.get_executor(), files->Recover());

  for (const std::string& address : config.listen) {
    std::string error;
    auto listener = TcpListener::Open(
        io.get_executor(), address,
        [this](std::shared_ptr<Transport> transport) { Spawn(io.get_executor(), server->Serve(std::move(transport))); },
        &error);
    if (!listener) co_return error;
    listeners.push_back(std::move(listener));
  }
  if (!config.metrics_listen.empty()) {
    std::string error;
    metrics = MetricsEndpoint::Open(io.get_executor(), config.metrics_listen, *server, &error);
    if (!metrics) co_return "metrics_" + error;
  }
  co_return std::string();
}

void Node::Parts::Stop() {
  listeners.clear();
  metrics.reset();
  // Clients come back to another node, or to the next start: their handles stay.
  if (server) server->DropConnections();
  if (files) files->Shutdown();
}

Node::Node() : parts_(std::make_unique<Parts>()) {}
Node::~Node() = default;

int Node::Run(const ServerConfig& config) {
  Parts& p = *parts_;
  SetUpLog(config);
  RaiseDescriptorLimit();
  const auto refuse = [](const std::string& why) {
    std::fprintf(stderr, "holdfastd: %s\n", why.c_str());
    return 2;
  };

  AuthenticatorConfig auth;
  auth.keytab_path = config.keytab;
  auth.client_realms = config.client_realms;
  auth.ntlm_enabled = config.ntlm;
  auth.ntlm_users_path = config.ntlm_users;
  auth.netbios_name = config.server_name;
  auth.administrators = config.administrators;
  if (!config.state_directory.empty()) {
    std::error_code ec;
    std::filesystem::create_directories(config.state_directory, ec);
    if (ec) return refuse("state_directory = \"" + config.state_directory + "\": " + ec.message());
    auth.replay_cache_path = config.state_directory + "/replay-cache";
  }
  std::string error;
  p.authenticator = Authenticator::Create(auth, &error);
  if (!p.authenticator) return refuse("auth: " + error);

  p.clock = MakeAsioClock(p.io.get_executor());
  p.workers = std::make_unique<WorkerPool>(config.worker_threads);
  error = p.OpenEngine(config);
  if (!error.empty()) return refuse(error);

  boost::asio::signal_set signals(p.io, SIGTERM, SIGINT);
  bool asked_to_stop = false;
  signals.async_wait([&](boost::system::error_code ec, int) {
    if (ec) return;
    asked_to_stop = true;
    p.Stop();
    // Answers under way leave within this time; then the process ends as a crash would, which is always safe.
    p.clock->Schedule(p.clock->Now() + std::chrono::milliseconds(200), [&p] { p.io.stop(); });
  });

  Spawn(p.io.get_executor(), [](Parts& parts, const ServerConfig& c, std::string& out) -> Task<void> {
    out = co_await parts.Start(c);
    if (!out.empty()) parts.io.stop();
    else spdlog::info("serving {} shares on {}", c.shares.size(), c.listen.front());
  }(p, config, error));
  p.io.run();
  if (!error.empty()) return refuse(error);
  spdlog::info("stopped");
  // Coroutines of requests may still hold references into the parts: leave without unwinding them.
  std::fflush(nullptr);
  _exit(asked_to_stop ? 0 : 1);
}

}  // namespace holdfast
