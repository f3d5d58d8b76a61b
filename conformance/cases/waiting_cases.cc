// Requests that wait: interim answers, CANCEL, and what ends a wait otherwise. [MS-SMB2] 3.3.4.2, 3.3.5.16.
#include "conformance/cases/bed.h"

#include <algorithm>

#include "protocol/smb2/messages/change_notify.h"

namespace holdfast::client {
namespace {

using smb2::Command;
namespace lock_flag = smb2::lock_flag;

// A request under way in a coroutine of its own.
struct UnderWay {
  std::uint64_t message_id = 0;
  bool done = false;
  NtStatus status = NtStatus::kSuccess;
};

Task<void> WaitForLock(TreePtr tree, smb2::FileId file, std::shared_ptr<UnderWay> way) {
  way->status = co_await LockRange(tree, file, 0, 100, lock_flag::kExclusiveLock, &way->message_id);
  way->done = true;
}

Task<void> WaitForChange(TreePtr tree, smb2::FileId directory, std::shared_ptr<UnderWay> way) {
  smb2::ChangeNotifyRequest request;
  request.file_id = directory;
  request.output_buffer_length = 4096;
  request.completion_filter = smb2::completion_filter::kFileName;
  CallOptions options = tree->Options();
  options.message_id = &way->message_id;
  const auto answer = co_await tree->session()->connection()->Call(Command::kChangeNotify, request, options);
  way->status = answer.ok() ? answer->status() : answer.status();
  way->done = true;
}

// A locked file, and a second open of it, over another connection, whose lock waits.
struct Contended {
  TreePtr holder, waiter;
  std::string name;
  smb2::FileId held, waiting;
  std::shared_ptr<UnderWay> way = std::make_shared<UnderWay>();
};

Task<void> UntilPending(Bed& bed, TreePtr tree, std::shared_ptr<UnderWay> way) {
  const ConnectionPtr connection = tree->session()->connection();
  const std::function<bool()> pending = [=] { return connection->IsPending(way->message_id); };
  co_await bed.Until(pending, "STATUS_PENDING");
}

Task<void> UntilDone(Bed& bed, std::shared_ptr<UnderWay> way) {
  const std::function<bool()> done = [=] { return way->done; };
  co_await bed.Until(done, "the final answer");
}

Task<Contended> Contend(Bed& bed) {
  Contended c;
  c.holder = co_await bed.Mount("scratch");
  c.waiter = co_await bed.Mount("scratch");
  c.name = Bed::Fresh("contended");
  c.held = co_await Opened(c.holder, FileRequest(c.name, smb2::CreateDisposition::kCreate));
  c.waiting = co_await Opened(c.waiter, FileRequest(c.name, smb2::CreateDisposition::kOpen));
  Need(co_await LockRange(c.holder, c.held, 0, 100, lock_flag::kExclusiveLock), "first lock");
  Spawn(bed.executor(), WaitForLock(c.waiter, c.waiting, c.way));
  co_await UntilPending(bed, c.waiter, c.way);
  co_return c;
}

}  // namespace

CASE(Waiting, LockIsGrantedWhenTheHolderUnlocks) {
  const Contended c = co_await Contend(bed);
  EXPECT_FALSE(c.way->done);
  Need(co_await LockRange(c.holder, c.held, 0, 100, lock_flag::kUnlock), "unlock");
  co_await UntilDone(bed, c.way);
  EXPECT_EQ(c.way->status, NtStatus::kSuccess);
  EXPECT_EQ(co_await LockRange(c.holder, c.held, 0, 100, lock_flag::kExclusiveLock | lock_flag::kFailImmediately),
            NtStatus::kLockNotGranted);
}

CASE(Waiting, LockIsGrantedWhenTheHolderIsGone) {
  const Contended c = co_await Contend(bed);
  c.holder->session()->connection()->Close();
  co_await UntilDone(bed, c.way);
  EXPECT_EQ(c.way->status, NtStatus::kSuccess);
}

CASE(Waiting, CancelledLockIsNotHeld) {
  const Contended c = co_await Contend(bed);
  c.waiter->session()->connection()->Cancel(c.way->message_id, c.waiter->session()->security());
  co_await UntilDone(bed, c.way);
  EXPECT_EQ(c.way->status, NtStatus::kCancelled);
  Need(co_await LockRange(c.holder, c.held, 0, 100, lock_flag::kUnlock), "unlock");
  EXPECT_EQ(co_await LockRange(c.holder, c.held, 0, 100, lock_flag::kExclusiveLock | lock_flag::kFailImmediately),
            NtStatus::kSuccess);
}

CASE(Waiting, CancelBySomebodyElsesSessionDoesNothing) {
  Contended c = co_await Contend(bed);
  const ConnectionPtr connection = c.waiter->session()->connection();
  const SessionPtr bob = co_await bed.SignIn(connection, Bed::Bob());
  connection->Cancel(c.way->message_id, bob->security());
  EXPECT_EQ(co_await StatusOfEcho(bob), NtStatus::kSuccess);
  EXPECT_FALSE(c.way->done);
  connection->Cancel(c.way->message_id, c.waiter->session()->security());
  co_await UntilDone(bed, c.way);
  EXPECT_EQ(c.way->status, NtStatus::kCancelled);
}

// A refused CANCEL has no answer either, and what it was about can still be cancelled.
CASE(Waiting, UnsignedCancelDoesNothing) {
  Contended c = co_await Contend(bed);
  const ConnectionPtr connection = c.waiter->session()->connection();
  const auto unsigned_session = std::make_shared<SessionSecurity>();
  unsigned_session->session_id = c.waiter->session()->id();
  connection->Cancel(c.way->message_id, unsigned_session);
  EXPECT_EQ(co_await StatusOfEcho(c.waiter->session()), NtStatus::kSuccess);
  EXPECT_FALSE(c.way->done);
  connection->Cancel(c.way->message_id, c.waiter->session()->security());
  co_await UntilDone(bed, c.way);
  EXPECT_EQ(c.way->status, NtStatus::kCancelled);
}

// Requests that wait give their credits back at once, so that credits do not limit them: note 242 of 3.3.4.2.
CASE(Waiting, RequestsThatWaitAreLimited) {
  const TreePtr tree = co_await bed.Mount("scratch");
  auto request = DirectoryRequest(Bed::Fresh("busy"), smb2::CreateDisposition::kCreate);
  request.desired_access = kReadOnly;
  const smb2::FileId directory = co_await Opened(tree, request);
  std::vector<std::shared_ptr<UnderWay>> ways;
  const std::function<bool()> is_refused = [&] {
    return std::any_of(ways.begin(), ways.end(), [](const auto& way) { return way->done; });
  };
  while (ways.size() < 20'000 && !is_refused()) {
    for (int i = 0; i < 100; ++i) {
      ways.push_back(std::make_shared<UnderWay>());
      Spawn(bed.executor(), WaitForChange(tree, directory, ways.back()));
    }
    EXPECT_EQ(co_await StatusOfEcho(tree->session()), NtStatus::kSuccess);
  }
  const auto refused = std::find_if(ways.begin(), ways.end(), [](const auto& way) { return way->done; });
  EXPECT_TRUE(refused != ways.end());
  if (refused != ways.end()) {
    EXPECT_EQ((*refused)->status, NtStatus::kInsufficientResources);
  }
  tree->session()->connection()->Close();
  const std::function<bool()> all_done = [&] {
    return std::all_of(ways.begin(), ways.end(), [](const auto& way) { return way->done; });
  };
  co_await bed.Until(all_done, "the end of the waits");
  co_await bed.ExpectServerLives();
}

CASE(Waiting, CancelOfWhatIsNotThereDoesNothing) {
  const SessionPtr session = co_await bed.SignIn();
  session->connection()->Cancel(424242, session->security());
  session->connection()->Cancel(0, session->security());
  EXPECT_EQ(co_await StatusOfEcho(session), NtStatus::kSuccess);
}

CASE(Waiting, CloseEndsTheWait) {
  const Contended c = co_await Contend(bed);
  EXPECT_EQ(co_await c.waiter->Close(c.waiting), NtStatus::kSuccess);
  co_await UntilDone(bed, c.way);
  EXPECT_EQ(c.way->status, NtStatus::kRangeNotLocked);
}

CASE(Waiting, LogoffEndsTheWait) {
  const Contended c = co_await Contend(bed);
  EXPECT_EQ(co_await c.waiter->session()->Logoff(), NtStatus::kSuccess);
  co_await UntilDone(bed, c.way);
  EXPECT_TRUE(IsError(c.way->status)) << NtStatusName(c.way->status);
}

CASE(Waiting, ChangeNotifyTellsAndIsCancelled) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const std::string top = Bed::Fresh("watched");
  auto request = DirectoryRequest(top, smb2::CreateDisposition::kCreate);
  request.desired_access = kReadOnly;
  const smb2::FileId directory = co_await Opened(tree, request);
  const auto first = std::make_shared<UnderWay>();
  Spawn(bed.executor(), WaitForChange(tree, directory, first));
  co_await UntilPending(bed, tree, first);
  EXPECT_EQ(co_await StatusOfCreate(tree, FileRequest(top + "/new", smb2::CreateDisposition::kCreate)),
            NtStatus::kSuccess);
  co_await UntilDone(bed, first);
  EXPECT_EQ(first->status, NtStatus::kSuccess);

  const auto second = std::make_shared<UnderWay>();
  Spawn(bed.executor(), WaitForChange(tree, directory, second));
  co_await UntilPending(bed, tree, second);
  tree->session()->connection()->Cancel(second->message_id, tree->session()->security());
  co_await UntilDone(bed, second);
  EXPECT_EQ(second->status, NtStatus::kCancelled);
}

}  // namespace holdfast::client
