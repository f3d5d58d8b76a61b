// A volume in memory with files on it, opened the way a client would, and the same volume after the process has died.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocol/base/random.h"
#include "protocol/dtyp/access_mask.h"
#include "protocol/dtyp/inheritance.h"
#include "storage/engine/memory_engine.h"
#include "storage/files/files.h"
#include "storage/files/homes.h"
#include "tests/storage/run.h"

namespace holdfast {

inline void PrintTo(NtStatus status, std::ostream* out) { *out << NtStatusName(status); }

struct OpenOptions {
  std::uint32_t access = access::kFileAllAccess;
  std::uint32_t disposition = 3;  // FILE_OPEN_IF
  std::uint32_t options = 0;
  bool persistent = false;
  bool abe = false;
  std::shared_ptr<const SecurityToken> token;  // null: an administrator
};

class OperationsTest : public CoreTest {
 public:
  static constexpr std::uint32_t kDirectoryFile = 0x1;
  static constexpr std::uint32_t kWriteThrough = 0x2;
  static constexpr std::uint32_t kUnbuffered = 0x8;

  OperationsTest() : store_(MemoryStore::Make()) { Mount(); }
  ~OperationsTest() override { Unmount(); }

  Files& files() { return *files_; }
  MemoryStore& store() { return *store_; }
  // Of the next mount.
  FilesOptions& options() { return options_; }

  // The process dies and another one mounts what the disks have.
  void Remount() {
    Unmount();
    Mount();
  }

  static std::shared_ptr<const SecurityToken> Administrator() {
    auto token = std::make_shared<SecurityToken>();
    token->user = *Sid::Parse("S-1-5-21-1-2-3-500");
    token->primary_group = *Sid::Parse("S-1-5-21-1-2-3-513");
    token->groups = {token->primary_group, well_known::Everyone(), well_known::AuthenticatedUsers(),
                     well_known::Administrators()};
    token->take_ownership = token->security = token->restore = token->backup = true;
    return token;
  }
  static std::shared_ptr<const SecurityToken> User(std::uint32_t rid) {
    auto token = std::make_shared<SecurityToken>();
    token->user = Sid::Parse("S-1-5-21-1-2-3")->WithRid(rid);
    token->primary_group = *Sid::Parse("S-1-5-21-1-2-3-513");
    token->groups = {token->primary_group, well_known::Everyone(), well_known::AuthenticatedUsers()};
    return token;
  }

  Result<OpenPtr> TryOpen(const std::u16string& path, OpenOptions options = {}) {
    auto share = std::make_shared<ShareContext>();
    share->name = u"test";
    share->root = root_;
    share->continuous_availability = options.persistent;
    share->access_based_enumeration = options.abe;
    CreateParameters p;
    p.share = share;
    p.requester.token = options.token ? options.token : Administrator();
    p.requester.client_guid = Guid{{1}};
    p.requester.connection = 1;
    p.requester.session = 1;
    p.path = path;
    p.desired_access = options.access;
    p.share_access = 7;
    p.create_disposition = options.disposition;
    p.create_options = options.options;
    if (options.persistent) {
      p.requester.persistent_capable = true;
      p.durable.kind = DurableKind::kDurableV2;
      p.durable.persistent_requested = true;
      p.durable.create_guid = Guid::Generate(SystemRandom());
    }
    auto outcome = Run(files_->Create(std::move(p)));
    if (!outcome.ok()) return outcome.status();
    return outcome->open;
  }
  OpenPtr Open(const std::u16string& path, OpenOptions options = {}) {
    auto open = TryOpen(path, std::move(options));
    EXPECT_EQ(NtStatusName(open.status()), "STATUS_SUCCESS");
    return open.ok() ? *open : nullptr;
  }
  OpenPtr OpenPersistent(const std::u16string& path) {
    OpenOptions options;
    options.persistent = true;
    return Open(path, options);
  }
  OpenPtr MakeDirectory(const std::u16string& path) {
    OpenOptions options;
    options.options = kDirectoryFile;
    options.access &= ~access::kDelete;  // held open for DELETE it would stop renames within
    return Open(path, options);
  }
  // The persistent open of that id as the records bring it back.
  OpenPtr Survivor(std::uint64_t persistent_id) {
    const auto file = Run(files_->Acquire(persistent_id >> 20));
    if (!file.ok()) return nullptr;
    for (const OpenPtr& open : (*file)->opens) {
      if (open->persistent_id == persistent_id) return open;
    }
    return nullptr;
  }
  NtStatus Close(const OpenPtr& open) { return Run(files_->Close(open)); }

  NtStatus Write(const OpenPtr& open, std::uint64_t offset, std::string_view text, bool write_through = false) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    return Run(files_->Write(open, offset, ByteView(bytes, text.size()), write_through, false));
  }
  Result<std::string> Read(const OpenPtr& open, std::uint64_t offset, std::size_t length) {
    Bytes buffer(length, 0xEE);
    const auto read = Run(files_->Read(open, offset, buffer, false));
    if (!read.ok()) return read.status();
    return std::string(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*read));
  }
  FileFacts Facts(const OpenPtr& open) {
    auto facts = Run(files_->QueryFacts(open));
    EXPECT_EQ(NtStatusName(facts.status()), "STATUS_SUCCESS");
    return facts.ok() ? *facts : FileFacts{};
  }

 private:
  void Mount() {
    engine_ = std::make_unique<MemoryEngine>(store_, executor());
    auto volume = Run(Volume::Mount(*engine_, clock(), SystemRandom(), {}));
    HOLDFAST_CHECK(volume.ok());
    volume_ = std::move(*volume);
    files_ = std::make_unique<Files>(executor(), *volume_, homes_, clock(), SystemRandom(), options_);
    const auto root = Run(files_->EnsureDirectory(kRootFileNumber, u"share"));
    HOLDFAST_CHECK(root.ok());
    root_ = *root;
  }
  void Unmount() {
    files_.reset();
    Settle();
    volume_.reset();
    engine_.reset();
  }

  std::shared_ptr<MemoryStore> store_;
  std::unique_ptr<MemoryEngine> engine_;
  std::unique_ptr<Volume> volume_;
  LocalHomes homes_;
  FilesOptions options_;
  std::unique_ptr<Files> files_;
  FileNumber root_ = 0;
};

}  // namespace holdfast
