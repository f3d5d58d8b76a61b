// [MS-SMB2] 3.3.5.9: CREATE. Its parts stand in server/create.
#include "protocol/smb2/messages/create.h"

#include "protocol/fscc/attributes.h"
#include "protocol/fscc/reparse.h"
#include "server/commands/handler.h"
#include "server/commands/registry.h"
#include "server/create/create_contexts.h"
#include "server/create/open_execution.h"
#include "server/create/path.h"
#include "server/info/file_identity.h"

namespace holdfast {
namespace {

// Reconnects name a file they have had before: its path is not looked at, 3.3.5.9.7 and 3.3.5.9.12.
NtStatus ReadIntent(const Request& request, const smb2::CreateRequest& message, CreateIntent& intent) {
  const Connection& connection = *request.connection;
  const CreateContextRules rules{
      .dialect = connection.dialect,
      .leasing = (connection.server_capabilities & smb2::capability::kLeasing) != 0};
  const NtStatus status = ParseCreateContexts(message, rules, intent);
  if (status != NtStatus::kSuccess) return status;
  std::u16string_view path = message.name;
  if ((request.header.flags & smb2::kFlagDfsOperations) != 0) {
    path = WithoutDfsPrefix(*request.server, request.tree->share->name, path);
  }
  if (intent.reconnects()) {
    intent.path = path;
    return NtStatus::kSuccess;
  }
  auto normalized = NormalizePath(path);
  if (!normalized.ok()) return normalized.status();
  intent.path = std::move(*normalized);
  return NtStatus::kSuccess;
}

// "Response Construction"
smb2::CreateResponse Respond(const Request& request, const CreateIntent& intent, const CreateResult& result,
                             const FileFacts& facts) {
  const Open& open = *result.handle->open;
  smb2::CreateResponse response;
  if (request.connection->smb3() && facts.reparse_tag != 0 &&
      (open.create_options & smb2::create_option::kOpenReparsePoint) == 0) {
    response.flags = smb2::create_response_flag::kReparsePoint;
  }
  response.create_action = static_cast<smb2::CreateAction>(result.create_action);
  response.creation_time = facts.creation_time;
  response.last_access_time = facts.last_access_time;
  response.last_write_time = facts.last_write_time;
  response.change_time = facts.change_time;
  response.allocation_size = facts.allocation_size;
  response.end_of_file = facts.end_of_file;
  response.file_attributes = facts.file_attributes;
  response.oplock_level = static_cast<smb2::OplockLevel>(result.oplock_level.value_or(open.oplock_level()));
  response.file_id = result.handle->id;
  response.contexts = AnswerCreateContexts(
      intent, {.open = &open,
               .facts = &facts,
               .volume_id = VolumeSerialNumber(request.tree->share->files->volume().facts()),
               .durable_response = result.durable_response});
  return response;
}

Reply CreatePipe(Request& request, const smb2::CreateRequest& message, const CreateIntent& intent) {
  auto result = OpenNamedPipe(request, message, intent);
  if (!result.ok()) return result.status();
  request.created = result->handle;
  smb2::CreateResponse response;
  response.create_action = static_cast<smb2::CreateAction>(result->create_action);
  response.file_attributes = file_attribute::kNormal;
  response.file_id = result->handle->id;
  return Answer(response);
}

// Where the link leads, for the client to follow: 2.2.2.2.1.
Reply StoppedOnSymlink(const Request& request, const SymlinkStop& stopped) {
  const auto reparse = fscc::ReparsePoint::Parse(stopped.reparse_data);
  if (!reparse.ok()) return NtStatus::kStoppedOnSymlink;
  const auto link = fscc::SymbolicLink::Parse(reparse->data);
  if (!link.ok()) return NtStatus::kStoppedOnSymlink;
  smb2::SymbolicLinkError error;
  error.unparsed_path_length = stopped.unparsed_path_bytes;
  error.substitute_name = link->substitute_name;
  error.print_name = link->print_name;
  error.flags = link->relative ? smb2::SymbolicLinkError::kFlagRelative : 0;
  return ErrorWithData(request, NtStatus::kStoppedOnSymlink, error.Encode());
}

}  // namespace

Task<Reply> HandleCreate(RequestPtr request) {
  HOLDFAST_DECODE(smb2::CreateRequest, message, request);
  CreateIntent intent;
  if (const NtStatus status = ReadIntent(*request, message, intent); status != NtStatus::kSuccess) co_return status;
  if (request->tree->share->is_ipc) co_return CreatePipe(*request, message, intent);
  if (!intent.reconnects()) {
    if (const NtStatus status = CheckCreateFields(message); status != NtStatus::kSuccess) co_return status;
    // No snapshots yet: none exists at any time asked for, 3.3.5.9.4.
    if (intent.snapshot) co_return NtStatus::kObjectNameNotFound;
  }

  // The client asks again on another channel for what a lost one had begun, and means the same open.
  request->outlives_channel = request->connection->smb3() && intent.durable_v2.has_value();
  const auto stopped = std::make_shared<SymlinkStop>();
  auto result = co_await OpenFile(request, message, intent, stopped);
  if (!result.ok()) {
    if (result.status() == NtStatus::kStoppedOnSymlink) co_return StoppedOnSymlink(*request, *stopped);
    co_return result.status();
  }
  auto facts = co_await FilesOf(*request).QueryFacts(result->handle->open);
  if (!facts.ok()) {
    // Nobody learns the FileId; what is preserved for a replay stays.
    const HandlePtr handle = result->handle;
    if (!handle->closing) {
      handle->closing = true;
      request->server->RemoveHandle(request->session, handle);
      static_cast<void>(co_await FilesOf(*request).Close(handle->open));
    }
    co_return facts.status();
  }
  request->created = result->handle;
  Reply reply = Answer(Respond(*request, intent, *result, *facts));
  reply.until_sent = std::move(result->handle->open->answer_pending);
  co_return reply;
}

}  // namespace holdfast
