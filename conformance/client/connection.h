// One connection of the client: negotiation, message ids and credits, signing, encryption, many requests in flight.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "protocol/base/buffer_pool.h"
#include "protocol/crypto/encryption.h"
#include "protocol/crypto/key_derivation.h"
#include "protocol/crypto/preauth.h"
#include "protocol/crypto/signing.h"
#include "protocol/dtyp/guid.h"
#include "protocol/smb2/constants.h"
#include "protocol/smb2/header.h"
#include "protocol/smb2/messages/oplock_break.h"
#include "storage/async/task.h"

namespace holdfast::client {

struct ConnectOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 445;
  std::vector<smb2::Dialect> dialects = {smb2::Dialect::k202, smb2::Dialect::k210, smb2::Dialect::k300,
                                         smb2::Dialect::k302, smb2::Dialect::k311};
  std::vector<std::uint16_t> ciphers = {2, 1, 4, 3};  // crypto::Cipher, preferred first
  std::vector<std::uint16_t> signing_algorithms = {2, 1, 0};
  Guid client_guid;
  std::uint16_t credits = 512;  // asked for with every request while fewer are held
  bool multichannel = true;     // announces SMB2_GLOBAL_CAP_MULTI_CHANNEL
};

// Keys and flags of a session on one connection, shared with the connection that seals for it. The channels of a session
// sign with keys of their own, and encrypt with the same ones.
struct SessionSecurity {
  std::uint64_t session_id = 0;
  std::shared_ptr<crypto::Signer> signer;
  std::shared_ptr<crypto::MessageCipher> encryptor, decryptor;
  bool encrypt = false;
  std::shared_ptr<std::uint64_t> next_nonce = std::make_shared<std::uint64_t>(1);
};

struct Response {
  smb2::Header header;
  std::shared_ptr<const Bytes> frame;
  ByteView message;  // header and body
  NtStatus status() const { return header.status(); }
  template <class M>
  Result<M> As() const {
    return smb2::Decode<M>(message);
  }
};

// What goes into the header beyond what the connection fills in.
struct CallOptions {
  std::uint32_t tree_id = 0;
  std::uint32_t flags = 0;               // kFlagReplayOperation, ...
  std::uint16_t channel_sequence = 0;
  std::uint32_t payload_bytes = 0;       // decides the credit charge
  std::shared_ptr<SessionSecurity> session;
  bool encrypt = false;                  // also when the session does not demand it (encrypting share)
  std::uint64_t* message_id = nullptr;   // set before the request leaves, for Cancel
  crypto::PreauthIntegrity* preauth = nullptr;  // takes in the request, and the answer unless it ends the sign-in
  bool unverified = false;               // the caller checks the signature of the answer
};

// A break that the server has told of, 2.2.23: of an oplock or of a lease.
struct BreakNotification {
  smb2::Header header;
  bool encrypted = false;
  std::optional<smb2::OplockBreakNotification> oplock;
  std::optional<smb2::LeaseBreakNotification> lease;
};

// One request of a compound. Its options name the flags: kFlagRelatedOperations for one that goes on with the last.
struct ChainElement {
  smb2::Command command{};
  Bytes body;
  CallOptions options;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // kConnectionRefused when nobody listens, else what NEGOTIATE answered.
  static Task<Result<std::shared_ptr<Connection>>> Open(ConnectOptions options);
  ~Connection();

  // One request and its final answer. A transport error: kConnectionDisconnected; a bad signature ends the connection.
  template <class M>
  Task<Result<Response>> Call(smb2::Command command, const M& body, CallOptions options) {
    Bytes message = TakeBuffer(kBodyOffset + 192 + (command == smb2::Command::kWrite ? options.payload_bytes : 0));
    message.assign(kBodyOffset, 0);
    smb2::AppendBody(message, body);
    return CallMessage(command, std::move(message), options);
  }
  Task<Result<Response>> CallEncoded(smb2::Command command, Bytes body, CallOptions options);
  // A body behind kBodyOffset bytes, which take the transport's length and the header.
  Task<Result<Response>> CallMessage(smb2::Command command, Bytes message, CallOptions options);
  static constexpr std::size_t kBodyOffset = 4 + smb2::kHeaderSize;
  // Requests in one frame, 3.2.4.1.4, signed each or encrypted as one for the first one's session; the final answers.
  Task<std::vector<Result<Response>>> CallChain(std::vector<ChainElement> elements);
  // By the AsyncId when the server has given one, else by the message id: 3.2.4.24.
  void Cancel(std::uint64_t message_id, const std::shared_ptr<SessionSecurity>& session);
  // A frame as given (malformed on purpose, or compounded by hand); answers arrive as frames of unknown ids are dropped.
  void SendRaw(Bytes frame);
  // Whether STATUS_PENDING has come for a request that still waits.
  bool IsPending(std::uint64_t message_id) const;
  // The breaks that have come since the last call. To acknowledge them is up to the caller.
  std::vector<BreakNotification> TakeBreaks() { return std::exchange(breaks_, {}); }
  std::size_t breaks() const { return breaks_.size(); }
  void AddSession(const std::shared_ptr<SessionSecurity>& session) { sessions_[session->session_id] = session; }
  // Nothing that the server sends is taken from now on, as of a client that hangs; Close ends it.
  void StopReading() { deaf_ = true; }
  void Close();
  bool closed() const { return closed_; }
  boost::asio::ip::tcp::socket::executor_type executor() { return socket_.get_executor(); }

  smb2::Dialect dialect() const { return dialect_; }
  std::uint32_t server_capabilities() const { return server_capabilities_; }
  const Guid& server_guid() const { return server_guid_; }
  std::uint32_t max_read() const { return max_read_; }
  std::uint32_t max_write() const { return max_write_; }
  std::uint32_t credits() const { return credits_; }
  crypto::Cipher cipher() const { return cipher_; }
  crypto::SigningAlgorithm signing_algorithm() const { return signing_algorithm_; }
  const crypto::PreauthIntegrity& preauth() const { return preauth_; }
  const ConnectOptions& options() const { return options_; }

 private:
  struct Waiting {
    OneShot<NtStatus> done;
    Response response;
    std::shared_ptr<SessionSecurity> session;
    bool was_signed = false;
    crypto::PreauthIntegrity* preauth = nullptr;
    std::uint64_t async_id = 0;  // 0 before the interim response
  };
  explicit Connection(ConnectOptions options, boost::asio::ip::tcp::socket socket);
  Task<NtStatus> Negotiate();
  static Task<void> ReceiveLoop(std::shared_ptr<Connection> self);
  Task<bool> ReceiveInto(std::span<std::uint8_t> frame);
  static Task<void> SendLoop(std::shared_ptr<Connection> self);
  bool Deliver(std::shared_ptr<Bytes> frame);
  bool TakeIn(const smb2::Header& header, ByteView message, bool encrypted);
  Task<bool> TakeCredits(std::uint16_t charge);
  std::uint16_t ChargeOf(const CallOptions& options) const;
  smb2::Header MakeHeader(smb2::Command command, std::uint16_t charge, const CallOptions& options);
  std::shared_ptr<Waiting> Expect(const smb2::Header& header, const CallOptions& options);
  void Queue(Bytes frame_with_room);
  Bytes Seal(Bytes message_with_room, SessionSecurity* session, bool encrypt, bool sign);

  ConnectOptions options_;
  boost::asio::ip::tcp::socket socket_;
  bool closed_ = false;
  smb2::Dialect dialect_{};
  std::uint32_t server_capabilities_ = 0;
  Guid server_guid_;
  std::uint32_t max_read_ = 65536, max_write_ = 65536;
  crypto::Cipher cipher_ = crypto::Cipher::kNone;
  crypto::SigningAlgorithm signing_algorithm_ = crypto::SigningAlgorithm::kHmacSha256;
  crypto::PreauthIntegrity preauth_;
  std::uint64_t next_message_id_ = 0;
  std::uint32_t credits_ = 1;
  std::deque<std::pair<std::uint16_t, std::function<void(int)>>> credit_waiters_;
  std::map<std::uint64_t, std::shared_ptr<Waiting>> waiting_;
  std::map<std::uint64_t, std::weak_ptr<SessionSecurity>> sessions_;
  std::vector<BreakNotification> breaks_;
  std::deque<Bytes> out_;
  bool sending_ = false;
  bool deaf_ = false;
  OneShot<int> ended_;
};

}  // namespace holdfast::client
