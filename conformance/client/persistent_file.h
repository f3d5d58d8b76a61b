// A file held by a persistent handle, as an application sees it: reads, writes, locks and settings that do not fail when
// the server dies. Connection loss, re-connection, DH2C and replays happen behind the calls. With several channels the
// requests are spread over them, and what was on one that failed is sent again on another, with the channel sequence
// raised. [MS-SMB2] 3.2.4.1.2, 3.2.4.4, 3.2.7.1.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conformance/client/session.h"

namespace holdfast::client {

struct Target {
  ConnectOptions connect;
  Credentials credentials;
  std::string share;             // "profiles"
  Duration give_up_after = std::chrono::seconds(120);  // without a server
  bool encrypt = false;
  unsigned channels = 1;
  std::vector<std::string> further_addresses;  // for the second channel and later ones, in turn; empty: the first's
};

struct OpenOptions {
  std::string path;
  std::uint32_t desired_access = 0x0012019F;  // read, write, attributes, READ_CONTROL, SYNCHRONIZE
  std::uint32_t share_access = 0;
  smb2::CreateDisposition disposition = smb2::CreateDisposition::kOpen;
  std::uint32_t create_options = 0;
  std::uint32_t timeout_ms = 0;
};

// What happened to the handle so far.
struct HandleHistory {
  std::uint64_t operations = 0;
  std::uint64_t replayed = 0;        // operations sent more than once
  std::uint64_t reconnects = 0;
  std::uint64_t channels_lost = 0;   // while another one lived
  std::uint64_t channels_bound = 0;
  std::vector<Duration> stalls;      // from the loss of the connection to the handle's return
};

class PersistentFile : public std::enable_shared_from_this<PersistentFile> {
 public:
  // kNotSupported when the share does not grant a persistent handle.
  static Task<Result<std::shared_ptr<PersistentFile>>> Open(Target target, OpenOptions options, Clock& clock);

  // Any length; cut at MaxReadSize/MaxWriteSize.
  Task<NtStatus> Write(std::uint64_t offset, ByteView data);
  Task<Result<Bytes>> Read(std::uint64_t offset, std::uint32_t length);
  Task<NtStatus> Flush();
  Task<NtStatus> SetEndOfFile(std::uint64_t size);
  Task<NtStatus> SetInfo(std::uint8_t file_info_class, Bytes buffer);
  // An FSCTL that may be carried out twice; `input` gets the id that the handle has by then.
  Task<NtStatus> Control(std::uint32_t code, std::function<Bytes(smb2::FileId)> input);
  // Idempotent by its lock sequence, 3.2.4.19.
  Task<NtStatus> Lock(std::uint64_t offset, std::uint64_t length, bool exclusive);
  Task<NtStatus> Unlock(std::uint64_t offset, std::uint64_t length);
  // A close whose answer was lost is done: the handle is not found again.
  Task<NtStatus> Close();
  // Drops every TCP connection, as a cut cable would.
  void Break();
  // Drops one of them; false when there is none of that number.
  bool BreakChannel(std::size_t number);
  std::size_t channels() const;  // living ones

  const HandleHistory& history() const { return history_; }
  std::uint64_t end_of_file() const { return end_of_file_; }
  smb2::CreateAction create_action() const { return create_action_; }
  std::uint32_t timeout_ms() const { return timeout_ms_; }
  const std::shared_ptr<Tree>& tree() const { return tree_; }
  smb2::FileId id() const { return id_; }

 private:
  PersistentFile(Target target, OpenOptions options, Clock& clock)
      : target_(std::move(target)), options_(std::move(options)), clock_(clock) {}
  // The session on one connection.
  struct Channel {
    std::shared_ptr<Connection> connection;
    std::shared_ptr<Session> session;
    std::shared_ptr<Tree> tree;
  };
  // Runs an operation until it has an answer of a living server.
  template <class T>
  Task<T> Persist(std::function<Task<T>(std::shared_ptr<Tree>, Replay)> operation);
  // The next living channel in turn; nullptr when none is left.
  const Channel* Pick();
  // The channel is gone: what follows on the others carries a higher sequence, and a new one is looked for.
  void Lose(const std::shared_ptr<Connection>& connection);
  // One more channel of the session of `first`.
  Task<NtStatus> AddChannel(Channel first, std::string address);
  static Task<void> Restore(std::shared_ptr<PersistentFile> self, std::uint64_t session_id, std::string address);
  // Makes sure that there is a connection newer than `generation`, and the handle on it.
  Task<NtStatus> Attach(std::uint64_t generation);
  Task<NtStatus> Connect();
  Task<NtStatus> CreateOrReclaim(bool may_have_been_created);
  Task<NtStatus> LockOnce(std::uint64_t offset, std::uint64_t length, std::uint32_t flags);

  Target target_;
  OpenOptions options_;
  Clock& clock_;
  Guid create_guid_;
  AsyncMutex attaching_;
  std::uint64_t generation_ = 0;
  std::vector<Channel> channels_;
  std::size_t turn_ = 0;
  bool ended_ = false;
  unsigned restoring_ = 0;  // channels that are being looked for; Close waits for them
  OneShot<int> restored_;   // set when none is left after `ended_`
  std::uint32_t max_read_ = 65536, max_write_ = 65536;
  std::shared_ptr<Tree> tree_;
  std::uint64_t previous_session_ = 0;
  smb2::FileId id_;
  bool opened_ = false;
  bool create_sent_ = false;
  NtStatus lost_ = NtStatus::kSuccess;  // the handle is gone for good, and why
  std::uint16_t channel_sequence_ = 0;
  std::uint32_t next_lock_ = 0;
  std::uint32_t timeout_ms_ = 0;
  std::uint64_t end_of_file_ = 0;
  smb2::CreateAction create_action_{};
  HandleHistory history_;
};

}  // namespace holdfast::client
