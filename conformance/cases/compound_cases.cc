// Compound requests, related and not: [MS-SMB2] 3.3.5.2.7.
#include "conformance/cases/bed.h"

#include "protocol/smb2/messages/echo.h"
#include "protocol/smb2/messages/query_info.h"
#include "protocol/smb2/messages/read.h"
#include "protocol/smb2/messages/write.h"

namespace holdfast::client {
namespace {

using smb2::Command;
constexpr std::uint32_t kRelated = smb2::kFlagRelatedOperations;

using Chain = std::vector<ChainElement>;

template <class M>
void Add(Chain& chain, const Tree& tree, Command command, const M& body, std::uint32_t flags = 0) {
  ChainElement element;
  element.command = command;
  element.body = smb2::EncodeBody(body);
  element.options = tree.Options();
  element.options.flags |= flags;
  if (flags & kRelated) element.options.tree_id = 0xFFFFFFFF;
  chain.push_back(std::move(element));
}

smb2::WriteRequest WriteOf(ByteView data, smb2::FileId file = smb2::kAllOnesFileId) {
  smb2::WriteRequest request;
  request.file_id = file;
  request.data = data;
  return request;
}

smb2::ReadRequest ReadOf(std::uint32_t length, smb2::FileId file = smb2::kAllOnesFileId) {
  smb2::ReadRequest request;
  request.file_id = file;
  request.length = length;
  return request;
}

smb2::CloseRequest CloseOf(smb2::FileId file = smb2::kAllOnesFileId) {
  smb2::CloseRequest request;
  request.file_id = file;
  return request;
}

Task<std::vector<NtStatus>> Statuses(TreePtr tree, Chain chain) {
  const auto answers = co_await tree->session()->connection()->CallChain(std::move(chain));
  std::vector<NtStatus> statuses;
  for (const auto& answer : answers) statuses.push_back(answer.ok() ? answer->status() : answer.status());
  co_return statuses;
}

Task<void> CreateWriteReadClose(TreePtr tree) {
  const std::string name = Bed::Fresh("chain");
  const Bytes data = Pattern(777, 3);  // not a multiple of 8: the answers need padding
  Chain chain;
  Add(chain, *tree, Command::kCreate, FileRequest(name, smb2::CreateDisposition::kCreate));
  Add(chain, *tree, Command::kWrite, WriteOf(data), kRelated);
  Add(chain, *tree, Command::kRead, ReadOf(777), kRelated);
  Add(chain, *tree, Command::kClose, CloseOf(), kRelated);
  const auto answers = co_await tree->session()->connection()->CallChain(std::move(chain));
  for (const auto& answer : answers) {
    EXPECT_TRUE(answer.ok() && answer->status() == NtStatus::kSuccess)
        << NtStatusName(answer.ok() ? answer->status() : answer.status());
    if (!answer.ok()) co_return;
  }
  const auto read = answers[2]->As<smb2::ReadResponse>();
  EXPECT_TRUE(read.ok() && std::equal(read->data.begin(), read->data.end(), data.begin(), data.end()));
  const auto created = answers[0]->As<smb2::CreateResponse>();
  EXPECT_TRUE(created.ok());
  if (!created.ok()) co_return;
  EXPECT_EQ(co_await tree->Close(created->file_id), NtStatus::kFileClosed);
  EXPECT_EQ(co_await Contents(tree, name), data);
}

}  // namespace

CASE(Compound, RelatedChainUsesTheFirstHandle) { co_await CreateWriteReadClose(co_await bed.Mount("scratch")); }

CASE(Compound, RelatedChainInEveryDialectAndEncrypted) {
  const std::vector<smb2::Dialect> dialects = {smb2::Dialect::k202, smb2::Dialect::k210, smb2::Dialect::k302};
  for (const smb2::Dialect dialect : dialects) {
    const ConnectionPtr connection = co_await bed.Connect(bed.To(dialect));
    const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
    const TreePtr tree = co_await bed.Mount(session, "scratch");
    co_await CreateWriteReadClose(tree);
  }
  const TreePtr secure = co_await bed.Mount("secure");
  co_await CreateWriteReadClose(secure);
}

CASE(Compound, FailedCreateFailsWhatIsRelated) {
  const TreePtr tree = co_await bed.Mount("scratch");
  Chain chain;
  Add(chain, *tree, Command::kCreate, FileRequest(Bed::Fresh("none"), smb2::CreateDisposition::kOpen));
  Add(chain, *tree, Command::kRead, ReadOf(10), kRelated);
  Add(chain, *tree, Command::kClose, CloseOf(), kRelated);
  const auto statuses = co_await Statuses(tree, std::move(chain));
  const std::vector<NtStatus> expected(3, NtStatus::kObjectNameNotFound);
  EXPECT_EQ(statuses, expected);
}

CASE(Compound, FailureInTheMiddleDoesNotStopTheRest) {
  const TreePtr tree = co_await bed.Mount("scratch");
  Chain chain;
  Add(chain, *tree, Command::kCreate, FileRequest(Bed::Fresh("short"), smb2::CreateDisposition::kCreate));
  Add(chain, *tree, Command::kRead, ReadOf(10), kRelated);  // an empty file
  Add(chain, *tree, Command::kClose, CloseOf(), kRelated);
  const auto statuses = co_await Statuses(tree, std::move(chain));
  const std::vector<NtStatus> expected = {NtStatus::kSuccess, NtStatus::kEndOfFile, NtStatus::kSuccess};
  EXPECT_EQ(statuses, expected);
}

CASE(Compound, UnrelatedRequestsStandAlone) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const Bytes data = Pattern(50, 5);
  const smb2::FileId one = co_await Opened(tree, FileRequest(Bed::Fresh("one"), smb2::CreateDisposition::kCreate));
  const smb2::FileId two = co_await Opened(tree, FileRequest(Bed::Fresh("two"), smb2::CreateDisposition::kCreate));
  smb2::FileId wrong = one;
  wrong.volatile_id += 1000;
  Chain chain;
  Add(chain, *tree, Command::kWrite, WriteOf(data, one));
  Add(chain, *tree, Command::kWrite, WriteOf(data, wrong));
  Add(chain, *tree, Command::kWrite, WriteOf(data, two));
  Add(chain, *tree, Command::kRead, ReadOf(50, one));
  const auto statuses = co_await Statuses(tree, std::move(chain));
  const std::vector<NtStatus> expected = {NtStatus::kSuccess, NtStatus::kFileClosed, NtStatus::kSuccess,
                                          NtStatus::kSuccess};
  EXPECT_EQ(statuses, expected);
  EXPECT_EQ(co_await EndOfFile(tree, two), data.size());
}

CASE(Compound, FirstCannotBeRelated) {
  const TreePtr tree = co_await bed.Mount("scratch");
  Chain chain;
  Add(chain, *tree, Command::kRead, ReadOf(10), kRelated);
  Add(chain, *tree, Command::kClose, CloseOf(), kRelated);
  const auto statuses = co_await Statuses(tree, std::move(chain));
  EXPECT_EQ(statuses[0], NtStatus::kInvalidParameter);
  EXPECT_TRUE(IsError(statuses[1])) << NtStatusName(statuses[1]);
  EXPECT_EQ(co_await StatusOfEcho(tree->session()), NtStatus::kSuccess);
}

CASE(Compound, HundredRequestsInAFrame) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const ConnectionPtr connection = tree->session()->connection();
  while (connection->credits() < 200) Need(co_await StatusOfEcho(tree->session()), "ECHO");
  Chain chain;
  for (int i = 0; i < 100; ++i) Add(chain, *tree, Command::kEcho, smb2::EchoRequest{});
  const auto statuses = co_await Statuses(tree, std::move(chain));
  const std::vector<NtStatus> expected(100, NtStatus::kSuccess);
  EXPECT_EQ(statuses, expected);
}

// Together they are longer than a frame of the transport can be, 2.1: the answers come in several.
CASE(Compound, AnswersMayNeedMoreThanAFrame) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const ConnectionPtr connection = tree->session()->connection();
  constexpr std::uint32_t kLargest = 8u << 20;
  constexpr std::uint32_t kReads = 3;
  while (connection->credits() < (kReads + 1) * kLargest / 65536) Need(co_await StatusOfEcho(tree->session()), "ECHO");
  const smb2::FileId file = co_await Opened(tree, FileRequest(Bed::Fresh("long"), smb2::CreateDisposition::kCreate));
  const Bytes end(1, 0x5A);
  co_await WriteAll(tree, file, kLargest - 1, end);
  Chain chain;
  for (std::uint32_t i = 0; i < kReads; ++i) {
    Add(chain, *tree, Command::kRead, ReadOf(kLargest, file));
    chain.back().options.payload_bytes = kLargest;
  }
  const auto statuses = co_await Statuses(tree, std::move(chain));
  const std::vector<NtStatus> expected(kReads, NtStatus::kSuccess);
  EXPECT_EQ(statuses, expected);
  co_await bed.ExpectServerLives();
}

// [MS-SMB2] 3.3.5.2.7 note 266: what follows would have to wait as well.
CASE(Compound, OnlyTheLastMayWait) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const TreePtr other = co_await bed.Mount("scratch");
  const std::string name = Bed::Fresh("waits");
  const smb2::FileId theirs = co_await Opened(other, FileRequest(name, smb2::CreateDisposition::kCreate));
  Need(co_await LockRange(other, theirs, 0, 10, smb2::lock_flag::kExclusiveLock), "first lock");

  const smb2::FileId ours = co_await Opened(tree, FileRequest(name, smb2::CreateDisposition::kOpen));
  smb2::LockRequest lock;
  lock.file_id = ours;
  lock.locks.resize(1);
  lock.locks[0].length = 10;
  lock.locks[0].flags = smb2::lock_flag::kExclusiveLock;
  Chain middle;
  Add(middle, *tree, Command::kEcho, smb2::EchoRequest{});
  Add(middle, *tree, Command::kLock, lock);
  Add(middle, *tree, Command::kEcho, smb2::EchoRequest{});
  const auto refused = co_await Statuses(tree, std::move(middle));
  const std::vector<NtStatus> refusal = {NtStatus::kSuccess, NtStatus::kInternalError, NtStatus::kSuccess};
  EXPECT_EQ(refused, refusal);

  Chain chain;
  Add(chain, *tree, Command::kEcho, smb2::EchoRequest{});
  Add(chain, *tree, Command::kLock, lock);
  std::uint64_t lock_id = 0;
  chain[1].options.message_id = &lock_id;
  std::vector<NtStatus> statuses;
  bool done = false;
  const auto call = [](TreePtr t, Chain c, std::vector<NtStatus>& out, bool& finished) -> Task<void> {
    out = co_await Statuses(t, std::move(c));
    finished = true;
  };
  Spawn(bed.executor(), call(tree, std::move(chain), statuses, done));
  const ConnectionPtr connection = tree->session()->connection();
  const std::function<bool()> pending = [&] { return connection->IsPending(lock_id); };
  co_await bed.Until(pending, "STATUS_PENDING for the lock");
  EXPECT_EQ(co_await StatusOfEcho(tree->session()), NtStatus::kSuccess) << "the connection goes on meanwhile";
  EXPECT_FALSE(done);
  Need(co_await LockRange(other, theirs, 0, 10, smb2::lock_flag::kUnlock), "unlock");
  const std::function<bool()> answered = [&] { return done; };
  co_await bed.Until(answered, "the chain's answers");
  const std::vector<NtStatus> expected(2, NtStatus::kSuccess);
  EXPECT_EQ(statuses, expected);
}

}  // namespace holdfast::client
