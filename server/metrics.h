// Counters of the server in Prometheus' text form; plain numbers of the core thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "protocol/erref/ntstatus.h"
#include "protocol/smb2/command.h"

namespace holdfast {

struct Metrics {
  struct PerCommand {
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    std::uint64_t pending = 0;          // interim responses sent
    std::uint64_t nanoseconds = 0;      // admitted to answered
  };
  std::array<PerCommand, smb2::kCommandCount> commands{};
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;
  std::uint64_t bytes_received = 0, bytes_sent = 0;
  std::uint64_t sign_ins = 0, sign_ins_refused = 0;
  std::uint64_t peer_faults = 0;        // malformed or forbidden input of a peer
  std::map<std::string, std::uint64_t> refusals;  // limit name → times it refused

  // Prometheus text, names begin with holdfast_.
  std::string ToText() const;
};

}  // namespace holdfast
