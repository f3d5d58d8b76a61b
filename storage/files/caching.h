// What clients may cache of a stream: oplocks and leases, [MS-FSA] 2.1.4.12 and 2.1.5.18, [MS-SMB2] 3.3.1.4, 3.3.1.12.
//
// An oplock is treated as what it is worth as a lease: level II as R, exclusive as RW, batch as RWH. So one set of rules
// decides about both; the differences are that an oplock belongs to one open, and breaks to R or to nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/base/clock.h"
#include "protocol/dtyp/guid.h"
#include "storage/volume/volume.h"

namespace holdfast {

class Open;

// Bits of a caching state, with the values of [MS-SMB2] 2.2.13.2.8.
namespace caching {
inline constexpr std::uint32_t kNone = 0, kRead = 1, kHandle = 2, kWrite = 4, kAll = 7;
}  // namespace caching

// [MS-SMB2] 2.2.13
namespace oplock {
inline constexpr std::uint8_t kNone = 0x00, kLevelII = 0x01, kExclusive = 0x08, kBatch = 0x09, kLease = 0xFF;
}  // namespace oplock

// What an oplock level is worth as a lease state; kNone for kLease and unknown levels.
constexpr std::uint32_t StateOfOplock(std::uint8_t level) {
  switch (level) {
    case oplock::kLevelII: return caching::kRead;
    case oplock::kExclusive: return caching::kRead | caching::kWrite;
    case oplock::kBatch: return caching::kAll;
    default: return caching::kNone;
  }
}

// And back.
constexpr std::uint8_t OplockOfState(std::uint32_t state) {
  if (state & caching::kHandle) return oplock::kBatch;
  if (state & caching::kWrite) return oplock::kExclusive;
  return state & caching::kRead ? oplock::kLevelII : oplock::kNone;
}

// An OPLOCK_BREAK notification to be sent, [MS-SMB2] 2.2.23.
struct CachingBreak {
  bool is_lease = false;
  Guid client_guid;  // whose connections may carry it
  std::vector<std::weak_ptr<Open>> opens;  // of the lease, or the one with the oplock
  Guid lease_key;
  std::uint16_t new_epoch = 0;
  std::uint32_t current_state = 0, new_state = 0;
  bool acknowledge = false;       // SMB2_NOTIFY_BREAK_LEASE_FLAG_ACK_REQUIRED
  std::uint8_t new_oplock = 0;    // of an oplock: none or level II
  std::function<bool()> wanted;   // false once it is answered: no need to send it again elsewhere
};

// Carries notifications to clients. `done` is called once: false when no connection could carry it.
using CachingBreakSender = std::function<void(CachingBreak notice, std::function<void(bool sent)> done)>;

// A lease, shared by the opens with its key, or the oplock of one open. Lives as long as it has opens.
struct CachingGrant {
  bool is_lease = false;
  FileNumber file = 0;
  StreamId stream = 0;
  std::uint32_t state = caching::kNone;  // LeaseState, or what the oplock is worth
  std::vector<Open*> opens;

  // Lease.Breaking: `state` holds until the client has acknowledged `break_to`. Conflicts that came meanwhile need the
  // state `required`; the client is told when it has acknowledged.
  bool breaking = false;
  std::uint32_t break_to = caching::kNone;
  std::uint32_t required = caching::kNone;
  bool told = false;    // of an oplock: level II was broken to nothing, which nobody has to acknowledge
  bool parked = false;  // Lease.BreakNotification could not be sent: no connection is left, only persistent opens
  Clock::TimerId timer = 0;

  // Of leases.
  Guid client_guid;
  Guid lease_key;
  std::optional<Guid> parent_lease_key;
  std::uint8_t version = 0;
  std::uint16_t epoch = 0;
  bool file_delete_on_close = false;
  bool restored = false;  // from a record, and no client has come back to it yet

  // Notifications must not overtake the answer that tells the client of the grant.
  int unanswered = 0;
  std::vector<CachingBreak> held_back;

  bool Is(const Guid& client, const Guid& key) const { return is_lease && client_guid == client && lease_key == key; }
  std::uint8_t OplockLevel() const { return is_lease ? oplock::kLease : OplockOfState(state); }
  // Of the opens other than `except`, which may be null.
  bool HasPersistentOpen(const Open* except = nullptr) const;
  // Whether the client of one of its opens is there.
  bool IsAttached() const;
  // What keeps a durable open over a disconnect, [MS-SMB2] 3.3.7.1: batch, or H that is held.
  bool HoldsHandle() const { return (state & caching::kHandle) != 0 && !breaking; }
};
using CachingGrantPtr = std::shared_ptr<CachingGrant>;
using LeaseId = std::pair<Guid, Guid>;  // ClientGuid, LeaseKey

// The states that leases have, 3.3.1.4; other combinations of bits are worth nothing.
constexpr std::uint32_t ValidLeaseState(std::uint32_t state) {
  state &= caching::kAll;
  return state & caching::kRead ? state : caching::kNone;
}

// Rights that neither conflict with an oplock nor are one's own claim to data, [MS-FSA] 2.1.4.12.
bool IsStatOpen(std::uint32_t access);
// The same for a lease: READ_CONTROL too.
bool IsLeaseStatOpen(std::uint32_t access);

}  // namespace holdfast
