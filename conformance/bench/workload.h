// The rows of the benchmark: what one operation of each is.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "conformance/client/session.h"

namespace holdfast::bench {

struct WorkloadOptions {
  std::string row;              // name of one of Rows()
  bool persistent = false;      // files are opened with persistent handles, as clients do on a share with CA
  bool durable = false;         // "reopen" asks for a durable handle, with the batch oplock that this takes
  std::uint64_t file_bytes = 256u << 20;
  std::uint64_t entries = 100'000;  // of the directory that is listed
  std::uint64_t seed = 1;           // also makes the names of a run its own
};

// Operations of one row on one share. They may overlap; each has an index of its own.
class Workload {
 public:
  virtual ~Workload() = default;
  // Before the clock starts.
  virtual Task<NtStatus> Prepare() { co_return NtStatus::kSuccess; }
  virtual Task<NtStatus> Run(std::uint64_t index) = 0;
  // After it has stopped.
  virtual Task<NtStatus> Finish() { co_return NtStatus::kSuccess; }
  virtual std::uint64_t bytes_per_operation() const { return 0; }
  // Things that one Run() counts for: the entries of a listing.
  virtual std::uint64_t units_per_operation() const { return 1; }
  // Prepare() makes room for so many operations; 0: any number.
  virtual std::uint64_t most_operations() const { return 0; }
};

// null: no such row.
std::unique_ptr<Workload> MakeWorkload(std::shared_ptr<client::Tree> tree, WorkloadOptions options);

}  // namespace holdfast::bench
