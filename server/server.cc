#include "server/server.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "protocol/dtyp/unicode.h"
#include "protocol/dtyp/upcase.h"
#include "protocol/smb2/constants.h"
#include "server/commands/pipe_io.h"
#include "server/pipes/well_known_accounts.h"
#include "server/request/caching_break.h"
#include "server/request/pipeline.h"

namespace holdfast {
namespace {

// [MS-SMB2] 3.3.6.3, note 442: connections on which nobody has signed in by then are ended.
constexpr Duration kSignInWithin = std::chrono::seconds(45);

bool LooksLikeAddress(std::u16string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char16_t c) {
    return (c >= u'0' && c <= u'9') || c == u'.' || c == u':' || (c >= u'a' && c <= u'f') || (c >= u'A' && c <= u'F') ||
           c == u'[' || c == u']';
  });
}

std::shared_ptr<Share> MakeShare(const ShareConfig& config, FileNumber root, Files* files) {
  auto context = std::make_shared<ShareContext>();
  context->name = Utf8ToUtf16Lossy(config.name);
  context->root = root;
  context->continuous_availability = config.continuous_availability;
  context->scale_out = config.scale_out;
  context->access_based_enumeration = config.access_based_enumeration;
  context->ca_timeout_ms = config.ca_timeout_ms;
  auto share = std::make_shared<Share>();
  share->name = context->name;
  share->comment = config.comment;
  share->encrypt_data = config.encryption_required;
  share->access_based_enumeration = config.access_based_enumeration;
  // Without a witness CLUSTER must not be shown: a client would look for one and wait for it.
  if (config.continuous_availability) share->share_capabilities |= smb2::share_capability::kContinuousAvailability;
  if (config.scale_out) share->share_capabilities |= smb2::share_capability::kScaleout;
  share->context = std::move(context);
  share->files = files;
  return share;
}

}  // namespace

Server::Server(ServerConfig config, ServerSeams seams)
    : config_(std::move(config)), seams_(seams), server_guid_(Guid::Generate(*seams.random)) {
  auto ipc = std::make_shared<Share>();
  ipc->name = u"IPC$";
  ipc->comment = "Remote IPC";
  ipc->is_ipc = true;
  shares_.push_back(std::move(ipc));
  if (seams_.files) {
    seams_.files->SetBreakSender([this](CachingBreak notice, std::function<void(bool)> done) {
      CarryBreak(*this, std::move(notice), std::move(done));
    });
  }
  ScheduleSweep();
}

Server::~Server() {
  if (seams_.files) seams_.files->SetBreakSender(nullptr);
}

void Server::SweepSlowRequests() {
  const Duration age = std::chrono::milliseconds(config_.interim_after_ms);
  for (const auto& [id, connection] : connections_) {
    Pipeline::SendInterimForSlow(*connection, seams_.clock->Now() - age);
  }
  ScheduleSweep();
}

void Server::ScheduleSweep() {
  const auto when = seams_.clock->Now() + std::chrono::milliseconds(config_.interim_after_ms);
  seams_.clock->Schedule(when, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) SweepSlowRequests();
  });
}

Task<NtStatus> Server::Prepare() {
  for (const ShareConfig& share : config_.shares) {
    FileNumber root = kRootFileNumber;
    std::u16string_view rest;
    const std::u16string path = Utf8ToUtf16Lossy(share.path);
    rest = path;
    while (!rest.empty()) {
      const auto slash = rest.find_first_of(u"/\\");
      const std::u16string name(rest.substr(0, slash));
      rest = slash == std::u16string_view::npos ? std::u16string_view() : rest.substr(slash + 1);
      if (name.empty()) continue;
      auto directory = co_await seams_.files->EnsureDirectory(root, name);
      if (!directory.ok()) co_return directory.status();
      root = *directory;
    }
    shares_.push_back(MakeShare(share, root, seams_.files));
  }
  co_return NtStatus::kSuccess;
}

Task<void> Server::Serve(std::shared_ptr<Transport> transport) {
  if (connections_.size() >= config_.max_connections) {
    ++metrics_.connections_refused;
    ++metrics_.refusals["max_connections"];
    transport->Close(true);
    co_return;
  }
  ++metrics_.connections_accepted;
  auto connection = std::make_shared<Connection>();
  connection->id = next_connection_id_++;
  connection->server = this;
  connection->transport = std::move(transport);
  connection->credits.set_max(config_.max_credits);
  connections_[connection->id] = connection;
  const auto deadline = seams_.clock->Schedule(seams_.clock->Now() + kSignInWithin, [weak = std::weak_ptr(connection)] {
    const auto silent = weak.lock();
    if (!silent || silent->closing || silent->is_anybody_signed_in()) return;
    ++silent->server->metrics().refusals["sign_in_within"];
    silent->closing = true;
    silent->transport->Close(true);
  });
  co_await Pipeline::Run(connection);
  seams_.clock->Cancel(deadline);
  // What waits is ended first, so that nothing keeps a lock or an open busy on behalf of a client that is gone.
  const auto pending = connection->pending;
  for (const auto& [id, request] : pending) {
    if (request->outlives_channel && request->session->channels.size() > 1) {
      auto& outliving = request->session->outliving;
      std::erase_if(outliving, [](const auto& wait) { return wait.expired(); });
      outliving.push_back(request->wait);
    } else {
      request->wait->Cancel(NtStatus::kCancelled);
    }
  }
  const auto sessions = connection->sessions;
  for (const auto& [id, session] : sessions) co_await LoseChannel(session, connection->id);
  connection->sessions.clear();
  clients_.erase({connection->client_guid, connection->id});
  connections_.erase(connection->id);
}

void Server::DropConnections() {
  for (const auto& [id, connection] : connections_) {
    connection->closing = true;
    connection->transport->Close(true);
  }
}

SharePtr Server::FindShare(std::u16string_view name) const {
  for (const SharePtr& share : shares_) {
    if (EqualsIgnoringCase(share->name, name)) return share;
  }
  return nullptr;
}

bool Server::IsOurName(std::u16string_view host) const {
  if (LooksLikeAddress(host)) return true;
  const auto matches = [host](const std::string& ours) {
    const std::u16string name = Utf8ToUtf16Lossy(ours);
    if (EqualsIgnoringCase(host, name)) return true;
    // The short form of a full name of ours, and the full form of a short one.
    return EqualsIgnoringCase(host.substr(0, host.find(u'.')), std::u16string_view(name).substr(0, name.find(u'.')));
  };
  return EqualsIgnoringCase(host, u"localhost") || matches(config_.server_name) ||
         (!config_.net_name.empty() && matches(config_.net_name)) ||
         std::any_of(config_.aliases.begin(), config_.aliases.end(), matches);
}

PipeEnvironment Server::MakePipeEnvironment(const Session& session) const {
  PipeEnvironment environment;
  environment.server_name = Utf8ToUtf16Lossy(config_.server_name);
  environment.domain_name = session.domain_name;
  environment.shares = [this] {
    std::vector<ShareFacts> facts;
    for (const SharePtr& share : shares_) {
      ShareFacts f;
      f.name = share->name;
      f.type = share->is_ipc ? 0x80000003u : 0u;  // [MS-SRVS] 2.2.2.4
      f.comment = Utf8ToUtf16Lossy(share->comment);
      f.path = share->is_ipc ? u"" : u"C:\\" + share->name;
      facts.push_back(std::move(f));
    }
    return facts;
  };
  environment.machine_sid = seams_.authenticator->MachineSid().value_or(Sid{});
  environment.find_sid = [this](const Sid& sid, AccountName* found) { return FindAccount(sid, found); };
  environment.find_name = [this](std::u16string_view domain, std::u16string_view name, Sid* sid, AccountName* found) {
    const auto account = seams_.authenticator->FindAccount(domain, name);
    if (!account) return false;
    *sid = account->sid;
    return FindAccount(account->sid, found);
  };
  environment.now = [this] { return seams_.clock->NowFileTime(); };
  environment.caller = session.token.get();
  return environment;
}

// Local accounts, and of others those that are signed in: the domain itself is not asked.
bool Server::FindAccount(const Sid& sid, AccountName* found) const {
  if (sid.count < 2) return false;
  found->domain_sid = sid;
  --found->domain_sid.count;
  found->use = sid_use::kUser;
  if (const auto account = seams_.authenticator->FindAccount(sid)) {
    found->domain = account->domain;
    found->name = account->name;
    return true;
  }
  const auto signed_in = std::ranges::find_if(sessions_, [&](const auto& entry) {
    return entry.second->token && entry.second->token->user == sid;
  });
  if (signed_in == sessions_.end()) return false;
  found->domain = signed_in->second->domain_name;
  found->name = signed_in->second->account_name;
  return true;
}

// ---- sessions ---------------------------------------------------------------------------------------------------

std::uint64_t Server::NewSessionId() {
  for (;;) {
    const std::uint64_t id = seams_.random->Next64();
    if (id != 0 && id != ~0ULL && !sessions_.contains(id)) return id;
  }
}

SessionPtr Server::FindSession(std::uint64_t session_id) const {
  const auto found = sessions_.find(session_id);
  return found == sessions_.end() ? nullptr : found->second;
}

void Server::AddSession(SessionPtr session) { sessions_[session->session_id] = std::move(session); }

void Server::AddChannel(const SessionPtr& session, const std::shared_ptr<Connection>& connection,
                        std::shared_ptr<crypto::Signer> signer) {
  session->channels.push_back({connection->id, connection, std::move(signer)});
  connection->sessions[session->session_id] = session;
}

Task<void> Server::LoseChannel(SessionPtr session, std::uint64_t connection_id) {
  std::erase_if(session->channels, [&](const Channel& channel) { return channel.connection_id == connection_id; });
  if (session->channels.empty()) co_await EndSession(session, EndReason::kConnectionLost);
}

void Server::AddClient(const std::shared_ptr<Connection>& connection) {
  if (connection->dialect > 0x0202) clients_[{connection->client_guid, connection->id}] = connection;
}

std::vector<std::shared_ptr<Connection>> Server::ConnectionsOf(const Guid& client_guid) const {
  std::vector<std::shared_ptr<Connection>> found;
  for (auto it = clients_.lower_bound({client_guid, 0}); it != clients_.end() && it->first.first == client_guid; ++it) {
    if (auto connection = it->second.lock()) found.push_back(std::move(connection));
  }
  return found;
}

Task<void> Server::EndSession(SessionPtr session, EndReason reason) {
  if (session->logged_off) co_return;
  session->logged_off = true;
  sessions_.erase(session->session_id);
  for (const Channel& channel : std::exchange(session->channels, {})) {
    const auto connection = channel.connection.lock();
    if (!connection) continue;
    connection->sessions.erase(session->session_id);
    connection->sign_ins.erase(session->session_id);
    // Its requests end before anybody is told that the session is gone.
    std::vector<RequestPtr> own;
    for (const auto& [id, request] : connection->pending) {
      if (request->session == session) own.push_back(request);
    }
    // Their handles close: locks and notifications that wait say so, as after a CLOSE.
    for (const RequestPtr& request : own) {
      const OpenPtr open = request->open();
      NtStatus status = NtStatus::kCancelled;
      if (open) status = open->is_directory ? NtStatus::kNotifyCleanup : NtStatus::kRangeNotLocked;
      request->wait->Cancel(status);
    }
  }
  for (const auto& weak : std::exchange(session->outliving, {})) {
    if (const auto wait = weak.lock()) wait->Cancel(NtStatus::kCancelled);
  }
  const auto handles = std::move(session->handles);
  session->handles.clear();
  for (const auto& [id, handle] : handles) {
    handle->closing = true;
    if (!handle->open) continue;
    handle->open->on_forced_detach = nullptr;
    if (reason == EndReason::kFailedReauthentication) {
      (void)co_await handle->tree->share->files->Close(handle->open);
    } else {
      co_await handle->tree->share->files->Disconnect(handle->open);
    }
  }
  for (const auto& [id, tree] : session->trees) tree->disconnected = true;
  session->trees.clear();
}

Task<void> Server::EndTree(TreeConnectPtr tree, SessionPtr session) {
  tree->disconnected = true;
  session->trees.erase(tree->tree_id);
  std::vector<HandlePtr> handles;
  for (const auto& [id, handle] : session->handles) {
    if (handle->tree == tree) handles.push_back(handle);
  }
  for (const HandlePtr& handle : handles) {
    RemoveHandle(session, handle);
    if (handle->pipe) EndPipeReaders(*handle);
    // 3.3.5.8: every open of the tree is closed, persistent ones included.
    if (handle->open) (void)co_await tree->share->files->Close(handle->open);
  }
}

HandlePtr Server::AddHandle(const std::shared_ptr<Connection>& connection, const SessionPtr& session,
                            const TreeConnectPtr& tree, OpenPtr open, std::shared_ptr<NamedPipe> pipe) {
  auto handle = std::make_shared<Handle>();
  handle->tree = tree;
  handle->id.volatile_id = session->next_volatile_id++;
  handle->id.persistent_id = open ? open->persistent_id : handle->id.volatile_id;
  handle->open = std::move(open);
  handle->pipe = std::move(pipe);
  session->handles[handle->id.volatile_id] = handle;
  if (handle->open) {
    handle->open->attached = true;
    handle->open->attached_connection = connection->id;
    handle->open->on_forced_detach = [weak_session = std::weak_ptr(session), weak_handle = std::weak_ptr(handle)](NtStatus) {
      const auto s = weak_session.lock();
      const auto h = weak_handle.lock();
      if (!s || !h) return;
      h->closing = true;
      s->handles.erase(h->id.volatile_id);
    };
  }
  return handle;
}

void Server::RemoveHandle(const SessionPtr& session, const HandlePtr& handle) {
  handle->closing = true;
  session->handles.erase(handle->id.volatile_id);
  if (handle->open) handle->open->on_forced_detach = nullptr;
}

HandlePtr Server::FindHandle(const SessionPtr& session, const OpenPtr& open) const {
  for (const auto& [id, handle] : session->handles) {
    if (handle->open == open) return handle;
  }
  return nullptr;
}

}  // namespace holdfast
