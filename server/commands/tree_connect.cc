// [MS-SMB2] 3.3.5.7, 3.3.5.8: TREE_CONNECT and TREE_DISCONNECT.
#include "protocol/smb2/messages/tree_connect.h"

#include "protocol/dtyp/access_mask.h"
#include "protocol/smb2/messages/tree_disconnect.h"
#include "server/commands/registry.h"
#include "server/server.h"

namespace holdfast {
namespace {

struct UncPath {
  std::u16string_view host, share;
};

// "\\server\share"
std::optional<UncPath> ParseUncPath(std::u16string_view path) {
  if (!path.starts_with(u"\\\\")) return std::nullopt;
  path.remove_prefix(2);
  const auto slash = path.find(u'\\');
  if (slash == std::u16string_view::npos || slash == 0) return std::nullopt;
  UncPath parts{path.substr(0, slash), path.substr(slash + 1)};
  while (parts.share.ends_with(u'\0')) parts.share.remove_suffix(1);
  if (parts.share.empty() || parts.share.find(u'\\') != std::u16string_view::npos) return std::nullopt;
  return parts;
}

}  // namespace

Task<Reply> HandleTreeConnect(RequestPtr request) {
  Server& server = *request->server;
  const Connection& connection = *request->connection;
  Session& session = *request->session;
  if (connection.smb311() && !request->encrypted && !request->header.is_signed()) {
    ++server.metrics().peer_faults;
    co_return Reply::Disconnect(NtStatus::kAccessDenied);
  }
  const auto decoded = smb2::Decode<smb2::TreeConnectRequest>(request->message);
  if (!decoded.ok()) co_return NtStatus::kInvalidParameter;
  std::u16string path = decoded->path;
  if (connection.smb311() && (decoded->flags & smb2::tree_connect_flag::kExtensionPresent)) {
    const auto extended = smb2::Decode<smb2::TreeConnectExtendedRequest>(request->message);
    if (!extended.ok()) co_return NtStatus::kInvalidParameter;
    path = extended->path;
  }
  const auto unc = ParseUncPath(path);
  if (!unc || !server.IsOurName(unc->host)) co_return NtStatus::kBadNetworkName;
  const SharePtr share = server.FindShare(unc->share);
  if (!share) co_return NtStatus::kBadNetworkName;
  if (share->encrypt_data && (!connection.smb3() || connection.cipher == crypto::Cipher::kNone)) {
    co_return NtStatus::kAccessDenied;
  }
  if (session.trees.size() >= server.config().max_trees_per_session) {
    ++server.metrics().refusals["max_trees_per_session"];
    co_return NtStatus::kInsufficientResources;
  }

  auto tree = std::make_shared<TreeConnect>();
  tree->tree_id = session.next_tree_id++;
  tree->session = request->session;
  tree->share = share;
  tree->maximal_access = access::kFileAllAccess;
  session.trees[tree->tree_id] = tree;
  request->tree = tree;
  request->header.tree_id = tree->tree_id;  // the response and related requests carry the new one

  smb2::TreeConnectResponse response;
  response.share_type = share->is_ipc ? smb2::ShareType::kPipe : smb2::ShareType::kDisk;
  response.maximal_access = tree->maximal_access;
  if (!share->is_ipc) {
    if (share->access_based_enumeration) response.share_flags |= smb2::share_flag::kAccessBasedDirectoryEnum;
    if (share->encrypt_data && connection.smb3()) response.share_flags |= smb2::share_flag::kEncryptData;
    if (connection.smb3()) response.capabilities = share->share_capabilities;
  }
  co_return Reply(smb2::EncodeBody(response));
}

Task<Reply> HandleTreeDisconnect(RequestPtr request) {
  if (!smb2::Decode<smb2::TreeDisconnectRequest>(request->message).ok()) co_return NtStatus::kInvalidParameter;
  co_await request->server->EndTree(request->tree, request->session);
  co_return Reply(smb2::EncodeBody(smb2::TreeDisconnectResponse{}));
}

}  // namespace holdfast
