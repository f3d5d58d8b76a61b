// What the parts of storage/files that make, keep and end opens share: the indexes over all opens and the timers.
#pragma once

#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "storage/files/files.h"

namespace holdfast {

struct DecodedOpen;  // records.h

struct Files::Impl {
  using ReplayKey = std::pair<Guid, Guid>;  // ClientGuid, CreateGuid

  explicit Impl(Files& owner) : files(owner) {}

  Files& files;
  // CREATEs under way, from arrival on, with the replays that wait for their end.
  std::map<ReplayKey, std::vector<std::shared_ptr<OneShot<NtStatus>>>> executing;
  std::unordered_multimap<Guid, OpenPtr> by_create_guid;
  std::unordered_multimap<Guid, OpenPtr> by_app_instance;
  std::map<LeaseId, CachingGrantPtr> leases;  // GlobalLeaseTableList, 3.3.1.11
  CachingBreakSender break_sender;
  std::shared_ptr<int> alive = std::make_shared<int>();  // for what may be called back after our end
  std::size_t open_count = 0;

  std::unordered_set<FileNumber> indexed;  // entries of the takeover index, as far as known
  std::unordered_set<FileNumber> idle;  // without opens when last looked at; Sweep() lets them go
  Clock::TimerId sweep_timer = 0;
  bool sweeping = false;
  std::shared_ptr<OneShot<bool>> recovery;  // null: no Recover() was ever begun

  // ---- the table: files.cc ----
  Task<Result<FileStatePtr>> Load(FileNumber number);
  Task<NtStatus> NameOfCreated(const Inode& inode);
  FileStatePtr MakeState(Inode inode);
  // Brings back the opens that the records tell of, and finishes what they say was left undone.
  Task<NtStatus> LoadOpens(FileStatePtr file, std::vector<KeyValue> records, std::vector<KeyValue> lock_records,
                           std::vector<KeyValue> lease_records);
  void Register(const OpenPtr& open);
  void Unregister(const OpenPtr& open);
  // A slot for a new open. Persistent ones are never given twice while the inode lives (short of a wrap).
  Result<std::uint64_t> NewPersistentId(FileState& file, bool persistent);
  // Attributes, times and `records` in one write when any of the first two changed, else only the records.
  Task<NtStatus> StoreInode(FileStatePtr file, std::vector<RecordChange> records, Durability durability);
  Task<NtStatus> StoreInode(FileStatePtr file, Durability durability) {
    return StoreInode(std::move(file), std::vector<RecordChange>(), durability);
  }
  // data.cc: sees to it that bytes below `end` are found again after a crash before they are written: the inode's size or
  // may_extend_to covers them with this durability, and no record says any more that the file is to be truncated. The
  // caller holds stream.data.
  Task<NtStatus> ReserveEnd(FileStatePtr file, StreamState& stream, std::uint64_t end, Durability durability);
  // What listings show of the file, when it has changed since.
  Task<void> RefreshDirents(FileStatePtr file);
  // Records of all persistent opens of the file as they are now.
  std::vector<RecordChange> AllRecords(const FileState& file) const;
  // The caller holds the file's mutex, under which alone an entry is removed.
  Task<NtStatus> AddToIndex(FileStatePtr file);
  void MarkIdle(FileNumber number);
  Task<void> Sweep();
  Task<void> SweepFile(FileNumber number);
  // Lookups by guid must not miss an open whose file Recover() has yet to load.
  Task<void> AwaitRecovery();
  // The directory's own times after a change of its entries; stored later.
  Task<void> TouchDirectory(FileNumber directory);

  // reconnect.cc: which open a DHnC or DH2C means. kFileNotAvailable when the store could not tell.
  Task<Result<OpenPtr>> FindForReconnect(const ReconnectParameters& parameters);

  // ---- oplocks and leases: caching_grant.cc ----
  // What a CREATE is to be granted. Decided before its record is written, in effect with Attach().
  struct CachingPlan {
    bool extends = false;             // an existing lease: `state` and `epoch` are what it rises to
    std::uint32_t seen_state = 0;     // of that lease when this was decided
    std::uint16_t seen_epoch = 0;
    std::uint32_t state = 0;
    std::uint16_t epoch = 0;
  };
  // Sets open.caching. `overwritten`: locks of the old contents do not count.
  CachingPlan PlanCaching(FileState& file, StreamState& stream, Open& open, const CachingRequest& request,
                          bool overwritten);
  // A loaded open gets back what its records say: files.cc.
  void RestoreCaching(const OpenPtr& open, const DecodedOpen& decoded,
                      const std::map<LeaseId, CachingGrantPtr>& restored);
  void Attach(const OpenPtr& open, const CachingPlan& plan);
  void Detach(Open& open);
  // Null when the client has no lease with this key.
  CachingGrantPtr FindLease(const Guid& client_guid, const Guid& lease_key) const;
  // kInvalidParameter when the key belongs to a lease of another file or stream, 3.3.5.9.8; 0: a file yet to be made.
  NtStatus CheckLeaseKey(const Guid& client_guid, const CachingRequest& request, FileNumber file, StreamId stream);
  // Held by whoever answers the client.
  std::shared_ptr<void> HoldBreaks(const CachingGrantPtr& grant);

  // ---- breaks: caching_break.cc ----
  // An open about to happen.
  struct Contender {
    Guid client_guid;
    std::optional<Guid> lease_key;
    std::uint32_t access = 0;
    bool overwrites = false;
    bool sharing_violation = false;
    bool first_attempt = true;
  };
  enum class Verdict { kGo, kWait, kNotAvailable };
  // Whether a client that is away keeps the file: persistent-open rule of 3.3.5.9.
  bool IsKept(const FileState& file, const Contender& contender) const;
  Verdict BreakForOpen(FileState& file, StreamState& stream, const Contender& contender);
  // Before the names of a file change: true when H caching of others has to be acknowledged first. `except`: whose
  // own lease does not count; may be null.
  bool BreakHandleCaching(FileState& file, const Open* except, bool first_attempt);
  // Until nobody else keeps a handle of the file for later. `turn` holds the file's mutex before and, with kSuccess,
  // after; not in between.
  Task<NtStatus> GiveUpHandleCaching(FileStatePtr file, Open* open, AsyncMutex::Guard* turn, PendingWaitPtr wait);
  // Until something about the caching of the file has changed. Register first, look at the table again after.
  Task<NtStatus> AwaitCaching(FileStatePtr file, Open* open, PendingWaitPtr wait);
  // The same for whoever has no open yet. Persistent opens that this client and user had, and have not claimed when the
  // wait has lasted for `forgotten_after`, are closed: the client of Linux drops a handle that it closes during an outage.
  Task<NtStatus> AwaitCaching(FileStatePtr file, Open* open, PendingWaitPtr wait, Guid client_guid, Sid user);
  // Persistent opens of this client and user whose connection is lost.
  std::vector<std::weak_ptr<Open>> LeftBehind(const FileState& file, const Guid& client_guid, const Sid& user) const;
  void WakeCaching(FileState& file);
  // Takes the bits `remove` away; true when the bits `awaited` are among what the holder has to give up first.
  bool Break(const CachingGrantPtr& grant, std::uint32_t remove, std::uint32_t awaited, bool first_attempt);
  void StartBreak(const CachingGrantPtr& grant, std::uint32_t to);
  void Notify(const CachingGrantPtr& grant, std::uint32_t from, std::uint32_t to, bool acknowledge);
  void Deliver(const CachingGrantPtr& grant, CachingBreak notice);
  // Nobody can be told: 3.3.4.6, 3.3.4.7.
  void NoConnection(const CachingGrantPtr& grant);
  // An open of it has lost its client; with the last one a break under way has nobody left to acknowledge it.
  void LoseClient(const CachingGrantPtr& grant);
  void StartBreakTimer(const CachingGrantPtr& grant);
  void ScheduleBreakTimeout(const CachingGrantPtr& grant, Duration timeout);
  void StopBreakTimer(CachingGrant& grant);
  Task<void> BreakTimedOut(CachingGrantPtr grant);
  // The holder has come down to `state`. Stored first when a persistent open depends on it.
  Task<NtStatus> Settle(CachingGrantPtr grant, std::uint32_t state);
  // What a restart has to know of a grant that comes down to `state`: the lease, or the open with the oplock.
  std::vector<RecordChange> CachingRecords(const CachingGrant& grant, std::uint32_t state) const;
  // Its client is back: the lease as the client may have it, and the notification that waited goes out after the answer.
  void Readmit(const OpenPtr& open, const CachingRequest& request);  // reconnect.cc
  void ResumeParked(const CachingGrantPtr& grant);

  // ---- endings: close.cc ----
  // Until no operation runs on the open. Operations must not wait for what the caller holds.
  Task<void> Drain(OpenPtr open);
  Task<NtStatus> CloseLocked(OpenPtr open);
  // The pending delete of the file's name, when nobody holds it any more.
  Task<NtStatus> FinishDelete(FileStatePtr file, bool posix, Durability durability);
  void StartTimer(const OpenPtr& open, std::uint32_t timeout_ms);
  void StopTimer(Open& open);
  Task<void> Expire(OpenPtr open);

  // ---- names: rename.cc ----
  // Where a new name is to stand, and who stands there.
  struct Destination {
    FileStatePtr directory;
    std::u16string name;
    std::optional<DirectoryEntry> existing;
  };
  // What a new name may do to a file that has it.
  struct Replacing {
    bool allowed = false;
    bool posix = false;            // although it is open: who has it goes on with a file without a name
    bool ignore_readonly = false;
  };
  Task<Result<Destination>> FindDestination(OpenPtr open, std::u16string target);
  NtStatus CheckReplaced(const FileState& target, const FileState& directory, const Open& open,
                         const Replacing& how) const;
  void LoseName(const FileStatePtr& target, const LinkFacts& link);
  // Of files and directories below. Waits for Recover(): a disconnected handle counts.
  Task<Result<std::vector<FileStatePtr>>> OpenFilesBelow(FileNumber directory);
  // Breaks their handle caching; answers one that has to be waited for, null when there is nothing to wait for. `open`: of
  // the directory.
  FileStatePtr BreakBelow(const std::vector<FileStatePtr>& below, const Open& open, bool first_attempt);
  Task<std::optional<NtStatus>> RenameTo(OpenPtr open, std::u16string target, Destination destination,
                                         Replacing how, bool first_attempt, FileStatePtr* broken);
  Task<NtStatus> RenameStream(OpenPtr open, std::u16string target, bool replace);
  Task<std::optional<NtStatus>> LinkTo(OpenPtr open, Destination destination, bool replace);

  static bool IsDirty(const FileState& file);
};

// Runs both at once; answers when both have ended.
Task<std::pair<NtStatus, NtStatus>> Both(Executor executor, Task<NtStatus> a, Task<NtStatus> b);

}  // namespace holdfast
