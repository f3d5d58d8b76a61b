// The server of one node: configuration, shares, global tables. Owned by main (or a test), runs on the core executor.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "auth/authenticator.h"
#include "protocol/base/clock.h"
#include "protocol/base/random.h"
#include "server/config.h"
#include "server/metrics.h"
#include "server/pipes/pipe.h"
#include "server/state/connection.h"
#include "storage/files/files.h"

namespace holdfast {

struct ServerSeams {
  Executor executor;
  Clock* clock = nullptr;
  Random* random = nullptr;
  WorkerPool* workers = nullptr;
  Authenticator* authenticator = nullptr;
  Files* files = nullptr;  // of the one volume
};

class Server {
 public:
  Server(ServerConfig config, ServerSeams seams);
  ~Server();

  // Makes the directories of the shares in the volume. Then connections may come.
  Task<NtStatus> Prepare();
  // Serves one connection until it ends.
  Task<void> Serve(std::shared_ptr<Transport> transport);
  // A CA node stops by dropping connections: nothing is closed on the clients' behalf.
  void DropConnections();

  const ServerConfig& config() const { return config_; }
  const ServerSeams& seams() const { return seams_; }
  Clock& clock() { return *seams_.clock; }
  Random& random() { return *seams_.random; }
  WorkerPool& workers() { return *seams_.workers; }
  Authenticator& authenticator() { return *seams_.authenticator; }
  Executor executor() const { return seams_.executor; }
  const Guid& server_guid() const { return server_guid_; }
  Metrics& metrics() { return metrics_; }

  // Name without host part, case-blind; null when there is none. IPC$ is always there.
  SharePtr FindShare(std::u16string_view name) const;
  const std::vector<SharePtr>& shares() const { return shares_; }
  // True for the server's name, the cluster's, an alias, or an address literal; [MS-SMB2] 3.3.5.7.
  bool IsOurName(std::u16string_view host) const;
  PipeEnvironment MakePipeEnvironment(const Session& session) const;

  // ---- global tables ------------------------------------------------------------------------------------------
  std::uint64_t NewSessionId();
  SessionPtr FindSession(std::uint64_t session_id) const;
  void AddSession(SessionPtr session);
  // The session on one more connection, 3.3.5.5.3; `signer` is null while its first sign-in lasts.
  void AddChannel(const SessionPtr& session, const std::shared_ptr<Connection>& connection,
                  std::shared_ptr<crypto::Signer> signer);
  // 3.3.7.1: the session and its opens live on while another channel does; the last one ends it.
  Task<void> LoseChannel(SessionPtr session, std::uint64_t connection_id);
  // Ends a session: opens are preserved (logoff, loss) or closed (failed re-authentication), trees go.
  enum class EndReason { kConnectionLost, kLogoff, kPreviousSession, kFailedReauthentication };
  Task<void> EndSession(SessionPtr session, EndReason reason);
  Task<void> EndTree(TreeConnectPtr tree, SessionPtr session);

  // Puts an open (or pipe) into the session's table with a new volatile id and attaches it.
  HandlePtr AddHandle(const std::shared_ptr<Connection>& connection, const SessionPtr& session,
                      const TreeConnectPtr& tree, OpenPtr open, std::shared_ptr<NamedPipe> pipe);
  // Takes it out; the caller closes the open.
  void RemoveHandle(const SessionPtr& session, const HandlePtr& handle);
  // The handle of this session for the open, if it is attached here (a replayed CREATE).
  HandlePtr FindHandle(const SessionPtr& session, const OpenPtr& open) const;

  // The connections of a client, by the ClientGuid of their NEGOTIATE, oldest first; 2.0.2 has none.
  void AddClient(const std::shared_ptr<Connection>& connection);
  std::vector<std::shared_ptr<Connection>> ConnectionsOf(const Guid& client_guid) const;

  // For what may be called back after the end of the server.
  std::weak_ptr<int> alive() const { return alive_; }
  std::size_t connection_count() const { return connections_.size(); }

 private:
  bool FindAccount(const Sid& sid, AccountName* found) const;
  friend class Pipeline;
  // STATUS_PENDING for what takes longer than interim_after_ms, 3.3.4.2.
  void SweepSlowRequests();
  void ScheduleSweep();

  ServerConfig config_;
  ServerSeams seams_;
  Guid server_guid_;  // new for every incarnation, windows-wise
  Metrics metrics_;
  std::vector<SharePtr> shares_;
  std::unordered_map<std::uint64_t, SessionPtr> sessions_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;
  std::map<std::pair<Guid, std::uint64_t>, std::weak_ptr<Connection>> clients_;  // by ClientGuid and connection id
  std::uint64_t next_connection_id_ = 1;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  // timers outlive nothing
};

}  // namespace holdfast
