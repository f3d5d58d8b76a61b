// [MS-SMB2] 3.3.5.19: CHANGE_NOTIFY.
#include "protocol/smb2/messages/change_notify.h"

#include "protocol/dtyp/access_mask.h"
#include "protocol/dtyp/unicode.h"
#include "protocol/wire/endian.h"
#include "server/commands/handler.h"
#include "server/commands/notify_information.h"
#include "server/commands/registry.h"

namespace holdfast {

Bytes EncodeNotifyInformation(const std::vector<NotifyEvent>& events) {
  Bytes out;
  std::size_t previous = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    wire::PadTo(out, 4);
    const std::size_t start = out.size();
    if (i != 0) wire::StoreLe(out.data() + previous, static_cast<std::uint32_t>(start - previous));
    wire::AppendLe(out, std::uint32_t{0});
    wire::AppendLe(out, events[i].action);
    wire::AppendLe(out, static_cast<std::uint32_t>(events[i].name.size() * 2));
    AppendUtf16Le(out, events[i].name);
    previous = start;
  }
  return out;
}

Task<Reply> HandleChangeNotify(RequestPtr request) {
  HOLDFAST_DECODE(smb2::ChangeNotifyRequest, notify, request);
  if (notify.output_buffer_length > MaxTransactBytes(*request)) co_return NtStatus::kInvalidParameter;
  const OpenPtr open = request->open();
  if (!open || !open->directory()) co_return NtStatus::kInvalidParameter;
  if ((open->granted_access & access::kListDirectory) == 0) co_return NtStatus::kAccessDenied;

  const std::uint32_t filter = notify.completion_filter & smb2::completion_filter::kValidMask;
  const bool watch_tree = (notify.flags & smb2::change_notify_flag::kWatchTree) != 0;
  auto events =
      co_await FilesOf(*request).Notify(open, filter, watch_tree, notify.output_buffer_length, request->wait);
  if (!events.ok()) {
    if (IsError(events.status())) co_return events.status();
    // NOTIFY_ENUM_DIR and NOTIFY_CLEANUP are answers, only without entries.
    co_return Answer(smb2::ChangeNotifyResponse{}, events.status());
  }
  const Bytes buffer = EncodeNotifyInformation(*events);
  if (buffer.size() > notify.output_buffer_length) {
    co_return Answer(smb2::ChangeNotifyResponse{}, NtStatus::kNotifyEnumDir);
  }
  co_return Answer(smb2::ChangeNotifyResponse{.output_buffer = buffer});
}

}  // namespace holdfast
