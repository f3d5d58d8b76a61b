// Control codes about a file as a whole, its open, and its earlier versions.
#include "protocol/smb2/ioctl/file_control.h"
#include "protocol/smb2/ioctl/open_control.h"
#include "server/ioctl/functions.h"

#include "protocol/dtyp/access_mask.h"

namespace holdfast::ioctl {
namespace {

// [MS-FSCC] 2.1.3: an object id and 48 bytes of birth information.
constexpr std::size_t kObjectIdSize = 64;

Task<ControlResult> ObjectId(ControlCall call, bool create) {
  if (call.max_output() < kObjectIdSize) co_return NtStatus::kInvalidParameter;
  auto id = co_await call.files().GetOrCreateObjectId(call.open(), create);
  if (!id.ok()) co_return id.status();
  id->resize(kObjectIdSize);
  co_return std::move(*id);
}

}  // namespace

Task<ControlResult> CreateOrGetObjectId(ControlCall call) { return ObjectId(std::move(call), true); }
Task<ControlResult> GetObjectId(ControlCall call) { return ObjectId(std::move(call), false); }

// Whoever may write the file's attributes, as for the other changes of its metadata.
Task<ControlResult> DeleteObjectId(ControlCall call) {
  if ((call.open()->granted_access & (access::kWriteData | access::kWriteAttributes)) == 0) {
    co_return NtStatus::kAccessDenied;
  }
  co_return co_await call.files().DeleteObjectId(call.open());
}

// [MS-FSCC] 2.3.17: nothing is ever compressed.
Task<ControlResult> GetCompression(ControlCall call) {
  Bytes output = wire::Encode(smb2::CompressionState{});
  if (call.max_output() < output.size()) co_return NtStatus::kInvalidParameter;
  co_return output;
}

// [MS-FSCC] 2.3.67: asking for none is granted, as on ReFS ([MS-FSA] note 130). The code itself demands both rights.
Task<ControlResult> SetCompression(ControlCall call) {
  constexpr std::uint32_t kBoth = access::kReadData | access::kWriteData;
  if ((call.open()->granted_access & kBoth) != kBoth) co_return NtStatus::kAccessDenied;
  const auto wanted = wire::Decode<smb2::CompressionState>(call.input());
  if (!wanted.ok()) co_return wanted.status();
  co_return wanted->compression_state == smb2::CompressionState::kFormatNone ? NtStatus::kSuccess
                                                                             : NtStatus::kNotSupported;
}

// [MS-FSA] 2.1.5.10.14: always valid.
Task<ControlResult> IsPathnameValid(ControlCall) { co_return NtStatus::kSuccess; }

// [MS-SMB2] 3.3.5.15.19: there are no copies to choose from.
Task<ControlResult> MarkHandle(ControlCall call) {
  constexpr std::size_t kInputSize = 24;
  if (!call.request->connection->smb311()) co_return NtStatus::kNotSupported;
  if (call.input().size() < kInputSize) co_return NtStatus::kInvalidParameter;
  co_return NtStatus::kInvalidDeviceRequest;
}

// [MS-SMB2] 3.3.5.15.9
Task<ControlResult> LmrRequestResiliency(ControlCall call) {
  const auto resiliency = wire::Decode<smb2::NetworkResiliencyRequest>(call.input());
  if (!resiliency.ok()) co_return resiliency.status();
  // MaxResiliencyTimeout of Windows.
  constexpr std::uint32_t kMaxTimeoutMs = 16 * 60 * 1000;
  if (resiliency->timeout > kMaxTimeoutMs) co_return NtStatus::kInvalidParameter;
  co_return co_await call.files().RequestResiliency(call.open(), resiliency->timeout);
}

// [MS-SMB2] 3.3.5.15.1: there are none. The structure is at least 16 bytes long.
Task<ControlResult> SrvEnumerateSnapshots(ControlCall call) {
  constexpr std::size_t kMinSize = 16;
  if (call.max_output() < kMinSize) co_return NtStatus::kInvalidParameter;
  Bytes output = wire::Encode(smb2::SrvSnapshotArray{});
  output.resize(kMinSize);
  co_return output;
}

// [MS-SMB2] 3.3.5.15.7: no branch cache.
Task<ControlResult> SrvReadHash(ControlCall) { co_return NtStatus::kHashNotSupported; }

}  // namespace holdfast::ioctl
