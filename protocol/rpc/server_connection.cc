#include "protocol/rpc/server_connection.h"

#include <algorithm>
#include <atomic>

namespace holdfast::rpc {
namespace {

constexpr std::size_t kMinimumFragment = 1432;  // [MS-RPCE] 2.2.2.1: nobody may offer less
constexpr std::uint16_t kAuthenticationTypeNotRecognized = 8;
constexpr std::uint16_t kReasonNotSpecified = 0;
// What we keep of the features of [MS-RPCE] 3.3.1.5.3: an orphaned call leaves the connection alone.
constexpr std::uint16_t kKeepConnectionOnOrphan = 0x0002;

std::uint32_t NewAssociationGroup() {
  static std::atomic<std::uint32_t> next{0x00005000};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

ServerConnection::ServerConnection(Interface served) : served_(std::move(served)) {}

NtStatus ServerConnection::Disconnect() {
  disconnected_ = true;
  input_.clear();
  stub_.clear();
  return NtStatus::kPipeDisconnected;
}

NtStatus ServerConnection::Receive(ByteView bytes) {
  if (disconnected_) return NtStatus::kPipeDisconnected;
  input_.insert(input_.end(), bytes.begin(), bytes.end());
  std::size_t at = 0;
  NtStatus status = NtStatus::kSuccess;
  std::size_t counted = 0, unread = 0;
  while (input_.size() - at >= PduHeader::kSize) {
    const ByteView rest = ByteView(input_).subspan(at);
    const auto header = PduHeader::Parse(rest);
    if (!header) return Disconnect();
    if (rest.size() < header->fragment_length) break;
    const Bytes pdu(rest.begin(), rest.begin() + header->fragment_length);
    at += pdu.size();
    status = ReceivePdu(*header, pdu);
    if (status != NtStatus::kSuccess) return status;
    for (; counted < output_.size(); ++counted) unread += output_[counted].size();
    if (unread > kMaximumUnread) {
      (void)Disconnect();
      return NtStatus::kInsuffServerResources;
    }
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(at));
  return status;
}

NtStatus ServerConnection::ReceivePdu(const PduHeader& header, ByteView pdu) {
  const ByteView body = pdu.subspan(PduHeader::kSize);
  switch (header.type) {
    case PduType::kBind:
    case PduType::kAlterContext:
      return ReceiveBind(header, body);
    case PduType::kRequest:
      return ReceiveRequest(header, body);
    case PduType::kOrphaned:
      if (collecting_ && header.call_id == call_id_) {
        collecting_ = false;
        stub_.clear();
      }
      return NtStatus::kSuccess;
    case PduType::kCancel:  // a call is over before its cancellation could arrive
      return NtStatus::kSuccess;
    default:
      output_.push_back(EncodeFault(header.call_id, 0, fault::kProtocolError));
      return Disconnect();
  }
}

NtStatus ServerConnection::ReceiveBind(const PduHeader& header, ByteView body) {
  const bool alter = header.type == PduType::kAlterContext;
  // The session of SMB has authenticated the caller and protects the bytes; a second layer is not offered.
  if (header.auth_length != 0) {
    if (alter)
      output_.push_back(EncodeFault(header.call_id, 0, fault::kAccessDenied));
    else
      output_.push_back(EncodeBindNak(header.call_id, kAuthenticationTypeNotRecognized));
    return Disconnect();
  }
  const auto bind = Bind::Parse(body);
  if (!bind || alter != bound_ || bind->contexts.size() > kMaximumContexts) {
    if (alter)
      output_.push_back(EncodeFault(header.call_id, 0, fault::kProtocolError));
    else
      output_.push_back(EncodeBindNak(header.call_id, kReasonNotSpecified));
    return Disconnect();
  }
  if (!alter) {
    bound_ = true;
    max_transmit_fragment_ = std::clamp(std::size_t{bind->max_receive_fragment}, kMinimumFragment, kMaximumFragment);
    association_group_ = bind->association_group != 0 ? bind->association_group : NewAssociationGroup();
  }
  BindAck ack;
  ack.max_transmit_fragment = static_cast<std::uint16_t>(max_transmit_fragment_);
  ack.max_receive_fragment = kMaximumFragment;
  ack.association_group = association_group_;
  if (!alter) ack.secondary_address = served_.secondary_address;
  for (const auto& context : bind->contexts) {
    BindAck::ContextResult result;
    const auto& offered = context.transfer_syntaxes;
    const bool known = context.abstract_syntax.uuid == served_.syntax.uuid &&
                       context.abstract_syntax.major == served_.syntax.major &&
                       context.abstract_syntax.minor <= served_.syntax.minor;
    if (offered.size() == 1 && IsBindTimeFeatureNegotiation(offered[0])) {
      result.result = BindAck::kNegotiateAck;
      result.reason = offered[0].uuid.bytes[8] & kKeepConnectionOnOrphan;
    } else if (!known) {
      result.result = BindAck::kProviderRejection;
      result.reason = BindAck::kAbstractSyntaxNotSupported;
    } else if (std::find(offered.begin(), offered.end(), Ndr20()) == offered.end()) {
      result.result = BindAck::kProviderRejection;
      result.reason = BindAck::kTransferSyntaxesNotSupported;
    } else {
      result.transfer_syntax = Ndr20();
      if (contexts_.size() < kMaximumContexts) contexts_.insert(context.id);
    }
    ack.results.push_back(result);
  }
  output_.push_back(ack.Encode(header.call_id, alter ? PduType::kAlterContextResponse : PduType::kBindAck));
  return NtStatus::kSuccess;
}

NtStatus ServerConnection::ReceiveRequest(const PduHeader& header, ByteView body) {
  const auto fragment = Fragment::ParseRequest(header, body);
  const bool first = header.flags & pfc::kFirstFragment;
  // One call at a time: a fragment belongs to the call that is being collected, or begins a new one.
  const bool in_order = first ? !collecting_ : collecting_ && header.call_id == call_id_;
  if (!bound_ || !fragment || header.auth_length != 0 || !in_order) {
    output_.push_back(
        EncodeFault(header.call_id, fragment ? fragment->context_id : std::uint16_t{0}, fault::kProtocolError));
    return Disconnect();
  }
  if (first) {
    collecting_ = true;
    call_id_ = header.call_id;
    context_id_ = fragment->context_id;
    opnum_ = fragment->opnum;
    stub_.clear();
  }
  if (stub_.size() + fragment->stub.size() > kMaximumRequest) {
    (void)Disconnect();
    return NtStatus::kInsuffServerResources;
  }
  stub_.insert(stub_.end(), fragment->stub.begin(), fragment->stub.end());
  if (!(header.flags & pfc::kLastFragment)) return NtStatus::kSuccess;

  collecting_ = false;
  const CallResult result =
      contexts_.count(context_id_) ? served_.call(opnum_, stub_) : CallResult(fault::kUnknownInterface);
  stub_ = Bytes();
  if (const auto* status = std::get_if<std::uint32_t>(&result)) {
    output_.push_back(EncodeFault(call_id_, context_id_, *status));
    return NtStatus::kSuccess;
  }
  for (Bytes& pdu : EncodeResponse(call_id_, context_id_, std::get<Bytes>(result), max_transmit_fragment_))
    output_.push_back(std::move(pdu));
  return NtStatus::kSuccess;
}

}  // namespace holdfast::rpc
