// Named pipes of IPC$: each is a DCE/RPC service of ours, reached by WRITE and READ, or by FSCTL_PIPE_TRANSCEIVE.
// All answers are at hand when Write returns, so nothing here waits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/clock.h"
#include "protocol/dtyp/guid.h"
#include "protocol/dtyp/security_token.h"
#include "protocol/dtyp/sid.h"
#include "protocol/erref/result.h"

namespace holdfast {

// A share as srvsvc shows it, [MS-SRVS] 2.2.4.23-2.2.4.26.
struct ShareFacts {
  std::u16string name;
  std::uint32_t type = 0;  // STYPE_*, 2.2.2.4: 0 disk tree, 3 IPC, with 0x80000000 (special), 0x02000000 (cluster), ...
  std::u16string comment;
  std::u16string path;  // as a Windows path, "C:\shares\profiles"; shown to administrators only
  std::uint32_t max_uses = 0xFFFFFFFF;
  std::uint32_t current_uses = 0;
  std::uint32_t csc_flags = 0;  // SHI1005 flags, 2.2.4.29
  Bytes security_descriptor;    // self-relative; empty: none shown
};

// A session as NetrSessionEnum shows it, [MS-SRVS] 2.2.4.12.
struct SessionFacts {
  std::u16string client;
  std::u16string user;
  std::uint32_t opens = 0;
  std::uint32_t active_seconds = 0;
  std::uint32_t idle_seconds = 0;
};

// What the lookups of lsarpc answer: domain and account of a SID. SidNameUse is [MS-SAMR] 2.2.2.3 / [MS-LSAT] 2.2.13.
struct AccountName {
  std::u16string domain;
  std::u16string name;
  Sid domain_sid;
  std::uint16_t use = 1;  // SidTypeUser
};

// What the services know of the server; everything may be left empty.
struct PipeEnvironment {
  std::u16string server_name;  // short (NetBIOS) name, without backslashes
  std::u16string domain_name;  // domain or workgroup
  std::u16string server_comment;
  Sid machine_sid;  // the account domain of this server; S-1-5-21-… or empty
  std::uint32_t version_major = 10;
  std::uint32_t version_minor = 0;
  std::function<std::vector<ShareFacts>()> shares;
  std::function<std::vector<SessionFacts>()> sessions;
  // Accounts beyond the well-known ones (users of the configuration); false or nullopt when unknown.
  std::function<bool(const Sid&, AccountName*)> find_sid;
  std::function<bool(std::u16string_view domain, std::u16string_view name, Sid*, AccountName*)> find_name;
  // The addresses that NetrServerTransportEnum lists, "10.0.0.1".
  std::function<std::vector<std::u16string>()> addresses;
  std::function<FileTime()> now;
  const SecurityToken* caller = nullptr;  // outlives the pipe; null: anonymous
};

// One open of one pipe. Not thread-safe: the open's owner calls it from one place at a time.
class NamedPipe {
 public:
  struct Output {
    Bytes data;
    bool more = false;  // the message did not fit: STATUS_BUFFER_OVERFLOW; the rest comes with the next read
  };
  virtual ~NamedPipe() = default;

  // Takes bytes of RPC PDUs, whole or in part. Answers the count. kPipeDisconnected after a protocol error of the
  // client (its fault has been answered), kInsuffServerResources when a request grows beyond 4 MiB.
  virtual Result<std::size_t> Write(ByteView bytes) = 0;

  // The next bytes of the answer, a fragment at a time. kPipeEmpty when there is nothing to read: the caller may keep
  // the READ pending until the next Write. kPipeDisconnected as above.
  virtual Result<Output> Read(std::size_t max) = 0;

  // FSCTL_PIPE_TRANSCEIVE, [MS-FSCC] 2.3.47. kPipeBusy when an answer is still unread.
  virtual Result<Output> Transceive(ByteView bytes, std::size_t max) = 0;

  // Bytes waiting to be read: FSCTL_PIPE_PEEK and FilePipeLocalInformation.
  virtual std::size_t available() const = 0;
};

// `name` is relative to IPC$ ("srvsvc", any case, a leading backslash is ignored). Null for a pipe that we do not
// have: STATUS_OBJECT_NAME_NOT_FOUND.
std::unique_ptr<NamedPipe> OpenPipe(std::u16string_view name, PipeEnvironment environment);

// Whether FSCTL_PIPE_WAIT would find the pipe.
bool PipeExists(std::u16string_view name);

}  // namespace holdfast
