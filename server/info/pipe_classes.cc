#include "server/info/pipe_classes.h"

#include "protocol/fscc/attributes.h"
#include "protocol/fscc/file_information.h"

namespace holdfast::info {

Task<QueryResult> QueryPipeBasic(InfoQuery) {
  co_return Whole(fscc::Encode(fscc::FileBasicInformation{.file_attributes = file_attribute::kNormal}));
}

// As the named pipe file system of Windows answers: an instance goes with its last handle.
Task<QueryResult> QueryPipeStandard(InfoQuery query) {
  fscc::FilePipeLocalInformation local;
  co_return Whole(fscc::Encode(fscc::FileStandardInformation{.allocation_size = local.inbound_quota,
                                                             .end_of_file = query.request->handle->pipe->available(),
                                                             .number_of_links = 1,
                                                             .delete_pending = true,
                                                             .directory = false}));
}

Task<QueryResult> QueryPipe(InfoQuery) {
  co_return Whole(fscc::Encode(fscc::FilePipeInformation{.read_mode = 1, .completion_mode = 0}));
}

Task<QueryResult> QueryPipeLocal(InfoQuery query) {
  fscc::FilePipeLocalInformation local;
  local.read_data_available = static_cast<std::uint32_t>(query.request->handle->pipe->available());
  co_return Whole(fscc::Encode(local));
}

// The pipes of ours are always in message mode and blocking; asking for anything else that exists is harmless.
Task<NtStatus> SetPipe(InfoSet set) {
  auto pipe = fscc::Decode<fscc::FilePipeInformation>(set.message.buffer);
  if (!pipe.ok()) co_return pipe.status();
  const bool sound = pipe->read_mode <= 1 && pipe->completion_mode <= 1;
  co_return sound ? NtStatus::kSuccess : NtStatus::kInvalidParameter;
}

}  // namespace holdfast::info
