// Oplocks and leases between two clients, and durable handles: [MS-SMB2] 3.3.4.6, 3.3.4.7, 3.3.5.9.6 to .12, 3.3.5.22.
#include "conformance/cases/bed.h"
#include "protocol/smb2/contexts/durable_handle.h"
#include "protocol/smb2/contexts/lease.h"
#include "protocol/smb2/messages/oplock_break.h"

namespace holdfast::client {
namespace {

namespace names = smb2::create_context;
namespace lease_state = smb2::lease_state;
using smb2::Command;
using smb2::CreateContext;
using smb2::CreateDisposition;
using smb2::OplockLevel;

constexpr std::uint32_t kRead = lease_state::kReadCaching;
constexpr std::uint32_t kReadHandle = kRead | lease_state::kHandleCaching;
constexpr std::uint32_t kAll = kReadHandle | lease_state::kWriteCaching;

Guid Key(std::uint8_t n) {
  Guid key;
  key.bytes.fill(n);
  return key;
}

smb2::CreateRequest WithLease(smb2::CreateRequest request, const Guid& key, std::uint32_t state) {
  request.requested_oplock_level = OplockLevel::kLease;
  smb2::LeaseContextV2 lease;
  lease.lease_key = key;
  lease.lease_state = state;
  lease.epoch = 4;
  request.contexts.push_back(CreateContext::From(names::kRequestLease, lease));
  return request;
}

smb2::LeaseContextV2 LeaseOf(const CreateResult& result) {
  const auto* context = smb2::FindContext(result.response.contexts, names::kRequestLease);
  if (!context || context->data.size() != smb2::LeaseContextV2::kSize) throw CannotGoOn("no lease in the answer");
  return *wire::Decode<smb2::LeaseContextV2>(context->data);
}

// A CREATE under way in a coroutine of its own.
struct Opening {
  bool done = false;
  NtStatus status = NtStatus::kSuccess;
};

Task<void> OpenBeside(TreePtr tree, smb2::CreateRequest request, std::shared_ptr<Opening> opening) {
  const auto result = co_await tree->Create(std::move(request));
  opening->status = result.status();
  opening->done = true;
}

Task<BreakNotification> NextBreak(Bed& bed, ConnectionPtr connection) {
  const std::function<bool()> come = [connection] { return connection->breaks() != 0; };
  co_await bed.Until(come, "a break notification");
  auto breaks = connection->TakeBreaks();
  EXPECT_EQ(breaks.size(), 1u) << "one for each lease";
  co_return breaks.front();
}

Task<Result<Response>> Acknowledge(TreePtr tree, Guid key, std::uint32_t state) {
  const smb2::LeaseBreakAcknowledgment acknowledgment{.lease_key = key, .lease_state = state};
  const CallOptions options = tree->Options();
  co_return co_await tree->session()->connection()->Call(Command::kOplockBreak, acknowledgment, options);
}

Task<void> UntilDone(Bed& bed, std::shared_ptr<Opening> opening) {
  const std::function<bool()> done = [opening] { return opening->done; };
  co_await bed.Until(done, "the answer of the CREATE");
}

// On `share` a lease with everything, and another client's open that has to wait for it.
Task<void> BreakOfALease(Bed& bed, std::string share, bool encrypted) {
  const TreePtr holder = co_await bed.Mount(share);
  const TreePtr other = co_await bed.Mount(share);
  const ConnectionPtr connection = holder->session()->connection();
  EXPECT_NE(connection->server_capabilities() & smb2::capability::kLeasing, 0u);
  const std::string name = Bed::Fresh("leased");
  auto request = WithLease(FileRequest(name, CreateDisposition::kCreate), Key(1), kAll);
  auto created = co_await holder->Create(request);
  const CreateResult first = Need(std::move(created), "CREATE with a lease");
  EXPECT_EQ(first.response.oplock_level, OplockLevel::kLease);
  EXPECT_EQ(LeaseOf(first).lease_state, kAll);
  EXPECT_EQ(LeaseOf(first).epoch, 5);

  const auto opening = std::make_shared<Opening>();
  Spawn(bed.executor(), OpenBeside(other, FileRequest(name, CreateDisposition::kOpen), opening));
  const BreakNotification notification = co_await NextBreak(bed, connection);
  if (!notification.lease) throw CannotGoOn("the break is not one of a lease");
  EXPECT_EQ(notification.encrypted, encrypted);
  EXPECT_FALSE(notification.header.is_signed());
  EXPECT_EQ(notification.header.session_id, 0u);
  EXPECT_EQ(notification.lease->flags, smb2::lease_break_flag::kAckRequired);
  EXPECT_EQ(notification.lease->lease_key, Key(1));
  EXPECT_EQ(notification.lease->current_lease_state, kAll);
  EXPECT_EQ(notification.lease->new_lease_state, kReadHandle);
  EXPECT_EQ(notification.lease->new_epoch, 6);

  // The same lease never waits for its own break.
  request = WithLease(FileRequest(name, CreateDisposition::kOpen), Key(1), kAll);
  auto again = co_await holder->Create(request);
  const CreateResult second = Need(std::move(again), "CREATE with the breaking lease");
  EXPECT_EQ(LeaseOf(second).lease_state, kAll);
  EXPECT_EQ(LeaseOf(second).flags, smb2::lease_flag::kBreakInProgress);
  EXPECT_FALSE(opening->done);
  auto refused = co_await Acknowledge(holder, Key(1), kAll);
  EXPECT_EQ(Need(std::move(refused), "acknowledgment").status(), NtStatus::kRequestNotAccepted);
  refused = co_await Acknowledge(other, Key(1), kReadHandle);
  EXPECT_EQ(Need(std::move(refused), "acknowledgment").status(), NtStatus::kObjectNameNotFound);
  auto accepted = co_await Acknowledge(holder, Key(1), kReadHandle);
  EXPECT_EQ(Need(std::move(accepted), "acknowledgment").status(), NtStatus::kSuccess);
  co_await UntilDone(bed, opening);
  EXPECT_EQ(opening->status, NtStatus::kSuccess);
  refused = co_await Acknowledge(holder, Key(1), kReadHandle);
  EXPECT_EQ(Need(std::move(refused), "acknowledgment").status(), NtStatus::kUnsuccessful);

  // A write of the other client takes the rest, and waits for nobody.
  const smb2::FileId file = co_await Opened(other, FileRequest(name, CreateDisposition::kOpen));
  const Bytes data = {1, 2, 3};
  const auto written = co_await other->Write(file, 0, data);
  EXPECT_EQ(written.status(), NtStatus::kSuccess);
  const BreakNotification rest = co_await NextBreak(bed, connection);
  if (!rest.lease) throw CannotGoOn("the break is not one of a lease");
  EXPECT_EQ(rest.lease->new_lease_state, 0u);
  EXPECT_EQ(rest.lease->new_epoch, 7);
}

smb2::CreateRequest WithBatch(smb2::CreateRequest request) {
  request.requested_oplock_level = OplockLevel::kBatch;
  return request;
}

}  // namespace

CASE(Caching, LeaseIsBrokenAndAcknowledged) { co_await BreakOfALease(bed, "scratch", false); }

CASE(Caching, LeaseOfAPersistentHandleIsBrokenAndAcknowledged) { co_await BreakOfALease(bed, "profiles", false); }

CASE(Caching, BreakIsEncryptedWhereEverythingIs) { co_await BreakOfALease(bed, "secure", true); }

CASE(Caching, BatchOplockIsBrokenToLevelII) {
  const TreePtr holder = co_await bed.Mount("scratch");
  const TreePtr other = co_await bed.Mount("scratch");
  const ConnectionPtr connection = holder->session()->connection();
  const std::string name = Bed::Fresh("batch");
  auto created = co_await holder->Create(WithBatch(FileRequest(name, CreateDisposition::kCreate)));
  const CreateResult first = Need(std::move(created), "CREATE with a batch oplock");
  EXPECT_EQ(first.response.oplock_level, OplockLevel::kBatch);
  const auto opening = std::make_shared<Opening>();
  Spawn(bed.executor(), OpenBeside(other, WithBatch(FileRequest(name, CreateDisposition::kOpen)), opening));
  const BreakNotification notification = co_await NextBreak(bed, connection);
  if (!notification.oplock) throw CannotGoOn("the break is not one of an oplock");
  EXPECT_EQ(notification.header.session_id, holder->session()->id());
  EXPECT_EQ(notification.oplock->oplock_level, OplockLevel::kLevelII);
  EXPECT_EQ(notification.oplock->file_id, first.response.file_id);
  EXPECT_FALSE(opening->done);
  const smb2::OplockBreakAcknowledgment acknowledgment{.oplock_level = OplockLevel::kLevelII,
                                                       .file_id = first.response.file_id};
  const CallOptions options = holder->Options();
  const auto answer = co_await connection->Call(Command::kOplockBreak, acknowledgment, options);
  EXPECT_EQ(answer.ok() ? answer->status() : answer.status(), NtStatus::kSuccess);
  co_await UntilDone(bed, opening);
  EXPECT_EQ(opening->status, NtStatus::kSuccess);
  const auto repeated = co_await connection->Call(Command::kOplockBreak, acknowledgment, options);
  EXPECT_EQ(repeated.ok() ? repeated->status() : repeated.status(), NtStatus::kInvalidDeviceState);
}

CASE(Caching, LostConnectionOfTheHolderLetsTheOtherIn) {
  const TreePtr holder = co_await bed.Mount("scratch");
  const TreePtr other = co_await bed.Mount("scratch");
  const std::string name = Bed::Fresh("lost");
  co_await Opened(holder, WithBatch(FileRequest(name, CreateDisposition::kCreate)));
  const auto opening = std::make_shared<Opening>();
  Spawn(bed.executor(), OpenBeside(other, FileRequest(name, CreateDisposition::kOpen), opening));
  co_await NextBreak(bed, holder->session()->connection());
  holder->session()->connection()->Close();
  co_await UntilDone(bed, opening);
  EXPECT_EQ(opening->status, NtStatus::kSuccess);
}

CASE(Caching, DurableHandleComesBackOverANewConnection) {
  const ConnectOptions to = bed.To();
  const ConnectionPtr connection = co_await bed.Connect(to);
  const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
  const TreePtr tree = co_await bed.Mount(session, "scratch");
  const std::string name = Bed::Fresh("durable");
  smb2::DurableHandleRequestV2 ask;
  ask.create_guid = Key(9);
  auto request = WithLease(FileRequest(name, CreateDisposition::kCreate), Key(3), kAll);
  request.contexts.push_back(CreateContext::From(names::kDurableHandleRequestV2, ask));
  auto created = co_await tree->Create(request);
  const CreateResult first = Need(std::move(created), "CREATE with DH2Q");
  const auto* granted = smb2::FindContext(first.response.contexts, names::kDurableHandleRequestV2);
  if (!granted) throw CannotGoOn("the handle is not durable");
  EXPECT_EQ(wire::Decode<smb2::DurableHandleResponseV2>(granted->data)->flags, 0u);
  connection->Close();

  const ConnectionPtr later = co_await bed.Connect(to);
  const SessionPtr next = co_await bed.SignIn(later, Bed::Alice());
  const TreePtr back = co_await bed.Mount(next, "scratch");
  smb2::DurableHandleReconnectV2 reconnect;
  reconnect.file_id = first.response.file_id;
  reconnect.create_guid = Key(9);
  request = WithLease(FileRequest(name, CreateDisposition::kOpen), Key(3), kAll);
  request.contexts.push_back(CreateContext::From(names::kDurableHandleReconnectV2, reconnect));
  // The server may not yet have seen the end of the old connection.
  for (int attempt = 0;; ++attempt) {
    auto answer = co_await back->Create(request);
    if (!answer.ok() && attempt < 50) {
      co_await bed.Pause(std::chrono::milliseconds(100));
      continue;
    }
    const CreateResult second = Need(std::move(answer), "CREATE with DH2C");
    EXPECT_EQ(LeaseOf(second).lease_state, kAll);
    EXPECT_EQ(second.response.file_id.persistent_id, first.response.file_id.persistent_id);
    break;
  }
}

// As the client of Linux behind a close() during an outage: it comes back without the handle, and deletes the file.
CASE_WITHIN(Caching, HandleThatItsClientHasForgottenDoesNotKeepTheFile, std::chrono::seconds(90)) {
  const ConnectOptions to = bed.To();
  const ConnectionPtr connection = co_await bed.Connect(to);
  const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
  const TreePtr tree = co_await bed.Mount(session, "profiles");
  const std::string name = Bed::Fresh("forgotten");
  smb2::DurableHandleRequestV2 ask;
  ask.create_guid = Key(10);
  ask.flags = smb2::durable_flag::kPersistent;
  auto request = WithLease(FileRequest(name, CreateDisposition::kCreate), Key(4), kAll);
  request.contexts.push_back(CreateContext::From(names::kDurableHandleRequestV2, ask));
  co_await Opened(tree, request);
  connection->Close();

  const ConnectionPtr later = co_await bed.Connect(to);
  const SessionPtr next = co_await bed.SignIn(later, Bed::Alice());
  const TreePtr back = co_await bed.Mount(next, "profiles");
  const SteadyTime began = bed.clock().Now();
  auto remove = FileRequest(name, CreateDisposition::kOpen);
  remove.create_options |= smb2::create_option::kDeleteOnClose;
  EXPECT_EQ(co_await StatusOfCreate(back, remove), NtStatus::kSuccess);
  // The handle's own timeout would be three minutes.
  const Duration waited = bed.clock().Now() - began;
  EXPECT_GE(waited, std::chrono::seconds(9));
  EXPECT_LT(waited, std::chrono::seconds(60));
  EXPECT_FALSE(co_await Exists(back, name));
}

}  // namespace holdfast::client
