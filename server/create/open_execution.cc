#include "server/create/open_execution.h"

#include "protocol/dtyp/access_mask.h"
#include "protocol/fscc/attributes.h"
#include "server/commands/handler.h"

namespace holdfast {
namespace {

namespace option = smb2::create_option;

// FILE_CREATE_TREE_CONNECTION has no name in [MS-SMB2]; like the two others it is not supported.
constexpr std::uint32_t kUnsupportedOptions = 0x00000080 | option::kOpenByFileId | option::kReserveOpfilter;
constexpr std::uint32_t kInvalidOptions = 0xFF000000;
// What 3.3.5.9 has the server clear.
constexpr std::uint32_t kIgnoredOptions = option::kCompleteIfOplocked | option::kSynchronousIoAlert |
                                          option::kSynchronousIoNonalert | option::kOpenForFreeSpaceQuery;
// Attributes that CREATE knows; later ones exist in queries only.
constexpr std::uint32_t kCreateAttributes = 0x00007FB7;

// The capability counts only when both sides have announced it.
bool IsPersistentCapable(const Connection& connection) {
  return connection.smb3() && (connection.server_capabilities & connection.client_capabilities &
                               smb2::capability::kPersistentHandles) != 0;
}

Requester MakeRequester(const Request& request) {
  const Connection& connection = *request.connection;
  return {.token = request.session->token,
          .client_guid = connection.client_guid,
          .connection = connection.id,
          .session = request.session->session_id,
          .persistent_capable = IsPersistentCapable(connection)};
}

DurableRequest DurableOf(const CreateIntent& intent) {
  if (intent.durable_v2) {
    return {.kind = DurableKind::kDurableV2,
            .create_guid = intent.durable_v2->create_guid,
            .persistent_requested = (intent.durable_v2->flags & smb2::durable_flag::kPersistent) != 0,
            .timeout_ms = intent.durable_v2->timeout};
  }
  return {.kind = intent.durable_v1 ? DurableKind::kDurableV1 : DurableKind::kNone,
          .create_guid = {},
          .persistent_requested = false,
          .timeout_ms = 0};
}

CreateParameters MakeParameters(const RequestPtr& request, const smb2::CreateRequest& message, CreateIntent intent,
                                std::shared_ptr<SymlinkStop> stopped) {
  CreateParameters parameters;
  parameters.share = request->tree->share->context;
  parameters.requester = MakeRequester(*request);
  parameters.durable = DurableOf(intent);
  parameters.path = std::move(intent.path);
  parameters.desired_access = message.desired_access;
  parameters.share_mask = request->tree->maximal_access;
  parameters.file_attributes = message.file_attributes;
  parameters.share_access = message.share_access;
  parameters.create_disposition = static_cast<std::uint32_t>(message.create_disposition);
  parameters.create_options = message.create_options & ~kIgnoredOptions;
  if (parameters.create_options & option::kNoIntermediateBuffering) parameters.desired_access &= ~access::kAppendData;
  // Every write through a CA share reaches the disk before its answer.
  if (IsPersistentCapable(*request->connection) && request->tree->share->context->continuous_availability) {
    parameters.create_options |= option::kWriteThrough;
  }
  parameters.allocation_size = intent.allocation_size;
  parameters.eas = std::move(intent.eas);
  parameters.security_descriptor = std::move(intent.security_descriptor);
  parameters.snapshot = intent.snapshot;
  parameters.caching = intent.caching;
  parameters.app_instance = intent.app_instance;
  parameters.replay = request->connection->smb3() && request->header.is_replay();
  parameters.wait = request->wait;
  parameters.stopped = std::move(stopped);
  return parameters;
}

ReconnectParameters MakeReconnect(const RequestPtr& request, CreateIntent intent) {
  ReconnectParameters parameters;
  parameters.share = request->tree->share->context;
  parameters.requester = MakeRequester(*request);
  parameters.path = std::move(intent.path);
  parameters.caching = intent.caching;
  if (intent.reconnect_v2) {
    parameters.v2 = true;
    parameters.persistent_id = intent.reconnect_v2->file_id.persistent_id;
    parameters.create_guid = intent.reconnect_v2->create_guid;
    parameters.persistent_flag = (intent.reconnect_v2->flags & smb2::durable_flag::kPersistent) != 0;
  } else {
    parameters.persistent_id = intent.reconnect_v1->file_id.persistent_id;
  }
  return parameters;
}

// What became of session, tree and connection while the open was awaited; kSuccess when the open has a place to be.
NtStatus StillThere(const Request& request, const Open& open) {
  if (request.session->logged_off ||
      request.server->FindSession(request.session->session_id) != request.session) {
    return NtStatus::kUserSessionDeleted;
  }
  if (request.tree->disconnected) return NtStatus::kNetworkNameDeleted;
  // The answer is lost. While the session lives on another channel the client asks again there, which finds the open
  // in the session; an open that no replay can find would only be in its way.
  if (request.connection->closing && !open.is_replay_eligible) return NtStatus::kUserSessionDeleted;
  return NtStatus::kSuccess;
}

// The client never hears of this open: a lost connection preserves it as it would preserve any other, a tree that was
// disconnected closes it.
Task<void> Undo(Files& files, OpenPtr open, NtStatus reason) {
  if (reason == NtStatus::kNetworkNameDeleted) {
    static_cast<void>(co_await files.Close(open));
  } else {
    static_cast<void>(co_await files.Disconnect(open));
  }
}

bool IsSessionFull(Request& request) {
  if (request.session->handles.size() < request.server->config().max_opens_per_session) return false;
  ++request.server->metrics().refusals["opens_per_session"];
  return true;
}

// The user wants what only the share permission refuses.
bool MayDeleteOnClose(const Request& request, const smb2::CreateRequest& message) {
  if ((message.create_options & option::kDeleteOnClose) == 0) return true;
  return (request.tree->maximal_access & (access::kDelete | access::kGenericAll)) != 0;
}

}  // namespace

// The order is the one clients observe: impossible values first, then the access mask, then attributes.
NtStatus CheckCreateFields(const smb2::CreateRequest& message) {
  if (message.impersonation_level > smb2::ImpersonationLevel::kDelegate) return NtStatus::kBadImpersonationLevel;
  if ((message.create_options & kInvalidOptions) != 0) return NtStatus::kInvalidParameter;
  if ((message.create_options & kUnsupportedOptions) != 0) return NtStatus::kNotSupported;
  if (message.create_disposition > smb2::CreateDisposition::kOverwriteIf) return NtStatus::kInvalidParameter;
  if ((message.share_access & ~smb2::share_access::kAll) != 0) return NtStatus::kInvalidParameter;
  if (message.desired_access == 0 || (message.desired_access & ~access::kValidMask) != 0) {
    return NtStatus::kAccessDenied;
  }
  if ((message.file_attributes & ~kCreateAttributes) != 0) return NtStatus::kInvalidParameter;
  return NtStatus::kSuccess;
}

Task<Result<CreateResult>> OpenFile(RequestPtr request, smb2::CreateRequest message, CreateIntent intent,
                                    std::shared_ptr<SymlinkStop> stopped) {
  Files& files = FilesOf(*request);
  Server& server = *request->server;
  if (IsSessionFull(*request)) co_return NtStatus::kTooManyOpenedFiles;

  CreateOutcome outcome;
  const bool reconnects = intent.reconnects();
  if (reconnects) {
    ReconnectParameters parameters = MakeReconnect(request, std::move(intent));
    auto open = co_await files.Reconnect(std::move(parameters));
    if (!open.ok()) co_return open.status();
    outcome.open = std::move(*open);
    outcome.create_action = static_cast<std::uint32_t>(smb2::CreateAction::kOpened);
  } else {
    if (!MayDeleteOnClose(*request, message)) co_return NtStatus::kAccessDenied;
    CreateParameters parameters = MakeParameters(request, message, std::move(intent), std::move(stopped));
    auto created = co_await files.Create(std::move(parameters));
    if (!created.ok()) co_return created.status();
    outcome = std::move(*created);
  }

  const OpenPtr open = outcome.open;
  HandlePtr handle = outcome.replayed ? server.FindHandle(request->session, open) : nullptr;
  if (const NtStatus gone = StillThere(*request, *open); gone != NtStatus::kSuccess) {
    if (!handle) co_await Undo(files, open, gone);
    co_return gone;
  }
  if (!handle) {
    handle = server.AddHandle(request->connection, request->session, request->tree, open, nullptr);
    // 3.3.5.9: the sequence of the channel starts with the open; one that comes back has nothing outstanding.
    if (request->connection->smb3() && open->outstanding_request_count == 0 &&
        open->outstanding_pre_request_count == 0) {
      open->channel_sequence = request->header.channel_sequence();
    }
  }
  co_return CreateResult{.handle = std::move(handle),
                         .create_action = outcome.create_action,
                         .durable_response = outcome.durable_response,
                         .oplock_level = outcome.oplock_level};
}

Result<CreateResult> OpenNamedPipe(Request& request, const smb2::CreateRequest& message, const CreateIntent& intent) {
  if (message.impersonation_level == smb2::ImpersonationLevel::kDelegate) return NtStatus::kBadImpersonationLevel;
  if (IsSessionFull(request)) return NtStatus::kTooManyOpenedFiles;
  // The environment points to the token, which a re-authentication may replace in the session while the pipe is open.
  struct PipeWithToken {
    std::shared_ptr<const SecurityToken> token;
    std::unique_ptr<NamedPipe> pipe;
  };
  auto owner = std::make_shared<PipeWithToken>();
  owner->token = request.session->token;
  owner->pipe = OpenPipe(intent.path, request.server->MakePipeEnvironment(*request.session));
  if (!owner->pipe) return NtStatus::kObjectNameNotFound;
  HandlePtr handle = request.server->AddHandle(request.connection, request.session, request.tree, nullptr,
                                               std::shared_ptr<NamedPipe>(owner, owner->pipe.get()));
  return CreateResult{.handle = std::move(handle),
                      .create_action = static_cast<std::uint32_t>(smb2::CreateAction::kOpened),
                      .durable_response = false,
                      .oplock_level = std::nullopt};
}

}  // namespace holdfast
