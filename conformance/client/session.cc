#include "conformance/client/session.h"

#include "protocol/smb2/messages/logoff.h"
#include "protocol/smb2/messages/session_setup.h"

namespace holdfast::client {

Task<Result<std::shared_ptr<Session>>> Session::SignIn(std::shared_ptr<Connection> connection, Credentials credentials,
                                                       std::uint64_t previous_session_id) {
  auto session = std::make_shared<Session>();
  session->connection_ = std::move(connection);
  const NtStatus status = co_await session->Exchange(std::move(credentials), previous_session_id, false);
  if (status != NtStatus::kSuccess) co_return status;
  co_return session;
}

Task<NtStatus> Session::Renew(Credentials credentials) { return Exchange(std::move(credentials), 0, true); }

Task<NtStatus> Session::Exchange(Credentials credentials, std::uint64_t previous_session_id, bool renewal) {
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
    request.security_mode = smb2::security_mode::kSigningEnabled;
    request.previous_session_id = previous_session_id;
    request.security_buffer = *token;
    CallOptions options;
    options.session = security_;  // keyless at first: neither signed nor encrypted
    options.preauth = &preauth;
    auto answer = co_await connection_->Call(smb2::Command::kSessionSetup, request, options);
    if (!answer.ok()) co_return answer.status();
    if (answer->status() != NtStatus::kSuccess && answer->status() != NtStatus::kMoreProcessingRequired) {
      co_return answer->status();
    }
    const auto response = answer->As<smb2::SessionSetupResponse>();
    if (!response.ok()) co_return NtStatus::kInvalidNetworkResponse;
    security_->session_id = answer->header.session_id;
    from_server.assign(response->security_buffer.begin(), response->security_buffer.end());
    if (answer->status() == NtStatus::kMoreProcessingRequired) continue;

    if (!initiator->complete()) {
      const auto last = initiator->Step(from_server);
      if (!last.ok() || !initiator->complete()) co_return NtStatus::kLogonFailure;
    }
    if (!renewal) {
      MakeKeys(initiator->session_key(), preauth);
      // 3.2.5.3.3: the final answer proves that the server has the key.
      if (!answer->header.is_signed() || !security_->signer->Verify(answer->message)) co_return NtStatus::kInvalidSignature;
      security_->encrypt = (response->session_flags & smb2::session_flag::kEncryptData) != 0;
      connection_->AddSession(security_);
    }
    co_return NtStatus::kSuccess;
  }
}

void Session::MakeKeys(const Bytes& session_key, const crypto::PreauthIntegrity& preauth) {
  Bytes short_key = session_key;
  short_key.resize(16);
  auto keys = crypto::DeriveSessionKeys(static_cast<std::uint16_t>(connection_->dialect()), connection_->cipher(),
                                        short_key, session_key, preauth.value());
  security_->signer = std::make_unique<crypto::Signer>(connection_->signing_algorithm(), keys.signing_key);
  if (connection_->cipher() != crypto::Cipher::kNone && smb2::IsSmb3(connection_->dialect())) {
    // Named as the server sees them.
    security_->encryptor = std::make_unique<crypto::MessageCipher>(connection_->cipher(), keys.decryption_key);
    security_->decryptor = std::make_unique<crypto::MessageCipher>(connection_->cipher(), keys.encryption_key);
  }
}

Task<NtStatus> Session::Logoff() {
  CallOptions options;
  options.session = security_;
  smb2::LogoffRequest request;
  auto answer = co_await connection_->Call(smb2::Command::kLogoff, request, options);
  co_return answer.ok() ? answer->status() : answer.status();
}

}  // namespace holdfast::client
