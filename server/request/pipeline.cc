#include "server/request/pipeline.h"

#include <algorithm>
#include <optional>

#include "protocol/base/buffer_pool.h"
#include "protocol/base/fault_point.h"
#include "protocol/smb2/messages/error.h"
#include "protocol/smb2/smb1_negotiate.h"
#include "protocol/smb2/transform_header.h"
#include "server/commands/negotiate.h"
#include "server/commands/payload.h"
#include "server/commands/registry.h"
#include "server/request/admission.h"
#include "server/request/channel_sequence.h"
#include "protocol/smb2/compound.h"
#include "server/request/seal.h"

#include <spdlog/spdlog.h>

namespace holdfast {
namespace {

// Headers, contexts and padding around the largest payload.
constexpr std::size_t kFrameOverhead = 64 * 1024;
// A connection that has not signed in needs no large frames.
constexpr std::size_t kUnauthenticatedFrameBytes = 256 * 1024;
// Reading pauses while this much waits in the send queue of a client that does not read.
constexpr std::size_t kSendQueueBytes = 64u << 20;
// 3.3.5.2: what sends no payload is no longer than this, and nothing is without multi-credit requests.
constexpr std::size_t kSmallMessageBytes = 68 * 1024;
// The transport counts a frame with 24 bits: answers beyond this leave in a frame of their own.
constexpr std::size_t kAnswersOfAFrame = 8u << 20;

struct Chain {
  std::shared_ptr<Connection> connection;
  std::vector<RequestPtr> requests;
};

bool MustSign(const Request& request, const Reply& reply) {
  if (request.encrypted || !request.signer) return false;
  return reply.sign || request.header.is_signed() || (request.session && request.session->signing_required);
}

// 3.3.4.1.4
bool MustEncrypt(const Request& request) {
  if (!request.session) return false;
  if (request.encrypted) return true;
  return request.session->encrypt_data && request.header.command != smb2::Command::kSessionSetup;
}

smb2::Header ResponseHeader(const Request& request, NtStatus status, std::uint16_t credits) {
  smb2::Header header;
  header.credit_charge = request.header.credit_charge;
  header.set_status(status);
  header.command = request.header.command;
  header.credits = credits;
  header.flags = smb2::kFlagServerToRedir | (request.header.flags & (smb2::kFlagPriorityMask | smb2::kFlagReplayOperation));
  if (request.related) header.flags |= smb2::kFlagRelatedOperations;
  header.message_id = request.header.message_id;
  header.process_id = request.header.process_id;
  header.tree_id = request.header.tree_id;
  header.session_id = request.session ? request.session->session_id : request.header.session_id;
  return header;
}

void SendInterim(const RequestPtr& request, ResponseChain& chain) {
  if (request->interim_sent) return;
  Connection& connection = *request->connection;
  if (connection.pending_async.size() >= connection.server->config().max_credits) {
    // 3.3.4.2 and its note 242: what waits costs memory, and no credits.
    ++connection.server->metrics().refusals["waiting_requests"];
    request->wait->Cancel(NtStatus::kInsufficientResources);
    return;
  }
  request->interim_sent = true;
  request->async_id = connection.next_async_id++;
  connection.pending_async[request->async_id] = request;
  ++connection.server->metrics().commands[static_cast<std::size_t>(request->header.command)].pending;
  // What is done already leaves first; it must not wait for this one.
  chain.Send();
  smb2::Header header = ResponseHeader(*request, NtStatus::kPending,
                                       connection.credits.Grant(request->header.credits, request->header.credit_charge));
  header.flags |= smb2::kFlagAsyncCommand;
  header.async_id = request->async_id;
  // 3.3.4.1.1: not signed. The final answer has the same message id, and with it the same GMAC nonce.
  chain.Append(header, smb2::EncodeBody(smb2::ErrorResponse{}), 0, nullptr,
               request->encrypted ? request->session : nullptr);
  chain.Send();
}

// 3.3.5.2.7 note 266: what follows in a compound would wait as well. Locks and watches can wait for ever and may not there; what
// waits for a break may: the client of Linux renames and sets sizes in the middle of its chains.
bool MayWait(const Request& request) {
  const smb2::Command command = request.header.command;
  const bool for_ever = command == smb2::Command::kLock || command == smb2::Command::kChangeNotify;
  return !request.compounded || request.last_in_compound || !for_ever;
}

Task<Reply> ExecuteOne(const RequestPtr& request, ChainState& state) {
  if (auto refused = Admit(*request, state)) co_return std::move(*refused);
  const CommandRow& row = RowOf(request->header.command);
  bool counted = false;
  const OpenPtr open = request->open();
  if (open && request->connection->smb3()) {
    if (!EnterChannelSequence(*open, request->header, row.channel_sequence, &counted)) {
      co_return NtStatus::kFileNotAvailable;
    }
    if (row.clears_replay_eligible) open->is_replay_eligible = false;
  }
  Reply reply = co_await row.handle(request);
  if (counted) LeaveChannelSequence(*open, request->header.channel_sequence());
  co_return reply;
}

void UpdateChain(const Request& request, const Reply& reply, ChainState& state) {
  // 3.3.5.2.7.2: a request that is not related begins a new chain; nothing of the old one is inherited.
  if (!request.related) {
    state = ChainState{};
    state.broken = !request.session;
  }
  state.session_id = request.session ? request.session->session_id : request.header.session_id;
  state.tree_id = request.header.tree_id;
  if (request.header.command == smb2::Command::kCreate) {
    state.handle = request.created;
    state.handle_status = reply.status;
  } else if (request.handle) {
    state.handle = request.handle;
  } else if (IsError(reply.status)) {
    state.handle_status = reply.status;
  }
}

void AppendReply(ResponseChain& chain, const RequestPtr& request, Reply& reply) {
  Connection& connection = *request->connection;
  Metrics& metrics = connection.server->metrics();
  if (smb2::IsKnown(request->header.command)) {
    auto& command = metrics.commands[static_cast<std::size_t>(request->header.command)];
    ++command.requests;
    if (IsError(reply.status)) ++command.errors;
    command.nanoseconds += static_cast<std::uint64_t>((connection.server->clock().Now() - request->started).count());
  }
  SPDLOG_DEBUG("{} {} {}: {}", connection.transport->peer(), request->header.message_id,
               smb2::CommandName(request->header.command), NtStatusName(reply.status));
  const std::uint16_t credits =
      request->interim_sent ? 0 : connection.credits.Grant(request->header.credits, request->header.credit_charge);
  smb2::Header header = ResponseHeader(*request, reply.status, credits);
  if (request->interim_sent) {
    header.flags |= smb2::kFlagAsyncCommand;
    header.async_id = request->async_id;
  }
  const bool sign = MustSign(*request, reply);
  if (sign || request->signature_of_zeros) header.flags |= smb2::kFlagSigned;
  if (reply.body.empty()) reply.body = smb2::EncodeBody(smb2::ErrorResponse{});
  const bool encrypt = MustEncrypt(*request);
  chain.Append(header, std::move(reply.body), reply.room, sign && !encrypt ? request->signer : nullptr,
               encrypt ? request->session : nullptr);
  if (reply.until_sent) chain.Hold(std::move(reply.until_sent));
  if (connection.smb311()) {
    // 3.3.5.4, 3.3.5.5: what leads to the keys is hashed, the final answer of a sign-in is not.
    if (header.command == smb2::Command::kNegotiate) connection.preauth.Update(chain.last());
    if (request->sign_in && reply.status == NtStatus::kMoreProcessingRequired) chain.HashLast(request->sign_in);
  }
}

// The request is over, or will never run.
void Forget(const Request& request) {
  Connection& connection = *request.connection;
  // A CANCEL bears the message id of another request.
  const auto found = connection.pending.find(request.header.message_id);
  if (found != connection.pending.end() && found->second.get() == &request) connection.pending.erase(found);
  if (request.interim_sent) connection.pending_async.erase(request.async_id);
}

Task<void> ExecuteChain(Chain work) {
  const auto& connection = work.connection;
  ResponseChain responses(connection);
  ChainState state;
  for (std::size_t i = 0; i < work.requests.size(); ++i) {
    const RequestPtr& request = work.requests[i];
    if (connection->closing) break;
    request->send_interim = [&responses, weak = std::weak_ptr(request)] {
      if (auto r = weak.lock()) SendInterim(r, responses);
    };
    request->wait->on_pending = request->send_interim;
    if (!MayWait(*request)) {
      request->wait->on_pending = [wait = request->wait.get()] { wait->Cancel(NtStatus::kInternalError); };
    }
    request->executing = true;
    FAULT_POINT(request->fault_name("received"));
    Reply reply = co_await ExecuteOne(request, state);
    FAULT_POINT(request->fault_name("executed"));
    request->executing = false;
    request->send_interim = nullptr;
    request->wait->on_pending = nullptr;
    Forget(*request);
    UpdateChain(*request, reply, state);
    if (reply.disconnect) {
      connection->closing = true;
      connection->transport->Close(false);
      break;
    }
    // 3.3.5.16: a CANCEL is never answered, not even when it is refused. It brings a message id of the peer's choice,
    // and two answers signed with AES-GMAC under one message id would give the key away.
    if (reply.no_response || request->header.command == smb2::Command::kCancel) continue;
    if (responses.size() + reply.body.size() > kAnswersOfAFrame) responses.Send();
    AppendReply(responses, request, reply);
    // An answer that already had its interim response is a message of its own, 3.3.4.1.3.
    if (request->interim_sent) responses.Send();
  }
  // The connection owns the list, and each request in it the connection: those that never ran must not stay there.
  for (const RequestPtr& request : work.requests) Forget(*request);
  if (!connection->closing) responses.Send();
  for (const RequestPtr& request : work.requests) FAULT_POINT(request->fault_name("sent"));
}

// 3.3.5.2.1.1: decrypts in place; the frame keeps only the plain messages. `encrypted_for` is the TRANSFORM_HEADER's
// SessionId, nothing when the frame came in the clear.
bool Unwrap(Connection& connection, Bytes& frame, std::size_t* begin, std::optional<std::uint64_t>* encrypted_for) {
  *begin = 0;
  if (smb2::ClassifyFrame(frame) != smb2::FrameKind::kEncrypted) return true;
  const auto session_id = crypto::TransformSessionId(frame);
  if (!session_id) return false;
  const auto found = connection.sessions.find(*session_id);
  if (found == connection.sessions.end() || !found->second->decryptor) return false;
  const auto plain = found->second->decryptor->Decrypt(frame);
  if (!plain.ok()) return false;
  *begin = static_cast<std::size_t>(plain->data() - frame.data());
  *encrypted_for = session_id;
  return smb2::ClassifyFrame(*plain) == smb2::FrameKind::kSmb2;
}

// 3.3.5.2.1.1: who can encrypt for one session speaks in the name of no other one.
bool IsOfSession(const smb2::Header& header, bool first, std::uint64_t encrypted_for) {
  if (header.is_related()) return !first;
  return header.session_id == encrypted_for;
}

bool IsTooLong(const Connection& connection, const smb2::Header& header, ByteView message) {
  const bool has_payload = connection.supports_multi_credit && SendsPayload(header.command);
  return message.size() > kSmallMessageBytes && !has_payload;
}

// Takes the message ids out of the window and starts the chain. False: the peer broke the protocol.
bool StartFrame(const std::shared_ptr<Connection>& connection, Bytes received) {
  Server& server = *connection->server;
  const auto frame = ShareBuffer(std::move(received));
  std::size_t begin = 0;
  std::optional<std::uint64_t> encrypted_for;
  if (!Unwrap(*connection, *frame, &begin, &encrypted_for)) return false;
  if (!encrypted_for && smb2::ClassifyFrame(*frame) != smb2::FrameKind::kSmb2) return false;
  const auto messages = smb2::SplitCompound(ByteView(*frame).subspan(begin));
  if (!messages) return false;

  Chain chain{connection, {}};
  for (std::size_t i = 0; i < messages->size(); ++i) {
    auto header = smb2::Header::Decode((*messages)[i]);
    if (!header.ok() || IsTooLong(*connection, *header, (*messages)[i])) return false;
    if (encrypted_for && !IsOfSession(*header, i == 0, *encrypted_for)) return false;
    auto request = std::make_shared<Request>();
    request->server = &server;
    request->connection = connection;
    request->header = *header;
    request->frame = frame;
    request->message = (*messages)[i];
    request->encrypted = encrypted_for.has_value();
    request->related = header->is_related();
    request->compounded = messages->size() > 1;
    request->last_in_compound = i + 1 == messages->size();
    request->started = server.clock().Now();
    if (header->command != smb2::Command::kCancel) {
      const std::uint16_t charge = connection->supports_multi_credit ? header->credit_charge : std::uint16_t{1};
      if (!connection->credits.Consume(header->message_id, charge)) {
        spdlog::info("{}: message id {} is outside of its window", connection->transport->peer(), header->message_id);
        return false;
      }
    }
    if (header->command == smb2::Command::kNegotiate && connection->dialect == 0) {
      connection->preauth = {};
      connection->preauth.Update(request->message);
    }
    chain.requests.push_back(std::move(request));
  }
  for (const RequestPtr& request : chain.requests) {
    if (request->header.command != smb2::Command::kCancel) connection->pending[request->header.message_id] = request;
  }
  Spawn(server.executor(), ExecuteChain(std::move(chain)));
  return true;
}

}  // namespace

void Pipeline::SendInterimForSlow(Connection& connection, SteadyTime started_before) {
  std::vector<RequestPtr> slow;
  for (const auto& [id, request] : connection.pending) {
    if (request->executing && !request->interim_sent && request->started < started_before &&
        smb2::IsKnown(request->header.command) && RowOf(request->header.command).needs != Needs::kNothing) {
      slow.push_back(request);
    }
  }
  for (const RequestPtr& request : slow) {
    if (request->send_interim) request->send_interim();
  }
}

Task<void> Pipeline::Run(std::shared_ptr<Connection> connection) {
  Server& server = *connection->server;
  while (!connection->closing) {
    co_await connection->transport->WaitUntilBelow(kSendQueueBytes);
    const std::size_t limit = connection->is_anybody_signed_in()
                                  ? server.config().max_transact_bytes + kFrameOverhead
                                  : kUnauthenticatedFrameBytes;
    auto frame = co_await connection->transport->Receive(limit);
    if (!frame.ok()) {
      if (frame.status() != NtStatus::kConnectionDisconnected) {
        ++server.metrics().peer_faults;
        spdlog::info("{}: malformed or oversized frame", connection->transport->peer());
      }
      break;
    }
    if (frame->empty()) continue;  // keep-alive
    server.metrics().bytes_received += frame->size();
    if (smb2::ClassifyFrame(*frame) == smb2::FrameKind::kSmb1) {
      if (!AnswerSmb1Negotiate(*connection, *frame)) break;
      continue;
    }
    if (!StartFrame(connection, std::move(*frame))) {
      ++server.metrics().peer_faults;
      spdlog::info("{}: protocol violation, connection closed", connection->transport->peer());
      break;
    }
  }
  connection->closing = true;
  connection->transport->Close(false);
}

}  // namespace holdfast
