// What the parts of storage/files that make, keep and end opens share: the indexes over all opens and the timers.
#pragma once

#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "storage/files/files.h"

namespace holdfast {

struct Files::Impl {
  using ReplayKey = std::pair<Guid, Guid>;  // ClientGuid, CreateGuid

  explicit Impl(Files& owner) : files(owner) {}

  Files& files;
  std::set<ReplayKey> executing;  // CREATEs under way, from arrival on
  std::unordered_multimap<Guid, OpenPtr> by_create_guid;
  std::unordered_multimap<Guid, OpenPtr> by_app_instance;
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
  Task<NtStatus> LoadOpens(FileStatePtr file, std::vector<KeyValue> records, std::vector<KeyValue> lock_records);
  void Register(const OpenPtr& open);
  void Unregister(const OpenPtr& open);
  // A slot for a new open. Persistent ones are never given twice while the inode lives (short of a wrap).
  Result<std::uint64_t> NewPersistentId(FileState& file, bool persistent);
  // Attributes, times and `records` in one write when any of the first two changed, else only the records.
  Task<NtStatus> StoreInode(FileStatePtr file, std::vector<RecordChange> records, Durability durability);
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

  // ---- endings: close.cc ----
  // Until no operation runs on the open. Operations must not wait for what the caller holds.
  Task<void> Drain(OpenPtr open);
  Task<NtStatus> CloseLocked(OpenPtr open);
  // The pending delete of the file's name, when nobody holds it any more.
  Task<NtStatus> FinishDelete(FileStatePtr file, bool posix);
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
  Task<Result<Destination>> FindDestination(OpenPtr open, std::u16string target);
  NtStatus CheckReplaced(const FileState& target, const FileState& directory, const Open& open, bool posix) const;
  void LoseName(const FileStatePtr& target, const LinkFacts& link);
  // Whether any file or directory below is open. Waits for Recover(): a disconnected handle counts.
  Task<Result<bool>> HasOpensBelow(FileNumber directory);
  Task<std::optional<NtStatus>> RenameTo(OpenPtr open, std::u16string target, Destination destination, bool replace,
                                         bool posix);
  Task<NtStatus> RenameStream(OpenPtr open, std::u16string target, bool replace);
  Task<std::optional<NtStatus>> LinkTo(OpenPtr open, Destination destination, bool replace);

  static bool IsDirty(const FileState& file);
};

// Runs both at once; answers when both have ended.
Task<std::pair<NtStatus, NtStatus>> Both(Executor executor, Task<NtStatus> a, Task<NtStatus> b);

}  // namespace holdfast
