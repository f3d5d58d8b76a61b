#include "server/metrics.h"

#include <sstream>

namespace holdfast {

std::string Metrics::ToText() const {
  std::ostringstream out;
  const auto counter = [&out](const char* name, const char* help) {
    out << "# HELP " << name << ' ' << help << "\n# TYPE " << name << " counter\n";
  };
  const auto per_command = [&](const char* name, const char* help, auto value) {
    counter(name, help);
    for (std::size_t i = 0; i < commands.size(); ++i) {
      out << name << "{command=\"" << smb2::CommandName(static_cast<smb2::Command>(i)) << "\"} " << value(commands[i])
          << '\n';
    }
  };
  per_command("holdfast_requests_total", "Requests answered.", [](const PerCommand& c) { return c.requests; });
  per_command("holdfast_request_errors_total", "Requests answered with an error status.",
              [](const PerCommand& c) { return c.errors; });
  per_command("holdfast_requests_pending_total", "Interim responses sent.",
              [](const PerCommand& c) { return c.pending; });
  per_command("holdfast_request_seconds_total", "Time from admission to the answer.",
              [](const PerCommand& c) { return static_cast<double>(c.nanoseconds) * 1e-9; });
  const auto plain = [&](const char* name, const char* help, std::uint64_t value) {
    counter(name, help);
    out << name << ' ' << value << '\n';
  };
  plain("holdfast_connections_accepted_total", "Connections accepted.", connections_accepted);
  plain("holdfast_connections_refused_total", "Connections refused at the limit.", connections_refused);
  plain("holdfast_received_bytes_total", "Bytes of messages received.", bytes_received);
  plain("holdfast_sent_bytes_total", "Bytes of messages sent.", bytes_sent);
  plain("holdfast_sign_ins_total", "Sessions that became valid.", sign_ins);
  plain("holdfast_sign_ins_refused_total", "Sign-ins refused.", sign_ins_refused);
  plain("holdfast_peer_faults_total", "Malformed or forbidden input of peers.", peer_faults);
  counter("holdfast_refusals_total", "Requests refused because a limit was reached.");
  for (const auto& [limit, times] : refusals) out << "holdfast_refusals_total{limit=\"" << limit << "\"} " << times << '\n';
  return out.str();
}

}  // namespace holdfast
