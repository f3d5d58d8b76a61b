#include "conformance/client/persistent_file.h"

#include <algorithm>

#include "protocol/dtyp/unicode.h"
#include "protocol/smb2/contexts/durable_handle.h"
#include "protocol/smb2/messages/read.h"

namespace holdfast::client {
namespace {

Task<NtStatus> StatusOf(Task<Result<Bytes>> answer) { co_return (co_await std::move(answer)).status(); }

constexpr Duration kRetryPause = std::chrono::milliseconds(20);
// The first copy of a replay may still be under way at the server.
constexpr int kMostRefusals = 100;

bool IsTransport(NtStatus status) {
  return status == NtStatus::kConnectionDisconnected || status == NtStatus::kConnectionRefused ||
         status == NtStatus::kConnectionReset;
}
// 3.2.7.1: the answers after which a handle is asked for again.
bool IsTemporary(NtStatus status) {
  return IsTransport(status) || status == NtStatus::kServerUnavailable || status == NtStatus::kFileNotAvailable ||
         status == NtStatus::kShareUnavailable;
}
NtStatus StatusOf(NtStatus status) { return status; }
template <class T>
NtStatus StatusOf(const Result<T>& result) {
  return result.status();
}

}  // namespace

Task<Result<std::shared_ptr<PersistentFile>>> PersistentFile::Open(Target target, OpenOptions options, Clock& clock) {
  std::shared_ptr<PersistentFile> file(new PersistentFile(std::move(target), std::move(options), clock));
  file->create_guid_ = Guid::Generate(SystemRandom());
  const NtStatus status = co_await file->Attach(0);
  if (status != NtStatus::kSuccess) co_return status;
  co_return file;
}

Task<NtStatus> PersistentFile::Connect() {
  Break();
  channels_.clear();
  auto connection = co_await Connection::Open(target_.connect);
  if (!connection.ok()) co_return connection.status();
  auto session = co_await Session::SignIn(*connection, target_.credentials, previous_session_);
  if (!session.ok()) {
    (*connection)->Close();
    co_return session.status();
  }
  if (target_.encrypt) (*session)->set_encrypt(true);
  auto tree = co_await Tree::Connect(*session, "\\\\" + target_.credentials.server_name + "\\" + target_.share);
  if (!tree.ok()) {
    (*connection)->Close();
    co_return tree.status();
  }
  previous_session_ = (*session)->id();
  tree_ = *tree;
  max_read_ = (*connection)->max_read();
  max_write_ = (*connection)->max_write();
  const Channel first{*connection, *session, *tree};
  channels_.push_back(first);
  const auto& further = target_.further_addresses;
  for (unsigned i = 1; i < target_.channels; ++i) {
    const std::string address = further.empty() ? target_.connect.address : further[(i - 1) % further.size()];
    // One that cannot be had now is not needed.
    static_cast<void>(co_await AddChannel(first, address));
  }
  co_return NtStatus::kSuccess;
}

Task<NtStatus> PersistentFile::AddChannel(Channel first, std::string address) {
  ConnectOptions options = target_.connect;
  options.address = std::move(address);
  auto connection = co_await Connection::Open(options);
  if (!connection.ok()) co_return connection.status();
  auto session = co_await first.session->Bind(*connection, target_.credentials);
  if (!session.ok() || first.session->id() != previous_session_) {
    (*connection)->Close();
    co_return session.ok() ? NtStatus::kUserSessionDeleted : session.status();
  }
  const std::shared_ptr<Tree> tree = first.tree->On(*session);
  channels_.push_back({*connection, *session, tree});
  ++history_.channels_bound;
  co_return NtStatus::kSuccess;
}

Task<void> PersistentFile::Restore(std::shared_ptr<PersistentFile> self, std::uint64_t session_id,
                                   std::string address) {
  constexpr int kTries = 20;
  for (int i = 0; i < kTries; ++i) {
    co_await SleepFor(self->clock_, kRetryPause);
    const bool same_session = self->previous_session_ == session_id && !self->channels_.empty();
    if (self->ended_ || !same_session || self->channels_.size() >= self->target_.channels) break;
    const Channel first = self->channels_.front();
    if (co_await self->AddChannel(first, address) == NtStatus::kSuccess) break;
  }
  if (--self->restoring_ == 0 && self->ended_) self->restored_.Set(0);
}

const PersistentFile::Channel* PersistentFile::Pick() {
  for (;;) {
    if (channels_.empty()) return nullptr;
    const Channel& channel = channels_[turn_++ % channels_.size()];
    if (!channel.connection->closed()) return &channel;
    Lose(std::shared_ptr<Connection>(channel.connection));
  }
}

void PersistentFile::Lose(const std::shared_ptr<Connection>& connection) {
  const auto found = std::find_if(channels_.begin(), channels_.end(),
                                  [&](const Channel& channel) { return channel.connection == connection; });
  if (found == channels_.end()) return;  // somebody else has noticed
  connection->Close();
  channels_.erase(found);
  if (channels_.empty()) return;
  ++channel_sequence_;
  ++history_.channels_lost;
  tree_ = channels_.front().tree;
  ++restoring_;
  Spawn(connection->executor(), Restore(shared_from_this(), previous_session_, connection->options().address));
}

Task<NtStatus> PersistentFile::CreateOrReclaim(bool may_have_been_created) {
  smb2::CreateRequest request;
  request.desired_access = options_.desired_access;
  request.share_access = options_.share_access;
  request.create_disposition = options_.disposition;
  request.create_options = options_.create_options;
  request.name = Utf8ToUtf16Lossy(options_.path);
  std::replace(request.name.begin(), request.name.end(), u'/', u'\\');
  if (opened_) {
    smb2::DurableHandleReconnectV2 reconnect;
    reconnect.file_id = id_;
    reconnect.create_guid = create_guid_;
    reconnect.flags = smb2::durable_flag::kPersistent;
    request.contexts.push_back(
        smb2::CreateContext::From(smb2::create_context::kDurableHandleReconnectV2, reconnect));
  } else {
    smb2::DurableHandleRequestV2 ask;
    ask.timeout = options_.timeout_ms;
    ask.flags = smb2::durable_flag::kPersistent;
    ask.create_guid = create_guid_;
    request.contexts.push_back(smb2::CreateContext::From(smb2::create_context::kDurableHandleRequestV2, ask));
  }
  create_sent_ = true;
  bool replay = !opened_ && may_have_been_created;
  Result<CreateResult> result(NtStatus::kConnectionDisconnected);
  for (int refusals = 0;;) {
    const Channel* picked = Pick();
    if (!picked) co_return NtStatus::kConnectionDisconnected;
    const Channel channel = *picked;
    result = co_await channel.tree->Create(request, Replay{channel_sequence_, replay});
    if (IsTransport(result.status())) {
      Lose(channel.connection);
      // The answer of a reclaim that was lost leaves the handle with this session: only a new one reclaims it again.
      if (opened_) co_return result.status();
      replay = true;
      continue;
    }
    if (!replay || result.status() != NtStatus::kFileNotAvailable || ++refusals == kMostRefusals) break;
    co_await SleepFor(clock_, kRetryPause);
  }
  if (!result.ok()) co_return result.status();
  end_of_file_ = std::max(end_of_file_, result->response.end_of_file);
  if (!opened_) {
    create_action_ = result->response.create_action;
    const auto* context = smb2::FindContext(result->response.contexts, smb2::create_context::kDurableHandleRequestV2);
    const auto granted =
        context ? wire::Decode<smb2::DurableHandleResponseV2>(context->data) : Result<smb2::DurableHandleResponseV2>(NtStatus::kNotSupported);
    if (!granted.ok() || !(granted->flags & smb2::durable_flag::kPersistent)) {
      (void)co_await tree_->Close(result->response.file_id);
      co_return NtStatus::kNotSupported;
    }
    timeout_ms_ = granted->timeout;
  }
  id_ = result->response.file_id;
  opened_ = true;
  co_return NtStatus::kSuccess;
}

Task<NtStatus> PersistentFile::Attach(std::uint64_t generation) {
  const auto guard = co_await attaching_.Lock();
  if (lost_ != NtStatus::kSuccess) co_return lost_;
  if (generation_ > generation && Pick()) co_return NtStatus::kSuccess;
  const SteadyTime begun = clock_.Now();
  const bool again = generation_ != 0;
  if (again) ++channel_sequence_;
  for (;;) {
    const bool may_have_been_created = create_sent_;
    NtStatus status = co_await Connect();
    if (status == NtStatus::kSuccess) status = co_await CreateOrReclaim(may_have_been_created);
    if (status == NtStatus::kSuccess) break;
    if (!IsTemporary(status)) {
      lost_ = status;
      co_return status;
    }
    if (clock_.Now() - begun > target_.give_up_after) {
      lost_ = NtStatus::kConnectionDisconnected;
      co_return lost_;
    }
    co_await SleepFor(clock_, kRetryPause);
  }
  ++generation_;
  if (again) {
    ++history_.reconnects;
    history_.stalls.push_back(clock_.Now() - begun);
  }
  co_return NtStatus::kSuccess;
}

template <class T>
Task<T> PersistentFile::Persist(std::function<Task<T>(std::shared_ptr<Tree>, Replay)> operation) {
  const auto self = shared_from_this();
  ++history_.operations;
  bool sent_before = false;
  int refusals = 0;
  for (;;) {
    const std::uint64_t generation = generation_;
    const Channel* picked = Pick();
    if (!picked) {
      const NtStatus status = co_await Attach(generation);
      if (status != NtStatus::kSuccess) co_return status;
      continue;
    }
    const Channel channel = *picked;
    const std::uint16_t sequence = channel_sequence_;
    T result = co_await operation(channel.tree, Replay{sequence, sent_before});
    const NtStatus status = StatusOf(result);
    if (IsTransport(status)) {
      if (!sent_before) ++history_.replayed;
      sent_before = true;
      Lose(channel.connection);
      continue;
    }
    // The first copy of a replay may still be under way; and what left before another channel failed may arrive behind
    // what carries the new sequence.
    const bool overtaken = sequence != channel_sequence_;
    if ((sent_before || overtaken) && status == NtStatus::kFileNotAvailable && ++refusals < kMostRefusals) {
      co_await SleepFor(clock_, kRetryPause);
      continue;
    }
    co_return result;
  }
}

Task<NtStatus> PersistentFile::Write(std::uint64_t offset, ByteView data) {
  while (!data.empty()) {
    const ByteView piece = data.first(std::min<std::size_t>(data.size(), max_write_));
    auto written = co_await Persist<Result<std::uint32_t>>(
        [this, offset, piece](std::shared_ptr<Tree> tree, Replay replay) { return tree->Write(id_, offset, piece, replay); });
    if (!written.ok()) co_return written.status();
    if (*written == 0 || *written > piece.size()) co_return NtStatus::kInvalidNetworkResponse;
    offset += *written;
    data = data.subspan(*written);
  }
  co_return NtStatus::kSuccess;
}

Task<Result<Bytes>> PersistentFile::Read(std::uint64_t offset, std::uint32_t length) {
  Bytes out;
  while (out.size() < length) {
    const auto ask = std::min(length - static_cast<std::uint32_t>(out.size()), max_read_);
    const std::uint64_t at = offset + out.size();
    auto answer = co_await Persist<Result<Response>>(
        [this, at, ask](std::shared_ptr<Tree> tree, Replay replay) { return tree->Read(id_, at, ask, replay); });
    if (!answer.ok()) {
      if (answer.status() == NtStatus::kEndOfFile && !out.empty()) break;
      co_return answer.status();
    }
    const auto read = answer->As<smb2::ReadResponse>();
    if (!read.ok() || read->data.empty()) co_return NtStatus::kInvalidNetworkResponse;
    out.insert(out.end(), read->data.begin(), read->data.end());
    if (read->data.size() < ask) break;
  }
  co_return out;
}

Task<NtStatus> PersistentFile::Flush() {
  co_return co_await Persist<NtStatus>([this](std::shared_ptr<Tree> tree, Replay replay) { return tree->Flush(id_, replay); });
}

Task<NtStatus> PersistentFile::SetInfo(std::uint8_t file_info_class, Bytes buffer) {
  // Named: g++ 12 destroys the captures of a temporary closure in a co_await expression twice.
  std::function<Task<NtStatus>(std::shared_ptr<Tree>, Replay)> operation =
      [this, file_info_class, buffer](std::shared_ptr<Tree> tree, Replay replay) {
    return tree->SetInfo(id_, file_info_class, buffer, replay);
  };
  co_return co_await Persist<NtStatus>(std::move(operation));
}

Task<NtStatus> PersistentFile::Control(std::uint32_t code, std::function<Bytes(smb2::FileId)> input) {
  std::function<Task<NtStatus>(std::shared_ptr<Tree>, Replay)> operation =
      [this, code, input](std::shared_ptr<Tree> tree, Replay replay) -> Task<NtStatus> {
    return StatusOf(tree->Ioctl(id_, code, input(id_), 0, replay));
  };
  co_return co_await Persist<NtStatus>(std::move(operation));
}

Task<NtStatus> PersistentFile::SetEndOfFile(std::uint64_t size) {
  constexpr std::uint8_t kFileEndOfFileInformation = 20;
  Bytes buffer;
  wire::AppendLe(buffer, size);
  co_return co_await SetInfo(kFileEndOfFileInformation, buffer);
}

Task<NtStatus> PersistentFile::LockOnce(std::uint64_t offset, std::uint64_t length, std::uint32_t flags) {
  // 3.2.4.19: 64 buckets, each with a number of four bits that changes with every use.
  const std::uint32_t turn = next_lock_++;
  const std::uint32_t sequence = (turn % 64 + 1) << 4 | (turn / 64 % 16);
  smb2::LockElement element;
  element.offset = offset;
  element.length = length;
  element.flags = flags;
  co_return co_await Persist<NtStatus>(
      [this, element, sequence](std::shared_ptr<Tree> tree, Replay replay) {
        return tree->Lock(id_, {element}, sequence, replay);
      });
}

Task<NtStatus> PersistentFile::Lock(std::uint64_t offset, std::uint64_t length, bool exclusive) {
  return LockOnce(offset, length,
                  smb2::lock_flag::kFailImmediately |
                      (exclusive ? smb2::lock_flag::kExclusiveLock : smb2::lock_flag::kSharedLock));
}

Task<NtStatus> PersistentFile::Unlock(std::uint64_t offset, std::uint64_t length) {
  return LockOnce(offset, length, smb2::lock_flag::kUnlock);
}

Task<NtStatus> PersistentFile::Close() {
  bool lost_once = false;
  NtStatus status = co_await Persist<NtStatus>([this, &lost_once](std::shared_ptr<Tree> tree, Replay replay) {
    lost_once = replay.replay;
    return tree->Close(id_, replay);
  });
  // The record was removed before the server died: reclaiming the handle found nothing, which is what was wanted.
  if (status == NtStatus::kObjectNameNotFound && (lost_once || lost_ != NtStatus::kSuccess)) status = NtStatus::kSuccess;
  // The same, over another channel of a session that lives on.
  if (status == NtStatus::kFileClosed && lost_once) status = NtStatus::kSuccess;
  ended_ = true;
  if (restoring_ != 0) co_await restored_.Wait();
  Break();
  co_return status;
}

void PersistentFile::Break() {
  for (const Channel& channel : channels_) channel.connection->Close();
}

std::size_t PersistentFile::channels() const {
  return static_cast<std::size_t>(std::count_if(channels_.begin(), channels_.end(), [](const Channel& channel) {
    return !channel.connection->closed();
  }));
}

bool PersistentFile::BreakChannel(std::size_t number) {
  if (number >= channels_.size()) return false;
  channels_[number].connection->Close();
  return true;
}

}  // namespace holdfast::client
