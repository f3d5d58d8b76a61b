#include "conformance/cases/bed.h"

#include <algorithm>
#include <cstdlib>
#include <random>

#include <boost/asio/io_context.hpp>

#include "protocol/dtyp/unicode.h"
#include "protocol/fscc/file_information.h"
#include "protocol/smb2/messages/echo.h"
#include "protocol/smb2/messages/read.h"
#include "storage/async/asio_clock.h"

namespace holdfast::client {
namespace {

void Take(const char* variable, std::string& out) {
  if (const char* value = std::getenv(variable)) out = value;
}

std::u16string WirePath(const std::string& path) {
  std::u16string wide = Utf8ToUtf16Lossy(path);
  std::replace(wide.begin(), wide.end(), u'/', u'\\');
  return wide;
}

Task<void> Guarded(Task<void> (*body)(Bed&), Bed& bed, bool& done) {
  try {
    co_await body(bed);
  } catch (const CannotGoOn& reason) {
    ADD_FAILURE() << reason.what();
  }
  done = true;
}

}  // namespace

const Environment& TheEnvironment() {
  static const Environment environment = [] {
    Environment e;
    Take("HOLDFAST_ADDRESS", e.address);
    std::string port;
    Take("HOLDFAST_PORT", port);
    if (!port.empty()) e.port = static_cast<std::uint16_t>(std::stoi(port));
    Take("HOLDFAST_NAME", e.server_name);
    Take("HOLDFAST_USER1", e.user1);
    Take("HOLDFAST_PASSWORD1", e.password1);
    Take("HOLDFAST_USER2", e.user2);
    Take("HOLDFAST_PASSWORD2", e.password2);
    Take("HOLDFAST_CCACHE", e.ccache);
    Take("HOLDFAST_REPLAY_CACHE", e.replay_cache);
    return e;
  }();
  return environment;
}

void Need(NtStatus status, const char* what) {
  if (status != NtStatus::kSuccess) throw CannotGoOn(std::string(what) + ": " + std::string(NtStatusName(status)));
}

void RunCase(Task<void> (*body)(Bed&), Duration limit) {
  boost::asio::io_context io(1);
  const auto clock = MakeAsioClock(io.get_executor());
  Bed bed(io.get_executor(), *clock);
  bool done = false;
  Spawn(io.get_executor(), Guarded(body, bed, done));
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done && std::chrono::steady_clock::now() < end) io.run_one_for(std::chrono::seconds(1));
  if (!done) ADD_FAILURE() << "not finished within " << std::chrono::duration<double>(limit).count() << " s";
}

// ---- connections ----------------------------------------------------------------------------------------------------

ConnectOptions Bed::To() const {
  ConnectOptions options;
  options.address = TheEnvironment().address;
  options.port = TheEnvironment().port;
  options.client_guid = Guid::Generate(SystemRandom());
  return options;
}

ConnectOptions Bed::To(smb2::Dialect only) const {
  ConnectOptions options = To();
  options.dialects = {only};
  return options;
}

Credentials Bed::Alice() {
  const Environment& e = TheEnvironment();
  Credentials credentials;
  credentials.user = e.user1;
  credentials.password = e.password1;
  credentials.server_name = e.server_name;
  return credentials;
}

Credentials Bed::Bob() {
  Credentials credentials = Alice();
  credentials.user = TheEnvironment().user2;
  credentials.password = TheEnvironment().password2;
  return credentials;
}

std::string Bed::Unc(const std::string& share) { return "\\\\" + TheEnvironment().server_name + "\\" + share; }

Target Bed::TargetOf(const std::string& share) const {
  Target target;
  target.connect = To();
  target.credentials = Alice();
  target.share = share;
  target.give_up_after = std::chrono::seconds(40);
  return target;
}

Task<ConnectionPtr> Bed::Connect() { return Connect(To()); }

Task<ConnectionPtr> Bed::Connect(ConnectOptions options) {
  co_return Need(co_await Connection::Open(std::move(options)), "connection");
}

Task<SessionPtr> Bed::SignIn() {
  auto connection = co_await Connect();
  co_return co_await SignIn(std::move(connection), Alice());
}

Task<SessionPtr> Bed::SignIn(ConnectionPtr connection, Credentials credentials) {
  co_return Need(co_await Session::SignIn(std::move(connection), std::move(credentials)), "sign-in");
}

Task<TreePtr> Bed::Mount(const std::string& share) { return MountAs(Alice(), share); }

Task<TreePtr> Bed::MountAs(Credentials credentials, const std::string& share) {
  auto connection = co_await Connect();
  auto session = co_await SignIn(std::move(connection), std::move(credentials));
  co_return co_await Mount(std::move(session), share);
}

Task<TreePtr> Bed::Mount(SessionPtr session, const std::string& share) {
  co_return Need(co_await Tree::Connect(std::move(session), Unc(share)), "TREE_CONNECT");
}

Task<TreePtr> Bed::MountWhenUp(const std::string& share) {
  constexpr Duration kLimit = std::chrono::seconds(40);
  const SteadyTime end = clock_.Now() + kLimit;
  while (clock_.Now() < end) {
    const auto connection = co_await Connection::Open(To());
    if (connection.ok()) {
      const auto session = co_await Session::SignIn(*connection, Alice());
      if (session.ok()) {
        auto tree = co_await Tree::Connect(*session, Unc(share));
        if (tree.ok()) co_return *tree;
      } else if (!IsTransportLoss(session.status())) {
        Need(session.status(), "sign-in");
      }
    }
    co_await Pause(std::chrono::milliseconds(20));
  }
  throw CannotGoOn("the server does not come back");
}

Task<std::shared_ptr<PersistentFile>> Bed::OpenPersistent(OpenOptions options, const std::string& share) {
  co_return Need(co_await PersistentFile::Open(TargetOf(share), std::move(options), clock_), "persistent open");
}

std::string Bed::Fresh(const std::string& prefix) {
  static const std::uint64_t run = SystemRandom().Next64();
  static unsigned count = 0;
  char tail[40];
  std::snprintf(tail, sizeof tail, "-%08x-%u", static_cast<unsigned>(run), ++count);
  return prefix + tail;
}

Task<void> Bed::Until(std::function<bool()> condition, const char* what, Duration limit) {
  const SteadyTime end = clock_.Now() + limit;
  while (!condition()) {
    if (clock_.Now() > end) throw CannotGoOn(std::string("never: ") + what);
    co_await Pause(std::chrono::milliseconds(5));
  }
}

Task<void> Bed::UntilClosed(ConnectionPtr connection) {
  const std::function<bool()> closed = [connection] { return connection->closed(); };
  co_await Until(closed, "the server closes the connection");
}

Task<void> Bed::ExpectServerLives() {
  const TreePtr tree = co_await Mount("scratch");
  const std::string name = Fresh("alive");
  const auto request = FileRequest(name, smb2::CreateDisposition::kCreate);
  EXPECT_EQ(co_await StatusOfCreate(tree, request), NtStatus::kSuccess);
  tree->session()->connection()->Close();
}

// ---- files ----------------------------------------------------------------------------------------------------------

smb2::CreateRequest FileRequest(const std::string& name, smb2::CreateDisposition disposition) {
  smb2::CreateRequest request;
  request.desired_access = kReadWriteDelete;
  request.share_access = smb2::share_access::kAll;
  request.create_disposition = disposition;
  request.create_options = smb2::create_option::kNonDirectoryFile;
  request.name = WirePath(name);
  return request;
}

smb2::CreateRequest DirectoryRequest(const std::string& name, smb2::CreateDisposition disposition) {
  smb2::CreateRequest request = FileRequest(name, disposition);
  request.create_options = smb2::create_option::kDirectoryFile;
  return request;
}

Task<smb2::FileId> Opened(TreePtr tree, smb2::CreateRequest request) {
  const auto result = Need(co_await tree->Create(std::move(request)), "CREATE");
  co_return result.response.file_id;
}

Task<NtStatus> StatusOfCreate(TreePtr tree, smb2::CreateRequest request) {
  const auto result = co_await tree->Create(std::move(request));
  if (!result.ok()) co_return result.status();
  co_return co_await tree->Close(result->response.file_id);
}

Task<NtStatus> StatusOfOpen(TreePtr tree, const std::string& name) {
  auto request = FileRequest(name, smb2::CreateDisposition::kOpen);
  co_return co_await StatusOfCreate(std::move(tree), std::move(request));
}

Task<NtStatus> StatusOfEcho(SessionPtr session) {
  CallOptions options;
  options.session = session->security();
  const auto answer = co_await session->connection()->Call(smb2::Command::kEcho, smb2::EchoRequest{}, options);
  co_return answer.ok() ? answer->status() : answer.status();
}

Task<NtStatus> LockRange(TreePtr tree, smb2::FileId file, std::uint64_t offset, std::uint64_t length,
                         std::uint32_t flags, std::uint64_t* message_id) {
  std::vector<smb2::LockElement> elements(1);
  elements[0].offset = offset;
  elements[0].length = length;
  elements[0].flags = flags;
  const Replay first_time;
  co_return co_await tree->Lock(file, std::move(elements), 0, first_time, message_id);
}

Task<void> WriteAll(TreePtr tree, smb2::FileId file, std::uint64_t offset, ByteView data) {
  const std::size_t most = tree->session()->connection()->max_write();
  while (!data.empty()) {
    const ByteView piece = data.first(std::min(data.size(), most));
    const std::uint32_t written = Need(co_await tree->Write(file, offset, piece), "WRITE");
    if (written != piece.size()) throw CannotGoOn("WRITE took a part only");
    offset += written;
    data = data.subspan(written);
  }
}

Task<Bytes> ReadAll(TreePtr tree, smb2::FileId file, std::uint64_t offset, std::size_t length) {
  const std::size_t most = tree->session()->connection()->max_read();
  Bytes out;
  while (out.size() < length) {
    const auto ask = static_cast<std::uint32_t>(std::min(length - out.size(), most));
    const Response answer = Need(co_await tree->Read(file, offset + out.size(), ask), "READ");
    const auto read = answer.As<smb2::ReadResponse>();
    if (!read.ok() || read->data.empty()) throw CannotGoOn("READ answered nothing");
    out.insert(out.end(), read->data.begin(), read->data.end());
  }
  co_return out;
}

Task<Bytes> Contents(TreePtr tree, const std::string& name) {
  auto request = FileRequest(name, smb2::CreateDisposition::kOpen);
  request.desired_access = kReadOnly;
  const auto opened = Need(co_await tree->Create(std::move(request)), "CREATE");
  const smb2::FileId id = opened.response.file_id;
  Bytes bytes = co_await ReadAll(tree, id, 0, opened.response.end_of_file);
  Need(co_await tree->Close(id), "CLOSE");
  co_return bytes;
}

Task<std::vector<fscc::DirectoryEntry>> List(TreePtr tree, const std::string& directory, const std::string& pattern) {
  constexpr auto kClass = fscc::FileInformationClass::kIdBothDirectory;
  constexpr std::uint32_t kOutput = 65536;
  auto request = DirectoryRequest(directory, smb2::CreateDisposition::kOpen);
  request.desired_access = kReadOnly;
  const smb2::FileId id = co_await Opened(tree, std::move(request));
  std::vector<fscc::DirectoryEntry> entries;
  for (;;) {
    const auto page = co_await tree->QueryDirectory(id, static_cast<std::uint8_t>(kClass), Utf8ToUtf16Lossy(pattern),
                                                    0, kOutput);
    if (page.status() == NtStatus::kNoMoreFiles || page.status() == NtStatus::kNoSuchFile) break;
    if (!page.ok()) throw CannotGoOn("QUERY_DIRECTORY: " + std::string(NtStatusName(page.status())));
    auto decoded = Need(fscc::DecodeDirectory(kClass, *page), "directory entries");
    std::move(decoded.begin(), decoded.end(), std::back_inserter(entries));
  }
  Need(co_await tree->Close(id), "CLOSE");
  co_return entries;
}

Task<bool> Exists(TreePtr tree, const std::string& name) {
  const auto slash = name.rfind('/');
  const std::string directory = slash == std::string::npos ? "" : name.substr(0, slash);
  const auto found = co_await List(std::move(tree), directory, name.substr(slash == std::string::npos ? 0 : slash + 1));
  co_return !found.empty();
}

Task<std::uint64_t> EndOfFile(TreePtr tree, smb2::FileId file) {
  constexpr auto kStandardClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kStandard);
  const auto answer = co_await tree->QueryInfo(file, smb2::InfoType::kFile, kStandardClass, 64);
  const Bytes bytes = Need(answer, "QUERY_INFO");
  co_return Need(fscc::Decode<fscc::FileStandardInformation>(bytes), "FileStandardInformation").end_of_file;
}

bool IsTransportLoss(NtStatus status) {
  return status == NtStatus::kConnectionDisconnected || status == NtStatus::kConnectionRefused ||
         status == NtStatus::kConnectionReset;
}

Bytes RenameTo(const std::string& target, bool replace) {
  fscc::FileRenameInformation rename;
  rename.replace_if_exists = replace;
  rename.file_name = WirePath(target);
  return fscc::Encode(rename);
}

Bytes Disposition(bool remove) { return fscc::Encode(fscc::FileDispositionInformation{remove}); }

Bytes Pattern(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; i += 8) {
    const std::uint64_t v = random();
    for (std::size_t k = 0; k < 8 && i + k < size; ++k) bytes[i + k] = static_cast<std::uint8_t>(v >> (8 * k));
  }
  return bytes;
}

}  // namespace holdfast::client
