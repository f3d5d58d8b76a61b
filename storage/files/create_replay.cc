// The same CREATE again, [MS-SMB2] 3.3.5.9 and 3.3.5.9.10: after a lost answer it gets the first one and does nothing.
#include "storage/files/creation.h"

namespace holdfast {

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
    if (eligible->attached_session != p_.requester.session) co_return Decided(NtStatus::kDuplicateObjectid);
    if (eligible->is_persistent() && !p_.durable.persistent_requested) co_return Decided(NtStatus::kInvalidParameter);
    eligible->attached_connection = p_.requester.connection;
    CreateOutcome outcome = Finish(eligible, eligible->create_action);
    outcome.replayed = true;
    co_return Decided(std::move(outcome));
  }
  if (!persistent || !p_.replay) co_return std::nullopt;

  const OpenPtr survivor = find([](const Open& open) { return open.is_persistent(); });
  if (!survivor) co_return std::nullopt;  // it never got as far as its record: this is the first time
  co_return co_await AttachSurvivor(survivor);
}

Task<Result<CreateOutcome>> Creation::AttachSurvivor(OpenPtr open) {
  if (open->attached) co_return NtStatus::kFileNotAvailable;
  if (!(open->durable_owner == p_.requester.token->user)) co_return NtStatus::kAccessDenied;
  if (open->create_options != asked_options_ || open->desired_access != asked_access_ ||
      open->share_access != p_.share_access) {
    co_return NtStatus::kContextMismatch;
  }
  co_await impl_.Drain(open);
  if (open->closed || open->attached) co_return NtStatus::kFileNotAvailable;
  impl_.StopTimer(*open);
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
