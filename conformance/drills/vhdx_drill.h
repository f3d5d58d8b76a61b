// Writers on one persistent handle while somebody kills the server: every acknowledged byte is remembered and, at the
// end, read back and compared.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "conformance/client/persistent_file.h"

namespace holdfast::client {

struct DrillOptions {
  Target target;
  std::string path;           // on the share; exists, as large as `mirror`
  std::string mirror;         // local file with the expected content, kept current with what was acknowledged
  std::uint64_t from = 0;     // writers stay in [from, end of file)
  unsigned writers = 4;
  unsigned depth = 4;         // requests in flight of each writer
  std::uint64_t seed = 1;
};

struct DrillResult {
  std::uint64_t writes = 0, reads = 0, flushes = 0, bytes_written = 0;
  std::uint64_t failed = 0;
  std::string first_failure;
  std::uint64_t wrong_reads = 0;       // a read that did not give what was acknowledged before
  HandleHistory history;
  std::string expected_sha256, found_sha256;
  std::uint64_t differing_bytes = 0;
};

class VhdxDrill {
 public:
  VhdxDrill(DrillOptions options, Clock& clock);
  ~VhdxDrill();
  // Opens the file and locks each writer's part; kSuccess or why not.
  Task<NtStatus> Start();
  // Runs until Stop(), then verifies.
  Task<DrillResult> Run();
  void Stop() { stopping_ = true; }
  const DrillResult& progress() const { return result_; }
  const HandleHistory& history() const { return file_->history(); }

 private:
  struct Lane;
  Task<void> RunLane(std::shared_ptr<Lane> lane);
  Task<bool> WriteOnce(Lane& lane);
  Task<bool> ReadOnce(Lane& lane);
  Task<void> Verify();
  void Fail(const std::string& what, NtStatus status);

  DrillOptions options_;
  Clock& clock_;
  int mirror_fd_ = -1;
  std::uint64_t size_ = 0;
  std::shared_ptr<PersistentFile> file_;
  DrillResult result_;
  bool stopping_ = false;
  unsigned running_ = 0;
  OneShot<int> all_done_;
};

}  // namespace holdfast::client
