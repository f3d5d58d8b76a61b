// holdfastd --config FILE: one node of Holdfast.
#include <malloc.h>

#include <cstdio>
#include <cstdlib>

#include <CLI/CLI.hpp>

#include "protocol/base/fault_point.h"
#include "server/config.h"
#include "server/node.h"

int main(int argc, char** argv) {
  // What a burst of large requests leaves behind stays with the process: by default glibc hands pages back and faults
  // them in again for each.
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 128 << 20);
  CLI::App app("Holdfast, an SMB 3.1.1 file server whose open handles survive its own death");
  app.set_version_flag("--version", HOLDFAST_VERSION);
  std::string config_file;
  bool check_only = false;
  app.add_option("--config", config_file, "the TOML configuration file")->required();
  app.add_flag("--check", check_only, "read the configuration, say whether it is right, and end");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }

  std::string error;
  const auto config = holdfast::LoadConfig(config_file, &error);
  if (!config) {
    std::fprintf(stderr, "holdfastd: %s\n", error.c_str());
    return 2;
  }
  if (check_only) {
    std::printf("%s: right\n", config_file.c_str());
    return 0;
  }
#if HOLDFAST_FAULT_POINTS
  if (const char* fault = std::getenv("HOLDFAST_FAULT")) holdfast::ArmFaultPoint(fault);
#endif
  return holdfast::Node().Run(*config);
}
