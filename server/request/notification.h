// What the server says unasked: oplock and lease breaks, [MS-SMB2] 3.3.4.6 and 3.3.4.7. A break must reach the client even
// when one of its channels has died without anybody having noticed: it is sent on one channel, the acknowledgement of the
// client's TCP is watched, and the next channel is tried when none comes. A channel that let a break wait is tried
// behind the others from then on, until the client's TCP has acknowledged what was sent there.
//
//   Bytes body = smb2::EncodeBody(smb2::OplockBreakNotification{...});
//   const bool arrived = co_await NotifySession(server, open->attached_session, std::move(body), false, [open] { return ...; });
//
// Both return as soon as one channel has taken the message, or when no channel is left. The client's own answer (its
// OPLOCK_BREAK, or the CLOSE of the handle) may come before that: do not wait for these functions before listening for
// it, Spawn them beside the break's timer and act on false only. The same break may arrive twice, when a channel was slow
// and not dead; clients ignore the second one.
#pragma once

#include <cstdint>
#include <functional>

#include "protocol/base/bytes.h"
#include "protocol/dtyp/guid.h"
#include "storage/async/task.h"

namespace holdfast {

class Server;

// How long a channel has to acknowledge before the next one is tried: six times the least retransmission timeout of TCP.
inline constexpr Duration kAcknowledgedWithin = std::chrono::milliseconds(1200);
// The last one has longer: behind it the open is lost, which a short disturbance of a network is not worth.
inline constexpr Duration kGivenUpAfter = std::chrono::seconds(10);

// Asked before each further channel: false ends the walk (the client has answered, the break is over). May be empty.
using StillWanted = std::function<bool()>;

// An OPLOCK_BREAK with the body given, over the channels of a session, the oldest first; `session_id` stands in its header.
// Not signed; encrypted when the session is, or `encrypt` says so (an encrypting share). False: no such session, or none of its channels took it.
Task<bool> NotifySession(Server& server, std::uint64_t session_id, Bytes body, bool encrypt,
                         StillWanted still_wanted);

// The same for a lease, 3.3.4.7: over any connection of this client on which a user is signed in, the oldest first.
// SessionId 0 stands in the header.
Task<bool> NotifyClient(Server& server, Guid client_guid, Bytes body, bool encrypt, StillWanted still_wanted);

}  // namespace holdfast
