// vhdx_drill: holds a file open persistently and writes to it until a line on standard input says to stop. Prints one
// JSON object a line: {"event":"ready"}, {"event":"progress",...} twice a second, {"event":"result",...} at the end.
#include <cstdio>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "conformance/drills/vhdx_drill.h"
#include "storage/async/asio_clock.h"

namespace {

using holdfast::Task;
using holdfast::client::DrillOptions;
using holdfast::client::DrillResult;
using holdfast::client::VhdxDrill;
using nlohmann::json;

void Print(const json& line) {
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

json Numbers(const DrillResult& r, const holdfast::client::HandleHistory& h) {
  std::vector<double> stalls;
  for (auto s : h.stalls) stalls.push_back(std::chrono::duration<double>(s).count());
  return {{"operations", r.writes + r.reads + r.flushes}, {"writes", r.writes}, {"reads", r.reads},
          {"flushes", r.flushes}, {"bytes_written", r.bytes_written}, {"failed", r.failed},
          {"first_failure", r.first_failure}, {"wrong_reads", r.wrong_reads}, {"reconnects", h.reconnects},
          {"replayed", h.replayed}, {"stalls", stalls}};
}

Task<void> Progress(VhdxDrill& drill, holdfast::Clock& clock, const bool& done) {
  while (!done) {
    co_await holdfast::SleepFor(clock, std::chrono::milliseconds(500));
    if (done) co_return;
    json line = Numbers(drill.progress(), drill.history());
    line["event"] = "progress";
    Print(line);
  }
}

Task<void> Main(VhdxDrill& drill, holdfast::Clock& clock, boost::asio::io_context& io, int& status) {
  const auto started = co_await drill.Start();
  if (started != holdfast::NtStatus::kSuccess) {
    Print({{"event", "result"}, {"error", std::string(holdfast::NtStatusName(started))}});
    status = 1;
    io.stop();
    co_return;
  }
  Print({{"event", "ready"}});
  bool done = false;
  holdfast::Spawn(io.get_executor(), Progress(drill, clock, done));
  const DrillResult result = co_await drill.Run();
  done = true;
  json line = Numbers(result, result.history);
  line["event"] = "result";
  line["expected_sha256"] = result.expected_sha256;
  line["found_sha256"] = result.found_sha256;
  line["differing_bytes"] = result.differing_bytes;
  Print(line);
  const bool well = result.failed == 0 && result.wrong_reads == 0 && result.differing_bytes == 0 &&
                    result.expected_sha256 == result.found_sha256 && !result.found_sha256.empty();
  status = well ? 0 : 1;
  io.stop();
}

Task<void> WaitForStop(VhdxDrill& drill) {
  boost::asio::posix::stream_descriptor input(co_await boost::asio::this_coro::executor, ::dup(0));
  char byte;
  try {
    co_await boost::asio::async_read(input, boost::asio::buffer(&byte, 1), boost::asio::use_awaitable);
  } catch (const boost::system::system_error&) {
    // End of input stops the drill as a line does.
  }
  drill.Stop();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Writes through a persistent handle while the server is killed; verifies at the end");
  DrillOptions options;
  options.target.credentials.server_name = "fs.example.test";
  app.add_option("--address", options.target.connect.address)->required();
  app.add_option("--port", options.target.connect.port);
  app.add_option("--share", options.target.share)->required();
  app.add_option("--path", options.path)->required();
  app.add_option("--mirror", options.mirror, "local file with the expected content")->required();
  app.add_option("--from", options.from, "first byte that writers may change");
  app.add_option("--user", options.target.credentials.user);
  app.add_option("--password", options.target.credentials.password);
  app.add_option("--ccache", options.target.credentials.ccache, "Kerberos instead of NTLM");
  app.add_option("--server-name", options.target.credentials.server_name);
  app.add_option("--writers", options.writers)->check(CLI::Range(1, 64));
  app.add_option("--depth", options.depth)->check(CLI::Range(1, 64));
  app.add_option("--seed", options.seed);
  app.add_flag("--encrypt", options.target.encrypt);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  options.target.connect.client_guid = holdfast::Guid::Generate(holdfast::SystemRandom());
  boost::asio::io_context io(1);
  const auto clock = holdfast::MakeAsioClock(io.get_executor());
  VhdxDrill drill(options, *clock);
  int status = 1;
  holdfast::Spawn(io.get_executor(), Main(drill, *clock, io, status));
  holdfast::Spawn(io.get_executor(), WaitForStop(drill));
  io.run();
  return status;
}
