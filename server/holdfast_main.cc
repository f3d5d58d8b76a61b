// holdfast: administration of one node's files from the command line. What needs a running server comes with its API.
#include <cstdio>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "auth/ntlm_users.h"
#include "server/admin/volume_check.h"
#include "server/config.h"

namespace {

using holdfast::Sid;

// The password is read from standard input, so that it stands in no process list.
bool ReadPassword(std::string* password) {
  if (!std::getline(std::cin, *password)) return false;
  if (!password->empty() && password->back() == '\r') password->pop_back();
  return !password->empty();
}

int Fail(int status, const std::string& message) {
  std::fprintf(stderr, "holdfast: %s\n", message.c_str());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Administration of a Holdfast node");
  app.set_version_flag("--version", HOLDFAST_VERSION);
  app.require_subcommand(1);
  bool json = false;
  app.add_flag("--json", json, "machine-readable output");

  auto* user = app.add_subcommand("user", "the users of a workgroup, kept as hashes");
  user->require_subcommand(1);
  std::string users_file, name;
  std::vector<std::string> group_texts;
  bool administrator = false;
  auto* add = user->add_subcommand("add", "adds a user or replaces the password, which is read from standard input");
  add->add_option("--file", users_file, "the users file")->required();
  add->add_option("name", name, "account name")->required();
  add->add_flag("--administrator", administrator, "member of BUILTIN\\Administrators");
  add->add_option("--group", group_texts, "SID of a further group");
  auto* remove = user->add_subcommand("remove", "removes a user");
  remove->add_option("--file", users_file, "the users file")->required();
  remove->add_option("name", name, "account name")->required();
  auto* list = user->add_subcommand("list", "names and SIDs");
  list->add_option("--file", users_file, "the users file")->required();

  auto* volume = app.add_subcommand("volume", "the volume of a stopped node");
  volume->require_subcommand(1);
  std::string directory;
  bool repair = false;
  auto* check = volume->add_subcommand("check", "verifies names, links, sizes and references; says what it found");
  check->add_option("--directory", directory, "engine_directory of the node")->required();
  check->add_flag("--repair", repair, "mends what can be mended without loss");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }

  std::string error;
  if (add->parsed()) {
    holdfast::NtlmUserOptions options;
    options.administrator = administrator;
    for (const std::string& text : group_texts) {
      const auto sid = Sid::Parse(text);
      if (!sid) return Fail(2, "--group: \"" + text + "\" is not a SID");
      options.groups.push_back(*sid);
    }
    std::string password;
    if (!ReadPassword(&password)) return Fail(2, "no password on standard input");
    if (!holdfast::AddNtlmUser(users_file, name, password, options, &error)) return Fail(2, error);
    return 0;
  }
  if (remove->parsed()) {
    return holdfast::RemoveNtlmUser(users_file, name, &error) ? 0 : Fail(2, error);
  }
  if (list->parsed()) {
    const auto users = holdfast::NtlmUsers::Load(users_file, &error);
    if (!users) return Fail(2, error);
    auto rows = nlohmann::json::array();
    for (const auto& u : users->users()) {
      const std::string sid = users->machine_sid().WithRid(u.rid).ToString();
      if (json) rows.push_back({{"name", u.name}, {"sid", sid}, {"disabled", u.disabled}});
      else std::printf("%-24s %s%s\n", u.name.c_str(), sid.c_str(), u.disabled ? "  disabled" : "");
    }
    if (json) std::printf("%s\n", rows.dump().c_str());
    return 0;
  }
  return holdfast::CheckVolume(directory, repair, json);
}
