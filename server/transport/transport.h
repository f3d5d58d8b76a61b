// Whole messages over a connection, [MS-SMB2] 2.1: Direct TCP with its 4-byte length. The only seam to sockets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/erref/result.h"
#include "storage/async/task.h"

namespace holdfast {

class Transport {
 public:
  virtual ~Transport() = default;
  // The next message without its length. kConnectionDisconnected at the end of the stream, kInvalidParameter for a
  // malformed or oversized frame (`max_bytes`).
  virtual Task<Result<Bytes>> Receive(std::size_t max_bytes) = 0;
  // Queues a message; the first 4 bytes are room for the length and are filled in. Never blocks.
  virtual void Send(Bytes message_with_room) = 0;
  // Ends both directions; a Receive under way answers kConnectionDisconnected. Queued messages are dropped when `abort`.
  virtual void Close(bool abort) = 0;
  // Bytes queued and not yet with the kernel: the pipeline stops reading while this is large.
  virtual std::size_t queued_bytes() const = 0;
  // How many bytes Send has been given, and how many of them the peer's transport has acknowledged: a message has arrived
  // when the second reaches what the first was after sending it. That the peer's process has read it is not said.
  virtual std::uint64_t sent_bytes() const = 0;
  virtual std::uint64_t acknowledged_bytes() = 0;
  // Resumes when queued_bytes() has fallen below `limit` or the connection ended.
  virtual Task<void> WaitUntilBelow(std::size_t limit) = 0;
  virtual std::string peer() const = 0;   // "127.0.0.1:50123"
  virtual std::string local() const = 0;  // address the client connected to
};

}  // namespace holdfast
