// The volume over an engine. Its operations by file: mount.cc, lookup.cc, create.cc, unlink.cc, rename.cc, inode.cc,
// streams.cc, check.cc.
//
// How a name changes: first the directory entry is marked pending (which names it concerns, never what the outcome is),
// then the inode's link set changes in one guarded write (the commit), then the entry is settled after the inode. So an
// entry that is not pending is true without a look at the inode, and a pending one can be settled by anybody, at any
// time after the operation that made it pending has died.
#pragma once

#include <functional>
#include <unordered_map>
#include <unordered_set>

#include "storage/volume/allocator.h"
#include "storage/volume/directory_store.h"
#include "storage/volume/errors.h"
#include "storage/volume/inode_store.h"
#include "storage/volume/named_locks.h"
#include "storage/volume/number_set.h"
#include "storage/volume/stream_data.h"
#include "storage/volume/volume.h"

namespace holdfast {

class EngineVolume final : public Volume {
 public:
  EngineVolume(Engine& engine, Random& random, const VolumeOptions& options, const pb::Super& super);

  const VolumeFacts& facts() const override { return facts_; }
  Task<Result<EngineUsage>> Usage() override;

  Task<Result<DirectoryEntry>> Lookup(FileNumber directory, std::u16string_view name) override;
  Task<Result<DirectoryPage>> List(FileNumber directory, std::u16string after, std::size_t limit) override;
  Task<Result<bool>> IsEmpty(FileNumber directory) override;
  Task<Result<FileNumber>> AllocateNumber() override;
  Task<NtStatus> CreateFile(FileNumber directory, std::u16string name, Inode inode, std::vector<RecordChange> records,
                            Durability durability) override;
  Task<NtStatus> FinishCreate(const Inode& inode) override;
  Task<NtStatus> Link(FileNumber number, FileNumber directory, std::u16string name) override;
  Task<NtStatus> Unlink(FileNumber directory, std::u16string name, FileNumber number, bool keep_orphan,
                        Durability durability) override;
  Task<NtStatus> Purge(FileNumber number) override;
  Task<NtStatus> Rename(FileNumber number, FileNumber from_directory, std::u16string from_name,
                        FileNumber to_directory, std::u16string to_name, FileNumber replace,
                        bool keep_orphan_replaced) override;
  Task<Result<bool>> IsSelfOrAncestor(FileNumber ancestor, FileNumber number) override;
  Task<Result<std::u16string>> PathOf(FileNumber number) override;

  Task<Result<Inode>> Load(FileNumber number) override;
  Task<NtStatus> Store(const Inode& before, const Inode& after, std::vector<RecordChange> records,
                       Durability durability) override;
  Task<NtStatus> StoreRecords(FileNumber number, std::vector<RecordChange> records) override;
  Task<Result<std::vector<KeyValue>>> LoadRecords(FileNumber number, std::string prefix) override;
  Task<void> RefreshDirents(const Inode& inode) override;

  Task<Result<StreamId>> CreateStream(FileNumber number, StreamFacts facts, std::uint32_t next_stream_hint) override;
  Task<NtStatus> RemoveStream(FileNumber number, StreamId stream) override;
  Task<NtStatus> StoreStream(FileNumber number, const StreamFacts& facts, Durability durability) override;
  Task<NtStatus> Truncate(FileNumber number, StreamFacts& facts, std::uint64_t new_size,
                          Durability durability) override;
  Task<NtStatus> PrepareExtend(FileNumber number, StreamFacts& facts, std::uint64_t end,
                               Durability durability) override;
  Task<NtStatus> WriteData(FileNumber number, StreamId stream, std::uint64_t offset, ByteView data,
                           Durability durability) override;
  Task<NtStatus> ReadData(FileNumber number, StreamId stream, std::uint64_t offset,
                          std::span<std::uint8_t> out) override;
  Task<NtStatus> ZeroData(FileNumber number, StreamId stream, DataRange range, Durability durability) override;
  Task<NtStatus> DuplicateData(FileNumber from, StreamId from_stream, std::uint64_t from_offset, FileNumber to,
                               StreamId to_stream, std::uint64_t to_offset, std::uint64_t length,
                               Durability durability) override;
  Task<Result<std::vector<DataRange>>> AllocatedRanges(FileNumber number, StreamId stream, DataRange within) override;
  Task<Result<std::uint64_t>> AllocatedBytes(FileNumber number, StreamId stream) override;
  Task<NtStatus> Flush(FileNumber number, StreamId stream) override;

  Task<NtStatus> AddToIndex(FileNumber number) override;
  Task<NtStatus> RemoveFromIndex(FileNumber number) override;
  Task<Result<std::vector<FileNumber>>> ReadIndex() override;
  Task<Result<std::vector<FileNumber>>> ReadOrphans() override;

  Task<Result<CheckReport>> Check(bool repair) override;

 private:
  friend class VolumeCheck;

  // What a pending entry stands for at the moment.
  struct Meaning {
    bool present = false;
    bool committed = false;  // it has become what it was to become
    FileNumber number = 0;
    std::u16string name;
  };

  // lookup.cc
  static std::string NameLock(FileNumber directory, const std::string& encoded);
  Task<Result<Meaning>> Interpret(FileNumber directory, std::string encoded, pb::Dirent dirent);
  // The entry as listed; nullopt when it stands for nothing.
  Task<Result<std::optional<DirectoryEntry>>> Show(FileNumber directory, std::string encoded, pb::Dirent dirent);
  // Makes a pending entry true. The caller holds the name's lock: whoever made it pending is dead.
  Task<NtStatus> Settle(FileNumber directory, std::string encoded, Stored<pb::Dirent> entry);
  Task<NtStatus> SettleName(FileNumber directory, std::string encoded);
  // With the name's lock held: the entry, settled first when need be.
  Task<Result<std::optional<Stored<pb::Dirent>>>> ReadSettled(FileNumber directory, std::string encoded);
  void MarkPending(pb::Dirent& dirent);

  // unlink.cc
  // Takes one name off an inode; true when it was the last one: then the inode is unlinking and among the orphans.
  Task<Result<bool>> DropName(FileNumber number, FileNumber directory, std::string encoded, bool keep_orphan,
                              Durability durability);
  Task<Result<bool>> HoldsEntries(FileNumber directory);
  Task<NtStatus> PurgeInode(FileNumber number);
  Task<NtStatus> UnlinkMarked(FileNumber directory, std::string encoded, FileNumber number, bool is_directory,
                              bool keep_orphan, Durability durability);

  // create.cc
  Task<NtStatus> Insert(FileNumber directory, std::string encoded, FileNumber number, std::string raw,
                        Durability durability);
  Task<void> RemoveNew(FileNumber number, bool directory);

  // rename.cc
  struct RenameNames {
    FileNumber number;
    FileNumber from;
    std::string from_encoded;
    FileNumber to;
    std::string to_encoded;
    std::u16string to_name;
    bool same() const { return from == to && from_encoded == to_encoded; }
  };
  Task<std::optional<NtStatus>> TryRename(RenameNames names, FileNumber replace, bool keep_orphan_replaced);
  Task<EngineError> ChangeBoth(RenameNames names, DirentChange source, DirentChange target, Durability durability);
  Task<void> SettleBoth(RenameNames names);

  // inode.cc
  Task<NtStatus> FlushLoose(FileNumber number);
  // Keeps the memory of loose inodes small: files whose client never asks for a flush would stay in it for ever.
  Task<void> FlushSomeLoose();
  void NoteWrite(FileNumber number, Durability durability);

  // streams.cc
  // Changes the stored facts of one stream until the guard holds; `change` answers false when nothing is to be written.
  using StreamChange = std::function<bool(pb::StreamAttributes&)>;
  Task<NtStatus> UpdateStream(FileNumber number, StreamId stream, StreamChange change, Durability durability,
                              WriteClass write_class);
  Task<NtStatus> FinishTruncation(FileNumber number, StreamId stream);
  // Sizes as the bytes have them, where more may have been written than the inode says.
  Task<NtStatus> FindEnds(Inode& inode);

  Engine& engine_;
  Random& random_;
  VolumeFacts facts_;
  std::uint64_t incarnation_;
  InodeStore inodes_;
  DirectoryStore directories_;
  StreamData data_;
  Allocator allocator_;
  NumberSet index_;
  NumberSet orphans_;
  NamedLocks names_;   // names being changed by several writes
  NamedLocks truncations_;  // inodes whose bytes are being cut off: a load must not finish what is under way
  AsyncMutex moves_;   // moves of directories to other parents: two at once could make a ring
  // Numbers somebody asked for in vain: an entry that leads there is looked at before it is believed. Only an engine
  // that loses a kProcess write of one object and keeps a later one of another makes such entries.
  std::unordered_set<FileNumber> missing_;
  // Inodes with kProcess writes since they were last stable.
  struct Loose {
    bool dirents = false;          // their directory entries too
    std::uint64_t last_write = 0;  // tells a flush whether it came before the last of them
  };
  std::unordered_map<FileNumber, Loose> loose_;
  std::uint64_t loose_writes_ = 0;
  std::size_t most_loose_;
  bool flushing_loose_ = false;
};

// Errors of a DirectoryStore: kNotFound there means the directory.
inline NtStatus DirectoryStatus(EngineError error) {
  return error == EngineError::kNotFound ? NtStatus::kObjectPathNotFound : ToNtStatus(error);
}

// Empty, too long, or holds a separator or NUL: kSuccess, kObjectNameInvalid, kNameTooLong.
NtStatus CheckName(std::u16string_view name);
// Mutations for record changes; nullopt when a key is not one of storage/files.
std::optional<std::vector<Mutation>> RecordMutations(std::vector<RecordChange> records);

}  // namespace holdfast
