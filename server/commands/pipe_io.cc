#include "server/commands/pipe_io.h"

#include <utility>

namespace holdfast {

Task<Result<NamedPipe::Output>> ReadPipe(RequestPtr request, std::size_t max) {
  const HandlePtr handle = request->handle;
  const PendingWaitPtr wait = request->wait;
  for (bool first = true;; first = false) {
    if (wait->cancelled()) co_return *wait->cancelled();
    if (handle->closing) co_return NtStatus::kPipeBroken;
    auto output = handle->pipe->Read(max);
    if (output.ok() || output.status() != NtStatus::kPipeEmpty) co_return output;
    auto woken = std::make_shared<OneShot<bool>>();
    handle->pipe_readers.push_back(woken);
    wait->SetWake([woken] { woken->Set(true); });
    if (first && wait->on_pending) wait->on_pending();
    co_await woken->Wait();
    std::erase(handle->pipe_readers, woken);
  }
}

void WakePipeReaders(Handle& handle) {
  for (const auto& reader : std::exchange(handle.pipe_readers, {})) reader->Set(true);
}

void EndPipeReaders(Handle& handle) { WakePipeReaders(handle); }

}  // namespace holdfast
