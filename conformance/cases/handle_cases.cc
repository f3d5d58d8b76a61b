// Persistent handles over lost connections, without the server's death: who may have one back, and what replays get.
// [MS-SMB2] 3.3.5.9.10, 3.3.5.9.12, 3.3.5.2.10, 3.3.5.14.
#include "conformance/cases/bed.h"

#include "protocol/smb2/contexts/app_instance.h"
#include "protocol/smb2/contexts/durable_handle.h"

namespace holdfast::client {
namespace {

using smb2::CreateContext;
using smb2::CreateDisposition;
namespace names = smb2::create_context;

smb2::CreateRequest PersistentRequest(const std::string& name, const Guid& create_guid) {
  auto request = FileRequest(name, CreateDisposition::kOpenIf);
  request.share_access = 0;
  smb2::DurableHandleRequestV2 ask;
  ask.flags = smb2::durable_flag::kPersistent;
  ask.create_guid = create_guid;
  request.contexts.push_back(CreateContext::From(names::kDurableHandleRequestV2, ask));
  return request;
}

smb2::CreateRequest ReclaimRequest(const std::string& name, const Guid& create_guid, smb2::FileId id) {
  auto request = FileRequest(name, CreateDisposition::kOpenIf);
  request.share_access = 0;
  smb2::DurableHandleReconnectV2 reconnect;
  reconnect.file_id = id;
  reconnect.create_guid = create_guid;
  reconnect.flags = smb2::durable_flag::kPersistent;
  request.contexts.push_back(CreateContext::From(names::kDurableHandleReconnectV2, reconnect));
  return request;
}

bool IsPersistent(const smb2::CreateResponse& response) {
  const auto* context = smb2::FindContext(response.contexts, names::kDurableHandleRequestV2);
  if (!context) return false;
  const auto granted = wire::Decode<smb2::DurableHandleResponseV2>(context->data);
  return granted.ok() && (granted->flags & smb2::durable_flag::kPersistent) != 0;
}

// A persistent handle whose connection has been cut.
struct Orphan {
  ConnectOptions from;
  std::string name;
  Guid create_guid;
  smb2::FileId id;
};

Task<TreePtr> MountFrom(Bed& bed, ConnectOptions options, Credentials credentials) {
  const ConnectionPtr connection = co_await bed.Connect(std::move(options));
  const SessionPtr session = co_await bed.SignIn(connection, std::move(credentials));
  co_return co_await bed.Mount(session, "profiles");
}

Task<Orphan> MakeOrphan(Bed& bed) {
  Orphan orphan;
  orphan.from = bed.To();
  orphan.name = Bed::Fresh("orphan");
  orphan.create_guid = Guid::Generate(SystemRandom());
  const TreePtr tree = co_await MountFrom(bed, orphan.from, Bed::Alice());
  auto created = Need(co_await tree->Create(PersistentRequest(orphan.name, orphan.create_guid)), "persistent CREATE");
  EXPECT_TRUE(IsPersistent(created.response));
  orphan.id = created.response.file_id;
  tree->session()->connection()->Close();
  // The server has heard of the loss when it says so to others.
  const TreePtr other = co_await bed.Mount("profiles");
  for (int i = 0; i < 100; ++i) {
    if (co_await StatusOfOpen(other, orphan.name) == NtStatus::kFileNotAvailable) co_return orphan;
    co_await bed.Pause(std::chrono::milliseconds(20));
  }
  throw CannotGoOn("the server does not notice that the connection is gone");
}

}  // namespace

CASE(Handle, OwnerReclaims) {
  const Orphan orphan = co_await MakeOrphan(bed);
  const TreePtr tree = co_await MountFrom(bed, orphan.from, Bed::Alice());
  const auto back =
      Need(co_await tree->Create(ReclaimRequest(orphan.name, orphan.create_guid, orphan.id)), "reclaim");
  EXPECT_EQ(back.response.file_id.persistent_id, orphan.id.persistent_id);
  EXPECT_EQ(back.response.create_action, smb2::CreateAction::kOpened);
  EXPECT_EQ(co_await tree->Flush(back.response.file_id), NtStatus::kSuccess);
  EXPECT_EQ(co_await tree->Close(back.response.file_id), NtStatus::kSuccess);
}

CASE(Handle, NobodyElseReclaims) {
  const Orphan orphan = co_await MakeOrphan(bed);
  const TreePtr bob = co_await bed.MountAs(Bed::Bob(), "profiles");
  auto by_bob = co_await bob->Create(ReclaimRequest(orphan.name, orphan.create_guid, orphan.id));
  EXPECT_EQ(by_bob.status(), NtStatus::kAccessDenied);

  const TreePtr tree = co_await MountFrom(bed, orphan.from, Bed::Alice());
  const Guid wrong = Guid::Generate(SystemRandom());
  auto wrong_guid = co_await tree->Create(ReclaimRequest(orphan.name, wrong, orphan.id));
  EXPECT_EQ(wrong_guid.status(), NtStatus::kObjectNameNotFound);
  auto request = ReclaimRequest(orphan.name, orphan.create_guid, orphan.id);
  smb2::DurableHandleReconnectV2 plain;
  plain.file_id = orphan.id;
  plain.create_guid = orphan.create_guid;
  request.contexts = {CreateContext::From(names::kDurableHandleReconnectV2, plain)};
  auto not_persistent = co_await tree->Create(std::move(request));
  EXPECT_EQ(not_persistent.status(), NtStatus::kObjectNameNotFound) << "without the persistent flag";

  auto back = Need(co_await tree->Create(ReclaimRequest(orphan.name, orphan.create_guid, orphan.id)), "reclaim");
  auto again = co_await tree->Create(ReclaimRequest(orphan.name, orphan.create_guid, orphan.id));
  EXPECT_EQ(again.status(), NtStatus::kObjectNameNotFound) << "it is in use on this very connection";
  EXPECT_EQ(co_await tree->Close(back.response.file_id), NtStatus::kSuccess);
  auto closed = co_await tree->Create(ReclaimRequest(orphan.name, orphan.create_guid, orphan.id));
  EXPECT_EQ(closed.status(), NtStatus::kObjectNameNotFound);
}

CASE(Handle, OpenBehindItsClosingIsOrdinary) {
  const Orphan orphan = co_await MakeOrphan(bed);
  const TreePtr tree = co_await MountFrom(bed, orphan.from, Bed::Alice());
  auto back = Need(co_await tree->Create(ReclaimRequest(orphan.name, orphan.create_guid, orphan.id)), "reclaim");
  EXPECT_EQ(co_await tree->Disconnect(), NtStatus::kSuccess);
  const TreePtr other = co_await bed.Mount("profiles");
  EXPECT_EQ(co_await StatusOfOpen(other, orphan.name), NtStatus::kSuccess) << "TREE_DISCONNECT closes it";
}

CASE(Handle, OnlyWhereTheShareGrantsIt) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const auto created = Need(
      co_await tree->Create(PersistentRequest(Bed::Fresh("plain"), Guid::Generate(SystemRandom()))), "CREATE");
  EXPECT_FALSE(IsPersistent(created.response));
  EXPECT_FALSE(tree->capabilities() & smb2::share_capability::kContinuousAvailability);
  const TreePtr profiles = co_await bed.Mount("profiles");
  EXPECT_TRUE(profiles->capabilities() & smb2::share_capability::kContinuousAvailability);
}

CASE(Handle, OldDialectsGetNone) {
  const ConnectionPtr connection = co_await bed.Connect(bed.To(smb2::Dialect::k210));
  const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
  const TreePtr tree = co_await bed.Mount(session, "profiles");
  const auto created = Need(
      co_await tree->Create(PersistentRequest(Bed::Fresh("old"), Guid::Generate(SystemRandom()))), "CREATE");
  EXPECT_FALSE(IsPersistent(created.response));
  EXPECT_EQ(tree->capabilities(), 0u);
}

CASE(Handle, ReplayOnTheLivingConnectionGetsTheSameHandle) {
  const TreePtr tree = co_await bed.Mount("profiles");
  const std::string name = Bed::Fresh("replay");
  const Guid guid = Guid::Generate(SystemRandom());
  const auto first = Need(co_await tree->Create(PersistentRequest(name, guid)), "CREATE");
  EXPECT_EQ(first.response.create_action, smb2::CreateAction::kCreated);
  const Replay replay{0, true};
  const auto second = Need(co_await tree->Create(PersistentRequest(name, guid), replay), "replay");
  EXPECT_EQ(second.response.file_id, first.response.file_id);
  EXPECT_EQ(second.response.create_action, smb2::CreateAction::kCreated);
  const auto duplicate = co_await tree->Create(PersistentRequest(name, guid));
  EXPECT_EQ(duplicate.status(), NtStatus::kDuplicateObjectid);
  EXPECT_EQ(co_await tree->Close(first.response.file_id), NtStatus::kSuccess);
}

CASE(Handle, ReplayOverANewConnectionGetsTheFirstAnswer) {
  const Orphan orphan = co_await MakeOrphan(bed);
  const TreePtr tree = co_await MountFrom(bed, orphan.from, Bed::Alice());
  const Replay replay{1, true};
  const auto back = Need(co_await tree->Create(PersistentRequest(orphan.name, orphan.create_guid), replay), "replay");
  EXPECT_EQ(back.response.file_id.persistent_id, orphan.id.persistent_id);
  EXPECT_EQ(back.response.create_action, smb2::CreateAction::kCreated);
  EXPECT_TRUE(IsPersistent(back.response));
  EXPECT_EQ(co_await tree->Close(back.response.file_id), NtStatus::kSuccess);
}

CASE(Handle, ReplayByAnotherUserIsRefused) {
  const Orphan orphan = co_await MakeOrphan(bed);
  const TreePtr bob = co_await MountFrom(bed, orphan.from, Bed::Bob());
  const Replay replay{1, true};
  const auto stolen = co_await bob->Create(PersistentRequest(orphan.name, orphan.create_guid), replay);
  EXPECT_EQ(stolen.status(), NtStatus::kAccessDenied);
}

CASE(Handle, RequestsOfAnOlderChannelAreRefused) {
  const TreePtr tree = co_await bed.Mount("profiles");
  const auto created = Need(
      co_await tree->Create(PersistentRequest(Bed::Fresh("channel"), Guid::Generate(SystemRandom()))), "CREATE");
  const smb2::FileId id = created.response.file_id;
  const Bytes data = Pattern(10, 1);
  const Replay newer{5, false}, older{4, false}, newer_replay{6, true};
  EXPECT_TRUE((co_await tree->Write(id, 0, data, newer)).ok());
  const auto late = co_await tree->Write(id, 0, data, older);
  EXPECT_EQ(late.status(), NtStatus::kFileNotAvailable);
  EXPECT_TRUE((co_await tree->Read(id, 0, 10, older)).ok()) << "a READ changes nothing";
  EXPECT_TRUE((co_await tree->Write(id, 0, data, newer_replay)).ok());
}

CASE(Handle, LockSequenceIsExecutedOnce) {
  const TreePtr tree = co_await bed.Mount("profiles");
  const auto created = Need(
      co_await tree->Create(PersistentRequest(Bed::Fresh("sequence"), Guid::Generate(SystemRandom()))), "CREATE");
  const smb2::FileId id = created.response.file_id;
  std::vector<smb2::LockElement> lock(1), unlock(1);
  lock[0].length = unlock[0].length = 10;
  lock[0].flags = smb2::lock_flag::kSharedLock | smb2::lock_flag::kFailImmediately;
  unlock[0].flags = smb2::lock_flag::kUnlock;
  constexpr std::uint32_t kFirst = 1 << 4 | 3, kSecond = 1 << 4 | 4;
  EXPECT_EQ(co_await tree->Lock(id, lock, kFirst), NtStatus::kSuccess);
  EXPECT_EQ(co_await tree->Lock(id, lock, kFirst), NtStatus::kSuccess) << "the same again";
  EXPECT_EQ(co_await tree->Lock(id, unlock, kSecond), NtStatus::kSuccess);
  EXPECT_EQ(co_await tree->Lock(id, unlock, 0), NtStatus::kRangeNotLocked) << "there was one lock only";
}

CASE(Handle, OurClientGoesOnBehindItsBack) {
  OpenOptions options;
  options.path = Bed::Fresh("cut");
  options.disposition = CreateDisposition::kCreate;
  const auto file = co_await bed.OpenPersistent(options);
  Bytes expected;
  for (std::uint64_t i = 0; i < 5; ++i) {
    const Bytes piece = Pattern(10'000, i);
    EXPECT_EQ(co_await file->Write(expected.size(), piece), NtStatus::kSuccess);
    expected.insert(expected.end(), piece.begin(), piece.end());
    file->Break();
  }
  EXPECT_EQ(Need(co_await file->Read(0, 50'000), "READ"), expected);
  EXPECT_EQ(file->history().reconnects, 5u);
  EXPECT_EQ(co_await file->Close(), NtStatus::kSuccess);
}

CASE(Handle, AppInstanceReplacesItsOwnOpen) {
  const std::string name = Bed::Fresh("app");
  smb2::AppInstanceId app;
  app.app_instance_id = Guid::Generate(SystemRandom());
  const TreePtr first = co_await bed.Mount("profiles");
  auto request = PersistentRequest(name, Guid::Generate(SystemRandom()));
  request.contexts.push_back(CreateContext::From(names::kAppInstanceId, app));
  const auto opened = Need(co_await first->Create(request), "CREATE");

  const TreePtr second = co_await bed.Mount("profiles");
  EXPECT_EQ(co_await StatusOfOpen(second, name), NtStatus::kSharingViolation);
  auto failed_over = PersistentRequest(name, Guid::Generate(SystemRandom()));
  failed_over.contexts.push_back(CreateContext::From(names::kAppInstanceId, app));
  const auto replaced = Need(co_await second->Create(failed_over), "CREATE of the same application");
  EXPECT_EQ(co_await first->Flush(opened.response.file_id), NtStatus::kFileClosed);
  EXPECT_EQ(co_await second->Close(replaced.response.file_id), NtStatus::kSuccess);
}

}  // namespace holdfast::client
