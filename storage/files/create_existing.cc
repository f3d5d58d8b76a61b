// Opening what is there, [MS-FSA] 2.1.5.1.2: who may, who is in the way, and what the disposition does to it.
#include <algorithm>

#include "protocol/base/fault_point.h"
#include "protocol/dtyp/access_mask.h"
#include "protocol/dtyp/upcase.h"
#include "protocol/fscc/attributes.h"
#include "protocol/fscc/reparse.h"
#include "storage/files/creation.h"
#include "storage/files/operation.h"

namespace holdfast {
namespace {

constexpr std::uint32_t kDirectoryFile = 0x00000001, kNonDirectoryFile = 0x00000040, kNoEaKnowledge = 0x00000200,
                        kDeleteOnClose = 0x00001000, kOpenForBackupIntent = 0x00004000, kOpenReparsePoint = 0x00200000;
constexpr std::uint32_t kDispositionOpen = 1, kDispositionCreate = 2, kDispositionOpenIf = 3, kDispositionOverwrite = 4;
constexpr std::uint32_t kActionSuperseded = 0, kActionOpened = 1, kActionCreated = 2, kActionOverwritten = 3;
constexpr std::uint32_t kShareWrite = 2;
constexpr std::uint32_t kNotifyAttributesSizeWrite = 0x0000001C, kNotifyStreamName = 0x00000200,
                        kNotifyStreamSizeWrite = 0x00000C00;
constexpr std::uint32_t kFileActionModified = 3, kFileActionAddedStream = 6, kFileActionModifiedStream = 8;

bool HasLink(const Inode& inode, FileNumber parent, std::u16string_view name) {
  return std::ranges::any_of(inode.links, [&](const LinkFacts& link) {
    return link.parent == parent && EqualsIgnoringCase(link.name, name);
  });
}

}  // namespace

Task<Creation::Attempt> Creation::OpenExisting(Place place) {
  auto acquired = co_await files_.Acquire(place.number);
  if (!acquired.ok()) {
    // The name led there a moment ago: it is on its way out.
    if (acquired.status() == NtStatus::kObjectNameNotFound && place.parent != 0) co_return Again{};
    co_return Result<CreateOutcome>(acquired.status());
  }
  const FileStatePtr file = *acquired;
  auto guard = co_await file->mutex.Lock();
  if (file->gone || file->unlinked) co_return Again{};
  if (place.parent != 0 && !HasLink(file->inode, place.parent, place.name)) co_return Again{};

  if (file->delete_pending) co_return Result<CreateOutcome>(NtStatus::kDeletePending);
  if (const NtStatus status = CheckKind(*file); status != NtStatus::kSuccess) co_return Result<CreateOutcome>(status);
  if (p_.replay && grants_persistent()) {
    // A crash may have come between the record and the index entry: then only the file itself knows of the open.
    for (const OpenPtr& candidate : file->opens) {
      if (!candidate->is_persistent() || candidate->closed) continue;
      if (candidate->create_guid != p_.durable.create_guid) continue;
      const OpenPtr survivor = candidate;
      guard.Release();
      co_return co_await AttachSurvivor(survivor);
    }
  }
  StreamState* stream = nullptr;
  if (!(file->inode.directory && path_.stream.empty())) {
    stream = path_.stream.empty() ? file->Stream(kUnnamedStream) : file->FindStream(path_.stream);
    if (stream && stream->delete_pending) co_return Result<CreateOutcome>(NtStatus::kDeletePending);
    if (!stream && (p_.create_disposition == kDispositionOpen || p_.create_disposition == kDispositionOverwrite)) {
      co_return Result<CreateOutcome>(NtStatus::kObjectNameNotFound);
    }
  } else if (Overwrites()) {
    co_return Result<CreateOutcome>(place.parent == 0 ? NtStatus::kAccessDenied : NtStatus::kObjectNameCollision);
  }
  if (p_.create_disposition == kDispositionCreate && (stream || path_.stream.empty())) {
    co_return Result<CreateOutcome>(NtStatus::kObjectNameCollision);
  }
  if (!Wants(kOpenReparsePoint) && file->inode.reparse_tag != 0) {
    if (!fscc::reparse_tag::IsNameSurrogate(file->inode.reparse_tag)) {
      co_return Result<CreateOutcome>(NtStatus::kIoReparseTagNotHandled);
    }
    if (p_.stopped) p_.stopped->reparse_data = file->inode.reparse_data;
    co_return Result<CreateOutcome>(NtStatus::kStoppedOnSymlink);
  }
  auto opened = co_await OpenStream(file, std::move(place), stream);
  if (!must_wait_) co_return std::move(opened);
  // Without the mutex: acknowledgements, closes and other opens have to pass.
  must_wait_ = false;
  guard.Release();
  const NtStatus waited = co_await impl_.AwaitCaching(file, nullptr, p_.wait, p_.requester.client_guid,
                                                     p_.requester.token->user);
  if (waited != NtStatus::kSuccess) co_return Result<CreateOutcome>(waited);
  first_attempt_ = false;
  co_return Waited{};
}

NtStatus Creation::CheckKind(const FileState& file) const {
  if (file.inode.directory) {
    if (!path_.stream.empty()) return NtStatus::kSuccess;  // a named stream of a directory is data
    if (path_.stream_type == ParsedPath::StreamType::kData || Wants(kNonDirectoryFile)) {
      return NtStatus::kFileIsADirectory;
    }
    return NtStatus::kSuccess;
  }
  if (Wants(kDirectoryFile)) {
    return p_.create_disposition == kDispositionCreate ? NtStatus::kObjectNameCollision : NtStatus::kNotADirectory;
  }
  return path_.trailing_backslash ? NtStatus::kObjectNameInvalid : NtStatus::kSuccess;
}

Task<Result<FileStatePtr>> Creation::Parent(const Place& place) {
  if (place.parent == 0) co_return FileStatePtr();
  co_return co_await files_.Acquire(place.parent);
}

Files::Impl::Contender Creation::MakeContender(std::uint32_t access, bool overwrites, bool sharing_violation) const {
  Files::Impl::Contender contender;
  contender.client_guid = p_.requester.client_guid;
  contender.lease_key = p_.caching.lease_key;
  contender.access = access;
  contender.overwrites = overwrites;
  contender.sharing_violation = sharing_violation;
  contender.first_attempt = first_attempt_;
  return contender;
}

std::vector<RecordChange> Creation::Records(const Open& open, RecordTodo todo) const {
  std::vector<RecordChange> records;
  if (open.is_persistent()) records.push_back(OpenRecordChange(open, todo));
  if (!open.has_lease()) return records;
  const CachingGrant& lease = *open.caching;
  const bool changed = plan_.extends && plan_.state != plan_.seen_state;
  if (open.is_persistent() || (changed && lease.HasPersistentOpen())) {
    records.push_back(LeaseRecordChange(lease, plan_.state, plan_.epoch));
  }
  return records;
}

Task<Result<CreateOutcome>> Creation::OpenStream(FileStatePtr file, Place place, StreamState* stream) {
  const StreamId known = stream ? stream->facts.id : kUnnamedStream;
  const NtStatus key = impl_.CheckLeaseKey(p_.requester.client_guid, p_.caching, file->number, known);
  if (key != NtStatus::kSuccess) co_return key;
  const auto parent = co_await Parent(place);
  if (!parent.ok()) co_return parent.status();
  const Bytes* parent_descriptor = *parent ? &(*parent)->inode.security_descriptor : nullptr;
  const Inode& inode = file->inode;

  if (Wants(kNoEaKnowledge) && path_.stream.empty()) {
    const bool needed = std::ranges::any_of(inode.eas, [](const ExtendedAttribute& ea) { return ea.flags & 0x80; });
    if (needed) co_return NtStatus::kAccessDenied;
  }
  const bool overwrites = stream && Overwrites();
  AccessRequest request;
  request.desired = p_.desired_access;
  request.share_mask = p_.share_mask;
  request.backup_intent = Wants(kOpenForBackupIntent);
  request.delete_on_close = Wants(kDeleteOnClose);
  if (overwrites) {
    if (path_.stream.empty()) {
      constexpr std::uint32_t kKept = file_attribute::kHidden | file_attribute::kSystem;
      if (inode.file_attributes & kKept & ~p_.file_attributes) co_return NtStatus::kAccessDenied;
      request.implied |= access::kWriteEa | access::kWriteAttributes;
    }
    request.implied |= Supersedes() ? access::kDelete : access::kWriteData;
    if (inode.file_attributes & file_attribute::kReadonly) co_return NtStatus::kAccessDenied;
  } else if (!stream && !path_.stream.empty()) {
    request.implied |= access::kWriteData;
  }
  const AccessOutcome access = CheckExistingAccess(inode, parent_descriptor, *p_.requester.token, request);
  if (access.status != NtStatus::kSuccess) co_return access.status;
  maximal_access_ = MaximalAccessOf(inode, parent_descriptor, *p_.requester.token, p_.share_mask);

  if (stream || path_.stream.empty()) {
    SharingRequest sharing;
    sharing.stream = stream ? stream->facts.id : kUnnamedStream;
    sharing.access = access.granted;
    if (overwrites) sharing.access |= Supersedes() ? access::kDelete : access::kWriteData;
    sharing.share_access = p_.share_access;
    const NtStatus shared = CheckSharing(*file, sharing);
    const bool violation = shared == NtStatus::kSharingViolation;
    if (shared != NtStatus::kSuccess && !violation) co_return shared;
    if (stream) {
      const auto verdict = impl_.BreakForOpen(*file, *stream, MakeContender(sharing.access, overwrites, violation));
      if (verdict == Files::Impl::Verdict::kNotAvailable) co_return NtStatus::kFileNotAvailable;
      must_wait_ = verdict == Files::Impl::Verdict::kWait;
      if (must_wait_) co_return NtStatus::kPending;
    }
    if (violation && overwrites && p_.share->continuous_availability &&
        !(access::MapGeneric(p_.desired_access) & kWriteSharing)) {
      // As Windows servers do on such shares, 3.3.5.9 <315>: who cannot write anyway gets a plain open.
      const bool guarded = std::ranges::any_of(
          file->opens, [](const OpenPtr& open) { return !(open->share_access & kShareWrite); });
      if (guarded) {
        p_.create_disposition = kDispositionOpen;
        co_return co_await OpenStream(file, std::move(place), stream);
      }
    }
    if (violation) co_return shared;
  } else if (impl_.IsKept(*file, MakeContender(access.granted, false, false))) {
    co_return NtStatus::kFileNotAvailable;
  }

  auto made = MakeOpen(file, place, access.granted);
  if (!made.ok()) co_return made.status();
  const OpenPtr open = *made;
  if (stream) open->stream = stream->facts.id;
  if (stream) GrantCaching(file, open, overwrites);
  std::uint32_t action = kActionOpened;
  NtStatus status = NtStatus::kSuccess;
  if (overwrites) {
    action = Supersedes() ? kActionSuperseded : kActionOverwritten;
    open->create_action = action;
    status = co_await Overwrite(file, open, stream);
  } else if (!stream && !path_.stream.empty()) {
    action = kActionCreated;
    open->create_action = action;
    status = co_await AddStream(file, open);
  } else {
    open->create_action = action;
    status = co_await Persist(file, open, RecordTodo::kNothing);
  }
  if (status != NtStatus::kSuccess) {
    // A write that failed may have reached the store all the same: then the record must not come back to life.
    if (open->is_persistent()) file->leftover_records.push_back(OpenRecordKey(open->persistent_id));
    if (open->is_persistent() && open->has_lease() && !plan_.extends) {
      file->leftover_records.push_back(LeaseRecordKey(*open->caching));
    }
    if (!file->leftover_records.empty()) {
      // At once: it may say that the file is to be truncated, and others go on writing.
      static_cast<void>(co_await impl_.StoreInode(file, Durability::kStable));
    }
    files_.ReleaseIfUnused(file);
    co_return status;
  }
  Publish(open);
  FAULT_POINT("create.persisted");
  co_return Finish(open, action);
}

// The record, and with the first one of a file its entry in the takeover index, both before the answer.
Task<NtStatus> Creation::Persist(FileStatePtr file, OpenPtr open, RecordTodo todo) {
  auto records = Records(*open, todo);
  if (records.empty()) co_return NtStatus::kSuccess;
  FAULT_POINT("create.before_persist");
  if (file->indexed || !open->is_persistent()) co_return co_await impl_.StoreInode(file, std::move(records), Durability::kStable);
  const auto [stored, indexed] = co_await Both(
      files_.executor_, impl_.StoreInode(file, std::move(records), Durability::kStable), impl_.AddToIndex(file));
  co_return stored != NtStatus::kSuccess ? stored : indexed;
}

Task<NtStatus> Creation::Overwrite(FileStatePtr file, OpenPtr open, StreamState* stream) {
  const bool unnamed = path_.stream.empty();
  const std::uint32_t old_attributes = file->inode.file_attributes;
  const auto old_eas = file->inode.eas;
  const std::uint32_t old_ea_bytes = file->inode.ea_bytes;
  const auto restore = [&] {
    file->inode.file_attributes = old_attributes;
    file->inode.eas = old_eas;
    file->inode.ea_bytes = old_ea_bytes;
  };
  if (unnamed) {
    const NtStatus eas = SetInitialEas(file->inode, p_.eas);
    if (eas != NtStatus::kSuccess) {
      restore();
      co_return eas;
    }
    file->inode.file_attributes =
        InitialAttributes(p_.file_attributes & ~file_attribute::kNotContentIndexed, false);
  } else {
    file->inode.file_attributes |= file_attribute::kArchive;
  }
  files_.Touch(*file, true, true, true);
  const Durability durability = open->durability();
  {
    const auto exclusive = co_await stream->data.LockExclusive();
    const bool empty = stream->facts.size == 0 && stream->facts.may_extend_to == 0;
    // First what is to be done, so that a crash in the middle finds a truncated file and the open, or neither.
    NtStatus status = co_await Persist(file, open, empty ? RecordTodo::kNothing : RecordTodo::kTruncate);
    if (status == NtStatus::kSuccess && !open->is_persistent()) {
      status = co_await impl_.StoreInode(file, durability);
    }
    if (status != NtStatus::kSuccess) {
      restore();
      co_return status;
    }
    if (!empty) {
      status = co_await files_.volume_.Truncate(file->number, stream->facts, 0, durability);
      if (status != NtStatus::kSuccess) co_return status;
      stream->size_dirty = false;
    }
    const std::uint64_t allocation = RoundUpToCluster(p_.allocation_size);
    if (stream->facts.sparse || stream->facts.allocation_size != allocation || stream->facts.valid_data_length != 0) {
      StreamFacts facts = stream->facts;
      facts.sparse = false;
      facts.allocation_size = allocation;
      facts.valid_data_length = 0;
      status = co_await files_.volume_.StoreStream(file->number, facts, durability);
      if (status != NtStatus::kSuccess) co_return status;
      stream->facts = facts;
    }
    if (!empty && open->is_persistent()) {
      FAULT_POINT("create.truncated");
      auto records = Records(*open, RecordTodo::kNothing);
      status = co_await files_.volume_.StoreRecords(file->number, std::move(records));
      if (status != NtStatus::kSuccess) co_return status;
    }
  }
  if (unnamed) {
    // The named streams go with the old contents; one that is open goes with its last open.
    std::vector<StreamId> named;
    for (const auto& [id, other] : file->streams) {
      if (id != kUnnamedStream && !other->removed) named.push_back(id);
    }
    for (const StreamId id : named) {
      StreamState* other = file->Stream(id);
      const bool held = std::ranges::any_of(file->opens, [id](const OpenPtr& o) { return o->stream == id; });
      if (held) {
        other->delete_pending = true;
        continue;
      }
      const NtStatus status = co_await files_.volume_.RemoveStream(file->number, id);
      if (status != NtStatus::kSuccess) co_return status;
      other->removed = true;
    }
    files_.ReportChange(open->link.parent, open->link.name, kFileActionModified, kNotifyAttributesSizeWrite);
  } else {
    files_.ReportChange(open->link.parent, open->link.name + u":" + stream->facts.name, kFileActionModifiedStream,
                        kNotifyStreamSizeWrite);
  }
  open->modified = true;
  co_return NtStatus::kSuccess;
}

Task<NtStatus> Creation::AddStream(FileStatePtr file, OpenPtr open) {
  file->inode.file_attributes |= file->inode.directory ? 0 : file_attribute::kArchive;
  files_.Touch(*file, false, false, true);
  if (open->is_persistent()) {
    const NtStatus status = co_await Persist(file, open, RecordTodo::kCreateStream);
    if (status != NtStatus::kSuccess) co_return status;
  }
  StreamFacts facts;
  facts.name = path_.stream;
  facts.allocation_size = RoundUpToCluster(p_.allocation_size);
  const auto id = co_await files_.volume_.CreateStream(file->number, facts, 0);
  if (!id.ok()) co_return id.status();
  facts.id = *id;
  auto stream = std::make_unique<StreamState>();
  stream->facts = facts;
  file->streams[facts.id] = std::move(stream);
  open->stream = facts.id;
  GrantCaching(file, open, false);
  auto records = Records(*open, RecordTodo::kNothing);
  const NtStatus status = co_await impl_.StoreInode(file, std::move(records), open->durability());
  if (status != NtStatus::kSuccess) co_return status;
  files_.ReportChange(open->link.parent, open->link.name + u":" + facts.name, kFileActionAddedStream,
                      kNotifyStreamName);
  co_return NtStatus::kSuccess;
}

}  // namespace holdfast
