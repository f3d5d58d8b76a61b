// A volume: namespace, streams and metadata of files as objects of an engine. Knows no opens, no sharing, no SMB.
//
// Objects: "super"; "i/<number>" an inode with all its metadata, links and (for storage/files) open records as keys;
// "d/<number>/<shard>" a directory's entries; "s/<number>/<stream>/<stripe>" bytes; "x/<incarnation>" the takeover
// index. Every multi-object change is ordered so that a crash leaves the old or the new state, and the next toucher
// or Check() completes it: docs/decisions has the orders (create: inode, then dirent guarded absent; rename: reserve,
// commit in the link set, finish, remove; unlink: mark, remove dirent guarded by number, purge).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/dtyp/guid.h"
#include "protocol/erref/result.h"
#include "storage/engine/engine.h"

namespace holdfast {

// 44 bits, never reused; 0 is none. Persistent FileId = number << 20 | slot.
using FileNumber = std::uint64_t;
using StreamId = std::uint32_t;
inline constexpr FileNumber kRootFileNumber = 5;
inline constexpr StreamId kUnnamedStream = 0;
inline constexpr std::uint64_t kMaxFileSize = 64ull << 40;      // [MS-FSA] limit of ours: 64 TiB
inline constexpr std::uint32_t kClusterBytes = 4096;            // reported allocation unit
inline constexpr std::uint64_t kExtendStepBytes = 64ull << 20;  // may_extend_to is raised in these steps
inline constexpr std::size_t kMaxNameUnits = 255;               // UTF-16 units of one component

struct ExtendedAttribute {
  std::string name;   // OEM bytes as sent, compared case-blind (ASCII)
  Bytes value;
  std::uint8_t flags = 0;  // FILE_NEED_EA
};

struct StreamFacts {
  StreamId id = kUnnamedStream;
  std::u16string name;  // without ':' and "$DATA"; empty for the unnamed stream
  std::uint64_t size = 0;
  std::uint64_t may_extend_to = 0;
  std::uint64_t allocation_size = 0;  // as asked by the application; what is reported is at least size rounded up
  std::uint64_t valid_data_length = 0;
  bool sparse = false;
};

struct LinkFacts {
  FileNumber parent = 0;
  std::u16string name;  // in its own case
};

// Everything an inode object says, records of opens excepted. Loaded once while a file has opens.
struct Inode {
  FileNumber number = 0;
  bool directory = false;
  std::uint32_t file_attributes = 0;  // as set by clients; DIRECTORY/SPARSE/REPARSE_POINT bits are added by storage/files
  FileTime creation_time = 0, last_access_time = 0, last_write_time = 0, change_time = 0;
  std::uint32_t sticky_times = 0;  // bits 1 creation, 2 access, 4 write, 8 change
  Bytes security_descriptor;       // self-relative, [MS-DTYP] 2.4.6
  std::uint32_t reparse_tag = 0;
  Bytes reparse_data;              // whole REPARSE_DATA_BUFFER
  std::vector<ExtendedAttribute> eas;
  std::uint32_t ea_bytes = 0;
  Bytes object_id;
  std::uint32_t integrity = 0;
  std::vector<StreamFacts> streams;  // [0] is the unnamed stream of a file; directories have only named ones
  std::vector<LinkFacts> links;
  std::uint32_t next_slot = 1;
  bool unlinking = false;
  std::uint64_t version = 0;  // of the inode object when read

  StreamFacts* FindStream(StreamId id);
  // Case-blind.
  StreamFacts* FindStream(std::u16string_view name);
};

struct DirectoryEntry {
  std::u16string name;  // in its own case
  FileNumber number = 0;
  bool directory = false;
  std::uint32_t file_attributes = 0;
  FileTime creation_time = 0, last_access_time = 0, last_write_time = 0, change_time = 0;
  std::uint64_t size = 0;
  std::uint64_t allocation_size = 0;
  std::uint32_t ea_bytes = 0;
  std::uint32_t reparse_tag = 0;
};

struct DirectoryPage {
  std::vector<DirectoryEntry> entries;  // in order of the upcased name
  bool more = false;                    // continue after entries.back().name
};

struct VolumeOptions {
  bool create = true;            // format when the engine holds no volume
  std::string label = "Holdfast";
  std::size_t shard_split_entries = 10000;
  std::uint64_t stripe_bytes = 0;  // of a new volume; 0: as much as the engine's objects hold
  std::size_t most_loose_inodes = 65536;  // remembered as not yet stable; above it some are flushed
  std::uint64_t incarnation = 1;   // whose takeover index and whose half-done changes; one machine needs only one
  std::string* problem = nullptr;  // when Mount fails: a sentence that says what is wrong and where
};

struct VolumeFacts {
  Guid guid;
  std::uint32_t serial = 0;
  FileTime creation_time = 0;
  std::u16string label;
};

// A record that storage/files keeps under a key of its own in the inode object. Keys begin with "o/" (opens),
// "z/" (leases), "b/" (byte-range locks) or "h" (home); the volume does not look inside.
struct RecordChange {
  std::string key;
  std::optional<std::string> value;  // nullopt removes it
};

class Volume {
 public:
  static Task<Result<std::unique_ptr<Volume>>> Mount(Engine& engine, Clock& clock, Random& random,
                                                     VolumeOptions options);
  virtual ~Volume() = default;

  virtual const VolumeFacts& facts() const = 0;
  virtual Task<Result<EngineUsage>> Usage() = 0;

  // ---- namespace ----------------------------------------------------------------------------------------------
  // kObjectNameNotFound when there is no such entry; completes or rolls back a half-done change it meets.
  virtual Task<Result<DirectoryEntry>> Lookup(FileNumber directory, std::u16string_view name) = 0;
  // `after` empty: from the beginning. `limit` ≤ 1,024.
  virtual Task<Result<DirectoryPage>> List(FileNumber directory, std::u16string after, std::size_t limit) = 0;
  virtual Task<Result<bool>> IsEmpty(FileNumber directory) = 0;
  // Reserves a number for CreateFile, unique for ever.
  virtual Task<Result<FileNumber>> AllocateNumber() = 0;
  // `inode.number` allocated before; `inode.links` is filled in; `records` become durable with the inode, in the one
  // write before the dirent. kObjectNameCollision when the name exists by then; nothing remains in that case.
  virtual Task<NtStatus> CreateFile(FileNumber directory, std::u16string name, Inode inode,
                                    std::vector<RecordChange> records, Durability durability) = 0;
  // What CreateFile does last, for an inode whose creator a crash took before: the entry of its only name.
  // kObjectNameCollision when the name leads elsewhere by now: then the inode goes, and with it its records.
  // kFileNotAvailable when it turns out that the inode had its name and has lost it since: it is to be loaded anew.
  virtual Task<NtStatus> FinishCreate(const Inode& inode) = 0;
  virtual Task<NtStatus> Link(FileNumber number, FileNumber directory, std::u16string name) = 0;
  // Removes one name; the file's data goes with the last one unless `keep_orphan` (still open): then Purge() later.
  // kObjectNameNotFound when the name does not lead to `number` any more; kDirectoryNotEmpty. With kProcess a power cut
  // may bring the name back.
  virtual Task<NtStatus> Unlink(FileNumber directory, std::u16string name, FileNumber number, bool keep_orphan,
                                Durability durability) = 0;
  // Removes what an unlinked inode left: streams, keys. Idempotent.
  virtual Task<NtStatus> Purge(FileNumber number) = 0;
  // Atomic; `replace` (0: none) is the number the target name leads to now and which the caller has made sure may go
  // (its last name: it is removed like Unlink, `keep_orphan_replaced` as there). kObjectNameCollision when the target
  // exists and is not `replace`. Changing only the case of a name is a rename onto itself. Retried after a crash it
  // succeeds when the link set already has the target.
  virtual Task<NtStatus> Rename(FileNumber number, FileNumber from_directory, std::u16string from_name,
                                FileNumber to_directory, std::u16string to_name, FileNumber replace,
                                bool keep_orphan_replaced) = 0;
  // The parents' chain up to the root: true when `ancestor` is `number` or above it.
  virtual Task<Result<bool>> IsSelfOrAncestor(FileNumber ancestor, FileNumber number) = 0;
  // Path below the root, '\\'-separated, by the first link; for FileNormalizedName and logs.
  virtual Task<Result<std::u16string>> PathOf(FileNumber number) = 0;

  // ---- inode --------------------------------------------------------------------------------------------------
  // Probes the true end of streams whose may_extend_to is ahead (it stays ahead) and finishes a pending truncation.
  virtual Task<Result<Inode>> Load(FileNumber number) = 0;
  // Writes attributes, times, reparse data, EAs, descriptor: whatever differs between `before` and `after`
  // (streams excepted), with record changes in the same atomic write.
  virtual Task<NtStatus> Store(const Inode& before, const Inode& after, std::vector<RecordChange> records,
                               Durability durability) = 0;
  // Only records. kStable, WriteClass::kRecord.
  virtual Task<NtStatus> StoreRecords(FileNumber number, std::vector<RecordChange> records) = 0;
  // All records whose key begins with `prefix`.
  virtual Task<Result<std::vector<KeyValue>>> LoadRecords(FileNumber number, std::string prefix) = 0;
  // Refreshes the copies in the directory entries of all links (best effort, kProcess).
  virtual Task<void> RefreshDirents(const Inode& inode) = 0;

  // ---- streams ------------------------------------------------------------------------------------------------
  // Adds a named stream (fills facts.id) or changes facts of an existing one (size, sparse, name, …).
  virtual Task<Result<StreamId>> CreateStream(FileNumber number, StreamFacts facts, std::uint32_t next_stream_hint) = 0;
  virtual Task<NtStatus> RemoveStream(FileNumber number, StreamId stream) = 0;
  virtual Task<NtStatus> StoreStream(FileNumber number, const StreamFacts& facts, Durability durability) = 0;
  // New end of the stream. Shrinking is crash-ordered (size with trunc_pending first, then the bytes, then clear).
  virtual Task<NtStatus> Truncate(FileNumber number, StreamFacts& facts, std::uint64_t new_size,
                                  Durability durability) = 0;
  // Makes sure that `facts.may_extend_to` ≥ end before bytes are sent; no write when it already is.
  virtual Task<NtStatus> PrepareExtend(FileNumber number, StreamFacts& facts, std::uint64_t end,
                                       Durability durability) = 0;
  virtual Task<NtStatus> WriteData(FileNumber number, StreamId stream, std::uint64_t offset, ByteView data,
                                   Durability durability) = 0;
  // Fills `out` whole; bytes never written read as zero. The caller clips at the stream's size.
  virtual Task<NtStatus> ReadData(FileNumber number, StreamId stream, std::uint64_t offset,
                                  std::span<std::uint8_t> out) = 0;
  virtual Task<NtStatus> ZeroData(FileNumber number, StreamId stream, DataRange range, Durability durability) = 0;
  // Engine::DuplicateData, between streams. The caller clips at the sizes.
  virtual Task<NtStatus> DuplicateData(FileNumber from, StreamId from_stream, std::uint64_t from_offset, FileNumber to,
                                       StreamId to_stream, std::uint64_t to_offset, std::uint64_t length,
                                       Durability durability) = 0;
  virtual Task<Result<std::vector<DataRange>>> AllocatedRanges(FileNumber number, StreamId stream, DataRange within) = 0;
  virtual Task<Result<std::uint64_t>> AllocatedBytes(FileNumber number, StreamId stream) = 0;
  // Bytes and keys of this file become stable.
  virtual Task<NtStatus> Flush(FileNumber number, StreamId stream) = 0;

  // ---- takeover index: files that have persistent opens ----------------------------------------------------------
  virtual Task<NtStatus> AddToIndex(FileNumber number) = 0;
  virtual Task<NtStatus> RemoveFromIndex(FileNumber number) = 0;
  virtual Task<Result<std::vector<FileNumber>>> ReadIndex() = 0;
  // Unlinked files whose purge a crash prevented.
  virtual Task<Result<std::vector<FileNumber>>> ReadOrphans() = 0;

  // ---- verification -----------------------------------------------------------------------------------------------
  struct CheckReport {
    std::uint64_t files = 0, directories = 0, bytes = 0;
    std::vector<std::string> findings;  // human sentences naming object and key
    std::uint64_t repaired = 0;
  };
  virtual Task<Result<CheckReport>> Check(bool repair) = 0;
};

}  // namespace holdfast
