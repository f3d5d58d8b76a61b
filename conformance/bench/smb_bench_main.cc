// smb_bench: runs one row of the benchmark against one server and prints one JSON object. bench.py pairs the runs.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "conformance/bench/process_time.h"
#include "conformance/bench/workload.h"

namespace {

using holdfast::NtStatus;
using holdfast::Task;
using namespace holdfast::bench;
using namespace holdfast::client;
using nlohmann::json;
using Steady = std::chrono::steady_clock;

struct Options {
  ConnectOptions connect;
  Credentials credentials;
  std::string share;
  WorkloadOptions workload;
  unsigned depth = 1;
  bool seal = false;
  double seconds = 1;       // measured
  double warm_up = 0.2;     // before that, not counted
  std::uint64_t most = 0;   // operations, 0: as many as fit; the row's own bound holds too
  int server_pid = 0;
};

struct Measurement {
  bool counting = false, stopped = false;
  std::uint64_t next = 0;        // index of the next operation
  std::uint64_t most = 0;
  std::vector<double> latencies_us;
  NtStatus failure = NtStatus::kSuccess;
  unsigned running = 0;
  Steady::time_point count_from, stop_at, last_end;
  double server_from = 0, own_from = 0;
};

double Seconds(Steady::duration d) { return std::chrono::duration<double>(d).count(); }

Task<void> Lane(Workload& workload, Measurement& m, const Options& options, holdfast::OneShot<int>& ended) {
  while (!m.stopped && m.failure == NtStatus::kSuccess && m.next < m.most) {
    const auto begun = Steady::now();
    if (!m.counting && begun >= m.count_from) {
      m.server_from = ServerSeconds(options.server_pid);
      m.own_from = OwnSeconds();
      m.count_from = Steady::now();
      m.stop_at = m.count_from + std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(options.seconds));
      m.counting = true;
    }
    const bool counted = m.counting;
    const auto from = counted ? std::max(begun, m.count_from) : begun;
    const NtStatus status = co_await workload.Run(m.next++);
    if (status != NtStatus::kSuccess && m.failure == NtStatus::kSuccess) m.failure = status;
    const auto now = Steady::now();
    if (!counted) continue;
    m.last_end = now;
    m.latencies_us.push_back(Seconds(now - from) * 1e6);
    if (now >= m.stop_at) m.stopped = true;
  }
  if (--m.running == 0) ended.Set(0);
}

Task<NtStatus> Run(Options options, json& out) {
  auto connection = co_await Connection::Open(options.connect);
  if (!connection.ok()) co_return connection.status();
  auto session = co_await Session::SignIn(*connection, options.credentials);
  if (!session.ok()) co_return session.status();
  if (options.seal) (*session)->set_encrypt(true);
  auto tree = co_await Tree::Connect(*session, "\\\\" + options.credentials.server_name + "\\" + options.share);
  if (!tree.ok()) co_return tree.status();
  const auto workload = MakeWorkload(*tree, options.workload);
  if (!workload) co_return NtStatus::kInvalidParameter;
  const NtStatus prepared = co_await workload->Prepare();
  if (prepared != NtStatus::kSuccess) co_return prepared;

  Measurement m;
  m.most = workload->most_operations() ? workload->most_operations() : ~0ULL;
  if (options.most != 0) m.most = std::min(m.most, options.most);
  m.count_from = Steady::now() + std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(options.warm_up));
  m.running = options.depth;
  holdfast::OneShot<int> ended;
  const holdfast::Executor executor = co_await boost::asio::this_coro::executor;
  for (unsigned i = 0; i < options.depth; ++i) holdfast::Spawn(executor, Lane(*workload, m, options, ended));
  co_await ended.Wait();
  const double server = ServerSeconds(options.server_pid) - m.server_from;
  const double own = OwnSeconds() - m.own_from;
  if (m.failure != NtStatus::kSuccess) co_return m.failure;
  const NtStatus finished = co_await workload->Finish();
  if (finished != NtStatus::kSuccess) co_return finished;

  auto& l = m.latencies_us;
  std::sort(l.begin(), l.end());
  const auto quantile = [&l](double q) {
    return l.empty() ? 0.0 : l[std::min(l.size() - 1, static_cast<std::size_t>(q * static_cast<double>(l.size())))];
  };
  const double seconds = l.empty() ? 0.0 : Seconds(m.last_end - m.count_from);
  out["operations"] = l.size();
  out["units"] = l.size() * workload->units_per_operation();
  out["bytes"] = l.size() * workload->bytes_per_operation();
  out["seconds"] = seconds;
  out["server_cpu"] = l.empty() ? 0.0 : server;
  out["client_cpu"] = l.empty() ? 0.0 : own;
  out["p50_us"] = quantile(0.5);
  out["p99_us"] = quantile(0.99);
  out["dialect"] = static_cast<unsigned>((*connection)->dialect());
  out["signing"] = static_cast<unsigned>((*connection)->signing_algorithm());
  out["cipher"] = static_cast<unsigned>((*connection)->cipher());
  co_return NtStatus::kSuccess;
}

Task<void> Main(const Options& options, boost::asio::io_context& io, int& status) {
  json out;
  const NtStatus result = co_await Run(options, out);
  if (result != NtStatus::kSuccess) out["error"] = std::string(holdfast::NtStatusName(result));
  std::printf("%s\n", out.dump().c_str());
  std::fflush(stdout);
  status = result == NtStatus::kSuccess ? 0 : 1;
  io.stop();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("One row of the benchmark against one SMB server");
  Options options;
  // Both servers choose from the same list and take its first.
  options.connect.dialects = {holdfast::smb2::Dialect::k311};
  options.connect.ciphers = {2};
  options.connect.signing_algorithms = {2};
  options.credentials.server_name = "NODE1";
  app.add_option("--address", options.connect.address)->required();
  app.add_option("--port", options.connect.port)->required();
  app.add_option("--share", options.share)->required();
  app.add_option("--user", options.credentials.user)->required();
  app.add_option("--password", options.credentials.password)->required();
  app.add_option("--server-name", options.credentials.server_name);
  app.add_option("--row", options.workload.row)->required();
  app.add_flag("--persistent", options.workload.persistent);
  app.add_flag("--durable", options.workload.durable);
  app.add_option("--file-bytes", options.workload.file_bytes)->check(CLI::Range(1u << 20, 1u << 30));
  app.add_option("--entries", options.workload.entries);
  app.add_option("--seed", options.workload.seed);
  app.add_option("--depth", options.depth)->check(CLI::Range(1, 256));
  app.add_flag("--seal", options.seal, "encrypted instead of signed");
  app.add_option("--seconds", options.seconds)->check(CLI::Range(0.05, 60.0));
  app.add_option("--warm-up", options.warm_up)->check(CLI::Range(0.0, 10.0));
  app.add_option("--most", options.most, "operations, the warm-up's included");
  app.add_option("--server-pid", options.server_pid)->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  options.connect.client_guid = holdfast::Guid::Generate(holdfast::SystemRandom());
  boost::asio::io_context io(1);
  int status = 1;
  holdfast::Spawn(io.get_executor(), Main(options, io, status));
  io.run();
  return status;
}
