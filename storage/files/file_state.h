// The open table of one file at its home: what arbitrates between opens. In memory while the file has opens,
// rebuilt from the records in the inode object when the first open after a restart arrives.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "storage/files/open.h"

namespace holdfast {

// A byte-range lock, [MS-FSA] 2.1.5.7. Length 0 locks nothing but conflicts as documented there.
struct ByteRangeLock {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool exclusive = false;
  Open* owner = nullptr;
  std::uint32_t key_serial = 0;  // distinguishes equal shared locks of one owner in their record keys
};

struct PendingLock;   // locks.cc
struct NotifyWatch;   // notify.cc

struct StreamState {
  StreamFacts facts;                     // size here is the truth while the file is open
  std::vector<ByteRangeLock> locks;
  std::vector<std::shared_ptr<PendingLock>> waiting_locks;
  std::vector<CachingGrantPtr> grants;   // oplocks and leases
  AsyncSharedMutex data;                 // reads and writes share it; truncation and zeroing of the end exclude them
  AsyncMutex extend;                     // who moves facts.may_extend_to or stores the facts beside writers
  bool size_dirty = false;               // facts.size is ahead of the inode object
  bool delete_pending = false;           // this stream (named streams; the unnamed one: the whole file)
  bool removed = false;                  // deleted and taken off the file
};

struct FileState {
  FileNumber number = 0;
  Inode inode;                                       // current; what is not yet stored is marked dirty
  Inode stored;                                      // as last written: Volume::Store gets both
  std::map<StreamId, std::unique_ptr<StreamState>> streams;
  std::vector<OpenPtr> opens;                        // attached and disconnected, all streams
  AsyncMutex mutex;                                  // create, close, rename, set-info, locks, records: one at a time
  AsyncMutex store;                                  // one write of the inode at a time: `stored` is what it changes
  bool delete_pending = false;                       // FileStandardInformation.DeletePending of the file
  std::u16string delete_name;                        // name and parent that the pending delete removes
  FileNumber delete_parent = 0;
  bool times_dirty = false;                          // inode times are ahead of the inode object
  bool dirents_stale = false;                        // copies in the directory entries are behind
  bool indexed = false;                              // stands in the takeover index
  bool unlinked = false;                             // last name gone; purge at last close
  bool records_loaded = false;
  bool gone = false;                                 // not in the table any more: whoever waited must look it up again
  std::vector<std::string> leftover_records;         // keys whose removal failed: tried again with the next write
  std::uint32_t next_lock_serial = 1;
  std::uint32_t next_slot = 1;                       // inode.next_slot is this or ahead, in steps
  std::uint32_t next_volatile_slot = 0;              // of opens that are not persistent
  std::vector<std::shared_ptr<OneShot<NtStatus>>> caching_waiters;  // operations that wait for a break
  std::vector<std::shared_ptr<NotifyWatch>> watches; // directories: CHANGE_NOTIFY

  // Directories have no unnamed stream: null then.
  StreamState* Stream(StreamId id);
  // Copies the facts of the streams into `inode`, for Volume::RefreshDirents and the like.
  void SyncStreams();
  StreamState* FindStream(std::u16string_view name);  // case-blind; not those removed
};
using FileStatePtr = std::shared_ptr<FileState>;

}  // namespace holdfast
