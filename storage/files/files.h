// Files: MS-FSA semantics and persistent handles over one volume. The server's handlers call this and nothing below.
//
// All calls run on the core executor. What a call answers is durable: for a persistent open every answer survives the
// node; for others it survives the process (writes) or is in memory (open table). Start reading in create.cc.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/files/file_state.h"
#include "storage/files/homes.h"
#include "storage/files/open.h"

namespace holdfast {

struct DurableRequest {
  DurableKind kind = DurableKind::kNone;  // kDurableV2 with persistent_requested, see 3.3.5.9.10
  Guid create_guid;
  bool persistent_requested = false;
  std::uint32_t timeout_ms = 0;
};

// RqLs or the oplock byte.
struct CachingRequest {
  std::uint8_t oplock_level = 0;
  std::optional<Guid> lease_key;
  std::optional<Guid> parent_lease_key;
  std::uint32_t lease_state = 0;
  std::uint16_t lease_epoch = 0;
  std::uint8_t lease_version = 0;
};

// Who asks, as far as it matters for handles.
struct Requester {
  std::shared_ptr<const SecurityToken> token;
  Guid client_guid;
  std::uint64_t connection = 0;    // opaque
  std::uint64_t session = 0;       // SessionId
  bool persistent_capable = false; // Connection.ServerCapabilities has PERSISTENT_HANDLES
};

// Where a path met a reparse point, for the error response of [MS-SMB2] 2.2.2.2.1.
struct SymlinkStop {
  Bytes reparse_data;                    // whole REPARSE_DATA_BUFFER
  std::uint16_t unparsed_path_bytes = 0;  // UTF-16 bytes of the path behind it, its leading '\\' included
};

struct CreateParameters {
  std::shared_ptr<const ShareContext> share;
  Requester requester;
  std::u16string path;  // share-relative, '\\' separated, no leading '\\'; may end in ":stream[:$DATA]"; empty: the root
  std::uint32_t desired_access = 0;
  std::uint32_t share_mask = 0xFFFFFFFF;  // access the share permission leaves this user
  std::uint32_t file_attributes = 0;
  std::uint32_t share_access = 0;
  std::uint32_t create_disposition = 0;
  std::uint32_t create_options = 0;
  std::uint64_t allocation_size = 0;
  std::vector<ExtendedAttribute> eas;
  std::optional<Bytes> security_descriptor;
  std::optional<FileTime> snapshot;  // TWrp
  CachingRequest caching;
  DurableRequest durable;
  std::optional<AppInstance> app_instance;
  bool replay = false;  // SMB2_FLAGS_REPLAY_OPERATION
  std::shared_ptr<SymlinkStop> stopped;  // may be null; filled in with kStoppedOnSymlink
  PendingWaitPtr wait;  // for breaks; may be null: then nothing can end the wait early
};

struct CreateOutcome {
  OpenPtr open;
  std::uint32_t create_action = 0;  // FILE_SUPERSEDED 0, OPENED 1, CREATED 2, OVERWRITTEN 3
  bool durable_response = false;    // answer DHnQ/DH2Q
  bool replayed = false;            // the first answer again; the open may already be in the session's table
  std::optional<std::uint8_t> oplock_level;  // what a replay is told; else it is the open's
};

struct ReconnectParameters {
  std::shared_ptr<const ShareContext> share;
  Requester requester;
  std::uint64_t persistent_id = 0;
  bool v2 = false;                  // DH2C, else DHnC
  Guid create_guid;
  bool persistent_flag = false;
  std::u16string path;
  CachingRequest caching;
};

// All that QUERY_INFO may tell of an open file, [MS-FSCC] 2.4; the server picks and encodes.
struct FileFacts {
  FileNumber number = 0;
  FileTime creation_time = 0, last_access_time = 0, last_write_time = 0, change_time = 0;
  std::uint32_t file_attributes = 0;  // as shown: NORMAL when nothing else, DIRECTORY, SPARSE_FILE, REPARSE_POINT added
  std::uint64_t end_of_file = 0;
  std::uint64_t allocation_size = 0;
  std::uint32_t number_of_links = 1;
  bool delete_pending = false;
  bool directory = false;
  std::uint32_t ea_size = 0;
  std::uint32_t reparse_tag = 0;
  std::uint32_t granted_access = 0;
  std::uint64_t current_byte_offset = 0;
  std::uint32_t mode = 0;
};

struct StreamListEntry {
  std::u16string name;  // "::$DATA" or ":name:$DATA"
  std::uint64_t size = 0;
  std::uint64_t allocation_size = 0;
};

struct SetTimesAndAttributes {  // FileBasicInformation; 0: unchanged, -1: stop updating for this open, -2: update again
  std::int64_t creation_time = 0, last_access_time = 0, last_write_time = 0, change_time = 0;
  std::uint32_t file_attributes = 0;  // 0: unchanged
};

struct LockRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool exclusive = false;
  bool unlock = false;
  bool fail_immediately = false;
  bool valid = true;  // false: its flags are no combination of 2.2.26.1, kInvalidParameter when its turn comes
};

struct NotifyEvent {
  std::uint32_t action = 0;  // FILE_ACTION_*
  std::u16string name;       // relative to the watched directory
};

struct FilesOptions {
  std::uint32_t durable_timeout_ms = 60'000;       // non-CA shares, client asks 0
  std::uint32_t max_durable_timeout_ms = 300'000;  // 3.3.5.9.10
  std::size_t max_opens = 1'000'000;
  // How long the first write through an open leaves LastWriteTime as it is; later writes then show at flush, set-info
  // and close only. 0: each write shows at once, as Windows has it since 1809 ([MS-FSA] 2.1.4.17 note 43).
  Duration write_time_delay{};
  std::size_t max_locks_per_open = 65'536;
  // How long a client has to acknowledge a break, 3.3.2.1 and 3.3.2.5; notes 246 and 247 for persistent opens.
  Duration break_timeout = std::chrono::seconds(35);
  Duration persistent_lease_break_timeout = std::chrono::seconds(180);
  Duration persistent_oplock_break_timeout = std::chrono::seconds(60);
  // How long a client that is back waits for a persistent handle of its own that it does not claim: twice the pause with
  // which a client of Windows repeats a claim ([MS-SMB2] note 180).
  Duration forgotten_after = std::chrono::seconds(10);
};

class NotifyHub;

class Files {
 public:
  Files(Executor executor, Volume& volume, Homes& homes, Clock& clock, Random& random, FilesOptions options);
  ~Files();

  // Reads the takeover index: disconnected persistent opens get their files back in memory and their timeout starts;
  // purges orphans. Opens may be served meanwhile: each consults its own file's records.
  Task<void> Recover();
  // Nothing is closed, nothing removed: what a stop of a CA node must do. Stops timers.
  void Shutdown();

  Volume& volume() { return volume_; }
  // The directory of that name below `parent`, made with the root descriptor of a share when absent.
  Task<Result<FileNumber>> EnsureDirectory(FileNumber parent, std::u16string name);

  // ---- life of an open: create*.cc, reconnect.cc, close.cc ------------------------------------------------------
  Task<Result<CreateOutcome>> Create(CreateParameters parameters);           // [MS-SMB2] 3.3.5.9, [MS-FSA] 2.1.5.1
  Task<Result<OpenPtr>> Reconnect(ReconnectParameters parameters);           // 3.3.5.9.7, 3.3.5.9.12
  // CLOSE, TREE_DISCONNECT: delete-on-close runs, the record goes before this returns.
  Task<NtStatus> Close(OpenPtr open);
  // Connection or session lost: preserves durable, resilient and persistent opens (answers true), closes others.
  Task<bool> Disconnect(OpenPtr open);
  // Writes whose time was held back show now, as at a close: before the facts that a CLOSE answers are asked.
  void SettleWriteTime(Open& open);
  // FSCTL_LMR_REQUEST_RESILIENCY, 3.3.5.15.9.
  Task<NtStatus> RequestResiliency(OpenPtr open, std::uint32_t timeout_ms);

  // ---- oplocks and leases: caching_break.cc --------------------------------------------------------------------
  // Who carries break notifications to clients; without one they are lost.
  void SetBreakSender(CachingBreakSender sender);
  // Before the CLOSE of an open that deletes: those who only keep their handles for later are asked to close them, so
  // that the name is gone with the answer. Ends early when the wait is cancelled.
  Task<void> AskBeforeDelete(OpenPtr open, PendingWaitPtr wait);
  // 3.3.5.22.1: answers the level now held.
  Task<Result<std::uint8_t>> AcknowledgeOplock(OpenPtr open, std::uint8_t level);
  // 3.3.5.22.2: answers the state now held. What `until_answered` holds goes after the answer: the next break must
  // not overtake it.
  Task<Result<std::uint32_t>> AcknowledgeLease(Guid client_guid, Guid lease_key, std::uint32_t state,
                                               std::shared_ptr<void>* until_answered);

  // ---- names: rename.cc ---------------------------------------------------------------------------------------
  // `target`: share-relative path, or ":stream" for a stream rename. FileRenameInformation(Ex); flags of Ex.
  Task<NtStatus> Rename(OpenPtr open, std::u16string target, bool replace_if_exists, bool posix_semantics,
                        PendingWaitPtr wait = nullptr, bool ignore_readonly = false);
  Task<NtStatus> Link(OpenPtr open, std::u16string target, bool replace_if_exists);
  // FileDispositionInformation(Ex), [MS-FSA] 2.1.5.15.3.
  Task<NtStatus> SetDisposition(OpenPtr open, bool remove, bool posix_semantics, bool ignore_readonly,
                                PendingWaitPtr wait = nullptr);

  // ---- data: data.cc --------------------------------------------------------------------------------------------
  // Fills `out` from `offset`; answers the bytes read (kEndOfFile when none and out not empty).
  Task<Result<std::size_t>> Read(OpenPtr open, std::uint64_t offset, std::span<std::uint8_t> out, bool unbuffered);
  Task<NtStatus> Write(OpenPtr open, std::uint64_t offset, ByteView data, bool write_through, bool unbuffered);
  Task<NtStatus> Flush(OpenPtr open);
  Task<NtStatus> SetEndOfFile(OpenPtr open, std::uint64_t size);
  Task<NtStatus> SetAllocation(OpenPtr open, std::uint64_t size);
  Task<NtStatus> SetValidDataLength(OpenPtr open, std::uint64_t size);
  Task<NtStatus> SetSparse(OpenPtr open, bool sparse);
  Task<NtStatus> ZeroRange(OpenPtr open, std::uint64_t offset, std::uint64_t beyond_final_zero);
  Task<Result<std::vector<DataRange>>> QueryAllocatedRanges(OpenPtr open, DataRange within);
  // Where the stream's data ends: behind that it was never written, and reads zero. For FSCTL_QUERY_FILE_REGIONS.
  Task<Result<std::uint64_t>> QueryValidDataLength(OpenPtr open);
  // Server-side copy of up to `length` bytes; answers the bytes copied.
  Task<Result<std::uint64_t>> CopyRange(OpenPtr source, std::uint64_t source_offset, OpenPtr target,
                                        std::uint64_t target_offset, std::uint64_t length);

  // FSCTL_DUPLICATE_EXTENTS_TO_FILE, [MS-FSA] 2.1.5.10.4: `target` gets what `source` has there, by reference where the
  // store can. Offsets and length are multiples of kClusterBytes. Both opens are of this volume.
  Task<NtStatus> DuplicateExtents(OpenPtr source, std::uint64_t source_offset, OpenPtr target,
                                  std::uint64_t target_offset, std::uint64_t length);

  // ---- locks: locks.cc ------------------------------------------------------------------------------------------
  // `lock_sequence` as in the request (index << 4 | number); `sequence_checked` says whether 3.3.5.14 applies.
  Task<NtStatus> Lock(OpenPtr open, std::vector<LockRange> ranges, std::uint32_t lock_sequence, bool sequence_checked,
                      PendingWaitPtr wait);

  // ---- metadata: info.cc, security.cc, extended_attributes.cc, reparse.cc ------------------------------------------
  Task<Result<FileFacts>> QueryFacts(OpenPtr open);
  Task<Result<std::vector<StreamListEntry>>> QueryStreams(OpenPtr open);
  Task<Result<std::u16string>> QueryNormalizedName(OpenPtr open);  // relative to the share, real case
  Task<NtStatus> SetBasic(OpenPtr open, SetTimesAndAttributes change);
  Task<Result<std::vector<ExtendedAttribute>>> QueryEas(OpenPtr open);
  Task<NtStatus> SetEas(OpenPtr open, std::vector<ExtendedAttribute> eas);  // merge; empty value removes
  // Self-relative descriptor with the parts named by SECURITY_INFORMATION bits.
  Task<Result<Bytes>> QuerySecurity(OpenPtr open, std::uint32_t security_information);
  Task<NtStatus> SetSecurity(OpenPtr open, std::uint32_t security_information, Bytes descriptor,
                             PendingWaitPtr wait = nullptr);
  Task<Result<Bytes>> GetReparsePoint(OpenPtr open);
  Task<NtStatus> SetReparsePoint(OpenPtr open, Bytes data);
  Task<NtStatus> DeleteReparsePoint(OpenPtr open, std::uint32_t tag, std::optional<Guid> guid);
  Task<Result<Bytes>> GetOrCreateObjectId(OpenPtr open, bool create);
  Task<NtStatus> DeleteObjectId(OpenPtr open);

  // ---- directories: directory_scan.cc, notify.cc ---------------------------------------------------------------
  // Makes at least one matching entry available in open->scan.ahead, up to about `want`. kNoSuchFile when the first
  // scan finds nothing, kNoMoreFiles at the end. "." and ".." come first. Takes entries hidden from the user out.
  Task<NtStatus> FillScan(OpenPtr open, std::u16string pattern, bool restart, bool reopen, std::size_t want);
  // CHANGE_NOTIFY, 3.3.5.19: waits for events; kNotifyEnumDir when more happened than `max_bytes` can tell.
  Task<Result<std::vector<NotifyEvent>>> Notify(OpenPtr open, std::uint32_t completion_filter, bool watch_tree,
                                                std::uint32_t max_bytes, PendingWaitPtr wait);

  // ---- for administration and metrics ----------------------------------------------------------------------------
  struct Counts {
    std::size_t files = 0, opens = 0, persistent = 0, disconnected = 0, locks = 0;
  };
  Counts counts() const;

  // ==== used by the parts of storage/files only =====================================================================
  // The state of a file, loaded on first use (with its persistent opens, disconnected). Never evicts one with opens.
  Task<Result<FileStatePtr>> Acquire(FileNumber number);
  void ReleaseIfUnused(const FileStatePtr& file);
  FileStatePtr FindLoaded(FileNumber number) const;
  // Writes what is dirty of times and sizes; kProcess unless said.
  Task<NtStatus> StoreDirty(const FileStatePtr& file, Durability durability);
  // The record of a persistent open, to be stored with whatever change it accompanies (records.cc).
  RecordChange OpenRecord(const Open& open) const;
  RecordChange LockRecord(const Open& open, const ByteRangeLock& lock, bool remove) const;
  // Data, size or locks of the stream are about to change: takes read caching away from all others, 2.1.4.12 of
  // [MS-FSA]. Waits for nobody.
  void BreakReadCaching(const OpenPtr& open, StreamState& stream);
  // Raised after the fact, never waits: notify.cc. `name` within directory `parent`.
  void ReportChange(FileNumber parent, const std::u16string& name, std::uint32_t action, std::uint32_t filter);
  // Ends all waits of an open with this status (close, disconnect): locks.cc. Of a close they see kRangeNotLocked
  // (locks) or kNotifyCleanup (notify), whichever of kRangeNotLocked, kNotifyCleanup and kFileClosed is given.
  void EndWaits(Open& open, NtStatus status);
  // Drops the locks of a closing open and wakes waiters: locks.cc. The records go with the open's record.
  void DropLocks(const OpenPtr& open);
  // Conflict of a read or write with byte-range locks of others, [MS-FSA] 2.1.4.10.
  bool LockConflict(const StreamState& stream, const Open& open, std::uint64_t offset, std::uint64_t length,
                    bool write) const;
  FileTime Now() { return clock_.NowFileTime(); }
  // Touch() short of the times that this open has fixed; a write sets FILE_ATTRIBUTE_ARCHIVE too: touch.cc.
  void TouchThrough(const Open& open, bool access, bool write, bool change);
  // A write through the open: LastWriteTime follows after FilesOptions::write_time_delay.
  void TouchWritten(const OpenPtr& open);
  // The directory is to be deleted: its CHANGE_NOTIFY requests end in kDeletePending, [MS-FSA] 2.1.5.11.
  void EndNotify(FileState& directory);
  // LastWrite/Change times never run backwards: max(old + 1, now). `filter`-like bits as Inode::sticky_times.
  void Touch(FileState& file, bool access, bool write, bool change);
  Clock& clock() { return clock_; }
  Executor executor() { return executor_; }

 private:
  // "." and "..", and where in the directory names begin that the pattern can match.
  Task<NtStatus> BeginScan(OpenPtr open);
  // Unless hidden from the user; with what is newer in memory.
  Task<void> AddToScan(OpenPtr open, DirectoryEntry entry);
  // With the file's mutex held; tag 0 takes the reparse point off.
  Task<NtStatus> StoreReparsePoint(OpenPtr open, std::uint32_t tag, Bytes data);

  friend class Creation;
  friend class FilesTest;
  struct Impl;  // files_impl.h

  Executor executor_;
  Volume& volume_;
  Homes& homes_;
  Clock& clock_;
  Random& random_;
  FilesOptions options_;
  std::unordered_map<FileNumber, FileStatePtr> loaded_;
  std::unordered_map<FileNumber, std::shared_ptr<OneShot<NtStatus>>> loading_;
  std::shared_ptr<NotifyHub> notify_hub_;  // notify.cc: watches of whole trees
  std::unique_ptr<Impl> impl_;  // reservations of CREATE replay, app instances, scavenger: files.cc
  bool stopping_ = false;
};

}  // namespace holdfast
