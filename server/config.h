// The configuration of holdfastd: one TOML file, read once. docs/operations.md describes every key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/dtyp/sid.h"

namespace holdfast {

struct ShareConfig {
  std::string name;
  std::string path;                    // directory inside the volume, "" is its root; made when absent
  std::string comment;
  bool continuous_availability = false;
  bool scale_out = false;              // presentation = "scale-out"
  bool encryption_required = false;    // encryption = "required"
  bool access_based_enumeration = false;
  std::uint32_t ca_timeout_ms = 180'000;  // at most 300,000
};

struct ServerConfig {
  std::string server_name = "HOLDFAST";       // NetBIOS name, at most 15 characters
  std::string net_name;                       // name all nodes share, FQDN or short; empty: server_name
  std::vector<std::string> aliases;
  std::vector<std::string> listen;            // "127.0.0.11:445"
  std::string state_directory;                // pid file, locks
  std::string engine = "embedded";            // embedded | memory
  std::string engine_directory;
  unsigned worker_threads = 4;

  bool multichannel = true;                   // several connections of a client carry one session
  std::uint32_t write_time_delay_ms = 0;      // FilesOptions::write_time_delay
  bool require_signing = true;
  bool require_encryption = false;            // for all shares
  std::uint16_t min_dialect = 0x0202;
  std::uint16_t max_dialect = 0x0311;
  std::vector<std::uint16_t> ciphers;         // preference order; empty: all, Windows' order
  std::vector<std::uint16_t> signing_algorithms;

  std::string keytab;                         // empty: no Kerberos
  std::vector<std::string> client_realms;
  bool ntlm = false;
  std::string ntlm_users;
  std::vector<Sid> administrators;

  // Limits on what a peer can make grow.
  std::uint32_t max_connections = 10'000;
  std::uint32_t max_sessions_per_connection = 4'096;
  std::uint32_t max_channels_per_session = 32;  // Windows' own limit
  std::uint32_t max_trees_per_session = 1'024;
  std::uint32_t max_opens_per_session = 131'072;
  std::uint16_t max_credits = 8'192;          // per connection
  std::uint32_t max_transact_bytes = 8u << 20;  // MaxTransactSize, MaxReadSize, MaxWriteSize
  std::uint32_t interim_after_ms = 500;       // slow work answers STATUS_PENDING after this long

  std::string log_level = "info";
  std::string log_format = "text";            // text | json
  std::string metrics_listen;                 // "127.0.0.1:9445", empty: off

  std::vector<ShareConfig> shares;

  const ShareConfig* FindShare(const std::string& name) const;
};

// nullopt with a sentence naming file, line and field in `error`.
std::optional<ServerConfig> LoadConfig(const std::string& file, std::string* error);

}  // namespace holdfast
