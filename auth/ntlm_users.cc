#include "auth/ntlm_users.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "auth/file.h"
#include "auth/md4.h"
#include "protocol/base/random.h"
#include "protocol/dtyp/unicode.h"

namespace holdfast {
namespace {

constexpr std::string_view kHeader = "holdfast-users:1:";
constexpr std::uint32_t kFirstRid = 1000;  // below are the well-known ones, [MS-SAMR] 3.1.1.9.2.1

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return Lower(x) == Lower(y); });
}

// The characters that sAMAccountName may not have ([MS-SAMR] 3.1.1.6), and what the NTLM library cannot fold without a locale.
bool ValidName(std::string_view name) {
  if (name.empty() || name.size() > 104 || name.front() == '#') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return c >= ' ' && c < 0x7F && std::strchr("\"/\\[]:;|=,+*?<>", c) == nullptr;
  });
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool ParseHash(std::string_view hex, std::array<std::uint8_t, 16>& hash) {
  if (hex.size() != 32) return false;
  for (std::size_t i = 0; i < 16; ++i) {
    const auto [end, error] = std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, hash[i], 16);
    if (error != std::errc() || end != hex.data() + 2 * i + 2) return false;
  }
  return true;
}

// The sentence that is wrong with the line; empty when nothing is.
std::string ParseLine(std::string_view line, NtlmUser& user) {
  const auto fields = Split(line, ':');
  if (fields.size() != 5) return "expected name:rid:hash:flags:groups";
  if (!ValidName(fields[0])) return "the user name is empty, too long or has a character that names may not have";
  user.name = fields[0];
  const auto [end, error] = std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), user.rid);
  if (error != std::errc() || end != fields[1].data() + fields[1].size() || user.rid < 500) return "the RID is not a number from 500";
  if (!ParseHash(fields[2], user.nt_hash)) return "the NT hash is not 32 hexadecimal digits";
  if (!fields[3].empty() && fields[3] != "D") return "unknown flags (only D, disabled, exists)";
  user.disabled = fields[3] == "D";
  if (!fields[4].empty()) {
    for (std::string_view text : Split(fields[4], ',')) {
      const auto sid = Sid::Parse(text);
      if (!sid) return "the group '" + std::string(text) + "' is not a SID";
      user.groups.push_back(*sid);
    }
  }
  return {};
}

Sid NewMachineSid() {
  Random& random = SystemRandom();
  const auto part = [&random] { return static_cast<std::uint32_t>(random.Next64()); };
  return Sid(5, {21, part(), part(), part()});
}

}  // namespace

// Changes a users file under its lock.
class NtlmUsersEditor {
 public:
  // Locks a file beside the users file: the users file itself is replaced, so a lock on it would be a lock on the past.
  bool Open(const std::string& path, bool create, std::string* error) {
    path_ = path;
    lock_ = FileDescriptor(::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock_ || ::flock(lock_.get(), LOCK_EX) != 0) {
      *error = path + ".lock: " + std::strerror(errno);
      return false;
    }
    if (create && ::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
      users_.machine_sid_ = NewMachineSid();
      return true;
    }
    auto loaded = NtlmUsers::Load(path, error);
    if (!loaded) return false;
    users_ = std::move(*loaded);
    return true;
  }
  std::vector<NtlmUser>& users() { return users_.users_; }
  bool Save(std::string* error) { return ReplaceFile(path_, users_.Format(), error); }

 private:
  std::string path_;
  FileDescriptor lock_;
  NtlmUsers users_;
};

std::optional<NtlmUsers> NtlmUsers::Parse(std::string_view text, const std::string& path, std::string* error) {
  NtlmUsers result;
  bool header = false;
  std::size_t number = 0;
  const auto fail = [&](const std::string& cause) {
    *error = "users file " + path + ", line " + std::to_string(number) + ": " + cause;
    return std::nullopt;
  };
  for (std::string_view line : Split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    if (!header) {
      if (!line.starts_with(kHeader)) return fail("expected '" + std::string(kHeader) + "<machine SID>'");
      const auto sid = Sid::Parse(line.substr(kHeader.size()));
      if (!sid || sid->authority != 5 || sid->count != 4 || sid->sub[0] != 21) return fail("the machine SID is not S-1-5-21-a-b-c");
      result.machine_sid_ = *sid;
      header = true;
      continue;
    }
    NtlmUser user;
    if (const std::string cause = ParseLine(line, user); !cause.empty()) return fail(cause);
    for (const NtlmUser& other : result.users_) {
      if (SameName(other.name, user.name)) return fail("the user " + user.name + " appears twice");
      if (other.rid == user.rid) return fail("the RID of " + user.name + " is that of " + other.name);
    }
    result.users_.push_back(std::move(user));
  }
  if (!header) {
    number = 1;
    return fail("expected '" + std::string(kHeader) + "<machine SID>'");
  }
  return result;
}

std::optional<NtlmUsers> NtlmUsers::Load(const std::string& path, std::string* error) {
  std::string cause;
  const auto text = ReadFile(path, &cause);
  if (!text) {
    *error = "users file " + path + ": " + cause;
    return std::nullopt;
  }
  return Parse(*text, path, error);
}

const NtlmUser* NtlmUsers::Find(std::string_view name) const {
  const auto it = std::find_if(users_.begin(), users_.end(), [&](const NtlmUser& u) { return SameName(u.name, name); });
  return it == users_.end() ? nullptr : &*it;
}

std::string NtlmUsers::Format() const {
  std::string text = std::string(kHeader) + machine_sid_.ToString() + "\n";
  for (const NtlmUser& user : users_) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    text += user.name + ':' + std::to_string(user.rid) + ':';
    for (std::uint8_t byte : user.nt_hash) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    text += user.disabled ? ":D:" : "::";
    for (std::size_t i = 0; i < user.groups.size(); ++i) text += (i ? "," : "") + user.groups[i].ToString();
    text += '\n';
  }
  return text;
}

bool AddNtlmUser(const std::string& path, std::string_view name, std::string_view password,
                 const NtlmUserOptions& options, std::string* error) {
  if (!ValidName(name)) {
    *error = "'" + std::string(name) + "' is not a user name: 1 to 104 ASCII characters, none of \"/\\[]:;|=,+*?<>";
    return false;
  }
  const auto hash = NtHash(password);
  if (!hash) {
    *error = "the password is not UTF-8";
    return false;
  }
  NtlmUsersEditor editor;
  if (!editor.Open(path, /*create=*/true, error)) return false;

  NtlmUser user;
  user.name = name;
  user.rid = kFirstRid;
  for (const NtlmUser& other : editor.users()) user.rid = std::max(user.rid, other.rid + 1);
  user.nt_hash = *hash;
  user.disabled = options.disabled;
  user.groups = options.groups;
  if (options.administrator) user.groups.push_back(well_known::Administrators());

  auto& users = editor.users();
  const auto old = std::find_if(users.begin(), users.end(), [&](const NtlmUser& u) { return SameName(u.name, name); });
  if (old == users.end()) {
    users.push_back(std::move(user));
  } else {
    user.rid = old->rid;
    *old = std::move(user);
  }
  return editor.Save(error);
}

bool RemoveNtlmUser(const std::string& path, std::string_view name, std::string* error) {
  NtlmUsersEditor editor;
  if (!editor.Open(path, /*create=*/false, error)) return false;
  const auto removed = std::erase_if(editor.users(), [&](const NtlmUser& u) { return SameName(u.name, name); });
  if (removed == 0) {
    *error = "users file " + path + ": there is no user " + std::string(name);
    return false;
  }
  return editor.Save(error);
}

std::optional<std::array<std::uint8_t, 16>> NtHash(std::string_view password_utf8) {
  const auto utf16 = Utf8ToUtf16(password_utf8);
  if (!utf16) return std::nullopt;
  return Md4(Utf16ToLe(*utf16));
}

}  // namespace holdfast
