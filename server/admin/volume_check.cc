#include "server/admin/volume_check.h"

#include <cstdio>

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "protocol/base/random.h"
#include "storage/async/asio_clock.h"
#include "storage/engine/embedded_engine.h"
#include "storage/volume/volume.h"

namespace holdfast {
namespace {

struct Outcome {
  std::string problem;
  Volume::CheckReport report;
  std::vector<std::string> engine_findings;
};

Task<void> Check(Engine& engine, Clock& clock, bool repair, Outcome& out) {
  out.engine_findings = co_await engine.Check(repair);
  VolumeOptions options;
  options.create = false;
  options.problem = &out.problem;
  auto volume = co_await Volume::Mount(engine, clock, SystemRandom(), options);
  if (!volume.ok()) {
    if (out.problem.empty()) out.problem = NtStatusName(volume.status());
    co_return;
  }
  auto report = co_await (*volume)->Check(repair);
  if (!report.ok()) {
    out.problem = NtStatusName(report.status());
  } else {
    out.report = std::move(*report);
  }
}

}  // namespace

int CheckVolume(const std::string& engine_directory, bool repair, bool json) {
  boost::asio::io_context io(1);
  const auto clock = MakeAsioClock(io.get_executor());
  EmbeddedOptions options;
  options.directory = engine_directory;
  const auto [engine, error] = EmbeddedEngine::Open(options, io.get_executor());
  if (!engine) {
    std::fprintf(stderr, "holdfast: %s\n", error.c_str());
    return 2;
  }
  Outcome out;
  Spawn(io.get_executor(), Check(*engine, *clock, repair, out));
  io.run();
  if (!out.problem.empty()) {
    std::fprintf(stderr, "holdfast: %s: %s\n", engine_directory.c_str(), out.problem.c_str());
    return 2;
  }
  std::vector<std::string> findings = out.engine_findings;
  findings.insert(findings.end(), out.report.findings.begin(), out.report.findings.end());
  const bool sound = findings.empty() || (repair && out.report.repaired >= out.report.findings.size());
  if (json) {
    std::printf("%s\n", nlohmann::json{{"files", out.report.files},
                                       {"directories", out.report.directories},
                                       {"bytes", out.report.bytes},
                                       {"findings", findings},
                                       {"repaired", out.report.repaired},
                                       {"sound", sound}}
                            .dump()
                            .c_str());
    return sound ? 0 : 1;
  }
  for (const std::string& finding : findings) std::printf("%s\n", finding.c_str());
  std::printf("%llu files, %llu directories, %llu bytes: %zu findings, %llu repaired\n",
              static_cast<unsigned long long>(out.report.files),
              static_cast<unsigned long long>(out.report.directories),
              static_cast<unsigned long long>(out.report.bytes), findings.size(),
              static_cast<unsigned long long>(out.report.repaired));
  return sound ? 0 : 1;
}

}  // namespace holdfast
