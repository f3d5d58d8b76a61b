// [MS-SMB2] 3.3.5.15.17 and 3.3.5.15.18: a part of another file, by reference where the store can.
#include "protocol/smb2/ioctl/file_ranges.h"
#include "server/ioctl/functions.h"

namespace holdfast::ioctl {
namespace {

struct Extents {
  smb2::FileId source;
  std::int64_t source_offset = 0;
  std::int64_t target_offset = 0;
  std::int64_t bytes = 0;
};

Task<ControlResult> Duplicate(ControlCall call, Extents extents) {
  const auto& handles = call.request->session->handles;
  const auto found = handles.find(extents.source.volatile_id);
  if (found == handles.end() || found->second->closing) co_return NtStatus::kInvalidHandle;
  const HandlePtr source = found->second;
  if (extents.source_offset < 0 || extents.target_offset < 0 || extents.bytes < 0) {
    co_return NtStatus::kInvalidParameter;
  }
  // A pipe, or a file of another volume.
  if (!source->open || source->tree->share->files != call.request->tree->share->files) {
    co_return NtStatus::kInvalidParameter;
  }
  co_return co_await call.files().DuplicateExtents(source->open, static_cast<std::uint64_t>(extents.source_offset),
                                                   call.open(), static_cast<std::uint64_t>(extents.target_offset),
                                                   static_cast<std::uint64_t>(extents.bytes));
}

}  // namespace

Task<ControlResult> DuplicateExtentsToFile(ControlCall call) {
  const auto data = wire::Decode<smb2::DuplicateExtentsData>(call.input());
  if (!data.ok()) co_return NtStatus::kInvalidParameter;
  const Extents extents{data->source_file_id, data->source_file_offset, data->target_file_offset, data->byte_count};
  co_return co_await Duplicate(std::move(call), extents);
}

// Whether the source is to be taken at one moment makes no difference: nobody writes to it meanwhile.
Task<ControlResult> DuplicateExtentsToFileEx(ControlCall call) {
  const auto data = wire::Decode<smb2::DuplicateExtentsDataEx>(call.input());
  if (!data.ok()) co_return NtStatus::kInvalidParameter;
  if (data->structure_size != smb2::DuplicateExtentsDataEx::kStructureSize) co_return NtStatus::kNotSupported;
  const Extents extents{data->source_file_id, data->source_file_offset, data->target_file_offset, data->byte_count};
  co_return co_await Duplicate(std::move(call), extents);
}

}  // namespace holdfast::ioctl
