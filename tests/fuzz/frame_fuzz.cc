// A frame as it comes from the transport: headers, a compound chain, and the body of each command in it.
#include "protocol/base/check.h"
#include "protocol/smb2/registry.h"

namespace holdfast::smb2 {
namespace {

template <class Request, class Response>
void Body(ByteView message, bool is_response) {
  if (is_response) {
    static_cast<void>(Decode<Response>(message).ok());
    static_cast<void>(Decode<ErrorResponse>(message).ok());
  } else {
    static_cast<void>(Decode<Request>(message).ok());
  }
}

void BodyOf(Command command, ByteView message, bool is_response) {
  switch (command) {
    case Command::kNegotiate: return Body<NegotiateRequest, NegotiateResponse>(message, is_response);
    case Command::kSessionSetup: return Body<SessionSetupRequest, SessionSetupResponse>(message, is_response);
    case Command::kLogoff: return Body<LogoffRequest, LogoffResponse>(message, is_response);
    case Command::kTreeConnect: return Body<TreeConnectExtendedRequest, TreeConnectResponse>(message, is_response);
    case Command::kTreeDisconnect: return Body<TreeDisconnectRequest, TreeDisconnectResponse>(message, is_response);
    case Command::kCreate: return Body<CreateRequest, CreateResponse>(message, is_response);
    case Command::kClose: return Body<CloseRequest, CloseResponse>(message, is_response);
    case Command::kFlush: return Body<FlushRequest, FlushResponse>(message, is_response);
    case Command::kRead: return Body<ReadRequest, ReadResponse>(message, is_response);
    case Command::kWrite: return Body<WriteRequest, WriteResponse>(message, is_response);
    case Command::kLock: return Body<LockRequest, LockResponse>(message, is_response);
    case Command::kIoctl: return Body<IoctlRequest, IoctlResponse>(message, is_response);
    case Command::kCancel: return Body<CancelRequest, CancelRequest>(message, is_response);
    case Command::kEcho: return Body<EchoRequest, EchoResponse>(message, is_response);
    case Command::kQueryDirectory: return Body<QueryDirectoryRequest, QueryDirectoryResponse>(message, is_response);
    case Command::kChangeNotify: return Body<ChangeNotifyRequest, ChangeNotifyResponse>(message, is_response);
    case Command::kQueryInfo: return Body<QueryInfoRequest, QueryInfoResponse>(message, is_response);
    case Command::kSetInfo: return Body<SetInfoRequest, SetInfoResponse>(message, is_response);
    case Command::kOplockBreak:
      Body<OplockBreakAcknowledgment, OplockBreakNotification>(message, is_response);
      return Body<LeaseBreakAcknowledgment, LeaseBreakNotification>(message, is_response);
  }
}

void Frame(ByteView frame) {
  switch (ClassifyFrame(frame)) {
    case FrameKind::kEncrypted: static_cast<void>(TransformHeader::Decode(frame).ok()); return;
    case FrameKind::kCompressed: static_cast<void>(CompressionTransformHeader::Decode(frame).ok()); return;
    case FrameKind::kSmb1:
    case FrameKind::kUnknown: return;
    case FrameKind::kSmb2: break;
  }
  while (true) {
    const Result<Header> header = Header::Decode(frame);
    if (!header.ok()) return;
    Bytes again;
    header->AppendTo(again);
    HOLDFAST_CHECK(again.size() == kHeaderSize);
    const std::size_t next = header->next_command;
    if (next != 0 && (next % 8 != 0 || next < kHeaderSize || next > frame.size())) return;
    BodyOf(header->command, next == 0 ? frame : frame.first(next), header->is_response());
    if (next == 0) return;
    frame = frame.subspan(next);
  }
}

}  // namespace
}  // namespace holdfast::smb2

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  holdfast::smb2::Frame(holdfast::ByteView(data, size));
  return 0;
}
