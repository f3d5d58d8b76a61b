#include "server/request/notification.h"

#include <algorithm>
#include <functional>
#include <set>
#include <vector>

#include "protocol/smb2/constants.h"
#include "protocol/smb2/header.h"
#include "server/request/seal.h"
#include "server/server.h"

namespace holdfast {
namespace {

using ConnectionPtr = std::shared_ptr<Connection>;

// An acknowledgement is seldom later than the delay with which receivers send it, some 40 ms.
constexpr Duration kFirstLook = std::chrono::milliseconds(2);
constexpr Duration kLongestPause = std::chrono::milliseconds(40);

bool IsUsable(const Connection& connection, const Session& session) {
  return !connection.closing && !session.logged_off && session.state != SessionState::kInProgress;
}

bool HasAcknowledged(const Connection& connection, std::uint64_t bytes) {
  return !connection.unacknowledged && connection.transport->acknowledged_bytes() >= bytes;
}

// A path that has let a break wait lets the next ones wait too, until the peer's TCP is heard of again.
bool IsSilent(Connection& connection) {
  if (connection.silent_below != 0 && HasAcknowledged(connection, connection.silent_below)) connection.silent_below = 0;
  return connection.silent_below != 0;
}

struct Message {
  std::uint64_t session_id = 0;  // in the header
  Bytes body;
  bool encrypt = false;
  StillWanted still_wanted;
};

// Queues the message and waits for the peer's TCP. False when the connection ends or the time does.
Task<bool> SendAcknowledged(ConnectionPtr connection, SessionPtr session, const Message& notice, Duration within) {
  Clock& clock = connection->server->clock();
  smb2::Header header;
  header.command = smb2::Command::kOplockBreak;
  header.flags = smb2::kFlagServerToRedir;
  header.message_id = smb2::kUnsolicitedMessageId;
  header.session_id = notice.session_id;
  ResponseChain message(connection);
  message.Append(header, notice.body, 0, nullptr, session->encrypt_data || notice.encrypt ? session : nullptr);
  message.Send();
  const std::uint64_t end = connection->transport->sent_bytes();

  const SteadyTime deadline = clock.Now() + within;
  for (Duration pause = kFirstLook; clock.Now() < deadline; pause = std::min(2 * pause, kLongestPause)) {
    co_await SleepFor(clock, pause);
    if (HasAcknowledged(*connection, end)) co_return true;
    if (connection->closing) co_return false;
    if (notice.still_wanted && !notice.still_wanted()) co_return true;
  }
  connection->silent_below = end;
  co_return false;
}

struct Candidate {
  ConnectionPtr connection;
  SessionPtr session;
};

using Tried = std::set<std::uint64_t>;  // ids of connections

// The first of those offered, the silent ones behind the others.
class Choice {
 public:
  void Offer(const ConnectionPtr& connection, const SessionPtr& session) {
    Candidate& place = IsSilent(*connection) ? silent_ : alive_;
    if (!place.connection) place = {connection, session};
  }
  const Candidate& best() const { return alive_.connection ? alive_ : silent_; }

 private:
  Candidate alive_, silent_;
};

// The oldest channel of the session that has not been tried.
Candidate NextChannel(const SessionPtr& session, const Tried& tried) {
  Choice choice;
  if (!session) return {};
  for (const Channel& channel : session->channels) {
    const ConnectionPtr connection = channel.connection.lock();
    if (!connection || !IsUsable(*connection, *session) || tried.contains(connection->id)) continue;
    choice.Offer(connection, session);
  }
  return choice.best();
}

// The oldest connection of the client that has not been tried.
Candidate NextOfClient(const Server& server, const Guid& client_guid, const Tried& tried) {
  Choice choice;
  for (const ConnectionPtr& connection : server.ConnectionsOf(client_guid)) {
    if (tried.contains(connection->id)) continue;
    for (const auto& [id, session] : connection->sessions) {
      if (!IsUsable(*connection, *session)) continue;
      choice.Offer(connection, session);
      break;
    }
  }
  return choice.best();
}

// One after the other, until one has taken the message or none is left. `next`: the first that has not been tried.
Task<bool> Walk(Message notice, std::function<Candidate(const Tried&)> next) {
  Tried tried;
  for (;;) {
    const Candidate here = next(tried);
    if (!here.connection) co_return false;
    tried.insert(here.connection->id);
    const Duration within = next(tried).connection ? kAcknowledgedWithin : kGivenUpAfter;
    if (co_await SendAcknowledged(here.connection, here.session, notice, within)) co_return true;
    if (notice.still_wanted && !notice.still_wanted()) co_return true;
  }
}

}  // namespace

Task<bool> NotifySession(Server& server, std::uint64_t session_id, Bytes body, bool encrypt, StillWanted still_wanted) {
  Message notice{session_id, std::move(body), encrypt, std::move(still_wanted)};
  std::function<Candidate(const Tried&)> next = [&server, session_id](const Tried& tried) {
    return NextChannel(server.FindSession(session_id), tried);
  };
  co_return co_await Walk(std::move(notice), std::move(next));
}

Task<bool> NotifyClient(Server& server, Guid client_guid, Bytes body, bool encrypt, StillWanted still_wanted) {
  Message notice{0, std::move(body), encrypt, std::move(still_wanted)};
  std::function<Candidate(const Tried&)> next = [&server, client_guid](const Tried& tried) {
    return NextOfClient(server, client_guid, tried);
  };
  co_return co_await Walk(std::move(notice), std::move(next));
}

}  // namespace holdfast
