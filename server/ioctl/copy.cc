// Server-side copy: [MS-SMB2] 3.3.5.15.5 and 3.3.5.15.6.
#include "protocol/smb2/ioctl/copychunk.h"
#include "server/ioctl/functions.h"

#include "protocol/dtyp/access_mask.h"
#include "protocol/fscc/fsctl.h"

namespace holdfast::ioctl {
namespace {

// 3.3.3: what Windows allows in one request.
constexpr std::uint32_t kMaxChunks = 256;
constexpr std::uint32_t kMaxChunkBytes = 1u << 20;
constexpr std::uint32_t kMaxTotalBytes = 16u << 20;

constexpr std::size_t kResumeKeyOutputSize = 32;
constexpr std::size_t kResponseSize = 12;

// The key of an open: its FileId, and zeros. Only its own session can use it.
smb2::ResumeKey KeyOf(const smb2::FileId& id) {
  smb2::ResumeKey key{};
  wire::StoreLe(key.data(), id.persistent_id);
  wire::StoreLe(key.data() + 8, id.volatile_id);
  return key;
}

HandlePtr FindSource(const Session& session, const smb2::ResumeKey& key) {
  const auto found = session.handles.find(wire::LoadLe<std::uint64_t>(key.data() + 8));
  if (found == session.handles.end() || KeyOf(found->second->id) != key || found->second->closing) return nullptr;
  return found->second;
}

// 3.3.5.15.6.2: the client learns the limits.
ControlResult Limits() {
  return {NtStatus::kInvalidParameter,
          wire::Encode(smb2::SrvCopychunkResponse{.chunks_written = kMaxChunks,
                                                  .chunk_bytes_written = kMaxChunkBytes,
                                                  .total_bytes_written = kMaxTotalBytes})};
}

bool IsWithinLimits(const std::vector<smb2::SrvCopychunk>& chunks) {
  if (chunks.size() > kMaxChunks) return false;
  std::uint64_t total = 0;
  for (const smb2::SrvCopychunk& chunk : chunks) {
    if (chunk.length == 0 || chunk.length > kMaxChunkBytes) return false;
    if (static_cast<std::int64_t>(chunk.target_offset) < 0 || static_cast<std::int64_t>(chunk.source_offset) < 0) {
      return false;
    }
    total += chunk.length;
  }
  return total <= kMaxTotalBytes;
}

NtStatus CheckAccess(const ControlCall& call, const Open& source, const Open& target) {
  if (source.directory() || target.directory()) return NtStatus::kInvalidDeviceRequest;
  if ((source.granted_access & (access::kReadData | access::kExecute)) == 0) return NtStatus::kAccessDenied;
  if ((target.granted_access & (access::kWriteData | access::kAppendData)) == 0) return NtStatus::kAccessDenied;
  const bool must_read_target = call.message.ctl_code == fsctl::kSrvCopychunk;
  // Execution does not stand for reading here, unlike at the source.
  if (must_read_target && (target.granted_access & access::kReadData) == 0) return NtStatus::kAccessDenied;
  return NtStatus::kSuccess;
}

}  // namespace

Task<ControlResult> SrvRequestResumeKey(ControlCall call) {
  if (call.max_output() < kResumeKeyOutputSize) co_return NtStatus::kInvalidParameter;
  co_return wire::Encode(smb2::SrvRequestResumeKeyResponse{.resume_key = KeyOf(call.request->handle->id)});
}

Task<ControlResult> SrvCopychunk(ControlCall call) {
  if (call.max_output() < kResponseSize) co_return NtStatus::kInvalidParameter;
  const auto copy = wire::Decode<smb2::SrvCopychunkCopy>(call.input());
  if (!copy.ok()) co_return Limits();
  const HandlePtr source_handle = FindSource(*call.request->session, copy->source_key);
  if (!source_handle) co_return NtStatus::kObjectNameNotFound;
  if (!source_handle->open || !IsWithinLimits(copy->chunks)) co_return Limits();
  const OpenPtr source = source_handle->open;
  const OpenPtr target = call.open();
  if (const NtStatus status = CheckAccess(call, *source, *target); status != NtStatus::kSuccess) co_return status;
  if (source_handle->tree->share->files != call.request->tree->share->files) co_return NtStatus::kNotSameDevice;

  // 3.3.5.15.6.1: after a failure the client learns how far it went.
  smb2::SrvCopychunkResponse response;
  NtStatus status = NtStatus::kSuccess;
  for (const smb2::SrvCopychunk& chunk : copy->chunks) {
    const auto facts = co_await call.files().QueryFacts(source);
    if (!facts.ok()) {
      status = facts.status();
      break;
    }
    if (chunk.source_offset > facts->end_of_file || chunk.length > facts->end_of_file - chunk.source_offset) {
      status = NtStatus::kInvalidViewSize;
      break;
    }
    const auto copied =
        co_await call.files().CopyRange(source, chunk.source_offset, target, chunk.target_offset, chunk.length);
    if (!copied.ok()) {
      status = copied.status();
      break;
    }
    response.total_bytes_written += static_cast<std::uint32_t>(*copied);
    if (*copied < chunk.length) {  // the source was cut meanwhile
      response.chunk_bytes_written = static_cast<std::uint32_t>(*copied);
      status = NtStatus::kInvalidViewSize;
      break;
    }
    ++response.chunks_written;
  }
  co_return ControlResult(status, wire::Encode(response));
}

}  // namespace holdfast::ioctl
