#include "server/request/admission.h"

#include <algorithm>

#include "protocol/wire/endian.h"
#include "server/commands/payload.h"
#include "server/ioctl/smbtorture.h"
#include "server/server.h"

namespace holdfast {
namespace {

// The session of the request, and with it the key of this channel.
void TakeSession(Request& request, const SessionPtr& session) {
  request.session = session;
  const Channel* channel = session->FindChannel(request.connection->id);
  request.signer = channel ? channel->signer : nullptr;
}

// Nothing of the request is looked at, but whose key signs its refusal is known, or that none does.
void TakeSessionForRefusal(Request& request, const ChainState& chain) {
  const auto& sessions = request.connection->sessions;
  auto found = sessions.find(request.header.session_id);
  if (found == sessions.end() && request.related) found = sessions.find(chain.session_id);
  if (found != sessions.end()) {
    TakeSession(request, found->second);
  } else {
    request.signature_of_zeros = request.header.is_signed();
  }
}

std::optional<Reply> RefuseProtection(Request& request) {
  ++request.server->metrics().peer_faults;
  return Reply(NtStatus::kAccessDenied);
}

// [MS-SMB2] 3.3.5.2.4: whose key signs; and must it be signed.
std::optional<Reply> CheckProtection(Request& request) {
  const SessionPtr& session = request.session;
  if (request.encrypted) return std::nullopt;  // for this session: the pipeline has compared the ids
  if (request.header.is_signed()) {
    if (!request.signer) return std::nullopt;  // sign-in under way: there is no key yet
    if (!request.signer->Verify(request.message)) return RefuseProtection(request);
  } else if (session->signing_required && request.signer) {
    return RefuseProtection(request);
  }
  if (session->encrypt_data && request.header.command != smb2::Command::kSessionSetup) {
    return Reply(NtStatus::kAccessDenied);
  }
  return std::nullopt;
}

// 3.3.5.5: a session that is to be bound to this connection lives on others. The request is signed with the key of the
// session, as this channel has none yet; what is unsigned the handler refuses. Only who has signed gets a signed answer:
// else anybody could have the session's key used, on a connection of his own and with its low message ids once more.
std::optional<Reply> FindSessionToBind(Request& request) {
  constexpr std::size_t kFlagsOffset = smb2::kHeaderSize + 2;
  const ByteView message = request.message;
  if (message.size() <= kFlagsOffset || !(message[kFlagsOffset] & smb2::session_setup_flag::kBinding)) return std::nullopt;
  request.to_bind = request.server->FindSession(request.header.session_id);
  if (!request.to_bind || !request.to_bind->signer) return std::nullopt;
  if (!request.header.is_signed()) return std::nullopt;
  if (!request.to_bind->signer->Verify(message)) return RefuseProtection(request);
  request.signer = request.to_bind->signer;
  return std::nullopt;
}

// A client that forgot to bind this connection gets a refusal that it can verify. Nobody else gets anything signed with
// the session's key.
void SignForSessionElsewhere(Request& request) {
  if (!request.header.is_signed() || request.header.session_id == 0) return;
  request.signature_of_zeros = true;
  const SessionPtr elsewhere = request.server->FindSession(request.header.session_id);
  if (!elsewhere || !elsewhere->signer) return;
  // An eavesdropper can send a signed request again on a connection of his own. Its refusal and its true answer would be
  // two texts under one nonce of AES-GMAC, which gives the key of its hash away.
  if (elsewhere->signer->algorithm() == crypto::SigningAlgorithm::kAesGmac) return;
  if (!elsewhere->signer->Verify(request.message)) return;
  request.signature_of_zeros = false;
  request.signer = elsewhere->signer;
}

std::optional<Reply> FindSession(Request& request, const CommandRow& row) {
  const auto found = request.connection->sessions.find(request.header.session_id);
  if (found == request.connection->sessions.end()) {
    if (row.code == smb2::Command::kSessionSetup) {
      if (auto refused = FindSessionToBind(request)) return refused;
      if (!request.to_bind) SignForSessionElsewhere(request);
      return std::nullopt;
    }
    if (row.needs == Needs::kNothing) return std::nullopt;
    SignForSessionElsewhere(request);
    return Reply(NtStatus::kUserSessionDeleted);
  }
  TakeSession(request, found->second);
  if (auto refused = CheckProtection(request)) return refused;
  if (row.needs == Needs::kNothing) return std::nullopt;
  Session& session = *request.session;
  if (session.state == SessionState::kInProgress) return Reply(NtStatus::kUserSessionDeleted);
  if (session.IsExpired(request.server->clock().NowFileTime()) && !row.runs_when_expired) {
    return Reply(NtStatus::kNetworkSessionExpired);
  }
  return std::nullopt;
}

std::optional<Reply> FindTree(Request& request) {
  const auto& trees = request.session->trees;
  const auto found = trees.find(request.header.tree_id);
  if (found == trees.end()) return Reply(NtStatus::kNetworkNameDeleted);
  request.tree = found->second;
  if (request.tree->share->encrypt_data && !request.encrypted) return Reply(NtStatus::kAccessDenied);
  return std::nullopt;
}

// 3.3.5.2.7.2: FileId all ones in a related request means the handle of the chain.
std::optional<Reply> FindHandle(Request& request, const CommandRow& row, const ChainState& chain) {
  if (request.message.size() < smb2::kHeaderSize + row.file_id_offset + 16u) return Reply(NtStatus::kInvalidParameter);
  const std::uint8_t* p = request.message.data() + smb2::kHeaderSize + row.file_id_offset;
  const smb2::FileId id{wire::LoadLe<std::uint64_t>(p), wire::LoadLe<std::uint64_t>(p + 8)};
  if (request.related && id.IsAllOnes()) {
    if (!chain.handle) return Reply(chain.handle_status);
    request.handle = chain.handle;
  } else {
    request.handle = request.session->FindHandle(id);
    if (!request.handle) return Reply(NtStatus::kFileClosed);
  }
  if (request.handle->closing || request.handle->tree != request.tree) return Reply(NtStatus::kFileClosed);
  return std::nullopt;
}

std::optional<Reply> CheckCreditCharge(Request& request) {
  const Connection& connection = *request.connection;
  request.payload_bytes = PayloadBytes(request.header.command, request.message);
  const std::uint32_t limit = connection.supports_multi_credit ? request.server->config().max_transact_bytes : 65536;
  if (connection.supports_multi_credit) {
    // 3.3.5.2.5
    const std::uint32_t units = request.payload_bytes == 0 ? 1 : (request.payload_bytes - 1) / 65536 + 1;
    if (units > std::max<std::uint32_t>(request.header.credit_charge, 1)) return Reply(NtStatus::kInvalidParameter);
  }
  if (request.payload_bytes > limit) return Reply(NtStatus::kInvalidParameter);
  return std::nullopt;
}

}  // namespace

std::optional<Reply> Admit(Request& request, const ChainState& chain) {
  if (!smb2::IsKnown(request.header.command)) {
    ++request.server->metrics().peer_faults;
    // 3.3.5.2.6 ends the connection. Who has signed in gets an answer: others' requests of the same chain have theirs.
    if (request.connection->sessions.empty()) return Reply::Disconnect(NtStatus::kInvalidParameter);
    TakeSessionForRefusal(request, chain);
    return Reply(NtStatus::kInvalidParameter);
  }
  const CommandRow& row = RowOf(request.header.command);
  if (request.header.is_response()) {
    ++request.server->metrics().peer_faults;
    return Reply::Disconnect(NtStatus::kInvalidParameter);
  }
  if (request.related) {
    if (chain.broken) {
      TakeSessionForRefusal(request, chain);
      return Reply(NtStatus::kInvalidParameter);
    }
    request.header.session_id = chain.session_id;
    request.header.tree_id = chain.tree_id;
    request.chain_status = chain.handle_status;
  }
  if (request.connection->dialect == 0 && row.code != smb2::Command::kNegotiate) {
    ++request.server->metrics().peer_faults;
    return Reply::Disconnect(NtStatus::kInvalidParameter);
  }
#if HOLDFAST_FAULT_POINTS
  if (ioctl::ForceUnackedTimeout(request)) return ioctl::ForcedUnackedTimeout();
#endif
  if (auto refused = FindSession(request, row)) return refused;
  if (row.needs >= Needs::kTree) {
    if (auto refused = FindTree(request)) return refused;
  }
  if (row.needs >= Needs::kOpen) {
    if (auto refused = FindHandle(request, row, chain)) return refused;
  } else if (request.related && row.needs == Needs::kTree) {
    request.handle = chain.handle;  // IOCTL looks itself whether its FileId is all ones
  }
  return CheckCreditCharge(request);
}

}  // namespace holdfast
