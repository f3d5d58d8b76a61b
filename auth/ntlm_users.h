// The users of a workgroup, on disk as hashes only. A text file, mode 0600, one line a user:
//   holdfast-users:1:S-1-5-21-<machine>
//   <name>:<rid>:<NT hash, 32 hex digits>:<flags, D = disabled>:<group SID>,<group SID>,...
// '#' begins a comment line. Every node of a cluster uses the same file, so that a user's SID is the same everywhere.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/dtyp/sid.h"

namespace holdfast {

struct NtlmUser {
  std::string name;  // UTF-8; compared without regard to case
  std::uint32_t rid = 0;
  std::array<std::uint8_t, 16> nt_hash{};  // MD4 of the password in UTF-16LE, [MS-NLMP] 3.3.1 NTOWFv1
  bool disabled = false;
  std::vector<Sid> groups;  // beside the well-known ones
};

class NtlmUsers {
 public:
  // nullopt with a sentence naming file, line and cause in `error`.
  static std::optional<NtlmUsers> Load(const std::string& path, std::string* error);
  static std::optional<NtlmUsers> Parse(std::string_view text, const std::string& path, std::string* error);

  const Sid& machine_sid() const { return machine_sid_; }
  const std::vector<NtlmUser>& users() const { return users_; }
  const NtlmUser* Find(std::string_view name) const;

  std::string Format() const;

 private:
  friend class NtlmUsersEditor;
  Sid machine_sid_;
  std::vector<NtlmUser> users_;
};

struct NtlmUserOptions {
  bool administrator = false;  // member of BUILTIN\Administrators, S-1-5-32-544
  bool disabled = false;
  std::vector<Sid> groups = {};
};

// Adds the user, or replaces its password and groups and keeps its RID. Creates the file (mode 0600, a new machine SID) when it is
// missing; replaces it atomically otherwise. False with a sentence in `error`.
bool AddNtlmUser(const std::string& path, std::string_view name, std::string_view password,
                 const NtlmUserOptions& options, std::string* error);
bool RemoveNtlmUser(const std::string& path, std::string_view name, std::string* error);

// NTOWFv1, [MS-NLMP] 3.3.1. nullopt when the password is not UTF-8.
std::optional<std::array<std::uint8_t, 16>> NtHash(std::string_view password_utf8);

}  // namespace holdfast
