// A session on several connections: who may bind one, what is shared, what a lost one takes along.
#include "conformance/cases/bed.h"

#include "protocol/fscc/fsctl.h"
#include "protocol/smb2/contexts/durable_handle.h"
#include "protocol/smb2/contexts/lease.h"
#include "protocol/smb2/ioctl/network_interface_info.h"
#include "protocol/smb2/messages/session_setup.h"

namespace holdfast::client {
namespace {

// The second address of the server, 32 above the first.
std::string OtherAddress() {
  const std::string& first = TheEnvironment().address;
  const auto dot = first.rfind('.');
  return first.substr(0, dot + 1) + std::to_string(std::stoi(first.substr(dot + 1)) + 32);
}

ConnectOptions Sibling(const SessionPtr& session) {
  ConnectOptions options = session->connection()->options();
  options.address = OtherAddress();
  return options;
}

Task<SessionPtr> Bound(Bed& bed, SessionPtr session) {
  const ConnectionPtr connection = co_await bed.Connect(Sibling(session));
  co_return Need(co_await session->Bind(connection, Bed::Alice()), "binding");
}

Task<NtStatus> StatusOfBinding(Bed& bed, SessionPtr session, ConnectOptions options, Credentials credentials) {
  const ConnectionPtr connection = co_await bed.Connect(std::move(options));
  const auto bound = co_await session->Bind(connection, std::move(credentials));
  connection->Close();
  co_return bound.status();
}

// A SESSION_SETUP with the flag and nothing behind it.
Task<NtStatus> StatusOfBareBinding(ConnectionPtr connection, std::shared_ptr<SessionSecurity> security) {
  smb2::SessionSetupRequest request;
  request.flags = smb2::session_setup_flag::kBinding;
  const Bytes token = Pattern(16, 1);
  request.security_buffer = token;
  CallOptions options;
  options.session = std::move(security);
  options.unverified = true;
  const auto answer = co_await connection->Call(smb2::Command::kSessionSetup, request, options);
  co_return answer.ok() ? answer->status() : answer.status();
}

smb2::CreateRequest Exclusive(const std::string& name) {
  auto request = FileRequest(name, smb2::CreateDisposition::kOpenIf);
  request.share_access = 0;
  return request;
}

// Writes version after version of one block until told to stop, each behind the answer to the one before.
struct Writer {
  std::shared_ptr<PersistentFile> file;
  std::uint64_t offset = 0;
  std::uint64_t version = 0;  // acknowledged
  NtStatus status = NtStatus::kSuccess;
};

struct Crowd {
  bool stop = false;
  std::size_t running = 0;
  OneShot<int> all_done;
};

constexpr std::size_t kBlock = 4096;

Bytes BlockOf(std::uint64_t offset, std::uint64_t version) { return Pattern(kBlock, offset << 20 | version); }

Task<void> WriteOn(std::shared_ptr<Writer> writer, std::shared_ptr<Crowd> crowd) {
  while (!crowd->stop && writer->status == NtStatus::kSuccess) {
    const Bytes block = BlockOf(writer->offset, writer->version + 1);
    writer->status = co_await writer->file->Write(writer->offset, block);
    if (writer->status == NtStatus::kSuccess) ++writer->version;
  }
  if (--crowd->running == 0) crowd->all_done.Set(0);
}

// Kills one channel after the other, never the last.
Task<void> BreakInTurn(std::shared_ptr<PersistentFile> file, std::shared_ptr<Crowd> crowd, Clock& clock) {
  for (std::size_t turn = 0; !crowd->stop; ++turn) {
    co_await SleepFor(clock, std::chrono::milliseconds(7));
    if (file->channels() > 1) file->BreakChannel(turn % file->channels());
  }
  if (--crowd->running == 0) crowd->all_done.Set(0);
}

}  // namespace

CASE(Channels, CapabilityIsAnnouncedToWhoAsks) {
  const ConnectionPtr connection = co_await bed.Connect();
  EXPECT_TRUE(connection->server_capabilities() & smb2::capability::kMultiChannel);
  ConnectOptions silent = bed.To();
  silent.multichannel = false;
  const ConnectionPtr other = co_await bed.Connect(silent);
  EXPECT_FALSE(other->server_capabilities() & smb2::capability::kMultiChannel);
  const ConnectionPtr old = co_await bed.Connect(bed.To(smb2::Dialect::k210));
  EXPECT_FALSE(old->server_capabilities() & smb2::capability::kMultiChannel);
}

CASE(Channels, InterfacesAreThoseServed) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const auto answer = co_await tree->Ioctl(smb2::kAllOnesFileId, fsctl::kQueryNetworkInterfaceInfo, {}, 65536);
  const Bytes bytes = Need(answer, "QUERY_NETWORK_INTERFACE_INFO");
  const auto list = Need(wire::Decode<smb2::NetworkInterfaceInfoResponse>(bytes), "interfaces");
  std::vector<std::string> addresses;
  for (const smb2::NetworkInterfaceInfo& info : list.interfaces) {
    EXPECT_NE(info.if_index, 0u);
    EXPECT_EQ(info.if_index, list.interfaces.front().if_index);
    EXPECT_NE(info.link_speed, 0u);
    const auto& a = info.sockaddr_storage.ipv4_address;
    addresses.push_back(std::to_string(a[0]) + "." + std::to_string(a[1]) + "." + std::to_string(a[2]) + "." +
                        std::to_string(a[3]));
  }
  std::sort(addresses.begin(), addresses.end());
  std::vector<std::string> expected = {TheEnvironment().address, OtherAddress()};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(addresses, expected);
}

CASE(Channels, TreesAndOpensBelongToTheSession) {
  for (const smb2::Dialect dialect : {smb2::Dialect::k300, smb2::Dialect::k302, smb2::Dialect::k311}) {
    ConnectOptions options = bed.To(dialect);
    const ConnectionPtr connection = co_await bed.Connect(options);
    const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
    const TreePtr tree = co_await bed.Mount(session, "scratch");
    const SessionPtr channel = co_await Bound(bed, session);
    EXPECT_EQ(channel->id(), session->id());
    const TreePtr other = tree->On(channel);
    const std::string name = Bed::Fresh("shared");
    const smb2::FileId file = co_await Opened(tree, Exclusive(name));
    const Bytes data = Pattern(100'000, 7);
    co_await WriteAll(other, file, 0, data);
    EXPECT_EQ(co_await ReadAll(tree, file, 0, data.size()), data);
    EXPECT_EQ(co_await other->Close(file), NtStatus::kSuccess);
    const auto after = co_await tree->Read(file, 0, 10);
    EXPECT_EQ(after.ok() ? after->status() : after.status(), NtStatus::kFileClosed);
    // A tree of the second channel serves the first one too.
    const TreePtr late = co_await bed.Mount(channel, "profiles");
    EXPECT_EQ(co_await StatusOfOpen(late->On(session), Bed::Fresh("none")), NtStatus::kObjectNameNotFound);
  }
}

CASE(Channels, EncryptedSessionsShareTheirKeys) {
  const SessionPtr session = co_await bed.SignIn();
  session->set_encrypt(true);
  const TreePtr tree = co_await bed.Mount(session, "secure");
  const TreePtr other = tree->On(co_await Bound(bed, session));
  const smb2::FileId file = co_await Opened(tree, Exclusive(Bed::Fresh("secret")));
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Bytes data = Pattern(1000, i);
    co_await WriteAll(i % 2 == 0 ? tree : other, file, i * 1000, data);
    EXPECT_EQ(co_await ReadAll(i % 2 == 0 ? other : tree, file, i * 1000, data.size()), data);
  }
  EXPECT_EQ(co_await other->Close(file), NtStatus::kSuccess);
}

CASE(Channels, EachSignsWithItsOwnKey) {
  const SessionPtr session = co_await bed.SignIn();
  const TreePtr tree = co_await bed.Mount(session, "scratch");
  const SessionPtr channel = co_await Bound(bed, session);
  EXPECT_EQ(co_await StatusOfEcho(channel), NtStatus::kSuccess);
  const auto own_key = std::exchange(channel->security()->signer, session->security()->signer);
  const auto path = Bed::Unc("scratch");
  const auto with_wrong_key = co_await Tree::Connect(channel, path);
  EXPECT_FALSE(with_wrong_key.ok());
  channel->security()->signer = own_key;
  // The refusal could not be verified, which ends our side of the connection. The session lives on over the other.
  EXPECT_EQ(co_await StatusOfEcho(session), NtStatus::kSuccess);
  EXPECT_EQ(co_await StatusOfOpen(tree, Bed::Fresh("none")), NtStatus::kObjectNameNotFound);
}

CASE(Channels, WhatCannotBeBound) {
  const SessionPtr session = co_await bed.SignIn();
  const ConnectOptions sibling = Sibling(session);

  // Not signed: 3.3.5.5.
  auto keyless = std::make_shared<SessionSecurity>();
  keyless->session_id = session->id();
  const ConnectionPtr connection = co_await bed.Connect(sibling);
  EXPECT_EQ(co_await StatusOfBareBinding(connection, keyless), NtStatus::kInvalidParameter);
  // Signed by somebody else.
  const SessionPtr stranger = co_await bed.SignIn();
  auto forged = std::make_shared<SessionSecurity>();
  forged->session_id = session->id();
  forged->signer = stranger->security()->signer;
  EXPECT_EQ(co_await StatusOfBareBinding(connection, forged), NtStatus::kAccessDenied);
  // No such session.
  auto unknown = std::make_shared<SessionSecurity>(*session->security());
  unknown->session_id = session->id() ^ 0x5555;
  EXPECT_EQ(co_await StatusOfBareBinding(connection, unknown), NtStatus::kUserSessionDeleted);
  auto nothing = std::make_shared<SessionSecurity>(*session->security());
  nothing->session_id = 0;
  EXPECT_EQ(co_await StatusOfBareBinding(connection, nothing), NtStatus::kInvalidParameter);
  // On the connection it lives on already.
  EXPECT_EQ(co_await StatusOfBareBinding(session->connection(), session->security()), NtStatus::kRequestNotAccepted);

  ConnectOptions older = sibling;
  older.dialects = {smb2::Dialect::k302};
  older.client_guid = Guid::Generate(SystemRandom());
  older.signing_algorithms = {1};
  ConnectOptions cmac = sibling;
  cmac.signing_algorithms = {1};
  ConnectOptions ccm = sibling;
  ccm.ciphers = {1};
  EXPECT_EQ(session->connection()->signing_algorithm(), crypto::SigningAlgorithm::kAesGmac);
  EXPECT_EQ(co_await StatusOfBinding(bed, session, cmac, Bed::Alice()), NtStatus::kRequestOutOfSequence);
  EXPECT_EQ(co_await StatusOfBinding(bed, session, older, Bed::Alice()), NtStatus::kRequestOutOfSequence);
  EXPECT_EQ(co_await StatusOfBinding(bed, session, ccm, Bed::Alice()), NtStatus::kInvalidParameter);

  ConnectOptions first = bed.To(smb2::Dialect::k302);
  const SessionPtr signed_by_cmac = co_await bed.SignIn(co_await bed.Connect(first), Bed::Alice());
  ConnectOptions newer = first;
  newer.dialects = {smb2::Dialect::k311};
  EXPECT_EQ(co_await StatusOfBinding(bed, signed_by_cmac, newer, Bed::Alice()), NtStatus::kNotSupported);
  newer.signing_algorithms = {1};
  EXPECT_EQ(co_await StatusOfBinding(bed, signed_by_cmac, newer, Bed::Alice()), NtStatus::kInvalidParameter);
  newer.dialects = {smb2::Dialect::k210};
  EXPECT_EQ(co_await StatusOfBinding(bed, signed_by_cmac, newer, Bed::Alice()), NtStatus::kRequestNotAccepted);

  // All that did the sessions no harm.
  EXPECT_EQ(co_await StatusOfEcho(session), NtStatus::kSuccess);
  EXPECT_EQ(co_await StatusOfEcho(signed_by_cmac), NtStatus::kSuccess);
  (void)co_await Bound(bed, session);
}

CASE(Channels, OnlyTheUserOfTheSessionBindsIt) {
  const SessionPtr session = co_await bed.SignIn();
  const TreePtr tree = co_await bed.Mount(session, "scratch");
  const smb2::FileId file = co_await Opened(tree, Exclusive(Bed::Fresh("mine")));
  EXPECT_EQ(co_await StatusOfBinding(bed, session, Sibling(session), Bed::Bob()), NtStatus::kAccessDenied);
  Credentials wrong = Bed::Alice();
  wrong.password += "x";
  EXPECT_EQ(co_await StatusOfBinding(bed, session, Sibling(session), wrong), NtStatus::kLogonFailure);
  // The same connection may try again.
  const ConnectionPtr connection = co_await bed.Connect(Sibling(session));
  const auto refused = co_await session->Bind(connection, Bed::Bob());
  EXPECT_EQ(refused.status(), NtStatus::kAccessDenied);
  const auto bound = co_await session->Bind(connection, Bed::Alice());
  EXPECT_EQ(bound.status(), NtStatus::kSuccess);
  EXPECT_EQ(co_await tree->Close(file), NtStatus::kSuccess);
}

CASE(Channels, HandlesLiveWhileOneChannelDoes) {
  const SessionPtr session = co_await bed.SignIn();
  const TreePtr tree = co_await bed.Mount(session, "scratch");
  const std::string name = Bed::Fresh("held");
  const smb2::FileId file = co_await Opened(tree, Exclusive(name));
  const Bytes data = Pattern(5000, 1);
  co_await WriteAll(tree, file, 0, data);
  EXPECT_EQ(co_await LockRange(tree, file, 0, 100, smb2::lock_flag::kExclusiveLock), NtStatus::kSuccess);
  const TreePtr stranger = co_await bed.Mount("scratch");

  // The connection that the session was signed in on goes first, then one after the other of those that replaced it.
  TreePtr current = tree;
  for (int i = 0; i < 4; ++i) {
    const SessionPtr next = co_await Bound(bed, current->session());
    current->session()->connection()->Close();
    current = tree->On(next);
    EXPECT_EQ(co_await ReadAll(current, file, 0, data.size()), data);
    EXPECT_EQ(co_await StatusOfOpen(stranger, name), NtStatus::kSharingViolation);
  }
  EXPECT_EQ(co_await LockRange(current, file, 0, 100, smb2::lock_flag::kUnlock), NtStatus::kSuccess);
  current->session()->connection()->Close();
  NtStatus last = NtStatus::kSharingViolation;
  for (int i = 0; i < 100 && last != NtStatus::kSuccess; ++i) {
    co_await bed.Pause(std::chrono::milliseconds(20));
    last = co_await StatusOfOpen(stranger, name);
  }
  EXPECT_EQ(last, NtStatus::kSuccess);
}

CASE(Channels, WaitingRequestsGoWithTheirChannel) {
  const SessionPtr session = co_await bed.SignIn();
  const TreePtr tree = co_await bed.Mount(session, "scratch");
  const std::string name = Bed::Fresh("waits");
  const smb2::FileId file = co_await Opened(tree, FileRequest(name, smb2::CreateDisposition::kCreate));
  const TreePtr other = tree->On(co_await Bound(bed, session));
  const TreePtr stranger = co_await bed.Mount("scratch");
  const smb2::FileId theirs = co_await Opened(stranger, FileRequest(name, smb2::CreateDisposition::kOpen));
  EXPECT_EQ(co_await LockRange(stranger, theirs, 0, 10, smb2::lock_flag::kExclusiveLock), NtStatus::kSuccess);
  std::uint64_t message_id = 0;
  auto ended = std::make_shared<OneShot<NtStatus>>();
  Spawn(bed.executor(), [](TreePtr on, smb2::FileId id, std::uint64_t* message,
                           std::shared_ptr<OneShot<NtStatus>> end) -> Task<void> {
    end->Set(co_await LockRange(on, id, 0, 10, smb2::lock_flag::kExclusiveLock, message));
  }(other, file, &message_id, ended));
  const ConnectionPtr dying = other->session()->connection();
  co_await bed.Until([&] { return message_id != 0 && dying->IsPending(message_id); }, "the LOCK waits");
  dying->Close();
  EXPECT_TRUE(IsTransportLoss(co_await ended->Wait()));
  co_await bed.Pause(std::chrono::milliseconds(100));
  EXPECT_EQ(co_await LockRange(stranger, theirs, 0, 10, smb2::lock_flag::kUnlock), NtStatus::kSuccess);
  // Nobody holds what the dead channel had asked for.
  constexpr std::uint32_t kAtOnce = smb2::lock_flag::kExclusiveLock | smb2::lock_flag::kFailImmediately;
  EXPECT_EQ(co_await LockRange(stranger, theirs, 0, 10, kAtOnce), NtStatus::kSuccess);
  EXPECT_EQ(co_await tree->Close(file), NtStatus::kSuccess);
}

// A CREATE under way in a coroutine of its own.
struct Opening {
  std::optional<Result<CreateResult>> result;
};

Task<void> OpenBeside(TreePtr tree, smb2::CreateRequest request, std::shared_ptr<Opening> opening) {
  opening->result = co_await tree->Create(std::move(request));
}

// Somebody holds a lease with everything, and `request` on `tree` waits for the holder's acknowledgment.
Task<std::shared_ptr<Opening>> OpenBehindLease(Bed& bed, TreePtr holder, TreePtr tree, smb2::CreateRequest request) {
  const ConnectionPtr connection = holder->session()->connection();
  const auto opening = std::make_shared<Opening>();
  Spawn(bed.executor(), OpenBeside(std::move(tree), std::move(request), opening));
  const std::function<bool()> told = [connection] { return connection->breaks() != 0; };
  co_await bed.Until(told, "the break of the lease");
  (void)connection->TakeBreaks();
  co_return opening;
}

smb2::CreateRequest Leased(const std::string& name, std::uint8_t key) {
  auto request = FileRequest(name, smb2::CreateDisposition::kOpenIf);
  request.requested_oplock_level = smb2::OplockLevel::kLease;
  smb2::LeaseContextV2 lease;
  lease.lease_key.bytes.fill(key);
  lease.lease_state = 7;
  request.contexts.push_back(smb2::CreateContext::From(smb2::create_context::kRequestLease, lease));
  return request;
}

smb2::CreateRequest WithGuid(smb2::CreateRequest request, std::uint8_t n) {
  smb2::DurableHandleRequestV2 ask;
  ask.create_guid.bytes.fill(n);
  request.contexts.push_back(smb2::CreateContext::From(smb2::create_context::kDurableHandleRequestV2, ask));
  return request;
}

CASE(Channels, ACreateWithAGuidGoesOnWithoutItsChannel) {
  const TreePtr holder = co_await bed.Mount("scratch");
  const SessionPtr session = co_await bed.SignIn();
  const TreePtr tree = co_await bed.Mount(session, "scratch");
  const TreePtr other = tree->On(co_await Bound(bed, session));
  const std::string name = Bed::Fresh("goes_on");
  const smb2::FileId held = co_await Opened(holder, Leased(name, 1));

  const auto request = WithGuid(FileRequest(name, smb2::CreateDisposition::kOpen), 21);
  const auto opening = co_await OpenBehindLease(bed, holder, tree, request);
  session->connection()->Close();
  const std::function<bool()> lost = [opening] { return opening->result.has_value(); };
  co_await bed.Until(lost, "the end of the first channel");
  EXPECT_TRUE(IsTransportLoss(opening->result->status()));
  // Whether or not the server has heard of that: the first copy is still under way.
  for (int i = 0; i < 2; ++i) {
    const auto refused = co_await other->Create(request, Replay{1, true});
    EXPECT_EQ(refused.status(), NtStatus::kFileNotAvailable);
  }
  EXPECT_EQ(co_await holder->Close(held), NtStatus::kSuccess);
  const CreateResult opened = Need(co_await other->Create(request, Replay{1, true}), "the replay");
  const Bytes data = Pattern(100, 3);
  co_await WriteAll(other, opened.response.file_id, 0, data);
  // Nobody has it open a second time.
  EXPECT_EQ(co_await other->Close(opened.response.file_id), NtStatus::kSuccess);
  EXPECT_EQ(co_await holder->Close(co_await Opened(holder, Exclusive(name))), NtStatus::kSuccess);
}

CASE(Channels, ACreateWithAGuidEndsWithItsSession) {
  const TreePtr holder = co_await bed.Mount("scratch");
  const SessionPtr session = co_await bed.SignIn();
  const TreePtr tree = co_await bed.Mount(session, "scratch");
  const TreePtr other = tree->On(co_await Bound(bed, session));
  const std::string name = Bed::Fresh("ends");
  const smb2::FileId held = co_await Opened(holder, Leased(name, 2));

  const auto request = WithGuid(FileRequest(name, smb2::CreateDisposition::kOpen), 22);
  (void)co_await OpenBehindLease(bed, holder, tree, request);
  session->connection()->Close();
  const auto refused = co_await other->Create(request, Replay{1, true});
  EXPECT_EQ(refused.status(), NtStatus::kFileNotAvailable);
  EXPECT_EQ(co_await other->session()->Logoff(), NtStatus::kSuccess);
  EXPECT_EQ(co_await holder->Close(held), NtStatus::kSuccess);
  EXPECT_EQ(co_await holder->Close(co_await Opened(holder, Exclusive(name))), NtStatus::kSuccess);
}

CASE(Channels, LogoffEndsAllOfThem) {
  const SessionPtr session = co_await bed.SignIn();
  const TreePtr tree = co_await bed.Mount(session, "scratch");
  const std::string name = Bed::Fresh("left");
  (void)co_await Opened(tree, Exclusive(name));
  const SessionPtr channel = co_await Bound(bed, session);
  EXPECT_EQ(co_await channel->Logoff(), NtStatus::kSuccess);
  EXPECT_EQ(co_await StatusOfOpen(tree, name), NtStatus::kUserSessionDeleted);
  EXPECT_FALSE(session->connection()->closed());
  EXPECT_EQ(co_await StatusOfOpen(co_await bed.Mount("scratch"), name), NtStatus::kSuccess);
}

CASE(Channels, RenewalOnOneIsForAll) {
  const SessionPtr session = co_await bed.SignIn();
  const TreePtr tree = co_await bed.Mount(session, "scratch");
  const smb2::FileId file = co_await Opened(tree, Exclusive(Bed::Fresh("renewed")));
  const SessionPtr channel = co_await Bound(bed, session);
  EXPECT_EQ(co_await channel->Renew(Bed::Alice()), NtStatus::kSuccess);
  const Bytes data = Pattern(10, 1);
  co_await WriteAll(tree, file, 0, data);
  co_await WriteAll(tree->On(channel), file, 10, data);
  EXPECT_EQ(co_await session->Renew(Bed::Alice()), NtStatus::kSuccess);
  co_await WriteAll(tree->On(channel), file, 20, data);
  // One that fails ends the session on all of them, 3.3.5.5.3.
  Credentials wrong = Bed::Alice();
  wrong.password += "x";
  EXPECT_EQ(co_await channel->Renew(wrong), NtStatus::kLogonFailure);
  EXPECT_EQ(co_await StatusOfOpen(tree, Bed::Fresh("none")), NtStatus::kUserSessionDeleted);
  EXPECT_EQ(co_await StatusOfOpen(tree->On(channel), Bed::Fresh("none")), NtStatus::kUserSessionDeleted);
}

CASE(Channels, AClientSpeaksOneDialect) {
  ConnectOptions options = bed.To(smb2::Dialect::k311);
  const SessionPtr session = co_await bed.SignIn(co_await bed.Connect(options), Bed::Alice());
  ConnectOptions older = options;
  older.dialects = {smb2::Dialect::k302};
  const auto refused = co_await Session::SignIn(co_await bed.Connect(older), Bed::Alice());
  EXPECT_EQ(refused.status(), NtStatus::kUserSessionDeleted);
  session->connection()->Close();
  // A client that was started anew may speak another one.
  NtStatus again = NtStatus::kUserSessionDeleted;
  for (int i = 0; i < 100 && again != NtStatus::kSuccess; ++i) {
    co_await bed.Pause(std::chrono::milliseconds(20));
    const auto signed_in = co_await Session::SignIn(co_await bed.Connect(older), Bed::Alice());
    again = signed_in.status();
  }
  EXPECT_EQ(again, NtStatus::kSuccess);
}

// 3.3.5.2.10, the table: what a WRITE and a READ get by their sequence, seen from an open at 5.
CASE(Channels, StaleSequencesAreRefused) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const smb2::FileId file = co_await Opened(tree, Exclusive(Bed::Fresh("sequence")));
  const Bytes data = Pattern(10, 1);
  struct Step {
    std::uint16_t sequence;
    bool replay;
    NtStatus write;
  };
  const std::vector<Step> steps = {
      {0, false, NtStatus::kSuccess},      {5, false, NtStatus::kSuccess},       {4, false, NtStatus::kFileNotAvailable},
      {4, true, NtStatus::kFileNotAvailable}, {5, true, NtStatus::kSuccess},     {6, true, NtStatus::kSuccess},
      {0x8006, false, NtStatus::kFileNotAvailable}, {0x8005, false, NtStatus::kSuccess},
      {4, false, NtStatus::kSuccess},  // around the end of the numbers
      {3, false, NtStatus::kFileNotAvailable},
  };
  for (const Step& step : steps) {
    const Replay replay{step.sequence, step.replay};
    const auto written = co_await tree->Write(file, 0, data, replay);
    EXPECT_EQ(written.status(), step.write) << step.sequence << (step.replay ? " replayed" : "");
    const auto read = co_await tree->Read(file, 0, 10, replay);
    EXPECT_TRUE(read.ok() && read->status() == NtStatus::kSuccess) << step.sequence;
  }
}

CASE_WITHIN(Channels, WritesSurviveTheDeathOfChannels, std::chrono::seconds(120)) {
  for (const std::string share : {"profiles", "secure"}) {
    Target target = bed.TargetOf(share);
    target.channels = 4;
    target.further_addresses = {OtherAddress(), target.connect.address};
    OpenOptions options;
    const std::string name = Bed::Fresh("channels");
    options.path = name;
    options.disposition = smb2::CreateDisposition::kCreate;
    const auto file = Need(co_await PersistentFile::Open(target, options, bed.clock()), "open");
    EXPECT_EQ(file->channels(), 4u);
    const smb2::FileId id = file->id();
    const TreePtr stranger = co_await bed.Mount(share);

    const auto crowd = std::make_shared<Crowd>();
    std::vector<std::shared_ptr<Writer>> writers;
    for (std::uint64_t i = 0; i < 16; ++i) {
      writers.push_back(std::make_shared<Writer>());
      writers.back()->file = file;
      writers.back()->offset = i * kBlock;
    }
    crowd->running = writers.size();
    for (const auto& writer : writers) Spawn(bed.executor(), WriteOn(writer, crowd));
    // The channels die in turn, the first one among them; twice two at once.
    for (std::size_t i = 0; i < 12; ++i) {
      co_await bed.Pause(std::chrono::milliseconds(60));
      EXPECT_TRUE(file->BreakChannel(i % 3));
      if (i % 6 == 5) file->BreakChannel(2);
      EXPECT_EQ(co_await StatusOfOpen(stranger, name), NtStatus::kSharingViolation);
    }
    crowd->stop = true;
    co_await crowd->all_done.Wait();

    EXPECT_EQ(file->id(), id);
    EXPECT_EQ(file->history().reconnects, 0u);
    EXPECT_GE(file->history().channels_lost, 12u);
    EXPECT_GT(file->history().replayed, 0u);
    std::uint64_t versions = 0;
    for (const auto& writer : writers) {
      EXPECT_EQ(writer->status, NtStatus::kSuccess);
      EXPECT_GT(writer->version, 0u);
      versions += writer->version;
      const Bytes back = Need(co_await file->Read(writer->offset, kBlock), "READ");
      EXPECT_TRUE(back == BlockOf(writer->offset, writer->version)) << "block at " << writer->offset;
    }
    std::printf("%s: %llu writes, %llu channels lost, %llu bound, %llu writes sent again\n", share.c_str(),
                static_cast<unsigned long long>(versions),
                static_cast<unsigned long long>(file->history().channels_lost),
                static_cast<unsigned long long>(file->history().channels_bound),
                static_cast<unsigned long long>(file->history().replayed));
    EXPECT_EQ(co_await file->Close(), NtStatus::kSuccess);
    EXPECT_EQ(co_await StatusOfOpen(stranger, name), NtStatus::kSuccess);
  }
}

// Locks and settings too: each is done once, however often it was sent.
CASE_WITHIN(Channels, LocksSurviveTheDeathOfChannels, std::chrono::seconds(60)) {
  Target target = bed.TargetOf("profiles");
  target.channels = 3;
  target.further_addresses = {OtherAddress()};
  OpenOptions options;
  options.path = Bed::Fresh("locks");
  options.disposition = smb2::CreateDisposition::kCreate;
  options.share_access = smb2::share_access::kAll;
  const auto file = Need(co_await PersistentFile::Open(target, options, bed.clock()), "open");
  const auto crowd = std::make_shared<Crowd>();
  crowd->running = 1;
  Spawn(bed.executor(), BreakInTurn(file, crowd, bed.clock()));
  for (std::uint64_t i = 0; i < 60; ++i) {
    EXPECT_EQ(co_await file->Lock(i * 10, 10, true), NtStatus::kSuccess) << i;
    EXPECT_EQ(co_await file->SetEndOfFile(i + 1), NtStatus::kSuccess);
    if (i % 2 != 0) continue;
    EXPECT_EQ(co_await file->Unlock(i * 10, 10), NtStatus::kSuccess) << i;
  }
  crowd->stop = true;
  co_await crowd->all_done.Wait();
  EXPECT_EQ(file->history().reconnects, 0u);
  EXPECT_GT(file->history().channels_lost, 0u);
  const TreePtr stranger = co_await bed.Mount("profiles");
  const smb2::FileId theirs =
      co_await Opened(stranger, FileRequest(options.path, smb2::CreateDisposition::kOpen));
  EXPECT_EQ(co_await EndOfFile(stranger, theirs), 60u);
  constexpr std::uint32_t kAtOnce = smb2::lock_flag::kExclusiveLock | smb2::lock_flag::kFailImmediately;
  for (std::uint64_t i = 0; i < 60; ++i) {
    EXPECT_EQ(co_await LockRange(stranger, theirs, i * 10, 10, kAtOnce),
              i % 2 == 0 ? NtStatus::kSuccess : NtStatus::kLockNotGranted)
        << i;
  }
  EXPECT_EQ(co_await stranger->Close(theirs), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Close(), NtStatus::kSuccess);
}

// With `multichannel = false`.
CASE(SingleChannel, NothingIsBound) {
  const SessionPtr session = co_await bed.SignIn();
  EXPECT_FALSE(session->connection()->server_capabilities() & smb2::capability::kMultiChannel);
  const ConnectionPtr connection = co_await bed.Connect(session->connection()->options());
  const auto bound = co_await session->Bind(connection, Bed::Alice());
  EXPECT_EQ(bound.status(), NtStatus::kRequestNotAccepted);
  EXPECT_EQ(co_await StatusOfEcho(session), NtStatus::kSuccess);
}

// With `max_channels_per_session = 2`.
CASE(Limits, ChannelsOfASession) {
  const SessionPtr session = co_await bed.SignIn();
  const ConnectOptions options = session->connection()->options();
  const ConnectionPtr second = co_await bed.Connect(options);
  const auto bound = co_await session->Bind(second, Bed::Alice());
  EXPECT_EQ(bound.status(), NtStatus::kSuccess);
  const ConnectionPtr third = co_await bed.Connect(options);
  const auto refused = co_await session->Bind(third, Bed::Alice());
  EXPECT_EQ(refused.status(), NtStatus::kInsufficientResources);
  second->Close();
  NtStatus again = NtStatus::kInsufficientResources;
  for (int i = 0; i < 100 && again != NtStatus::kSuccess; ++i) {
    co_await bed.Pause(std::chrono::milliseconds(20));
    const auto later = co_await session->Bind(third, Bed::Alice());
    again = later.status();
  }
  EXPECT_EQ(again, NtStatus::kSuccess);
}

}  // namespace holdfast::client
