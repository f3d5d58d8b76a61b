#include "conformance/bench/workload.h"

#include <algorithm>
#include <random>

#include "protocol/dtyp/access_mask.h"
#include "protocol/dtyp/unicode.h"
#include "protocol/fscc/information_class.h"
#include "protocol/smb2/contexts/durable_handle.h"
#include "protocol/wire/endian.h"

namespace holdfast::bench {
namespace {

using client::Tree;
using TreePtr = std::shared_ptr<Tree>;
using smb2::CreateDisposition;
using smb2::CreateRequest;
using smb2::FileId;

constexpr std::uint64_t kLargeBytes = 1u << 20;
constexpr std::uint64_t kSmallBytes = 4096;
constexpr std::uint32_t kReadWrite = 0x0012019F;
constexpr std::uint32_t kShareAll = 7;
constexpr const char* kDataFile = "bench-data";
constexpr const char* kListed = "bench-listed";

CreateRequest FileRequest(const std::string& name, CreateDisposition disposition) {
  CreateRequest request;
  request.desired_access = kReadWrite;
  request.share_access = kShareAll;
  request.create_disposition = disposition;
  request.create_options = smb2::create_option::kNonDirectoryFile;
  request.name = Utf8ToUtf16Lossy(name);
  return request;
}

CreateRequest DirectoryRequest(const std::string& name) {
  CreateRequest request = FileRequest(name, CreateDisposition::kOpenIf);
  request.desired_access = access::kReadData | access::kReadAttributes | access::kSynchronize;
  request.create_options = smb2::create_option::kDirectoryFile;
  return request;
}

void AskForHandle(CreateRequest& request, bool persistent) {
  smb2::DurableHandleRequestV2 ask;
  ask.create_guid = Guid::Generate(SystemRandom());
  if (persistent) {
    ask.flags = smb2::durable_flag::kPersistent;
  } else {
    request.requested_oplock_level = smb2::OplockLevel::kBatch;
  }
  request.contexts.push_back(smb2::CreateContext::From(smb2::create_context::kDurableHandleRequestV2, ask));
}

// kNotSupported when the server did not grant what was asked for.
NtStatus CheckHandle(const client::CreateResult& created, bool persistent) {
  const auto* context =
      smb2::FindContext(created.response.contexts, smb2::create_context::kDurableHandleRequestV2);
  if (!context) return NtStatus::kNotSupported;
  const auto granted = wire::Decode<smb2::DurableHandleResponseV2>(context->data);
  if (!granted.ok()) return granted.status();
  const bool is_persistent = (granted->flags & smb2::durable_flag::kPersistent) != 0;
  return is_persistent == persistent ? NtStatus::kSuccess : NtStatus::kNotSupported;
}

// Bytes that do not compress and do not repeat within a file.
Bytes Noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(size);
  for (std::size_t i = 0; i + 8 <= size; i += 8) wire::StoreLe(bytes.data() + i, static_cast<std::uint64_t>(random()));
  return bytes;
}

// ---- data -----------------------------------------------------------------------------------------------------------

class DataWorkload : public Workload {
 public:
  DataWorkload(TreePtr tree, WorkloadOptions options, bool write, bool random)
      : tree_(std::move(tree)), options_(std::move(options)), write_(write), random_(random),
        bytes_(random ? kSmallBytes : kLargeBytes), data_(Noise(bytes_, options_.seed)) {}

  Task<NtStatus> Prepare() override {
    const bool fresh = write_ && !random_;
    CreateRequest request = FileRequest(fresh ? "bench-written" : kDataFile,
                                        fresh ? CreateDisposition::kOpenIf : CreateDisposition::kOpen);
    if (options_.persistent) AskForHandle(request, true);
    const auto created = co_await tree_->Create(std::move(request));
    if (!created.ok()) co_return created.status();
    file_ = created->response.file_id;
    if (options_.persistent) {
      const NtStatus granted = CheckHandle(*created, true);
      if (granted != NtStatus::kSuccess) co_return granted;
    }
    // Every byte has its place in the page cache before the clock starts: a virtual machine takes longer to find new
    // pages than any server to fill them.
    for (std::uint64_t at = 0; fresh && at < options_.file_bytes; at += bytes_) {
      const auto count = co_await tree_->Write(file_, at, data_);
      if (!count.ok()) co_return count.status();
    }
    co_return NtStatus::kSuccess;
  }

  Task<NtStatus> Run(std::uint64_t index) override {
    const std::uint64_t places = options_.file_bytes / bytes_;
    const std::uint64_t offset = (random_ ? Scatter(index + options_.seed) : index) % places * bytes_;
    if (write_) {
      const auto count = co_await tree_->Write(file_, offset, data_);
      if (!count.ok()) co_return count.status();
      co_return *count == bytes_ ? NtStatus::kSuccess : NtStatus::kInvalidNetworkResponse;
    }
    const auto answer = co_await tree_->Read(file_, offset, static_cast<std::uint32_t>(bytes_));
    if (!answer.ok()) co_return answer.status();
    co_return answer->message.size() >= bytes_ ? NtStatus::kSuccess : NtStatus::kEndOfFile;
  }

  Task<NtStatus> Finish() override { return tree_->Close(file_); }
  std::uint64_t bytes_per_operation() const override { return bytes_; }

 private:
  // The finaliser of SplitMix64: the same scattered places on both sides of a pair.
  static std::uint64_t Scatter(std::uint64_t x) {
    x = (x + 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
  }

  TreePtr tree_;
  const WorkloadOptions options_;
  const bool write_, random_;
  const std::uint64_t bytes_;
  const Bytes data_;
  FileId file_;
};

// Writes the file that the other rows use.
class DataFileWorkload : public Workload {
 public:
  DataFileWorkload(TreePtr tree, WorkloadOptions options) : tree_(std::move(tree)), options_(std::move(options)) {}
  Task<NtStatus> Prepare() override {
    CreateRequest request = FileRequest(kDataFile, CreateDisposition::kOverwriteIf);
    const auto created = co_await tree_->Create(std::move(request));
    if (!created.ok()) co_return created.status();
    file_ = created->response.file_id;
    co_return NtStatus::kSuccess;
  }
  Task<NtStatus> Run(std::uint64_t index) override {
    const Bytes data = Noise(kLargeBytes, index);
    const auto count = co_await tree_->Write(file_, index * kLargeBytes, data);
    co_return count.ok() ? NtStatus::kSuccess : count.status();
  }
  Task<NtStatus> Finish() override {
    const NtStatus flushed = co_await tree_->Flush(file_);
    if (flushed != NtStatus::kSuccess) co_return flushed;
    co_return co_await tree_->Close(file_);
  }
  std::uint64_t bytes_per_operation() const override { return kLargeBytes; }
  std::uint64_t most_operations() const override { return options_.file_bytes / kLargeBytes; }

 private:
  TreePtr tree_;
  const WorkloadOptions options_;
  FileId file_;
};

// ---- names ----------------------------------------------------------------------------------------------------------

Task<NtStatus> MakeDirectory(TreePtr tree, std::string name) {
  CreateRequest request = DirectoryRequest(name);
  const auto created = co_await tree->Create(std::move(request));
  if (!created.ok()) co_return created.status();
  co_return co_await tree->Close(created->response.file_id);
}

// A new file and its close; directories of 256 files, new ones for each run.
class CreateWorkload : public Workload {
 public:
  CreateWorkload(TreePtr tree, WorkloadOptions options) : tree_(std::move(tree)), options_(std::move(options)) {}
  Task<NtStatus> Prepare() override {
    for (std::uint64_t i = 0; i < kDirectories; ++i) {
      const NtStatus made = co_await MakeDirectory(tree_, Directory(i));
      if (made != NtStatus::kSuccess) co_return made;
    }
    co_return NtStatus::kSuccess;
  }
  Task<NtStatus> Run(std::uint64_t index) override {
    const std::string name = Directory(index / kFilesEach) + "\\file-" + std::to_string(index % kFilesEach);
    CreateRequest request = FileRequest(name, CreateDisposition::kCreate);
    if (options_.persistent) AskForHandle(request, true);
    const auto created = co_await tree_->Create(std::move(request));
    if (!created.ok()) co_return created.status();
    if (options_.persistent) {
      const NtStatus granted = CheckHandle(*created, true);
      if (granted != NtStatus::kSuccess) co_return granted;
    }
    co_return co_await tree_->Close(created->response.file_id);
  }
  std::uint64_t most_operations() const override { return kDirectories * kFilesEach; }

 private:
  static constexpr std::uint64_t kDirectories = 64, kFilesEach = 256;
  std::string Directory(std::uint64_t i) const {
    return "new-" + std::to_string(options_.seed) + "-" + std::to_string(i);
  }
  TreePtr tree_;
  const WorkloadOptions options_;
};

// The directory that "list" reads.
class PopulateWorkload : public Workload {
 public:
  PopulateWorkload(TreePtr tree, WorkloadOptions options) : tree_(std::move(tree)), options_(std::move(options)) {}
  Task<NtStatus> Prepare() override { return MakeDirectory(tree_, kListed); }
  Task<NtStatus> Run(std::uint64_t index) override {
    const std::string name = std::string(kListed) + "\\profile-container-" + std::to_string(index) + ".vhdx";
    CreateRequest request = FileRequest(name, CreateDisposition::kCreate);
    const auto created = co_await tree_->Create(std::move(request));
    if (!created.ok()) co_return created.status();
    co_return co_await tree_->Close(created->response.file_id);
  }
  std::uint64_t most_operations() const override { return options_.entries; }

 private:
  TreePtr tree_;
  const WorkloadOptions options_;
};

// One whole listing: open, QUERY_DIRECTORY to its end, close.
class ListWorkload : public Workload {
 public:
  ListWorkload(TreePtr tree, WorkloadOptions options) : tree_(std::move(tree)), options_(std::move(options)) {}
  Task<NtStatus> Run(std::uint64_t) override {
    constexpr auto kClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kIdBothDirectory);
    constexpr std::uint32_t kOutput = 1u << 20;
    CreateRequest request = DirectoryRequest(kListed);
    request.create_disposition = CreateDisposition::kOpen;
    const auto created = co_await tree_->Create(std::move(request));
    if (!created.ok()) co_return created.status();
    std::uint64_t seen = 0;
    for (;;) {
      const auto page = co_await tree_->QueryDirectory(created->response.file_id, kClass, u"*", 0, kOutput);
      if (page.status() == NtStatus::kNoMoreFiles) break;
      if (!page.ok()) co_return page.status();
      seen += CountEntries(*page);
    }
    const NtStatus closed = co_await tree_->Close(created->response.file_id);
    if (closed != NtStatus::kSuccess) co_return closed;
    co_return seen == options_.entries + 2 ? NtStatus::kSuccess : NtStatus::kInvalidNetworkResponse;  // "." and ".."
  }
  std::uint64_t units_per_operation() const override { return options_.entries; }

 private:
  static std::uint64_t CountEntries(ByteView page) {
    std::uint64_t count = 0;
    for (std::size_t at = 0; at + 4 <= page.size();) {
      ++count;
      const auto next = wire::LoadLe<std::uint32_t>(page.data() + at);
      if (next == 0) break;
      at += next;
    }
    return count;
  }
  TreePtr tree_;
  const WorkloadOptions options_;
};

// Open and close of a file that exists, with the handle asked for.
class ReopenWorkload : public Workload {
 public:
  ReopenWorkload(TreePtr tree, WorkloadOptions options) : tree_(std::move(tree)), options_(std::move(options)) {}
  Task<NtStatus> Prepare() override {
    for (std::uint64_t i = 0; i < kFiles; ++i) {
      CreateRequest request = FileRequest(Name(i), CreateDisposition::kOpenIf);
      const auto created = co_await tree_->Create(std::move(request));
      if (!created.ok()) co_return created.status();
      const NtStatus closed = co_await tree_->Close(created->response.file_id);
      if (closed != NtStatus::kSuccess) co_return closed;
    }
    co_return NtStatus::kSuccess;
  }
  Task<NtStatus> Run(std::uint64_t index) override {
    CreateRequest request = FileRequest(Name(index % kFiles), CreateDisposition::kOpen);
    const bool asks = options_.persistent || options_.durable;
    if (asks) AskForHandle(request, options_.persistent);
    const auto created = co_await tree_->Create(std::move(request));
    if (!created.ok()) co_return created.status();
    if (asks) {
      const NtStatus granted = CheckHandle(*created, options_.persistent);
      if (granted != NtStatus::kSuccess) co_return granted;
    }
    co_return co_await tree_->Close(created->response.file_id);
  }

 private:
  static constexpr std::uint64_t kFiles = 64;
  static std::string Name(std::uint64_t i) { return "reopened-" + std::to_string(i); }
  TreePtr tree_;
  const WorkloadOptions options_;
};

}  // namespace

std::unique_ptr<Workload> MakeWorkload(TreePtr tree, WorkloadOptions options) {
  const std::string& row = options.row;
  if (row == "make-data") return std::make_unique<DataFileWorkload>(std::move(tree), std::move(options));
  if (row == "make-listed") return std::make_unique<PopulateWorkload>(std::move(tree), std::move(options));
  const bool write = row.ends_with("write");
  if (row == "sequential-read" || row == "sequential-write") {
    return std::make_unique<DataWorkload>(std::move(tree), std::move(options), write, false);
  }
  if (row == "random-read" || row == "random-write") {
    return std::make_unique<DataWorkload>(std::move(tree), std::move(options), write, true);
  }
  if (row == "create") return std::make_unique<CreateWorkload>(std::move(tree), std::move(options));
  if (row == "list") return std::make_unique<ListWorkload>(std::move(tree), std::move(options));
  if (row == "reopen") return std::make_unique<ReopenWorkload>(std::move(tree), std::move(options));
  return nullptr;
}

}  // namespace holdfast::bench
