// The same CREATE again, [MS-SMB2] 3.3.5.9 and 3.3.5.9.10: after a lost answer it gets the first one and does nothing.
#include "storage/files/creation.h"

namespace holdfast {
namespace {

// Breaks that the original waits for are acknowledged within milliseconds by who is there. Who is not may take three minutes,
// and a client does not wait so long for an answer that it has asked for twice.
constexpr Duration kOriginalEndsWithin = std::chrono::seconds(1);

}  // namespace

// Of a CREATE, until it ends, however it ends.
class Creation::Reservation {
 public:
  using Executing = decltype(Files::Impl::executing);

  Reservation(Executing& executing, const Files::Impl::ReplayKey& key) : executing_(executing) {
    const auto [entry, taken] = executing.try_emplace(key);
    if (taken) entry_ = entry;
  }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation() {
    if (!entry_) return;
    const auto replays = std::move((*entry_)->second);
    executing_.erase(*entry_);
    for (const auto& ended : replays) ended->Set(NtStatus::kSuccess);
  }
  bool taken() const { return entry_.has_value(); }

 private:
  Executing& executing_;
  std::optional<Executing::iterator> entry_;
};

Task<Result<CreateOutcome>> Creation::ExecuteOnce() {
  const Files::Impl::ReplayKey key{p_.requester.client_guid, p_.durable.create_guid};
  const SteadyTime deadline = files_.clock_.Now() + kOriginalEndsWithin;
  for (;;) {
    {
      const Reservation reservation(impl_.executing, key);
      if (reservation.taken()) co_return co_await Execute();
    }
    if (!p_.replay) co_return NtStatus::kDuplicateObjectid;
    const NtStatus ended = co_await AwaitOriginal(key, deadline);
    if (ended != NtStatus::kSuccess) co_return ended;
  }
}

Task<NtStatus> Creation::AwaitOriginal(Files::Impl::ReplayKey key, SteadyTime deadline) {
  const auto ended = std::make_shared<OneShot<NtStatus>>();
  impl_.executing[key].push_back(ended);
  if (p_.wait) {
    if (p_.wait->cancelled()) co_return *p_.wait->cancelled();
    p_.wait->SetWake([ended, wait = p_.wait.get()] { ended->Set(wait->cancelled().value_or(NtStatus::kCancelled)); });
  }
  const auto timer = files_.clock_.Schedule(deadline, [ended] { ended->Set(NtStatus::kFileNotAvailable); });
  const NtStatus status = co_await ended->Wait();
  files_.clock_.Cancel(timer);
  if (p_.wait) p_.wait->SetWake(nullptr);
  co_return status;
}

Task<std::optional<Result<CreateOutcome>>> Creation::Replay() {
  using Decided = Result<CreateOutcome>;
  const auto find = [this](auto matches) -> OpenPtr {
    const auto [begin, end] = impl_.by_create_guid.equal_range(p_.durable.create_guid);
    for (auto it = begin; it != end; ++it) {
      if (!it->second->closed && matches(*it->second)) return it->second;
    }
    return nullptr;
  };
  const bool persistent = grants_persistent();
  if (persistent && p_.replay) co_await impl_.AwaitRecovery();

  const OpenPtr eligible = find([this](const Open& open) {
    return open.is_replay_eligible && open.client_guid == p_.requester.client_guid;
  });
  if (eligible && !p_.replay) co_return Decided(NtStatus::kDuplicateObjectid);
  // One whose connection went too has no session to compare with: that is what the second lookup is for.
  if (eligible && (eligible->attached || !persistent)) {
    if (!(eligible->durable_owner == p_.requester.token->user)) co_return Decided(NtStatus::kAccessDenied);
    if (eligible->has_lease() && p_.caching.lease_key != eligible->caching->lease_key) {
      co_return Decided(NtStatus::kAccessDenied);
    }
    // The reverse is not in 3.3.5.9; it is what Windows answers (replay.replay-dhv2-oplock-lease).
    if (eligible->caching && !eligible->has_lease() && p_.caching.lease_key) {
      co_return Decided(NtStatus::kAccessDenied);
    }
    if (eligible->attached_session != p_.requester.session) co_return Decided(NtStatus::kDuplicateObjectid);
    if (eligible->is_persistent() && !p_.durable.persistent_requested) co_return Decided(NtStatus::kInvalidParameter);
    eligible->attached_connection = p_.requester.connection;
    co_return Decided(AnswerAgain(eligible));
  }
  if (!persistent || !p_.replay) co_return std::nullopt;

  const OpenPtr survivor = find([](const Open& open) { return open.is_persistent(); });
  if (!survivor) co_return std::nullopt;  // it never got as far as its record: this is the first time
  co_return co_await AttachSurvivor(survivor);
}

CreateOutcome Creation::AnswerAgain(const OpenPtr& open) {
  CreateOutcome outcome = Finish(open, open->create_action);
  outcome.replayed = true;
  if (!open->caching || open->has_lease()) return outcome;
  // A replay that asks for less than the oplock hears of no more, and of no durability that it could not have had for
  // that; the open keeps what it has (replay.replay-dhv2-oplock2, after Windows).
  const std::uint32_t state = open->caching->state & StateOfOplock(p_.caching.oplock_level);
  outcome.oplock_level = OplockOfState(state);
  if (!open->is_persistent() && !(state & caching::kHandle)) outcome.durable_response = false;
  return outcome;
}

Task<Result<CreateOutcome>> Creation::AttachSurvivor(OpenPtr open) {
  if (open->attached) co_return NtStatus::kFileNotAvailable;
  if (!(open->durable_owner == p_.requester.token->user)) co_return NtStatus::kAccessDenied;
  if (open->create_options != asked_options_ || open->desired_access != asked_access_ ||
      open->share_access != p_.share_access) {
    co_return NtStatus::kContextMismatch;
  }
  impl_.StopTimer(*open);  // it is claimed, as in Reconnect
  co_await impl_.Drain(open);
  if (open->closed || open->attached) co_return NtStatus::kFileNotAvailable;
  open->share = p_.share;
  open->attached = true;
  open->attached_connection = p_.requester.connection;
  open->attached_session = p_.requester.session;
  impl_.Readmit(open, p_.caching);
  CreateOutcome outcome = Finish(open, open->create_action);
  outcome.replayed = true;
  co_return outcome;
}

}  // namespace holdfast
