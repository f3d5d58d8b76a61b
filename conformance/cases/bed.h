// What every case stands on: where the server is, who may sign in, and the short ways to a connection, a tree, a file.
//
// A case is a coroutine. It checks with EXPECT_* and, where it cannot go on, throws: CASE() turns both into a result.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "conformance/client/persistent_file.h"
#include "conformance/client/session.h"
#include "protocol/fscc/directory_information.h"

namespace holdfast {
// So that a failed EXPECT_EQ says STATUS_SHARING_VIOLATION and not a number.
inline void PrintTo(NtStatus status, std::ostream* out) { *out << NtStatusName(status); }
}  // namespace holdfast

namespace holdfast::client {

// HOLDFAST_ADDRESS, HOLDFAST_PORT, HOLDFAST_NAME, HOLDFAST_USER1, HOLDFAST_PASSWORD1, ..., HOLDFAST_CCACHE.
struct Environment {
  std::string address = "127.0.0.11";
  std::uint16_t port = 445;
  std::string server_name = "fs.example.test";
  std::string user1 = "alice", password1 = "P@ssw0rd-alice";
  std::string user2 = "bob", password2 = "P@ssw0rd-bob";
  std::string ccache;  // of user1; empty: no Kerberos here
  std::string replay_cache;  // the server's, for who wants to break it
};
const Environment& TheEnvironment();

using ConnectionPtr = std::shared_ptr<Connection>;
using SessionPtr = std::shared_ptr<Session>;
using TreePtr = std::shared_ptr<Tree>;

// A case cannot go on.
class CannotGoOn : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The value, or the end of the case with `what` and the status.
template <class T>
T Need(Result<T> result, const char* what) {
  if (!result.ok()) throw CannotGoOn(std::string(what) + ": " + std::string(NtStatusName(result.status())));
  return std::move(*result);
}
void Need(NtStatus status, const char* what);

class Bed {
 public:
  Bed(Executor executor, Clock& clock) : executor_(std::move(executor)), clock_(clock) {}

  Clock& clock() { return clock_; }
  const Executor& executor() const { return executor_; }

  ConnectOptions To() const;  // a client of its own, every dialect
  ConnectOptions To(smb2::Dialect only) const;
  static Credentials Alice();
  static Credentials Bob();
  static std::string Unc(const std::string& share);
  Target TargetOf(const std::string& share) const;  // as user1

  Task<ConnectionPtr> Connect();
  Task<ConnectionPtr> Connect(ConnectOptions options);
  Task<SessionPtr> SignIn();
  Task<SessionPtr> SignIn(ConnectionPtr connection, Credentials credentials);
  Task<TreePtr> Mount(const std::string& share);  // user1, over a connection of its own
  Task<TreePtr> MountAs(Credentials credentials, const std::string& share);
  Task<TreePtr> Mount(SessionPtr session, const std::string& share);
  // Tried again while the server is away, as it is for a moment after a crash.
  Task<TreePtr> MountWhenUp(const std::string& share);
  Task<std::shared_ptr<PersistentFile>> OpenPersistent(OpenOptions options, const std::string& share = "profiles");

  // A name that no case has had before.
  static std::string Fresh(const std::string& prefix);
  Task<void> Pause(Duration duration) { return SleepFor(clock_, duration); }
  // Until `condition` holds; the end of the case after `limit`.
  Task<void> Until(std::function<bool()> condition, const char* what, Duration limit = std::chrono::seconds(10));
  // Until the server has closed the connection: what it does with one that breaks the protocol.
  Task<void> UntilClosed(ConnectionPtr connection);
  // Somebody else is served as ever.
  Task<void> ExpectServerLives();

 private:
  Executor executor_;
  Clock& clock_;
};

// ---- files ----------------------------------------------------------------------------------------------------------

inline constexpr std::uint32_t kReadWriteDelete = 0x0013019F;
inline constexpr std::uint32_t kReadOnly = 0x00120089;

// Shared with everybody, for reading, writing and deletion.
smb2::CreateRequest FileRequest(const std::string& name, smb2::CreateDisposition disposition);
smb2::CreateRequest DirectoryRequest(const std::string& name, smb2::CreateDisposition disposition);

Task<smb2::FileId> Opened(TreePtr tree, smb2::CreateRequest request);
// The status of a CREATE; what it opened is closed again.
Task<NtStatus> StatusOfCreate(TreePtr tree, smb2::CreateRequest request);
Task<NtStatus> StatusOfOpen(TreePtr tree, const std::string& name);
Task<NtStatus> StatusOfEcho(SessionPtr session);
Task<NtStatus> LockRange(TreePtr tree, smb2::FileId file, std::uint64_t offset, std::uint64_t length,
                         std::uint32_t flags, std::uint64_t* message_id = nullptr);

Task<void> WriteAll(TreePtr tree, smb2::FileId file, std::uint64_t offset, ByteView data);
Task<Bytes> ReadAll(TreePtr tree, smb2::FileId file, std::uint64_t offset, std::size_t length);
// The whole of a file by its name, opened and closed.
Task<Bytes> Contents(TreePtr tree, const std::string& name);
Task<std::vector<fscc::DirectoryEntry>> List(TreePtr tree, const std::string& directory, const std::string& pattern);
Task<bool> Exists(TreePtr tree, const std::string& name);
Task<std::uint64_t> EndOfFile(TreePtr tree, smb2::FileId file);
Bytes RenameTo(const std::string& target, bool replace);
Bytes Disposition(bool remove);

// Whether a status says that the connection is gone, and not what became of the request.
bool IsTransportLoss(NtStatus status);

// Bytes that no shift or repetition maps onto themselves.
Bytes Pattern(std::size_t size, std::uint64_t seed);

void RunCase(Task<void> (*body)(Bed&), Duration limit);

#define CASE_WITHIN(suite, name, limit)                               \
  static Task<void> Case##suite##name(Bed& bed);                      \
  TEST(suite, name) { RunCase(Case##suite##name, limit); }            \
  static Task<void> Case##suite##name([[maybe_unused]] Bed& bed)
#define CASE(suite, name) CASE_WITHIN(suite, name, std::chrono::seconds(60))

}  // namespace holdfast::client
