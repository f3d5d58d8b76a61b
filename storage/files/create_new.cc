// Making what is not there, [MS-FSA] 2.1.5.1.1: the inode with the first open's record in one write, then the name.
#include "protocol/base/fault_point.h"
#include "protocol/dtyp/access_mask.h"
#include "protocol/dtyp/inheritance.h"
#include "protocol/fscc/attributes.h"
#include "storage/files/creation.h"
#include "storage/files/operation.h"

namespace holdfast {
namespace {

constexpr std::uint32_t kDirectoryFile = 0x00000001, kDeleteOnClose = 0x00001000, kOpenForBackupIntent = 0x00004000;
constexpr std::uint32_t kDispositionOpen = 1, kDispositionCreate = 2, kDispositionOverwrite = 4;
constexpr std::uint32_t kActionCreated = 2;
constexpr std::uint32_t kNotifyFileName = 1, kNotifyDirName = 2, kFileActionAdded = 1;
constexpr StreamId kFirstNamedStream = 1;  // Volume::CreateFile numbers the named streams of a new inode from here

Result<Bytes> InitialDescriptor(const Inode& parent, const std::optional<Bytes>& given, bool directory,
                                const SecurityToken& token) {
  const auto inherited = SecurityDescriptor::Parse(parent.security_descriptor);
  std::optional<SecurityDescriptor> brought;
  if (given) {
    auto parsed = SecurityDescriptor::Parse(*given);
    if (!parsed.ok()) return parsed.status();
    brought = std::move(*parsed);
  }
  const auto made = CreateSecurityDescriptor(inherited.ok() ? &*inherited : nullptr, brought ? &*brought : nullptr,
                                             directory, token);
  if (!made.ok()) return made.status();
  return made->Encode();
}

}  // namespace

Task<Creation::Attempt> Creation::CreateNew(Place place) {
  using Decided = Result<CreateOutcome>;
  const NtStatus key = impl_.CheckLeaseKey(p_.requester.client_guid, p_.caching, 0, kUnnamedStream);
  if (key != NtStatus::kSuccess) co_return Decided(key);
  if (p_.create_disposition == kDispositionOpen || p_.create_disposition == kDispositionOverwrite) {
    co_return Decided(NtStatus::kObjectNameNotFound);
  }
  const bool directory = Wants(kDirectoryFile);
  if (path_.trailing_backslash && !directory) co_return Decided(NtStatus::kObjectNameInvalid);
  if (directory && (p_.file_attributes & file_attribute::kTemporary)) co_return Decided(NtStatus::kInvalidParameter);
  if ((p_.file_attributes & file_attribute::kReadonly) && Wants(kDeleteOnClose)) {
    co_return Decided(NtStatus::kCannotDelete);
  }
  const auto parent = co_await files_.Acquire(place.parent);
  if (!parent.ok()) {
    co_return Decided(parent.status() == NtStatus::kObjectNameNotFound ? NtStatus::kObjectPathNotFound
                                                                       : parent.status());
  }
  if ((*parent)->delete_pending) co_return Decided(NtStatus::kDeletePending);
  const SecurityToken& token = *p_.requester.token;
  const std::uint32_t adds = directory ? access::kAddSubdirectory : access::kAddFile;
  const std::uint32_t desired = access::MapGeneric(p_.desired_access);
  if (!(p_.share_mask & adds) ||
      !HasAccess((*parent)->inode.security_descriptor, token, adds, Wants(kOpenForBackupIntent))) {
    co_return Decided(NtStatus::kAccessDenied);
  }
  if (desired & ~p_.share_mask & ~(access::kMaximumAllowed | access::kAccessSystemSecurity)) {
    co_return Decided(NtStatus::kAccessDenied);
  }
  if ((desired & access::kAccessSystemSecurity) && !token.security) co_return Decided(NtStatus::kPrivilegeNotHeld);
  auto descriptor = InitialDescriptor((*parent)->inode, p_.security_descriptor, directory, token);
  if (!descriptor.ok()) co_return Decided(descriptor.status());

  Inode inode;
  inode.directory = directory;
  inode.file_attributes = InitialAttributes(p_.file_attributes, directory) |
                          ((*parent)->inode.file_attributes & file_attribute::kNotContentIndexed);
  inode.creation_time = inode.last_access_time = inode.last_write_time = inode.change_time = files_.Now();
  inode.security_descriptor = std::move(*descriptor);
  if (const NtStatus eas = SetInitialEas(inode, p_.eas); eas != NtStatus::kSuccess) co_return Decided(eas);
  if (!directory) {
    StreamFacts unnamed;
    if (path_.stream.empty()) unnamed.allocation_size = RoundUpToCluster(p_.allocation_size);
    inode.streams.push_back(unnamed);
  }
  if (!path_.stream.empty()) {
    StreamFacts named;
    named.id = kFirstNamedStream;
    named.name = path_.stream;
    named.allocation_size = RoundUpToCluster(p_.allocation_size);
    inode.streams.push_back(named);
  }
  LinkFacts link;
  link.parent = place.parent;
  link.name = place.name;
  inode.links.push_back(link);
  const auto number = co_await files_.volume_.AllocateNumber();
  if (!number.ok()) co_return Decided(number.status());
  inode.number = *number;

  const NtStatus home = co_await files_.homes_.Acquire(*number);
  if (home != NtStatus::kSuccess) co_return Decided(home);
  const FileStatePtr file = impl_.MakeState(std::move(inode));
  file->records_loaded = true;
  // In the table before its name appears: whoever finds the name waits for the mutex and then meets this open.
  auto guard = co_await file->mutex.Lock();
  files_.loaded_.emplace(*number, file);
  maximal_access_ = MaximalAccessOf(file->inode, &(*parent)->inode.security_descriptor, token, p_.share_mask);
  const bool maximum = (desired & access::kMaximumAllowed) != 0;
  const std::uint32_t granted =
      (desired & ~access::kMaximumAllowed) | (maximum ? access::kFileAllAccess & p_.share_mask : 0);
  NtStatus status = NtStatus::kSuccess;
  OpenPtr open;
  if (auto made = MakeOpen(file, place, granted); made.ok()) {
    open = *made;
    open->create_action = kActionCreated;
    if (!path_.stream.empty()) open->stream = kFirstNamedStream;
    GrantCaching(file, open, false);
    auto records = Records(*open, RecordTodo::kNothing);
    FAULT_POINT("create.before_persist");
    const bool indexes = open->is_persistent();
    auto created = files_.volume_.CreateFile(place.parent, place.name, file->inode, std::move(records),
                                             open->durability());
    if (indexes) {
      const auto [made_file, indexed] = co_await Both(files_.executor_, std::move(created), impl_.AddToIndex(file));
      status = made_file;
      if (made_file == NtStatus::kSuccess && indexed != NtStatus::kSuccess) {
        status = indexed;
        static_cast<void>(co_await files_.volume_.Unlink(place.parent, place.name, *number, false,
                                                          open->durability()));
      }
    } else {
      status = co_await std::move(created);
    }
  } else {
    status = made.status();
  }
  if (status != NtStatus::kSuccess) {
    file->gone = true;
    files_.loaded_.erase(*number);
    files_.homes_.Release(*number);
    if (impl_.indexed.erase(*number) != 0) static_cast<void>(co_await files_.volume_.RemoveFromIndex(*number));
    if (status == NtStatus::kObjectNameCollision && p_.create_disposition != kDispositionCreate) co_return Again{};
    co_return Decided(status);
  }
  file->stored = file->inode;
  Publish(open);
  FAULT_POINT("create.persisted");
  guard.Release();
  files_.Touch(**parent, true, true, true);
  files_.ReleaseIfUnused(*parent);
  files_.ReportChange(place.parent, place.name, kFileActionAdded, directory ? kNotifyDirName : kNotifyFileName);
  co_return Decided(Finish(open, kActionCreated));
}

}  // namespace holdfast
