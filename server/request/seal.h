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
  // Appends header and body, which begins behind `room` bytes of `body`, to be signed with `signer` when there is one.
  // With `encrypt_for` everything that is sent together is encrypted for that session instead.
  void Append(const smb2::Header& header, Bytes body, std::size_t room, std::shared_ptr<crypto::Signer> signer,
              const SessionPtr& encrypt_for);
  // The message appended last goes into the hash of `sign_in` as it leaves, with its signature.
  void HashLast(SignInPtr sign_in) { parts_.back().sign_in = std::move(sign_in); }
  // Keeps it until what was appended so far has been handed to the transport.
  void Hold(std::shared_ptr<void> until_sent) { held_.push_back(std::move(until_sent)); }
  // Bytes of what will be sent together so far.
  std::size_t size() const { return out_.size(); }
  // The message appended last, for the pre-authentication hash of the connection.
  ByteView last() const;
  // Seals and queues everything; the chain is empty afterwards.
  void Send();

 private:
  struct Part {
    std::size_t begin;
    std::shared_ptr<crypto::Signer> signer;
    SignInPtr sign_in;
  };
  static constexpr std::size_t kRoom = 4;  // the transport's length
  std::shared_ptr<Connection> connection_;
  Bytes out_;
  std::vector<Part> parts_;
  SessionPtr encrypt_for_;
  std::vector<std::shared_ptr<void>> held_;
};

}  // namespace holdfast
