// [MS-SMB2] 3.3.5.5: SESSION_SETUP. The mechanism is auth's; here sessions begin, are renewed, and get their keys.
#include "protocol/smb2/messages/session_setup.h"

#include "protocol/smb2/messages/logoff.h"

#include <algorithm>

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
  return Reply(status, smb2::EncodeBody(response));
}

Reply Refusal(Server& server, const char* limit, NtStatus status) {
  ++server.metrics().refusals[limit];
  return Reply(status);
}

// Sessions whose first sign-in is under way are among the sessions, those to be bound are not yet.
bool IsConnectionFull(Server& server, const Connection& connection) {
  const auto binding = std::count_if(connection.sign_ins.begin(), connection.sign_ins.end(),
                                     [](const auto& entry) { return entry.second->binding; });
  return connection.sessions.size() + static_cast<std::size_t>(binding) >= server.config().max_sessions_per_connection;
}

bool HasAllChannels(Server& server, const Session& session) {
  if (session.channels.size() < server.config().max_channels_per_session) return false;
  ++server.metrics().refusals["max_channels_per_session"];
  return true;
}

// 3.3.5.5.3, the part that makes keys. Not on re-authentication: keys stay for the life of the session.
void MakeKeys(const Connection& connection, const SignIn& sign_in, Session& session, const Identity& identity) {
  session.full_session_key = identity.session_key;
  session.session_key = identity.session_key;
  session.session_key.resize(16);
  session.keys = crypto::DeriveSessionKeys(connection.dialect, connection.cipher, session.session_key,
                                           session.full_session_key, sign_in.preauth.value());
  session.signer = std::make_shared<crypto::Signer>(connection.signing_algorithm, session.keys.signing_key);
  session.FindChannel(connection.id)->signer = session.signer;
  if (connection.smb3() && connection.cipher != crypto::Cipher::kNone) {
    session.encryptor = std::make_shared<crypto::MessageCipher>(connection.cipher, session.keys.encryption_key);
    session.decryptor = std::make_shared<crypto::MessageCipher>(connection.cipher, session.keys.decryption_key);
  }
}

// Channel.SigningKey: from the key of the sign-in that bound the channel, and from its hash.
std::shared_ptr<crypto::Signer> MakeChannelSigner(const Connection& connection, const SignIn& sign_in,
                                                  const Identity& identity) {
  Bytes session_key = identity.session_key;
  session_key.resize(16);
  const Bytes key = crypto::DeriveSigningKey(connection.dialect, session_key, sign_in.preauth.value());
  return std::make_shared<crypto::Signer>(connection.signing_algorithm, key);
}

SessionPtr NewSession(Server& server, const std::shared_ptr<Connection>& connection) {
  auto session = std::make_shared<Session>();
  session->session_id = server.NewSessionId();
  session->dialect = connection->dialect;
  session->cipher = connection->cipher;
  server.AddSession(session);
  server.AddChannel(session, connection, nullptr);
  return session;
}

// 3.3.5.5: which session is to be bound to this connection. The signature has been verified by admission. The order is
// Windows': what the algorithms cannot do comes before everything else.
Result<SessionPtr> FindSessionToBind(Request& request) {
  Server& server = *request.server;
  const Connection& connection = *request.connection;
  if (request.header.session_id == 0) return NtStatus::kInvalidParameter;
  const SessionPtr session = request.session ? request.session : request.to_bind;
  if (!session) return NtStatus::kUserSessionDeleted;
  if (session->signer) {
    // A session signed with AES-GMAC has no channel that signs otherwise, and the other way round.
    using crypto::SigningAlgorithm;
    const SigningAlgorithm first = session->signer->algorithm();
    const SigningAlgorithm here = connection.signing_algorithm;
    if (first == SigningAlgorithm::kAesGmac && here != first) return NtStatus::kRequestOutOfSequence;
    if (here == SigningAlgorithm::kAesGmac && here != first) return NtStatus::kNotSupported;
  }
  if (!connection.smb3() || !server.config().multichannel) return NtStatus::kRequestNotAccepted;
  if (!request.header.is_signed() || connection.dialect != session->dialect || connection.cipher != session->cipher) {
    return NtStatus::kInvalidParameter;
  }
  if (session->state == SessionState::kInProgress || request.session) return NtStatus::kRequestNotAccepted;
  if (session->IsExpired(server.clock().NowFileTime())) return NtStatus::kNetworkSessionExpired;
  if (HasAllChannels(server, *session)) return NtStatus::kInsufficientResources;
  return session;
}

// 3.3.5.5.3, GlobalClientTable: a client speaks one dialect at a time. Its entry lasts as long as connections on which
// somebody is signed in.
bool SpeaksAnotherDialect(const Server& server, const Connection& connection) {
  if (connection.dialect == 0x0202) return false;
  for (const auto& other : server.ConnectionsOf(connection.client_guid)) {
    if (other->closing || other->dialect == connection.dialect) continue;
    for (const auto& [id, session] : other->sessions) {
      if (session->state != SessionState::kInProgress) return true;
    }
  }
  return false;
}

// The previous session of the same user goes, with everything it had under way, before this one is answered.
Task<void> EndPreviousSession(Server& server, std::uint64_t previous_id, const Session& session) {
  if (previous_id == 0 || previous_id == session.session_id) co_return;
  SessionPtr previous = server.FindSession(previous_id);
  if (!previous || !previous->token || previous->token->user != session.token->user) co_return;
  co_await server.EndSession(previous, Server::EndReason::kPreviousSession);
}

void LogSignIn(const Connection& connection, const Session& session, const char* what) {
  spdlog::info("{}: {}\\{} {}", connection.transport->peer(), Utf16ToUtf8(session.domain_name),
               Utf16ToUtf8(session.account_name), what);
}

// A sign-in that ended well makes this connection a channel of the session.
Reply Bind(Request& request, const SessionPtr& session, const SignIn& sign_in, const AuthStep& step) {
  Server& server = *request.server;
  // The specification has STATUS_NOT_SUPPORTED; Windows answers this.
  const Identity& identity = sign_in.exchange->identity();
  if (session->token->user != identity.token.user) return NtStatus::kAccessDenied;
  if (HasAllChannels(server, *session)) return NtStatus::kInsufficientResources;  // others were quicker
  request.signer = MakeChannelSigner(*request.connection, sign_in, identity);
  request.session = session;
  server.AddChannel(session, request.connection, request.signer);
  LogSignIn(*request.connection, *session, "bound a channel");
  Reply reply = Answer(NtStatus::kSuccess, 0, step.reply);
  reply.sign = true;
  return reply;
}

// 3.3.5.5.3: a sign-in that failed ends the session, with all its opens when it was a renewal. One that was to bind
// a channel leaves the session as it was, and so does a renewal that failed by a fault of this machine: it proved
// nothing against the user, and the client can try again.
Task<Reply> Fail(RequestPtr request, SessionPtr session, bool binding, AuthStep step) {
  Server& server = *request->server;
  ++server.metrics().sign_ins_refused;
  spdlog::info("{}: sign-in refused: {}: {}", request->connection->transport->peer(), NtStatusName(step.status),
               step.detail);
  const bool renewal = session->state != SessionState::kInProgress;
  if (!binding && !(renewal && step.status == NtStatus::kInsufficientResources)) {
    co_await server.EndSession(session, Server::EndReason::kFailedReauthentication);
    request->session = nullptr;
  }
  co_return step.reply.empty() ? Reply(step.status) : Answer(step.status, 0, step.reply);
}

// The end of a sign-in or of a renewal.
Task<Reply> Establish(RequestPtr request, SessionPtr session, SignInPtr sign_in, smb2::SessionSetupRequest setup,
                      AuthStep step) {
  Server& server = *request->server;
  const auto connection = request->connection;
  const Identity& identity = sign_in->exchange->identity();
  const bool renewal = session->state != SessionState::kInProgress;
  if (renewal && session->token->user != identity.token.user) {
    // The opens were granted to somebody else.
    co_await server.EndSession(session, Server::EndReason::kFailedReauthentication);
    request->session = nullptr;
    co_return NtStatus::kLogonFailure;
  }
  if (!renewal && SpeaksAnotherDialect(server, *connection)) {
    co_await server.EndSession(session, Server::EndReason::kFailedReauthentication);
    request->session = nullptr;
    co_return NtStatus::kUserSessionDeleted;
  }
  session->token = std::make_shared<const SecurityToken>(identity.token);
  session->account_name = identity.account_name;
  session->domain_name = identity.domain_name;
  session->expires = identity.expires;
  if (!renewal) {
    MakeKeys(*connection, *sign_in, *session, identity);
    request->signer = session->signer;
    session->signing_required =
        connection->signing_required || (setup.security_mode & smb2::security_mode::kSigningRequired) != 0;
    session->encrypt_data = server.config().require_encryption && session->encryptor != nullptr;
    co_await EndPreviousSession(server, setup.previous_session_id, *session);
    if (session->logged_off || connection->closing) co_return NtStatus::kUserSessionDeleted;
    ++server.metrics().sign_ins;
    LogSignIn(*connection, *session, "signed in");
  }
  session->state = SessionState::kValid;
  Reply reply = Answer(NtStatus::kSuccess, session->encrypt_data ? smb2::session_flag::kEncryptData : std::uint16_t{0},
                       step.reply);
  reply.sign = true;
  co_return reply;
}

// The sign-in under way for this session on this connection, or a new one.
SignInPtr FindOrBeginSignIn(Request& request, std::uint64_t session_id, bool binding) {
  SignInPtr& sign_in = request.connection->sign_ins[session_id];
  if (!sign_in) {
    sign_in = std::make_shared<SignIn>();
    sign_in->exchange = request.server->authenticator().Begin();
    sign_in->preauth = request.connection->preauth;
    sign_in->binding = binding;
  }
  return sign_in;
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
  const bool binding = (setup.flags & smb2::session_setup_flag::kBinding) != 0;
  SessionPtr session = request->session;
  if (binding) {
    auto found = FindSessionToBind(*request);
    if (!found.ok()) co_return found.status();
    session = std::move(*found);
    if (!connection->sign_ins.contains(session->session_id) && IsConnectionFull(server, *connection)) {
      co_return Refusal(server, "max_sessions_per_connection", NtStatus::kInsufficientResources);
    }
  } else if (request->header.session_id == 0) {
    if (IsConnectionFull(server, *connection)) {
      co_return Refusal(server, "max_sessions_per_connection", NtStatus::kInsufficientResources);
    }
    session = NewSession(server, connection);
    request->session = session;
  } else if (!session) {
    co_return NtStatus::kUserSessionDeleted;
  }

  const SignInPtr sign_in = FindOrBeginSignIn(*request, session->session_id, binding);
  if (sign_in->running || sign_in->binding != binding) co_return NtStatus::kRequestNotAccepted;
  request->sign_in = sign_in;
  if (connection->smb311()) sign_in->preauth.Update(request->message);

  sign_in->running = true;
  Bytes token(setup.security_buffer.begin(), setup.security_buffer.end());
  // Named: g++ 12 destroys the captures of a temporary closure in a co_await expression twice.
  auto accept = [sign_in, token = std::move(token)] { return sign_in->exchange->Accept(token); };
  AuthStep step = co_await server.workers().Run(std::move(accept));
  sign_in->running = false;
  if (session->logged_off || connection->closing) {
    connection->sign_ins.erase(session->session_id);
    co_return NtStatus::kUserSessionDeleted;
  }
  if (step.status == NtStatus::kMoreProcessingRequired) co_return Answer(step.status, 0, step.reply);

  connection->sign_ins.erase(session->session_id);
  if (step.status != NtStatus::kSuccess) co_return co_await Fail(request, session, binding, std::move(step));
  if (binding) co_return Bind(*request, session, *sign_in, step);
  co_return co_await Establish(request, session, sign_in, setup, std::move(step));
}

// 3.3.5.6
Task<Reply> HandleLogoff(RequestPtr request) {
  co_await request->server->EndSession(request->session, Server::EndReason::kLogoff);
  co_return Reply(smb2::EncodeBody(smb2::LogoffResponse{}));
}

}  // namespace holdfast
