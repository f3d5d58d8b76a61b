// [MS-SMB2] 3.3.5.5: SESSION_SETUP. The mechanism is auth's; here sessions begin, are renewed, and get their keys.
#include "protocol/smb2/messages/session_setup.h"

#include "protocol/smb2/messages/logoff.h"

#include <spdlog/spdlog.h>

#include "protocol/dtyp/unicode.h"
#include "server/commands/registry.h"
#include "server/server.h"

namespace holdfast {
namespace {

Reply Answer(NtStatus status, std::uint16_t flags, ByteView token) {
  smb2::SessionSetupResponse response;
  response.session_flags = flags;
  response.security_buffer = token;
  Reply reply(status, smb2::EncodeBody(response));
  reply.never_encrypt = true;
  return reply;
}

Reply Refusal(Server& server, const char* limit, NtStatus status) {
  ++server.metrics().refusals[limit];
  return Reply(status);
}

// 3.3.5.5.3, the part that makes keys. Not on re-authentication: keys stay for the life of the session.
void MakeKeys(const Connection& connection, Session& session, const Identity& identity) {
  session.full_session_key = identity.session_key;
  session.session_key = identity.session_key;
  session.session_key.resize(16);
  session.keys = crypto::DeriveSessionKeys(connection.dialect, connection.cipher, session.session_key,
                                           session.full_session_key, session.preauth.value());
  session.signer = std::make_shared<crypto::Signer>(connection.signing_algorithm, session.keys.signing_key);
  if (connection.smb3() && connection.cipher != crypto::Cipher::kNone) {
    session.encryptor = std::make_shared<crypto::MessageCipher>(connection.cipher, session.keys.encryption_key);
    session.decryptor = std::make_shared<crypto::MessageCipher>(connection.cipher, session.keys.decryption_key);
  }
}

SessionPtr NewSession(Server& server, const std::shared_ptr<Connection>& connection) {
  auto session = std::make_shared<Session>();
  session->session_id = server.NewSessionId();
  session->connection = connection;
  server.AddSession(session);
  connection->sessions[session->session_id] = session;
  return session;
}

// The previous session of the same user goes, with everything it had under way, before this one is answered.
Task<void> EndPreviousSession(Server& server, std::uint64_t previous_id, const Session& session) {
  if (previous_id == 0 || previous_id == session.session_id) co_return;
  SessionPtr previous = server.FindSession(previous_id);
  if (!previous || !previous->token || previous->token->user != session.token->user) co_return;
  co_await server.EndSession(previous, Server::EndReason::kPreviousSession);
}

void LogSignIn(const Connection& connection, const Session& session) {
  spdlog::info("{}: {}\\{} signed in", connection.transport->peer(), Utf16ToUtf8(session.domain_name),
               Utf16ToUtf8(session.account_name));
}

}  // namespace

Task<Reply> HandleSessionSetup(RequestPtr request) {
  Server& server = *request->server;
  const auto connection = request->connection;
  const auto decoded = smb2::Decode<smb2::SessionSetupRequest>(request->message);
  if (!decoded.ok()) co_return NtStatus::kInvalidParameter;
  const smb2::SessionSetupRequest& setup = *decoded;

  if (server.config().require_encryption && connection->cipher == crypto::Cipher::kNone) {
    co_return NtStatus::kAccessDenied;  // 3.3.5.5, RejectUnencryptedAccess
  }
  if ((setup.flags & smb2::session_setup_flag::kBinding) && connection->smb3()) {
    co_return NtStatus::kRequestNotAccepted;  // multichannel is not offered
  }

  SessionPtr session = request->session;
  if (request->header.session_id == 0) {
    if (connection->sessions.size() >= server.config().max_sessions_per_connection) {
      co_return Refusal(server, "max_sessions_per_connection", NtStatus::kInsufficientResources);
    }
    session = NewSession(server, connection);
    request->session = session;
  } else if (!session) {
    co_return NtStatus::kUserSessionDeleted;
  }
  if (session->exchange_running) co_return NtStatus::kRequestNotAccepted;

  if (!session->exchange) {
    session->exchange = server.authenticator().Begin();
    session->preauth = connection->preauth;
  }
  const bool renewal = session->state != SessionState::kInProgress;
  if (connection->smb311()) session->preauth.Update(request->message);

  session->exchange_running = true;
  Bytes token(setup.security_buffer.begin(), setup.security_buffer.end());
  // Named: g++ 12 destroys the captures of a temporary closure in a co_await expression twice.
  auto accept = [exchange = session->exchange.get(), token = std::move(token)] { return exchange->Accept(token); };
  AuthStep step = co_await server.workers().Run(std::move(accept));
  session->exchange_running = false;
  if (session->logged_off || connection->closing) co_return NtStatus::kUserSessionDeleted;

  if (step.status == NtStatus::kMoreProcessingRequired) co_return Answer(step.status, 0, step.reply);

  if (step.status != NtStatus::kSuccess) {
    ++server.metrics().sign_ins_refused;
    spdlog::info("{}: sign-in refused: {}: {}", connection->transport->peer(), NtStatusName(step.status), step.detail);
    session->exchange.reset();
    // 3.3.5.5.3: a re-authentication that fails ends the session with all its opens.
    co_await server.EndSession(session, Server::EndReason::kFailedReauthentication);
    request->session = nullptr;
    co_return step.reply.empty() ? Reply(step.status) : Answer(step.status, 0, step.reply);
  }

  const std::unique_ptr<AuthExchange> exchange = std::move(session->exchange);
  const Identity& identity = exchange->identity();
  if (renewal && session->token->user != identity.token.user) {
    // The opens were granted to somebody else.
    co_await server.EndSession(session, Server::EndReason::kFailedReauthentication);
    request->session = nullptr;
    co_return NtStatus::kLogonFailure;
  }
  session->token = std::make_shared<const SecurityToken>(identity.token);
  session->account_name = identity.account_name;
  session->domain_name = identity.domain_name;
  session->expires = identity.expires;
  if (!renewal) {
    MakeKeys(*connection, *session, identity);
    session->signing_required = connection->signing_required;
    session->encrypt_data = server.config().require_encryption && session->encryptor != nullptr;
    co_await EndPreviousSession(server, setup.previous_session_id, *session);
    if (session->logged_off || connection->closing) co_return NtStatus::kUserSessionDeleted;
    ++server.metrics().sign_ins;
    LogSignIn(*connection, *session);
  }
  session->state = SessionState::kValid;
  Reply reply = Answer(NtStatus::kSuccess, session->encrypt_data ? smb2::session_flag::kEncryptData : std::uint16_t{0},
                       step.reply);
  reply.sign = true;
  co_return reply;
}

// 3.3.5.6
Task<Reply> HandleLogoff(RequestPtr request) {
  co_await request->server->EndSession(request->session, Server::EndReason::kLogoff);
  co_return Reply(smb2::EncodeBody(smb2::LogoffResponse{}));
}

}  // namespace holdfast
