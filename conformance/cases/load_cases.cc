// What a session host puts on one connection: thousands of credits, a thousand users, large transfers.
#include "conformance/cases/bed.h"

#include "protocol/smb2/messages/echo.h"
#include "protocol/smb2/messages/write.h"

namespace holdfast::client {
namespace {

constexpr std::uint32_t kCredits = 8192;
constexpr std::size_t kUsers = 1024;

Task<void> GatherCredits(SessionPtr session) {
  const ConnectionPtr connection = session->connection();
  for (int i = 0; i < 100 && connection->credits() < kCredits; ++i) Need(co_await StatusOfEcho(session), "ECHO");
  EXPECT_GE(connection->credits(), kCredits);
}

// A number of coroutines that end.
struct Crowd {
  std::size_t running = 0;
  std::size_t failed = 0;
  OneShot<int> all_done;
  void Leave(bool well) {
    if (!well) ++failed;
    if (--running == 0) all_done.Set(0);
  }
};

Task<void> EchoOnce(SessionPtr session, std::shared_ptr<Crowd> crowd) {
  const NtStatus status = co_await StatusOfEcho(session);
  crowd->Leave(status == NtStatus::kSuccess);
}

Task<void> SignInSome(ConnectionPtr connection, std::shared_ptr<std::vector<SessionPtr>> sessions,
                      std::shared_ptr<Crowd> crowd) {
  while (sessions->size() < kUsers) {
    const std::size_t place = sessions->size();
    sessions->push_back(nullptr);
    const Credentials credentials = place % 2 == 0 ? Bed::Alice() : Bed::Bob();
    auto session = co_await Session::SignIn(connection, credentials);
    if (!session.ok()) {
      ADD_FAILURE() << "sign-in " << place << ": " << NtStatusName(session.status());
      crowd->Leave(false);
      co_return;
    }
    (*sessions)[place] = *session;
  }
  crowd->Leave(true);
}

// Opens a file of its own, writes, reads back, closes.
Task<void> UseOnce(SessionPtr session, std::shared_ptr<Crowd> crowd) {
  bool well = false;
  const auto tree = co_await Tree::Connect(session, Bed::Unc("scratch"));
  if (tree.ok()) {
    auto request = FileRequest(Bed::Fresh("user"), smb2::CreateDisposition::kCreate);
    const auto created = co_await (*tree)->Create(std::move(request));
    if (created.ok()) {
      const Bytes data = Pattern(100, session->id());
      const auto written = co_await (*tree)->Write(created->response.file_id, 0, data);
      const NtStatus closed = co_await (*tree)->Close(created->response.file_id);
      well = written.ok() && closed == NtStatus::kSuccess;
    }
  }
  crowd->Leave(well);
}

Task<void> WritePiece(TreePtr tree, smb2::FileId file, std::uint64_t offset, Bytes data, std::shared_ptr<Crowd> crowd) {
  const auto written = co_await tree->Write(file, offset, data);
  crowd->Leave(written.ok() && *written == data.size());
}

}  // namespace

CASE(Load, ThousandsOfRequestsInFlight) {
  ConnectOptions options = bed.To();
  options.credits = kCredits;
  const ConnectionPtr connection = co_await bed.Connect(options);
  const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
  co_await GatherCredits(session);
  const auto crowd = std::make_shared<Crowd>();
  crowd->running = kCredits;
  for (std::uint32_t i = 0; i < kCredits; ++i) Spawn(bed.executor(), EchoOnce(session, crowd));
  co_await crowd->all_done.Wait();
  EXPECT_EQ(crowd->failed, 0u);
  co_await GatherCredits(session);
}

CASE_WITHIN(Load, ThousandUsersShareAConnection, std::chrono::seconds(150)) {
  ConnectOptions options = bed.To();
  options.credits = kCredits;
  const ConnectionPtr connection = co_await bed.Connect(options);
  const auto sessions = std::make_shared<std::vector<SessionPtr>>();
  const auto signing_in = std::make_shared<Crowd>();
  constexpr std::size_t kAtOnce = 8;
  signing_in->running = kAtOnce;
  for (std::size_t i = 0; i < kAtOnce; ++i) Spawn(bed.executor(), SignInSome(connection, sessions, signing_in));
  co_await signing_in->all_done.Wait();
  EXPECT_EQ(signing_in->failed, 0u);
  if (signing_in->failed != 0) co_return;

  co_await GatherCredits(sessions->front());
  const auto using_it = std::make_shared<Crowd>();
  using_it->running = sessions->size();
  for (const SessionPtr& session : *sessions) Spawn(bed.executor(), UseOnce(session, using_it));
  co_await using_it->all_done.Wait();
  EXPECT_EQ(using_it->failed, 0u);
  EXPECT_FALSE(connection->closed());
}

CASE(Load, EightMebibytesInARequest) {
  ConnectOptions options = bed.To();
  options.credits = 1024;
  const ConnectionPtr connection = co_await bed.Connect(options);
  constexpr std::uint32_t kLarge = 8u << 20;
  EXPECT_EQ(connection->max_read(), kLarge);
  EXPECT_EQ(connection->max_write(), kLarge);
  const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
  for (int i = 0; i < 20 && connection->credits() < 1024; ++i) Need(co_await StatusOfEcho(session), "ECHO");
  const std::vector<std::string> shares = {"scratch", "secure", "profiles"};
  for (const std::string& share : shares) {
    const TreePtr tree = co_await bed.Mount(session, share);
    const smb2::FileId file = co_await Opened(tree, FileRequest(Bed::Fresh("large"), smb2::CreateDisposition::kCreate));
    constexpr std::size_t kPieces = 4;
    const auto crowd = std::make_shared<Crowd>();
    crowd->running = kPieces;
    for (std::size_t i = 0; i < kPieces; ++i) {
      Spawn(bed.executor(), WritePiece(tree, file, i * kLarge, Pattern(kLarge, i), crowd));
    }
    co_await crowd->all_done.Wait();
    EXPECT_EQ(crowd->failed, 0u) << share;
    for (std::size_t i = 0; i < kPieces; ++i) {
      const Bytes back = co_await ReadAll(tree, file, i * kLarge, kLarge);
      EXPECT_TRUE(back == Pattern(kLarge, i)) << share << ", piece " << i;
    }
    EXPECT_EQ(co_await tree->Close(file), NtStatus::kSuccess);
  }
}

CASE(Load, MoreThanTheLargestIsRefused) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const ConnectionPtr connection = tree->session()->connection();
  for (int i = 0; i < 20 && connection->credits() < 200; ++i) Need(co_await StatusOfEcho(tree->session()), "ECHO");
  const smb2::FileId file = co_await Opened(tree, FileRequest(Bed::Fresh("more"), smb2::CreateDisposition::kCreate));
  const auto read = co_await tree->Read(file, 0, connection->max_read() + 1);
  EXPECT_EQ(read.status(), NtStatus::kInvalidParameter);
  EXPECT_EQ(co_await tree->Close(file), NtStatus::kSuccess);
}

CASE(Load, ChargeMustCoverThePayload) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const smb2::FileId file = co_await Opened(tree, FileRequest(Bed::Fresh("charge"), smb2::CreateDisposition::kCreate));
  const Bytes data = Pattern(65537, 1);
  smb2::WriteRequest request;
  request.file_id = file;
  request.data = data;
  CallOptions options = tree->Options();  // payload 0: a charge of one credit
  const auto answer = co_await tree->session()->connection()->Call(smb2::Command::kWrite, request, options);
  EXPECT_EQ(answer.ok() ? answer->status() : answer.status(), NtStatus::kInvalidParameter);
}

// ---- limits, with the small configuration of group "limits" ---------------------------------------------------------

CASE(Limits, SessionsOfAConnection) {
  const ConnectionPtr connection = co_await bed.Connect();
  std::vector<SessionPtr> sessions;
  for (int i = 0; i < 4; ++i) sessions.push_back(co_await bed.SignIn(connection, Bed::Alice()));
  const auto refused = co_await Session::SignIn(connection, Bed::Alice());
  EXPECT_EQ(refused.status(), NtStatus::kInsufficientResources);
  EXPECT_EQ(co_await StatusOfEcho(sessions[0]), NtStatus::kSuccess);
  EXPECT_EQ(co_await sessions[3]->Logoff(), NtStatus::kSuccess);
  (void)co_await bed.SignIn(connection, Bed::Alice());
  co_await bed.ExpectServerLives();
}

CASE(Limits, TreesOfASession) {
  const SessionPtr session = co_await bed.SignIn();
  std::vector<TreePtr> trees;
  for (int i = 0; i < 3; ++i) trees.push_back(co_await bed.Mount(session, "scratch"));
  const auto refused = co_await Tree::Connect(session, Bed::Unc("scratch"));
  EXPECT_EQ(refused.status(), NtStatus::kInsufficientResources);
  EXPECT_EQ(co_await trees[0]->Disconnect(), NtStatus::kSuccess);
  (void)co_await bed.Mount(session, "scratch");
}

CASE(Limits, OpensOfASession) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const std::string name = Bed::Fresh("opens");
  std::vector<smb2::FileId> files;
  for (int i = 0; i < 16; ++i) {
    files.push_back(co_await Opened(tree, FileRequest(name, smb2::CreateDisposition::kOpenIf)));
  }
  EXPECT_EQ(co_await StatusOfOpen(tree, name), NtStatus::kTooManyOpenedFiles);
  EXPECT_EQ(co_await tree->Close(files[0]), NtStatus::kSuccess);
  EXPECT_EQ(co_await StatusOfOpen(tree, name), NtStatus::kSuccess);
}

CASE(Limits, CreditsOfAConnection) {
  ConnectOptions options = bed.To();
  options.credits = 4096;
  const ConnectionPtr connection = co_await bed.Connect(options);
  const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
  for (int i = 0; i < 50; ++i) {
    Need(co_await StatusOfEcho(session), "ECHO");
    EXPECT_LE(connection->credits(), 256u);
  }
  EXPECT_EQ(connection->credits(), 256u);
}

CASE(Limits, PayloadOfARequest) {
  const TreePtr tree = co_await bed.Mount("scratch");
  EXPECT_EQ(tree->session()->connection()->max_write(), 1u << 20);
  const smb2::FileId file = co_await Opened(tree, FileRequest(Bed::Fresh("p"), smb2::CreateDisposition::kCreate));
  const auto read = co_await tree->Read(file, 0, (1 << 20) + 1);
  EXPECT_EQ(read.status(), NtStatus::kInvalidParameter);
}

CASE(Limits, Connections) {
  std::vector<ConnectionPtr> connections;
  NtStatus refusal = NtStatus::kSuccess;
  // Those of earlier cases may not have been cleared away yet: the limit is reached after at most eight.
  for (int i = 0; i < 9 && refusal == NtStatus::kSuccess; ++i) {
    auto connection = co_await Connection::Open(bed.To());
    refusal = connection.status();
    if (connection.ok()) connections.push_back(*connection);
  }
  EXPECT_TRUE(IsTransportLoss(refusal)) << NtStatusName(refusal);
  EXPECT_GE(connections.size(), 4u);
  for (const ConnectionPtr& connection : connections) connection->Close();
  connections.clear();
  for (int i = 0; i < 100; ++i) {
    const auto connection = co_await Connection::Open(bed.To());
    if (connection.ok()) co_return;
    co_await bed.Pause(std::chrono::milliseconds(20));
  }
  ADD_FAILURE() << "no connection after the others were closed";
}

}  // namespace holdfast::client
