// Reparse points: [MS-FSCC] 2.3.11, 2.3.24 and 2.3.81, [MS-FSA] 2.1.5.10.
#include "protocol/fscc/reparse.h"
#include "server/ioctl/functions.h"

#include "protocol/dtyp/access_mask.h"

namespace holdfast::ioctl {
namespace {

constexpr std::uint32_t kMayChange = access::kWriteData | access::kWriteAttributes;

// Header of a REPARSE_DATA_BUFFER, and of a REPARSE_GUID_DATA_BUFFER.
constexpr std::size_t kMicrosoftHeaderSize = 8;
constexpr std::size_t kGuidHeaderSize = 24;

}  // namespace

Task<ControlResult> GetReparsePoint(ControlCall call) {
  auto data = co_await call.files().GetReparsePoint(call.open());
  if (!data.ok()) co_return data.status();
  const auto tag = data->size() < 4 ? 0 : wire::LoadLe<std::uint32_t>(data->data());
  const std::size_t header = fscc::reparse_tag::IsMicrosoft(tag) ? kMicrosoftHeaderSize : kGuidHeaderSize;
  if (call.max_output() < header) co_return NtStatus::kBufferTooSmall;
  if (data->size() <= call.max_output()) co_return std::move(*data);
  data->resize(call.max_output());
  co_return ControlResult(NtStatus::kBufferOverflow, std::move(*data));
}

Task<ControlResult> SetReparsePoint(ControlCall call) {
  const OpenPtr open = call.open();
  if ((open->granted_access & kMayChange) == 0) co_return NtStatus::kAccessDenied;
  const auto reparse = fscc::ReparsePoint::Parse(call.input());
  if (!reparse.ok()) co_return reparse.status();
  Bytes data(call.input().begin(), call.input().end());
  co_return co_await call.files().SetReparsePoint(open, std::move(data));
}

Task<ControlResult> DeleteReparsePoint(ControlCall call) {
  const OpenPtr open = call.open();
  if ((open->granted_access & kMayChange) == 0) co_return NtStatus::kAccessDenied;
  const auto reparse = fscc::ReparsePoint::ParseDelete(call.input());
  if (!reparse.ok()) co_return reparse.status();
  std::optional<Guid> guid;
  if (!fscc::reparse_tag::IsMicrosoft(reparse->tag)) guid = reparse->guid;
  co_return co_await call.files().DeleteReparsePoint(open, reparse->tag, guid);
}

}  // namespace holdfast::ioctl
