// A user signed in over a connection, and a share in use: the calls that tests, drills and benchmarks make.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/client/connection.h"
#include "conformance/client/gss_initiator.h"
#include "protocol/smb2/contexts/create_context.h"
#include "protocol/smb2/messages/close.h"
#include "protocol/smb2/messages/create.h"
#include "protocol/smb2/messages/lock.h"

namespace holdfast::client {

class Session {
 public:
  // SESSION_SETUP to its end. `previous_session_id` makes the server give up that session first.
  static Task<Result<std::shared_ptr<Session>>> SignIn(std::shared_ptr<Connection> connection, Credentials credentials,
                                                       std::uint64_t previous_session_id = 0);
  // Signs in on a further connection and makes it a channel of this session, 3.2.4.2.3.3: the session as it is seen over
  // that connection. Trees of the session are used over it with Tree::On.
  Task<Result<std::shared_ptr<Session>>> Bind(std::shared_ptr<Connection> connection, Credentials credentials);
  // A new sign-in on the living session (re-authentication).
  Task<NtStatus> Renew(Credentials credentials);
  Task<NtStatus> Logoff();

  std::uint64_t id() const { return security_->session_id; }
  const std::shared_ptr<Connection>& connection() const { return connection_; }
  const std::shared_ptr<SessionSecurity>& security() const { return security_; }
  void set_encrypt(bool on) { security_->encrypt = on && security_->encryptor; }

 private:
  enum class Purpose : std::uint8_t { kSignIn, kRenewal, kBinding };
  Task<NtStatus> Exchange(Credentials credentials, std::uint64_t previous_session_id, Purpose purpose);
  void MakeKeys(const Bytes& session_key, const crypto::PreauthIntegrity& preauth);
  void MakeChannelKey(const Bytes& session_key, const crypto::PreauthIntegrity& preauth);
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<crypto::Signer> session_signer_;  // Session.SigningKey, which binds further channels
  std::shared_ptr<SessionSecurity> security_ = std::make_shared<SessionSecurity>();
};

// Fields of the header that replays and moved channels set.
struct Replay {
  std::uint16_t channel_sequence = 0;
  bool replay = false;
  std::uint32_t flags() const { return replay ? smb2::kFlagReplayOperation : 0; }
};

struct CreateResult {
  smb2::CreateResponse response;        // contexts borrow from `answer`
  Response answer;
};

class Tree {
 public:
  static Task<Result<std::shared_ptr<Tree>>> Connect(std::shared_ptr<Session> session, std::string unc);
  Task<NtStatus> Disconnect();
  // The same tree over another channel of its session.
  std::shared_ptr<Tree> On(std::shared_ptr<Session> channel) const;

  Task<Result<CreateResult>> Create(smb2::CreateRequest request, Replay replay = {});
  Task<NtStatus> Close(smb2::FileId file, Replay replay = {});
  // At most connection max_read; the data borrows from the answer's frame.
  Task<Result<Response>> Read(smb2::FileId file, std::uint64_t offset, std::uint32_t length, Replay replay = {});
  Task<Result<std::uint32_t>> Write(smb2::FileId file, std::uint64_t offset, ByteView data, Replay replay = {});
  Task<NtStatus> Flush(smb2::FileId file, Replay replay = {});
  Task<NtStatus> Lock(smb2::FileId file, std::vector<smb2::LockElement> locks, std::uint32_t lock_sequence,
                      Replay replay = {}, std::uint64_t* message_id = nullptr);
  Task<NtStatus> SetInfo(smb2::FileId file, std::uint8_t file_info_class, Bytes buffer, Replay replay = {});
  // The parts of `descriptor` that `security_information` names.
  Task<NtStatus> SetSecurity(smb2::FileId file, std::uint32_t security_information, Bytes descriptor);
  Task<Result<Bytes>> QueryInfo(smb2::FileId file, smb2::InfoType type, std::uint8_t info_class,
                                std::uint32_t output_length, std::uint32_t additional = 0);
  Task<Result<Bytes>> QueryDirectory(smb2::FileId file, std::uint8_t info_class, std::u16string pattern,
                                     std::uint8_t flags, std::uint32_t output_length);
  Task<Result<Bytes>> Ioctl(smb2::FileId file, std::uint32_t code, Bytes input, std::uint32_t max_output,
                            Replay replay = {});

  CallOptions Options(Replay replay = {}, std::uint32_t payload = 0) const;
  const std::shared_ptr<Session>& session() const { return session_; }
  std::uint32_t id() const { return tree_id_; }
  std::uint32_t capabilities() const { return capabilities_; }
  bool encrypted() const { return encrypt_; }

 private:
  template <class M>
  Task<NtStatus> Simple(smb2::Command command, M body, Replay replay, std::uint32_t payload = 0);
  std::shared_ptr<Session> session_;
  std::uint32_t tree_id_ = 0;
  std::uint32_t capabilities_ = 0;
  bool encrypt_ = false;
};

}  // namespace holdfast::client
