#include "server/request/caching_break.h"

#include "protocol/smb2/messages/oplock_break.h"
#include "server/request/notification.h"
#include "server/server.h"

namespace holdfast {
namespace {

// The first open whose client is there.
OpenPtr FirstAttached(const CachingBreak& notice) {
  for (const auto& weak : notice.opens) {
    if (OpenPtr open = weak.lock(); open && open->attached) return open;
  }
  return nullptr;
}

Bytes LeaseBody(const CachingBreak& notice) {
  smb2::LeaseBreakNotification body;
  body.new_epoch = notice.new_epoch;
  body.flags = notice.acknowledge ? smb2::lease_break_flag::kAckRequired : 0;
  body.lease_key = notice.lease_key;
  body.current_lease_state = notice.current_state;
  body.new_lease_state = notice.new_state;
  return smb2::EncodeBody(body);
}

Bytes OplockBody(const CachingBreak& notice, const Handle& handle) {
  smb2::OplockBreakNotification body;
  body.oplock_level = static_cast<smb2::OplockLevel>(notice.new_oplock);
  body.file_id = handle.id;
  return smb2::EncodeBody(body);
}

Task<void> Carry(Server* server, std::weak_ptr<int> alive, CachingBreak notice, std::function<void(bool)> done) {
  const OpenPtr open = FirstAttached(notice);
  const SessionPtr session = open ? server->FindSession(open->attached_session) : nullptr;
  const HandlePtr handle = session ? server->FindHandle(session, open) : nullptr;
  const bool encrypt = handle && handle->tree->share->encrypt_data;
  bool sent = false;
  if (notice.is_lease) {
    Bytes body = LeaseBody(notice);
    sent = co_await NotifyClient(*server, notice.client_guid, std::move(body), encrypt, notice.wanted);
  } else if (handle) {
    Bytes body = OplockBody(notice, *handle);
    sent = co_await NotifySession(*server, session->session_id, std::move(body), encrypt, notice.wanted);
  }
  if (!alive.expired()) done(sent);
}

}  // namespace

void CarryBreak(Server& server, CachingBreak notice, std::function<void(bool sent)> done) {
  Spawn(server.executor(), Carry(&server, server.alive(), std::move(notice), std::move(done)));
}

}  // namespace holdfast
