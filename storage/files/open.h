// An Open, [MS-SMB2] 3.3.1.10 as far as it concerns the file: what MS-FSA keeps per open, and what a persistent
// handle carries over the death of its node. The server adds session, tree and volatile id around it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/dtyp/guid.h"
#include "protocol/dtyp/security_token.h"
#include "protocol/erref/result.h"
#include "storage/files/caching.h"
#include "storage/volume/volume.h"

namespace holdfast {

struct FileState;

// What an open knows of the share it came through. Lives as long as the configuration.
struct ShareContext {
  std::u16string name;
  FileNumber root = kRootFileNumber;    // the directory of the volume that the share shows
  bool continuous_availability = false; // persistent handles are granted
  bool scale_out = false;               // shown as scale-out: leases are cut to R
  bool access_based_enumeration = false;
  std::uint32_t ca_timeout_ms = 180'000;  // DurableOpenTimeout when the client asks 0; at most 300,000
};

// A wait that CANCEL, CLOSE or a lost connection may end. Shared by the request and the operation.
class PendingWait {
 public:
  // Called once, when the operation is about to wait: the server sends the interim response then.
  std::function<void()> on_pending;
  void Cancel(NtStatus status = NtStatus::kCancelled) {
    if (!cancelled_) cancelled_ = status;
    if (wake_) std::exchange(wake_, nullptr)();
  }
  std::optional<NtStatus> cancelled() const { return cancelled_; }
  // For the operation: what to call when cancelled; replaces the earlier one.
  void SetWake(std::function<void()> wake) { wake_ = std::move(wake); }

 private:
  std::optional<NtStatus> cancelled_;
  std::function<void()> wake_;
};
using PendingWaitPtr = std::shared_ptr<PendingWait>;

enum class DurableKind : std::uint8_t { kNone, kDurableV1, kDurableV2, kPersistent };

struct AppInstance {
  Guid id;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> version;  // high, low; 3.1.1 only
};

// Entry of Open.LockSequenceArray, 3.3.5.14: number is 0-15.
struct LockSequenceEntry {
  bool valid = false;
  std::uint8_t number = 0;
};

// The state of QUERY_DIRECTORY on this open, [MS-FSA] 2.1.5.6.3.
struct DirectoryScan {
  bool started = false;
  std::u16string pattern;
  std::u16string after;               // name of the last entry taken from the volume
  bool volume_exhausted = false;
  bool returned_any = false;          // decides NO_SUCH_FILE or NO_MORE_FILES
  std::deque<DirectoryEntry> ahead;   // matching entries not yet given to the client
};

class Open {
 public:
  // Identity. persistent_id = FileNumber << 20 | slot, unique in the cluster and never reused, for every open.
  std::uint64_t persistent_id = 0;
  std::shared_ptr<FileState> file;
  StreamId stream = kUnnamedStream;
  std::shared_ptr<const ShareContext> share;
  std::u16string path;                 // share-relative as opened, stream part included
  LinkFacts link;                      // the name it was opened by, current after renames

  // As granted, never evaluated again.
  std::uint32_t granted_access = 0;
  std::uint32_t desired_access = 0;    // as asked (a replay compares it)
  std::uint32_t share_access = 0;
  std::uint32_t create_options = 0;
  std::uint32_t create_disposition = 0;
  std::uint32_t file_attributes = 0;   // as asked
  std::uint32_t create_action = 0;     // FILE_OPENED …, of the original CREATE
  std::uint32_t maximal_access = 0;
  std::shared_ptr<const SecurityToken> token;
  bool delete_on_close = false;        // asked at CREATE, not yet turned into delete-pending
  bool directory() const { return is_directory; }
  bool is_directory = false;

  // Durability, 3.3.1.10.
  DurableKind durable = DurableKind::kNone;
  bool is_resilient = false;
  std::uint32_t durable_open_timeout_ms = 0;
  std::uint32_t resilient_open_timeout_ms = 0;
  Guid create_guid;
  Guid client_guid;
  std::optional<AppInstance> app_instance;
  Sid durable_owner;
  bool is_replay_eligible = false;     // not persisted, design §10
  std::array<LockSequenceEntry, 65> lock_sequence{};  // [1..64] used

  // The lease it belongs to, or its oplock; null for neither. Set once, at CREATE.
  CachingGrantPtr caching;
  // Held until the answer that tells the client of the open is with the transport: no break overtakes it.
  std::shared_ptr<void> answer_pending;

  // Channel sequence, 3.3.5.2.10; the counters are volatile.
  std::uint16_t channel_sequence = 0;
  std::uint32_t outstanding_request_count = 0;
  std::uint32_t outstanding_pre_request_count = 0;

  // Attachment. The server sets `attached` and `on_forced_detach` when it binds the open to a session.
  bool attached = false;
  std::uint64_t attached_connection = 0;      // opaque, tells "same connection" at a reconnect
  std::uint64_t attached_session = 0;         // SessionId
  std::function<void(NtStatus)> on_forced_detach;  // remove the open from its session: it lives on elsewhere, or is closed
  Clock::TimerId scavenge_timer = 0;
  SteadyTime disconnect_deadline{};

  // Small state of MS-FSA.
  std::uint64_t current_byte_offset = 0;
  std::uint32_t mode = 0;
  DirectoryScan scan;
  std::uint32_t requests_in_flight = 0;       // operations of storage/files running on this open: use OpenUse
  std::vector<std::function<void()>> on_drained;  // called once each when requests_in_flight falls to 0
  std::vector<std::shared_ptr<PendingWait>> waits;  // blocking locks, notify: ended by close or disconnect
  bool modified = false;                      // data written through this open (LastWriteTime at close, notify)
  bool user_set_write_time = false;           // SET_INFO fixed LastWriteTime for this open
  FileTime delayed_write_time = 0;            // of the last write, not yet shown as LastWriteTime
  bool write_time_delayed = false;            // the delay has begun: further writes show at flush, set-info or close
  std::uint32_t sticky_times = 0;             // times that this open has fixed, bits as Inode::sticky_times
  AsyncMutex scan_mutex;                      // one FillScan at a time
  bool closed = false;
  bool posix_delete = false;                  // FILE_DISPOSITION_POSIX_SEMANTICS: the name goes when this open closes
  std::string unknown_record_fields;          // of the stored record, written by a newer version: kept

  FileNumber file_number() const { return persistent_id >> 20; }
  std::uint8_t oplock_level() const { return caching ? caching->OplockLevel() : oplock::kNone; }
  bool has_lease() const { return caching && caching->is_lease; }
  bool is_persistent() const { return durable == DurableKind::kPersistent; }
  bool is_write_through() const { return is_persistent() || (create_options & 0x2) != 0; }  // FILE_WRITE_THROUGH
  Durability durability() const { return is_write_through() ? Durability::kStable : Durability::kProcess; }
};
using OpenPtr = std::shared_ptr<Open>;

// Held while an operation runs on an open that may outlast a Close or Disconnect of it: Close and Reconnect wait
// until the last one has ended. An operation must take it before it waits for FileState::mutex, and must look at
// Open::closed after every wait it cannot repeat.
class OpenUse {
 public:
  explicit OpenUse(OpenPtr open) : open_(std::move(open)) { ++open_->requests_in_flight; }
  OpenUse(const OpenUse&) = delete;
  OpenUse& operator=(const OpenUse&) = delete;
  ~OpenUse() {
    if (--open_->requests_in_flight != 0) return;
    for (auto& drained : std::exchange(open_->on_drained, {})) drained();
  }

 private:
  OpenPtr open_;
};

}  // namespace holdfast
