#include "server/create/symlink.h"

#include <algorithm>

#include "protocol/dtyp/access_mask.h"
#include "protocol/fscc/reparse.h"
#include "protocol/smb2/messages/create.h"
#include "server/commands/handler.h"

namespace holdfast {
namespace {

// The reparse data of `path` itself, or why there is none.
Task<Result<fscc::SymbolicLink>> ReadLink(RequestPtr request, std::u16string path) {
  Files& files = FilesOf(*request);
  CreateParameters parameters;
  parameters.share = request->tree->share->context;
  parameters.requester = {.token = request->session->token,
                          .client_guid = request->connection->client_guid,
                          .connection = request->connection->id,
                          .session = request->session->session_id,
                          .persistent_capable = false};
  parameters.path = std::move(path);
  parameters.desired_access = access::kReadAttributes;
  parameters.share_access = smb2::share_access::kAll;
  parameters.create_disposition = static_cast<std::uint32_t>(smb2::CreateDisposition::kOpen);
  parameters.create_options = smb2::create_option::kOpenReparsePoint;
  auto outcome = co_await files.Create(std::move(parameters));
  if (!outcome.ok()) co_return outcome.status();
  auto data = co_await files.GetReparsePoint(outcome->open);
  static_cast<void>(co_await files.Close(outcome->open));
  if (!data.ok()) co_return data.status();
  auto reparse = fscc::ReparsePoint::Parse(*data);
  if (!reparse.ok()) co_return reparse.status();
  if (reparse->tag != fscc::reparse_tag::kSymlink) co_return NtStatus::kNotAReparsePoint;
  co_return fscc::SymbolicLink::Parse(reparse->data);
}

}  // namespace

Task<Reply> StoppedOnSymlink(RequestPtr request, std::u16string path) {
  for (std::size_t end = 0; end < path.size();) {
    end = std::min(path.find(u'\\', end == 0 ? 0 : end + 1), path.size());
    std::u16string prefix = path.substr(0, end);
    auto link = co_await ReadLink(request, std::move(prefix));
    if (link.status() == NtStatus::kNotAReparsePoint) continue;
    if (!link.ok()) break;
    smb2::SymbolicLinkError error;
    // The separator before the rest counts as well.
    error.unparsed_path_length = static_cast<std::uint16_t>((path.size() - end) * 2);
    error.substitute_name = link->substitute_name;
    error.print_name = link->print_name;
    error.flags = link->relative ? smb2::SymbolicLinkError::kFlagRelative : 0;
    co_return ErrorWithData(*request, NtStatus::kStoppedOnSymlink, error.Encode());
  }
  co_return NtStatus::kStoppedOnSymlink;
}

}  // namespace holdfast
