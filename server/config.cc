#include "server/config.h"

#include <algorithm>
#include <functional>
#include <map>
#include <sstream>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "server/transport/tcp_transport.h"

namespace holdfast {
namespace {

// Reads one table: every key is described once, an unknown or ill-typed one is an error that names file, line and key.
class TableReader {
 public:
  TableReader(std::string file, std::string prefix, const toml::table& table)
      : file_(std::move(file)), prefix_(std::move(prefix)), table_(table) {}

  void Text(const char* key, std::string& out) {
    With(key, "a text", [&](const toml::node& node) { return Take(node.value_exact<std::string>(), out); });
  }
  void Flag(const char* key, bool& out) {
    With(key, "true or false", [&](const toml::node& node) { return Take(node.value_exact<bool>(), out); });
  }
  template <class T>
  void Number(const char* key, T& out, std::int64_t least, std::int64_t most) {
    const std::string expected = "a number from " + std::to_string(least) + " to " + std::to_string(most);
    With(key, expected, [&](const toml::node& node) {
      const auto value = node.value_exact<std::int64_t>();
      if (!value || *value < least || *value > most) return false;
      out = static_cast<T>(*value);
      return true;
    });
  }
  void Texts(const char* key, std::vector<std::string>& out) {
    With(key, "a list of texts", [&](const toml::node& node) {
      const toml::array* array = node.as_array();
      if (!array) return false;
      out.clear();
      for (const toml::node& element : *array) {
        const auto text = element.value_exact<std::string>();
        if (!text) return false;
        out.push_back(*text);
      }
      return true;
    });
  }
  // One of a list of words.
  template <class T>
  void Choice(const char* key, T& out, const std::map<std::string, T>& words) {
    With(key, "one of " + Join(words), [&](const toml::node& node) {
      const auto text = node.value_exact<std::string>();
      const auto found = text ? words.find(*text) : words.end();
      if (found == words.end()) return false;
      out = found->second;
      return true;
    });
  }
  template <class T>
  void Choices(const char* key, std::vector<T>& out, const std::map<std::string, T>& words) {
    With(key, "a list of " + Join(words), [&](const toml::node& node) {
      const toml::array* array = node.as_array();
      if (!array) return false;
      for (const toml::node& element : *array) {
        const auto text = element.value_exact<std::string>();
        const auto found = text ? words.find(*text) : words.end();
        if (found == words.end()) return false;
        out.push_back(found->second);
      }
      return true;
    });
  }
  void Sub(const char* key) { known_.push_back(key); }
  void Fail(const toml::node* where, const std::string& key, const std::string& message) {
    if (!error_.empty()) return;
    std::ostringstream out;
    out << file_;
    if (where) out << ':' << where->source().begin.line;
    out << ": " << prefix_ << key << ": " << message;
    error_ = out.str();
  }
  // Call last: complains about keys that nobody asked for.
  const std::string& Finish() {
    for (const auto& [key, node] : table_) {
      if (std::find(known_.begin(), known_.end(), std::string(key.str())) == known_.end()) {
        Fail(&node, std::string(key.str()), "no such key");
      }
    }
    return error_;
  }

 private:
  template <class T>
  static std::string Join(const std::map<std::string, T>& words) {
    std::string text;
    for (const auto& [word, value] : words) text += (text.empty() ? "\"" : ", \"") + word + "\"";
    return text;
  }
  template <class T>
  static bool Take(const std::optional<T>& value, T& out) {
    if (value) out = *value;
    return value.has_value();
  }
  void With(const char* key, const std::string& expected, const std::function<bool(const toml::node&)>& use) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node && !use(*node)) Fail(node, key, "expected " + expected);
  }

  std::string file_, prefix_;
  const toml::table& table_;
  std::vector<std::string> known_;
  std::string error_;
};

const std::map<std::string, std::uint16_t> kDialects = {
    {"2.0.2", std::uint16_t{0x0202}}, {"2.1", std::uint16_t{0x0210}},   {"3.0", std::uint16_t{0x0300}},
    {"3.0.2", std::uint16_t{0x0302}}, {"3.1.1", std::uint16_t{0x0311}},
};
const std::map<std::string, std::uint16_t> kCiphers = {
    {"aes-128-ccm", std::uint16_t{1}},
    {"aes-128-gcm", std::uint16_t{2}},
    {"aes-256-ccm", std::uint16_t{3}},
    {"aes-256-gcm", std::uint16_t{4}},
};
const std::map<std::string, std::uint16_t> kSigningAlgorithms = {
    {"hmac-sha256", std::uint16_t{0}}, {"aes-cmac", std::uint16_t{1}}, {"aes-gmac", std::uint16_t{2}}};
const std::map<std::string, bool> kPresentations = {{"file-server", false}, {"scale-out", true}};
const std::map<std::string, bool> kEncryption = {{"offered", false}, {"required", true}};
const std::map<std::string, std::string> kEngines = {{"embedded", "embedded"}, {"memory", "memory"}};
const std::map<std::string, std::string> kLogLevels = {
    {"trace", "trace"}, {"debug", "debug"}, {"info", "info"}, {"warning", "warn"}, {"error", "err"}};
const std::map<std::string, std::string> kLogFormats = {{"text", "text"}, {"json", "json"}};

std::string ReadShare(const std::string& file, const toml::table& table, std::size_t index, ShareConfig& share) {
  TableReader reader(file, "share[" + std::to_string(index) + "].", table);
  reader.Text("name", share.name);
  reader.Text("path", share.path);
  reader.Text("comment", share.comment);
  reader.Flag("continuous_availability", share.continuous_availability);
  reader.Choice("presentation", share.scale_out, kPresentations);
  reader.Choice("encryption", share.encryption_required, kEncryption);
  reader.Flag("access_based_enumeration", share.access_based_enumeration);
  reader.Number("ca_timeout_ms", share.ca_timeout_ms, 1'000, 300'000);
  constexpr std::size_t kMaxShareName = 80;
  if (share.name.empty()) reader.Fail(&table, "name", "a share needs a name");
  if (share.name.size() > kMaxShareName || share.name.find_first_of("\\/:*?\"<>|") != std::string::npos) {
    reader.Fail(table.get("name"), "name", "at most 80 characters, none of \\ / : * ? \" < > |");
  }
  return reader.Finish();
}

// What single keys cannot tell.
void CheckWhole(TableReader& top, const toml::table& root, const ServerConfig& config) {
  if (config.listen.empty()) top.Fail(nullptr, "listen", "at least one address such as \"127.0.0.1:445\" is needed");
  for (const std::string& address : config.listen) {
    std::string host;
    std::uint16_t port = 0;
    if (!SplitAddress(address, &host, &port)) {
      top.Fail(root.get("listen"), "listen", "\"" + address + "\" is not an address and port such as \"127.0.0.1:445\"");
    }
  }
  if (config.server_name.empty() || config.server_name.size() > 15) {
    top.Fail(root.get("server_name"), "server_name", "1 to 15 characters (it is a NetBIOS name)");
  }
  if (config.engine == "embedded" && config.engine_directory.empty()) {
    top.Fail(root.get("engine"), "engine_directory", "the embedded engine needs a directory");
  }
  if (config.min_dialect > config.max_dialect) {
    top.Fail(root.get("min_dialect"), "min_dialect", "above max_dialect");
  }
  if (!config.ntlm && config.keytab.empty()) {
    top.Fail(nullptr, "auth.keytab", "nobody could sign in: give a keytab, or switch ntlm on");
  }
  if (config.ntlm && config.ntlm_users.empty()) {
    top.Fail(nullptr, "auth.ntlm_users", "NTLM needs a file of users");
  }
  for (std::size_t i = 0; i < config.shares.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (config.shares[i].name == config.shares[j].name) {
        top.Fail(nullptr, "share.name", "\"" + config.shares[i].name + "\" is there twice");
      }
    }
    if (config.shares[i].name == "IPC$") top.Fail(nullptr, "share.name", "IPC$ is always there");
  }
}

}  // namespace

const ShareConfig* ServerConfig::FindShare(const std::string& name) const {
  const auto found = std::find_if(shares.begin(), shares.end(), [&](const ShareConfig& s) { return s.name == name; });
  return found == shares.end() ? nullptr : &*found;
}

std::optional<ServerConfig> LoadConfig(const std::string& file, std::string* error) {
  toml::parse_result parsed = toml::parse_file(file);
  if (!parsed) {
    std::ostringstream out;
    out << file << ':' << parsed.error().source().begin.line << ": " << parsed.error().description();
    *error = out.str();
    return std::nullopt;
  }
  const toml::table& root = parsed.table();
  ServerConfig config;
  TableReader top(file, "", root);
  top.Text("server_name", config.server_name);
  top.Text("net_name", config.net_name);
  top.Texts("aliases", config.aliases);
  top.Texts("listen", config.listen);
  top.Text("state_directory", config.state_directory);
  top.Choice("engine", config.engine, kEngines);
  top.Text("engine_directory", config.engine_directory);
  top.Number("worker_threads", config.worker_threads, 1, 256);
  top.Flag("multichannel", config.multichannel);
  top.Number("write_time_delay_ms", config.write_time_delay_ms, 0, 60'000);
  top.Flag("require_signing", config.require_signing);
  top.Flag("require_encryption", config.require_encryption);
  top.Choice("min_dialect", config.min_dialect, kDialects);
  top.Choice("max_dialect", config.max_dialect, kDialects);
  top.Choices("ciphers", config.ciphers, kCiphers);
  top.Choices("signing_algorithms", config.signing_algorithms, kSigningAlgorithms);
  top.Choice("log_level", config.log_level, kLogLevels);
  top.Choice("log_format", config.log_format, kLogFormats);
  top.Text("metrics_listen", config.metrics_listen);
  top.Sub("auth");
  top.Sub("limits");
  top.Sub("share");

  std::string nested;
  const auto keep = [&nested](const std::string& message) {
    if (nested.empty()) nested = message;
  };
  if (const toml::node* node = root.get("auth")) {
    if (!node->as_table()) {
      top.Fail(node, "auth", "expected a table [auth]");
    } else {
      TableReader auth(file, "auth.", *node->as_table());
      auth.Text("keytab", config.keytab);
      auth.Texts("client_realms", config.client_realms);
      auth.Flag("ntlm", config.ntlm);
      auth.Text("ntlm_users", config.ntlm_users);
      std::vector<std::string> administrators;
      auth.Texts("administrators", administrators);
      for (const std::string& text : administrators) {
        const auto sid = Sid::Parse(text);
        if (!sid) auth.Fail(node->as_table()->get("administrators"), "administrators", "\"" + text + "\" is not a SID");
        else config.administrators.push_back(*sid);
      }
      keep(auth.Finish());
    }
  }
  if (const toml::node* node = root.get("limits")) {
    if (!node->as_table()) {
      top.Fail(node, "limits", "expected a table [limits]");
    } else {
      TableReader limits(file, "limits.", *node->as_table());
      limits.Number("max_connections", config.max_connections, 1, 1'000'000);
      limits.Number("max_sessions_per_connection", config.max_sessions_per_connection, 1, 1'000'000);
      limits.Number("max_channels_per_session", config.max_channels_per_session, 1, 1'024);
      limits.Number("max_trees_per_session", config.max_trees_per_session, 1, 65'536);
      limits.Number("max_opens_per_session", config.max_opens_per_session, 16, 16'777'216);
      limits.Number("max_credits", config.max_credits, 128, 65'535);
      limits.Number("max_transact_bytes", config.max_transact_bytes, 65'536, 8 << 20);
      limits.Number("interim_after_ms", config.interim_after_ms, 10, 10'000);
      keep(limits.Finish());
    }
  }
  if (const toml::node* node = root.get("share")) {
    const toml::array* array = node->as_array();
    if (!array) {
      top.Fail(node, "share", "expected tables [[share]]");
    } else {
      for (const toml::node& element : *array) {
        ShareConfig share;
        if (!element.as_table()) {
          top.Fail(&element, "share", "expected tables [[share]]");
          break;
        }
        keep(ReadShare(file, *element.as_table(), config.shares.size(), share));
        config.shares.push_back(std::move(share));
      }
    }
  }
  if (nested.empty()) CheckWhole(top, root, config);
  const std::string& problem = nested.empty() ? top.Finish() : nested;
  if (!problem.empty()) {
    *error = problem;
    return std::nullopt;
  }
  return config;
}

}  // namespace holdfast
