// CREATE: what may be asked at all, the order of its phases, and what every new open starts with.
#include "storage/files/creation.h"

#include <algorithm>
#include <map>

#include "protocol/dtyp/access_mask.h"
#include "protocol/fscc/attributes.h"
#include "protocol/fscc/extended_attributes.h"

namespace holdfast {
namespace {

namespace option {
constexpr std::uint32_t kDirectoryFile = 0x00000001;
constexpr std::uint32_t kWriteThrough = 0x00000002;
constexpr std::uint32_t kNoIntermediateBuffering = 0x00000008;
constexpr std::uint32_t kNonDirectoryFile = 0x00000040;
constexpr std::uint32_t kDeleteOnClose = 0x00001000;
constexpr std::uint32_t kInvalid = 0xFF000000;
// CREATE_TREE_CONNECTION, OPEN_BY_FILE_ID, RESERVE_OPFILTER.
constexpr std::uint32_t kNotSupported = 0x00102080;
// Cleared before the object store sees them, 3.3.5.9: COMPLETE_IF_OPLOCKED, SYNCHRONOUS_IO_*, FREE_SPACE_QUERY.
constexpr std::uint32_t kIgnored = 0x00800130;
// What FileModeInformation shows, [MS-FSA] 2.1.5.1 phase 3.
constexpr std::uint32_t kMode = 0x0000103E;
}  // namespace option

constexpr std::uint32_t kDispositionOpen = 1, kDispositionCreate = 2, kDispositionOpenIf = 3, kDispositionMax = 5;
constexpr std::uint32_t kInvalidAttributes = 0xFFFF8048;
constexpr std::uint32_t kInvalidAccess = 0x0CE0FE00;
constexpr std::size_t kMaxEaBytes = 65536;
constexpr int kMaxAttempts = 16;

}  // namespace

Task<Result<CreateOutcome>> Files::Create(CreateParameters parameters) {
  Creation creation(*this, std::move(parameters));
  co_return co_await creation.Run();
}

Task<Result<CreateOutcome>> Creation::Run() {
  if (const NtStatus status = Validate(); status != NtStatus::kSuccess) co_return status;
  if (p_.durable.kind == DurableKind::kDurableV2) co_return co_await ExecuteOnce();
  co_return co_await Execute();
}

Task<Result<CreateOutcome>> Creation::Execute() {
  if (p_.app_instance && p_.durable.kind == DurableKind::kDurableV2) {
    const NtStatus status = co_await EndOtherInstance();
    if (status != NtStatus::kSuccess) co_return status;
  }
  if (p_.durable.kind == DurableKind::kDurableV2) {
    auto replayed = co_await Replay();
    if (replayed) co_return std::move(*replayed);
  }
  for (int attempt = 0; attempt < kMaxAttempts;) {
    auto place = co_await Walk();
    if (!place.ok()) co_return place.status();
    Attempt result;
    if (place->number != 0) {
      result = co_await OpenExisting(*place);
    } else {
      result = co_await CreateNew(*place);
    }
    if (auto* decided = std::get_if<Result<CreateOutcome>>(&result)) co_return std::move(*decided);
    if (std::holds_alternative<Again>(result)) ++attempt;
  }
  co_return NtStatus::kFileNotAvailable;  // others change this name faster than we can look at it
}

bool Creation::Overwrites() const {
  return p_.create_disposition == 0 || p_.create_disposition == 4 || p_.create_disposition == 5;
}

NtStatus Creation::Validate() {
  asked_access_ = p_.desired_access;
  if (p_.create_disposition > kDispositionMax || (p_.share_access & ~7u) || (p_.file_attributes & kInvalidAttributes) ||
      (p_.create_options & option::kInvalid)) {
    return NtStatus::kInvalidParameter;
  }
  if (p_.create_options & option::kNotSupported) return NtStatus::kNotSupported;
  p_.create_options &= ~option::kIgnored;
  if (p_.share->continuous_availability && p_.requester.persistent_capable) p_.create_options |= option::kWriteThrough;
  asked_options_ = p_.create_options;
  if (p_.create_options & option::kNoIntermediateBuffering) p_.desired_access &= ~access::kAppendData;
  if (p_.desired_access == 0 || (p_.desired_access & kInvalidAccess)) return NtStatus::kAccessDenied;
  const bool directory = Wants(option::kDirectoryFile);
  if (directory && Wants(option::kNonDirectoryFile)) return NtStatus::kInvalidParameter;
  if (directory && p_.create_disposition != kDispositionOpen && p_.create_disposition != kDispositionCreate &&
      p_.create_disposition != kDispositionOpenIf) {
    return NtStatus::kInvalidParameter;
  }
  const std::uint32_t mapped = access::MapGeneric(p_.desired_access);
  if (Wants(option::kDeleteOnClose)) {
    if (!(mapped & (access::kDelete | access::kMaximumAllowed))) return NtStatus::kInvalidParameter;
    if (!(p_.share_mask & access::kDelete)) return NtStatus::kAccessDenied;
  }
  if (p_.allocation_size > kMaxFileSize) return NtStatus::kInvalidParameter;
  std::size_t ea_bytes = 0;
  for (const ExtendedAttribute& ea : p_.eas) ea_bytes += ea.name.size() + ea.value.size() + 9;
  if (ea_bytes > kMaxEaBytes) return NtStatus::kEaTooLarge;

  auto path = ParsePath(p_.path);
  if (!path.ok()) return path.status();
  path_ = std::move(*path);
  if (path_.trailing_backslash && (Wants(option::kNonDirectoryFile) || path_.names_stream())) {
    return NtStatus::kObjectNameInvalid;
  }
  if (path_.names_directory_index()) {
    if (Wants(option::kNonDirectoryFile)) return NtStatus::kInvalidParameter;
    p_.create_options |= option::kDirectoryFile;
  } else if (directory && path_.names_stream()) {
    return NtStatus::kNotADirectory;
  }
  return NtStatus::kSuccess;
}

bool Creation::grants_persistent() const {
  return p_.durable.kind == DurableKind::kDurableV2 && p_.durable.persistent_requested &&
         p_.requester.persistent_capable && p_.share->continuous_availability;
}

std::uint32_t Creation::Timeout() const {
  if (p_.durable.timeout_ms != 0) return std::min(p_.durable.timeout_ms, files_.options_.max_durable_timeout_ms);
  const std::uint32_t configured =
      p_.share->continuous_availability ? p_.share->ca_timeout_ms : files_.options_.durable_timeout_ms;
  return std::min(configured, files_.options_.max_durable_timeout_ms);
}

Result<OpenPtr> Creation::MakeOpen(const FileStatePtr& file, const Place& place, std::uint32_t granted) {
  const bool persistent = grants_persistent();
  const auto id = impl_.NewPersistentId(*file, persistent);
  if (!id.ok()) return id.status();
  auto open = std::make_shared<Open>();
  open->persistent_id = *id;
  open->file = file;
  open->share = p_.share;
  open->path = p_.path;
  while (open->path.ends_with(u'\\')) open->path.pop_back();
  open->link.parent = place.parent;
  open->link.name = place.name;
  open->granted_access = granted;
  open->desired_access = asked_access_;
  open->share_access = p_.share_access;
  open->create_options = asked_options_;
  open->create_disposition = p_.create_disposition;
  open->file_attributes = p_.file_attributes;
  open->maximal_access = maximal_access_;
  open->token = p_.requester.token;
  open->delete_on_close = Wants(option::kDeleteOnClose);
  open->is_directory = file->inode.directory && path_.stream.empty();
  open->client_guid = p_.requester.client_guid;
  open->app_instance = p_.app_instance;
  open->durable_owner = p_.requester.token->user;
  open->mode = asked_options_ & option::kMode;
  open->create_guid = p_.durable.kind == DurableKind::kDurableV2 ? p_.durable.create_guid : Guid{};
  if (persistent) {
    open->durable = DurableKind::kPersistent;
    open->durable_open_timeout_ms = Timeout();
  }
  constexpr std::uint32_t kReplayable =
      access::kReadData | access::kExecute | access::kWriteData | access::kAppendData | access::kDelete;
  open->is_replay_eligible =
      persistent || (p_.durable.kind == DurableKind::kDurableV2 && !open->is_directory && (granted & kReplayable));
  return open;
}

void Creation::GrantCaching(const FileStatePtr& file, const OpenPtr& open, bool overwritten) {
  StreamState* stream = open->is_directory ? nullptr : file->Stream(open->stream);
  if (!stream) return;  // directories: none
  plan_ = impl_.PlanCaching(*file, *stream, *open, p_.caching, overwritten);
  if (open->is_persistent() || p_.durable.kind == DurableKind::kNone) return;
  // Durability needs a batch oplock or a lease with H, 3.3.5.9.6 and 3.3.5.9.10.
  if (!open->caching || open->caching->breaking || !(plan_.state & caching::kHandle)) return;
  open->durable = p_.durable.kind;
  open->durable_open_timeout_ms =
      open->durable == DurableKind::kDurableV1 ? files_.options_.durable_timeout_ms : Timeout();
}

void Creation::Publish(const OpenPtr& open) {
  open->attached = true;
  open->attached_connection = p_.requester.connection;
  open->attached_session = p_.requester.session;
  impl_.Register(open);
  impl_.Attach(open, plan_);
}

CreateOutcome Creation::Finish(const OpenPtr& open, std::uint32_t action) {
  open->create_action = action;
  CreateOutcome outcome;
  outcome.open = open;
  outcome.create_action = action;
  outcome.durable_response = open->durable != DurableKind::kNone;
  return outcome;
}

std::uint32_t InitialAttributes(std::uint32_t desired, bool directory) {
  using namespace file_attribute;  // NOLINT
  constexpr std::uint32_t kSettable =
      kReadonly | kHidden | kSystem | kArchive | kTemporary | kOffline | kNotContentIndexed;
  const std::uint32_t attributes = desired & kSettable;
  return directory ? attributes & ~kTemporary : attributes | kArchive;
}

NtStatus SetInitialEas(Inode& inode, const std::vector<ExtendedAttribute>& eas) {
  std::map<std::string, ExtendedAttribute> by_name;
  for (ExtendedAttribute ea : eas) {
    if (!fscc::IsValidEaName(ea.name)) return NtStatus::kInvalidEaName;
    for (char& c : ea.name) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    std::string name = ea.name;
    by_name.insert_or_assign(std::move(name), std::move(ea));
  }
  inode.eas.clear();
  std::vector<fscc::ExtendedAttribute> sized;
  for (auto& [name, ea] : by_name) {
    if (ea.value.empty()) continue;
    sized.push_back({ea.flags, ea.name, ea.value});
    inode.eas.push_back(std::move(ea));
  }
  inode.ea_bytes = fscc::EaSize(sized);
  return NtStatus::kSuccess;
}

}  // namespace holdfast
