#include "conformance/client/session.h"

#include "protocol/smb2/messages/logoff.h"
#include "protocol/smb2/messages/session_setup.h"

namespace holdfast::client {
namespace {

bool IsSignedBy(const crypto::Signer& signer, const Response& answer) {
  return answer.header.is_signed() && signer.Verify(answer.message);
}

}  // namespace

Task<Result<std::shared_ptr<Session>>> Session::SignIn(std::shared_ptr<Connection> connection, Credentials credentials,
                                                       std::uint64_t previous_session_id) {
  auto session = std::make_shared<Session>();
  session->connection_ = std::move(connection);
  const NtStatus status =
      co_await session->Exchange(std::move(credentials), previous_session_id, Purpose::kSignIn);
  if (status != NtStatus::kSuccess) co_return status;
  co_return session;
}

Task<Result<std::shared_ptr<Session>>> Session::Bind(std::shared_ptr<Connection> connection, Credentials credentials) {
  auto channel = std::make_shared<Session>();
  channel->connection_ = std::move(connection);
  channel->session_signer_ = session_signer_;
  channel->security_ = std::make_shared<SessionSecurity>(*security_);
  channel->security_->signer = session_signer_;  // until the channel has a key of its own
  channel->security_->encrypt = false;
  const NtStatus status = co_await channel->Exchange(std::move(credentials), 0, Purpose::kBinding);
  if (status != NtStatus::kSuccess) co_return status;
  channel->security_->encrypt = security_->encrypt;
  co_return channel;
}

Task<NtStatus> Session::Renew(Credentials credentials) {
  return Exchange(std::move(credentials), 0, Purpose::kRenewal);
}

Task<NtStatus> Session::Exchange(Credentials credentials, std::uint64_t previous_session_id, Purpose purpose) {
  std::string error;
  auto made = GssInitiator::Make(credentials, &error);
  if (!made.ok()) co_return made.status();
  const std::unique_ptr<GssInitiator> initiator = std::move(*made);
  crypto::PreauthIntegrity preauth = connection_->preauth();
  Bytes from_server;
  for (;;) {
    const auto token = initiator->Step(from_server);
    if (!token.ok()) co_return token.status();
    smb2::SessionSetupRequest request;
    if (purpose == Purpose::kBinding) request.flags = smb2::session_setup_flag::kBinding;
    request.security_mode = smb2::security_mode::kSigningEnabled;
    request.previous_session_id = previous_session_id;
    request.security_buffer = *token;
    CallOptions options;
    options.session = security_;  // keyless at first: neither signed nor encrypted
    options.preauth = &preauth;
    // The last answer of a binding is signed with the key that it brings.
    options.unverified = purpose == Purpose::kBinding;
    auto answer = co_await connection_->Call(smb2::Command::kSessionSetup, request, options);
    if (!answer.ok()) co_return answer.status();
    if (answer->status() != NtStatus::kSuccess && answer->status() != NtStatus::kMoreProcessingRequired) {
      co_return answer->status();
    }
    const auto response = answer->As<smb2::SessionSetupResponse>();
    if (!response.ok()) co_return NtStatus::kInvalidNetworkResponse;
    security_->session_id = answer->header.session_id;
    from_server.assign(response->security_buffer.begin(), response->security_buffer.end());
    if (answer->status() == NtStatus::kMoreProcessingRequired) {
      if (purpose == Purpose::kBinding && !IsSignedBy(*session_signer_, *answer)) co_return NtStatus::kInvalidSignature;
      continue;
    }

    if (!initiator->complete()) {
      const auto last = initiator->Step(from_server);
      if (!last.ok() || !initiator->complete()) co_return NtStatus::kLogonFailure;
    }
    if (purpose == Purpose::kRenewal) co_return NtStatus::kSuccess;
    if (purpose == Purpose::kSignIn) {
      MakeKeys(initiator->session_key(), preauth);
      security_->encrypt = (response->session_flags & smb2::session_flag::kEncryptData) != 0;
    } else {
      MakeChannelKey(initiator->session_key(), preauth);
    }
    // 3.2.5.3.3: the final answer proves that the server has the key.
    if (!IsSignedBy(*security_->signer, *answer)) co_return NtStatus::kInvalidSignature;
    connection_->AddSession(security_);
    co_return NtStatus::kSuccess;
  }
}

void Session::MakeKeys(const Bytes& session_key, const crypto::PreauthIntegrity& preauth) {
  Bytes short_key = session_key;
  short_key.resize(16);
  auto keys = crypto::DeriveSessionKeys(static_cast<std::uint16_t>(connection_->dialect()), connection_->cipher(),
                                        short_key, session_key, preauth.value());
  session_signer_ = std::make_shared<crypto::Signer>(connection_->signing_algorithm(), keys.signing_key);
  security_->signer = session_signer_;
  if (connection_->cipher() != crypto::Cipher::kNone && smb2::IsSmb3(connection_->dialect())) {
    // Named as the server sees them.
    security_->encryptor = std::make_shared<crypto::MessageCipher>(connection_->cipher(), keys.decryption_key);
    security_->decryptor = std::make_shared<crypto::MessageCipher>(connection_->cipher(), keys.encryption_key);
  }
}

void Session::MakeChannelKey(const Bytes& session_key, const crypto::PreauthIntegrity& preauth) {
  Bytes short_key = session_key;
  short_key.resize(16);
  const Bytes key = crypto::DeriveSigningKey(static_cast<std::uint16_t>(connection_->dialect()), short_key,
                                             preauth.value());
  security_->signer = std::make_shared<crypto::Signer>(connection_->signing_algorithm(), key);
}

Task<NtStatus> Session::Logoff() {
  CallOptions options;
  options.session = security_;
  smb2::LogoffRequest request;
  auto answer = co_await connection_->Call(smb2::Command::kLogoff, request, options);
  co_return answer.ok() ? answer->status() : answer.status();
}

}  // namespace holdfast::client
