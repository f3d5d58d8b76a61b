// A request on its way through the stages, [MS-SMB2] 3.3.1.13, and what a handler makes of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "protocol/base/bytes.h"
#include "protocol/wire/codec.h"
#include "protocol/smb2/constants.h"
#include "protocol/smb2/header.h"
#include "server/state/handle.h"
#include "server/state/session.h"
#include "server/state/sign_in.h"
#include "server/state/tree_connect.h"

namespace holdfast {

class Connection;
class Server;

// The stages of design §3; traces, metrics and crash tests use these names.
enum class RequestStage : std::uint8_t { kReceive, kUnwrap, kAdmit, kDecode, kExecute, kPersist, kReply, kSend };

struct Request {
  Server* server = nullptr;
  std::shared_ptr<Connection> connection;
  SessionPtr session;     // set when the row needs it
  // The key that the request was signed with, and its answers will be: the channel's, of a binding the session's.
  std::shared_ptr<crypto::Signer> signer;
  // The refusal says that it is signed, and its signature is zeros: there is no key here, or none that may be used, and a client
  // that insists on signatures takes such a refusal as it is, for Windows sends the like.
  bool signature_of_zeros = false;
  SessionPtr to_bind;     // SESSION_SETUP only: the session that asks to be bound to this connection
  SignInPtr sign_in;      // SESSION_SETUP only: what its messages are hashed into
  TreeConnectPtr tree;    // likewise
  HandlePtr handle;       // likewise
  smb2::Header header;
  std::shared_ptr<Bytes> frame;  // keeps `message` alive
  ByteView message;       // header and body of this command, padding of the compound excluded as far as known
  bool encrypted = false;
  bool related = false;
  NtStatus chain_status = NtStatus::kInvalidParameter;  // what the chain has to say to a request that needs its handle
  bool compounded = false;
  bool last_in_compound = true;
  PendingWaitPtr wait = std::make_shared<PendingWait>();  // give it to operations that may wait
  std::uint64_t async_id = 0;    // set when the interim response went out
  bool interim_sent = false;
  bool executing = false;
  bool outlives_channel = false;  // goes on when its connection is lost, as long as the session has another one
  SteadyTime started{};
  std::function<void()> send_interim;  // while executing: answers STATUS_PENDING once
  std::uint32_t payload_bytes = 0;  // for the credit charge check: set by the row's payload function
  // The file of this command for the related ones that follow; CREATE sets it.
  HandlePtr created;

  OpenPtr open() const { return handle ? handle->open : nullptr; }
  // "CREATE.received": the fault points of the stages.
  std::string fault_name(std::string_view stage) const {
    return std::string(smb2::CommandName(header.command)) + "." + std::string(stage);
  }
};
using RequestPtr = std::shared_ptr<Request>;

// Room for the transport's length and the header of an answer that stands alone.
inline constexpr std::size_t kReplyRoom = 4 + smb2::kHeaderSize;

// The answer: a status and the body behind the header. With an error status an empty body becomes an ERROR Response.
struct Reply {
  NtStatus status = NtStatus::kSuccess;
  Bytes body;
  std::size_t room = 0;         // bytes in front of the body in `body`: with kReplyRoom the answer is sent from where it is
  bool no_response = false;     // CANCEL
  bool disconnect = false;      // the connection ends without an answer
  bool sign = false;            // sign even though the session does not demand it (final SESSION_SETUP)
  std::shared_ptr<void> until_sent;  // let go when the answer is with the transport

  Reply(NtStatus s) : status(s) {}  // NOLINT
  explicit Reply(Bytes b) : body(std::move(b)) {}
  Reply(NtStatus s, Bytes b, std::size_t r = 0) : status(s), body(std::move(b)), room(r) {}
  // No answer: the connection ends.
  static Reply Disconnect(NtStatus s) {
    Reply reply(s);
    reply.disconnect = true;
    return reply;
  }
};

}  // namespace holdfast
