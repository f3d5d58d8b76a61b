// What the handlers of commands have in common.
#pragma once

#include "protocol/smb2/messages/error.h"
#include "protocol/wire/codec.h"
#include "server/request/request.h"
#include "server/server.h"
#include "server/state/connection.h"
#include "storage/files/files.h"

namespace holdfast {

// Decodes a body, or ends the handler with STATUS_INVALID_PARAMETER ([MS-SMB2] 3.3.5.2.6). Names the message `m`.
#define HOLDFAST_DECODE(Message, m, request)                           \
  auto m##_result = smb2::Decode<Message>((request)->message);        \
  if (!m##_result.ok()) {                                             \
    ++(request)->server->metrics().peer_faults;                       \
    co_return m##_result.status();                                    \
  }                                                                   \
  const Message& m = *m##_result

template <class M>
Reply Answer(const M& body, NtStatus status = NtStatus::kSuccess) {
  return Reply(status, smb2::EncodeBody(body));
}

// The files of the share of this request; only on a disk share.
inline Files& FilesOf(const Request& request) { return *request.tree->share->files; }

// MaxTransactSize, MaxReadSize and MaxWriteSize of this connection, in bytes: 64 KiB without large MTU (2.2.4).
std::uint32_t MaxTransactBytes(const Request& request);

// An error whose answer carries data, [MS-SMB2] 2.2.2: as an error context in 3.1.1, bare before. With empty data
// 3.1.1 still gets the empty context that 3.3.5.20.1 asks for.
Reply ErrorWithData(const Request& request, NtStatus status, ByteView data);

}  // namespace holdfast
