#include "server/commands/negotiate.h"

#include <algorithm>

#include "protocol/smb2/messages/negotiate.h"
#include "protocol/smb2/smb1_negotiate.h"
#include "server/commands/registry.h"
#include "server/server.h"

namespace holdfast {
namespace {

using smb2::Dialect;

std::uint16_t OurSecurityMode(const ServerConfig& config) {
  return static_cast<std::uint16_t>(smb2::security_mode::kSigningEnabled |
                                    (config.require_signing ? smb2::security_mode::kSigningRequired : 0));
}

std::uint32_t OurCapabilities(Server& server, const Connection& connection, std::uint16_t dialect) {
  std::uint32_t capabilities = 0;
  if (dialect >= 0x0210) capabilities |= smb2::capability::kLargeMtu | smb2::capability::kLeasing;
  if (dialect >= 0x0300) {
    const auto& shares = server.shares();
    const bool is_asked = (connection.client_capabilities & smb2::capability::kPersistentHandles) != 0;
    if (is_asked && std::any_of(shares.begin(), shares.end(), [](const SharePtr& s) {
          return s->context && s->context->continuous_availability;
        })) {
      capabilities |= smb2::capability::kPersistentHandles;
    }
    if (server.config().multichannel && (connection.client_capabilities & smb2::capability::kMultiChannel)) {
      capabilities |= smb2::capability::kMultiChannel;
    }
  }
  // 3.1.1 says by its context what 3.0 says by this bit.
  if ((dialect == 0x0300 || dialect == 0x0302) && connection.cipher != crypto::Cipher::kNone) {
    capabilities |= smb2::capability::kEncryption;
  }
  return capabilities;
}

// Our order of preference, the client's offer: 3.3.5.4.
template <class T>
std::uint16_t Choose(const std::vector<std::uint16_t>& configured, std::initializer_list<T> standard,
                     const std::vector<std::uint16_t>& offered, std::uint16_t none) {
  std::vector<std::uint16_t> ours = configured;
  if (ours.empty()) {
    for (T t : standard) ours.push_back(static_cast<std::uint16_t>(t));
  }
  for (std::uint16_t candidate : ours) {
    if (std::find(offered.begin(), offered.end(), candidate) != offered.end()) return candidate;
  }
  return none;
}

// The contexts of a 3.1.1 response, one answer for each question understood. An error ends the negotiation.
Result<std::vector<smb2::NegotiateContext>> AnswerContexts(Server& server, Connection& connection,
                                                           const smb2::NegotiateRequest& request) {
  using smb2::NegotiateContextType;
  std::vector<smb2::NegotiateContext> answers;
  bool preauth_seen = false, encryption_seen = false, compression_seen = false, signing_seen = false;
  for (const smb2::NegotiateContext& context : request.negotiate_contexts) {
    switch (context.context_type) {
      case NegotiateContextType::kPreauthIntegrityCapabilities: {
        const auto offer = wire::Decode<smb2::PreauthIntegrityCapabilities>(context.data);
        if (preauth_seen || !offer.ok() || offer->hash_algorithms.empty()) return NtStatus::kInvalidParameter;
        preauth_seen = true;
        const auto& hashes = offer->hash_algorithms;
        if (std::find(hashes.begin(), hashes.end(), smb2::PreauthIntegrityCapabilities::kSha512) == hashes.end()) {
          return NtStatus::kSmbNoPreauthIntegrityHashOverlap;
        }
        Bytes salt(32);
        server.random().Fill(salt);
        smb2::PreauthIntegrityCapabilities answer;
        answer.hash_algorithms = {smb2::PreauthIntegrityCapabilities::kSha512};
        answer.salt = salt;
        answers.push_back(smb2::NegotiateContext::From(answer));
        break;
      }
      case NegotiateContextType::kEncryptionCapabilities: {
        const auto offer = wire::Decode<smb2::EncryptionCapabilities>(context.data);
        if (encryption_seen || !offer.ok() || offer->ciphers.empty()) return NtStatus::kInvalidParameter;
        encryption_seen = true;
        using crypto::Cipher;
        const std::uint16_t cipher =
            Choose(server.config().ciphers,
                   {Cipher::kAes128Gcm, Cipher::kAes128Ccm, Cipher::kAes256Gcm, Cipher::kAes256Ccm}, offer->ciphers, 0);
        connection.cipher = static_cast<Cipher>(cipher);
        smb2::EncryptionCapabilities answer;
        answer.ciphers = {cipher};  // 0 says that there is none in common
        answers.push_back(smb2::NegotiateContext::From(answer));
        break;
      }
      case NegotiateContextType::kSigningCapabilities: {
        const auto offer = wire::Decode<smb2::SigningCapabilities>(context.data);
        if (signing_seen || !offer.ok() || offer->signing_algorithms.empty()) return NtStatus::kInvalidParameter;
        signing_seen = true;
        using crypto::SigningAlgorithm;
        const std::uint16_t algorithm =
            Choose(server.config().signing_algorithms,
                   {SigningAlgorithm::kAesGmac, SigningAlgorithm::kAesCmac, SigningAlgorithm::kHmacSha256},
                   offer->signing_algorithms, static_cast<std::uint16_t>(SigningAlgorithm::kAesCmac));
        connection.signing_algorithm = static_cast<SigningAlgorithm>(algorithm);
        smb2::SigningCapabilities answer;
        answer.signing_algorithms = {algorithm};
        answers.push_back(smb2::NegotiateContext::From(answer));
        break;
      }
      case NegotiateContextType::kCompressionCapabilities: {
        const auto offer = wire::Decode<smb2::CompressionCapabilities>(context.data);
        if (compression_seen || !offer.ok() || offer->compression_algorithms.empty()) return NtStatus::kInvalidParameter;
        compression_seen = true;
        smb2::CompressionCapabilities answer;
        answer.compression_algorithms = {smb2::CompressionCapabilities::kNone};
        answers.push_back(smb2::NegotiateContext::From(answer));
        break;
      }
      default:
        break;  // NETNAME, TRANSPORT, RDMA_TRANSFORM and unknown ones are ignored
    }
  }
  if (!preauth_seen) return NtStatus::kInvalidParameter;
  return answers;
}

smb2::NegotiateResponse MakeResponse(Server& server, Dialect dialect, std::uint32_t capabilities) {
  smb2::NegotiateResponse response;
  response.security_mode = OurSecurityMode(server.config());
  response.dialect_revision = dialect;
  response.server_guid = server.server_guid();
  response.capabilities = capabilities;
  const std::uint32_t largest = dialect == Dialect::k202 ? 65536 : server.config().max_transact_bytes;
  response.max_transact_size = response.max_read_size = response.max_write_size = largest;
  response.system_time = server.clock().NowFileTime();
  response.server_start_time = 0;  // as Windows since 1709
  response.security_buffer = server.authenticator().NegotiateHint();
  return response;
}

}  // namespace

bool AnswerSmb1Negotiate(Connection& connection, ByteView frame) {
  Server& server = *connection.server;
  const auto offer = smb2::Smb1Negotiate::Decode(frame);
  if (!offer.ok() || connection.dialect != 0 || connection.negotiate_with_2ff || !connection.credits.Consume(0, 1)) {
    ++server.metrics().peer_faults;
    return false;
  }
  Dialect dialect;
  if (offer->offers_wildcard() && server.config().max_dialect >= 0x0210) {
    dialect = Dialect::k2FF;
    connection.negotiate_with_2ff = true;
  } else if (offer->offers_202() && server.config().min_dialect <= 0x0202) {
    dialect = Dialect::k202;
    connection.dialect = 0x0202;
    connection.server_security_mode = OurSecurityMode(server.config());
    connection.signing_required = server.config().require_signing;
  } else {
    return false;
  }
  smb2::NegotiateResponse response =
      MakeResponse(server, dialect, dialect == Dialect::k2FF ? smb2::capability::kLargeMtu : 0);
  smb2::Header header;
  header.command = smb2::Command::kNegotiate;
  header.flags = smb2::kFlagServerToRedir;
  header.credits = connection.credits.Grant(1, 1);
  Bytes out(4);
  header.AppendTo(out);
  const Bytes body = smb2::EncodeBody(response);
  out.insert(out.end(), body.begin(), body.end());
  connection.transport->Send(std::move(out));
  return true;
}

// [MS-SMB2] 3.3.5.4
Task<Reply> HandleNegotiate(RequestPtr request) {
  Server& server = *request->server;
  Connection& connection = *request->connection;
  if (connection.dialect != 0) {
    ++server.metrics().peer_faults;
    co_return Reply::Disconnect(NtStatus::kInvalidParameter);
  }
  if (request->header.is_signed()) co_return NtStatus::kInvalidParameter;  // 3.3.5.2.4
  const auto decoded = smb2::Decode<smb2::NegotiateRequest>(request->message);
  if (!decoded.ok() || decoded->dialects.empty()) co_return NtStatus::kInvalidParameter;
  const smb2::NegotiateRequest& offer = *decoded;

  const ServerConfig& config = server.config();
  Dialect dialect{};
  for (Dialect candidate : {Dialect::k311, Dialect::k302, Dialect::k300, Dialect::k210, Dialect::k202}) {
    const auto number = static_cast<std::uint16_t>(candidate);
    if (number >= config.min_dialect && number <= config.max_dialect && offer.Offers(candidate)) {
      dialect = candidate;
      break;
    }
  }
  if (dialect == Dialect{}) co_return NtStatus::kNotSupported;

  const auto number = static_cast<std::uint16_t>(dialect);
  std::vector<smb2::NegotiateContext> contexts;
  // An attempt that failed before has left nothing behind.
  connection.cipher = crypto::Cipher::kNone;
  connection.signing_algorithm = crypto::DefaultSigningAlgorithm(number);
  if (dialect == Dialect::k311) {
    auto answers = AnswerContexts(server, connection, offer);
    if (!answers.ok()) co_return answers.status();
    contexts = std::move(*answers);
  } else if (smb2::IsSmb3(dialect) && (offer.capabilities & smb2::capability::kEncryption)) {
    connection.cipher = crypto::Cipher::kAes128Ccm;
  }

  connection.dialect = number;
  connection.client_guid = offer.client_guid;
  connection.client_capabilities = offer.capabilities;
  connection.client_security_mode = offer.security_mode;
  for (Dialect d : offer.dialects) connection.client_dialects.push_back(static_cast<std::uint16_t>(d));
  connection.server_security_mode = OurSecurityMode(config);
  connection.server_capabilities = OurCapabilities(server, connection, number);
  connection.supports_multi_credit = number >= 0x0210;
  server.AddClient(request->connection);
  connection.signing_required =
      config.require_signing || (offer.security_mode & smb2::security_mode::kSigningRequired) != 0;

  smb2::NegotiateResponse response = MakeResponse(server, dialect, connection.server_capabilities);
  response.negotiate_contexts = std::move(contexts);
  co_return Reply(smb2::EncodeBody(response));
}

}  // namespace holdfast
