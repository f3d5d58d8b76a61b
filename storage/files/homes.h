// Where a file's open table lives. On one node: here. The cluster implements the same interface for many nodes.
#pragma once

#include "storage/files/file_state.h"

namespace holdfast {

class Homes {
 public:
  virtual ~Homes() = default;
  // Makes this node the home of the file, or answers why it cannot be. Called before the file's records are read;
  // idempotent while the home is held. Durable when it returns.
  virtual Task<NtStatus> Acquire(FileNumber number) = 0;
  // The file has no opens left here.
  virtual void Release(FileNumber number) = 0;
};

// One node: it is the home of everything, and nothing needs to be written for that.
class LocalHomes final : public Homes {
 public:
  Task<NtStatus> Acquire(FileNumber) override { co_return NtStatus::kSuccess; }
  void Release(FileNumber) override {}
};

}  // namespace holdfast
