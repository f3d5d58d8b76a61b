// The last stage: responses of one frame are chained, signed or encrypted, and sent. [MS-SMB2] 3.3.4.1.
#pragma once

#include <memory>
#include <vector>

#include "server/request/request.h"
#include "server/state/connection.h"

namespace holdfast {

// The responses of a frame under construction.
class ResponseChain {
 public:
  explicit ResponseChain(std::shared_ptr<Connection> connection);
  // Appends header and body. `sign`/`encrypt` are decided by the caller from request and session.
  void Append(const smb2::Header& header, ByteView body, const SessionPtr& session, bool sign, bool encrypt);
  bool empty() const { return parts_.empty(); }
  // The message appended last, for the pre-authentication hash.
  ByteView last() const;
  // Seals and queues everything; the chain is empty afterwards.
  void Send();

 private:
  struct Part {
    std::size_t begin;
    SessionPtr session;
    bool sign;
  };
  static constexpr std::size_t kRoom = 4;  // the transport's length
  std::shared_ptr<Connection> connection_;
  Bytes out_;
  std::vector<Part> parts_;
  SessionPtr encrypt_for_;
};

}  // namespace holdfast
