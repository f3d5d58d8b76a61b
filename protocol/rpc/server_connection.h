// [C706] 12 and [MS-RPCE] 3.3.2: the server's side of one connection, from bytes to bytes.
#pragma once

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/erref/ntstatus.h"
#include "protocol/rpc/pdu.h"

namespace holdfast::rpc {

// The stub of the response, or the status of a fault.
using CallResult = std::variant<Bytes, std::uint32_t>;

// What a connection serves: the interface and its operations.
struct Interface {
  SyntaxId syntax;
  std::string secondary_address;  // shown in bind_ack
  std::function<CallResult(std::uint16_t opnum, ByteView stub)> call;
};

class ServerConnection {
 public:
  static constexpr std::size_t kMaximumFragment = 4280;     // what Windows offers
  static constexpr std::size_t kMaximumRequest = 4u << 20;  // stub bytes of one call
  static constexpr std::size_t kMaximumContexts = 32;
  static constexpr std::size_t kMaximumUnread = 16u << 20;  // bytes of answers that nobody has fetched

  explicit ServerConnection(Interface served);

  // Takes bytes in any pieces; calls run and answers stand in output() on return. kPipeDisconnected when the peer
  // broke the protocol (a fault or bind_nak is in output() where one is due) and for every call thereafter;
  // kInsuffServerResources when a request grows too large, or the client asks on without reading.
  NtStatus Receive(ByteView bytes);

  // PDUs to send, in order; the caller takes them away.
  std::deque<Bytes>& output() { return output_; }
  const std::deque<Bytes>& output() const { return output_; }
  bool disconnected() const { return disconnected_; }

 private:
  NtStatus ReceivePdu(const PduHeader& header, ByteView pdu);
  NtStatus ReceiveBind(const PduHeader& header, ByteView body);
  NtStatus ReceiveRequest(const PduHeader& header, ByteView body);
  NtStatus Disconnect();

  Interface served_;
  Bytes input_;
  std::deque<Bytes> output_;
  std::set<std::uint16_t> contexts_;  // accepted presentation contexts
  bool bound_ = false;
  bool disconnected_ = false;
  std::size_t max_transmit_fragment_ = kMaximumFragment;
  std::uint32_t association_group_ = 0;

  // The request whose fragments are arriving.
  bool collecting_ = false;
  std::uint32_t call_id_ = 0;
  std::uint16_t context_id_ = 0;
  std::uint16_t opnum_ = 0;
  Bytes stub_;
};

}  // namespace holdfast::rpc
