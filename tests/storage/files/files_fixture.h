// A node without a network: Files over a volume over the memory engine, which a test may kill and start again.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/random.h"
#include "protocol/dtyp/access_mask.h"
#include "protocol/fscc/attributes.h"
#include "storage/engine/memory_engine.h"
#include "storage/files/files.h"
#include "tests/storage/run.h"

namespace holdfast {

inline void PrintTo(NtStatus status, std::ostream* out) { *out << NtStatusName(status); }

namespace disposition {
inline constexpr std::uint32_t kSupersede = 0, kOpen = 1, kCreate = 2, kOpenIf = 3, kOverwrite = 4, kOverwriteIf = 5;
}
namespace action {
inline constexpr std::uint32_t kSuperseded = 0, kOpened = 1, kCreated = 2, kOverwritten = 3;
}
namespace options {
inline constexpr std::uint32_t kDirectory = 0x1, kWriteThrough = 0x2, kNonDirectory = 0x40, kDeleteOnClose = 0x1000,
                               kOpenReparsePoint = 0x200000;
}

class CountingRandom final : public Random {
 public:
  void Fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(state_ = state_ * 6364136223846793005u + 1);
  }

 private:
  std::uint64_t state_ = 1;
};

class FilesTest : public CoreTest {
 protected:
  void SetUp() override {
    store_ = MemoryStore::Make();
    alice_ = MakeUser(1001);
    bob_ = MakeUser(1002);
    Boot();
  }
  void TearDown() override { Stop(); }

  static std::shared_ptr<const SecurityToken> MakeUser(std::uint32_t rid) {
    auto token = std::make_shared<SecurityToken>();
    token->user = Sid(5, {21, 1, 2, 3, rid});
    token->primary_group = Sid(5, {21, 1, 2, 3, 513});
    token->groups = {token->primary_group, well_known::Everyone(), well_known::AuthenticatedUsers()};
    return token;
  }
  static Guid MakeGuid(std::uint8_t n) {
    Guid guid;
    guid.bytes.fill(n);
    return guid;
  }

  // Starts a node on the store as it is. Recovery ends before this returns unless `recover` is false.
  void Boot(bool recover = true) {
    engine_ = std::make_unique<MemoryEngine>(store_, executor());
    VolumeOptions volume_options;
    auto volume = Run(Volume::Mount(*engine_, clock(), random_, volume_options));
    ASSERT_TRUE(volume.ok()) << NtStatusName(volume.status());
    volume_ = std::move(*volume);
    files_ = std::make_unique<Files>(executor(), *volume_, homes_, clock(), random_, FilesOptions{});
    files_->SetBreakSender([this](CachingBreak notice, std::function<void(bool)> done) {
      if (connected_) breaks_.push_back(std::move(notice));
      done(connected_);
    });
    if (recover) Run(files_->Recover());
    const auto root = Run(files_->EnsureDirectory(kRootFileNumber, u"share"));
    ASSERT_TRUE(root.ok()) << NtStatusName(root.status());
    auto ca = std::make_shared<ShareContext>();
    ca->name = u"profiles";
    ca->root = *root;
    ca->continuous_availability = true;
    ca->ca_timeout_ms = 60'000;
    ca_ = ca;
    auto plain = std::make_shared<ShareContext>();
    plain->name = u"scratch";
    plain->root = *root;
    plain_ = plain;
  }
  // The process dies: nothing is closed. With `power` what was not stable is lost too.
  void Stop(bool power = false) {
    if (power) store_->PowerCut();
    if (files_) files_->Shutdown();
    Settle();
    files_.reset();
    volume_.reset();
    engine_.reset();
  }
  void Restart(bool power = true) {
    Stop(power);
    Boot();
  }

  Requester MakeRequester(std::uint8_t client = 1, std::uint64_t session = 1) {
    Requester requester;
    requester.token = alice_;
    requester.client_guid = MakeGuid(client);
    requester.connection = session;
    requester.session = session;
    requester.persistent_capable = true;
    return requester;
  }
  // FILE_OPEN_IF of a file with all access, sharing everything, on the share that is not CA.
  CreateParameters Parameters(std::u16string path, std::uint32_t create_disposition = disposition::kOpenIf) {
    CreateParameters p;
    p.share = plain_;
    p.requester = MakeRequester();
    p.path = std::move(path);
    p.desired_access = access::kFileAllAccess;
    p.share_access = 7;
    p.create_disposition = create_disposition;
    return p;
  }
  // The same on the CA share with DH2Q and the persistent flag.
  CreateParameters Persistent(std::u16string path, std::uint8_t create_guid,
                              std::uint32_t create_disposition = disposition::kOpenIf) {
    CreateParameters p = Parameters(std::move(path), create_disposition);
    p.share = ca_;
    p.durable.kind = DurableKind::kDurableV2;
    p.durable.create_guid = MakeGuid(create_guid);
    p.durable.persistent_requested = true;
    return p;
  }
  ReconnectParameters ReconnectTo(std::uint64_t persistent_id, std::uint8_t create_guid, std::uint64_t session = 2) {
    ReconnectParameters p;
    p.share = ca_;
    p.requester = MakeRequester(1, session);
    p.persistent_id = persistent_id;
    p.v2 = true;
    p.create_guid = MakeGuid(create_guid);
    p.persistent_flag = true;
    return p;
  }

  // Answered at once: breaks may follow.
  Result<CreateOutcome> Create(CreateParameters p) {
    auto outcome = Run(files_->Create(std::move(p)));
    if (outcome.ok()) outcome->open->answer_pending = nullptr;
    return outcome;
  }
  OpenPtr MustCreate(CreateParameters p) {
    auto outcome = Create(std::move(p));
    EXPECT_TRUE(outcome.ok()) << NtStatusName(outcome.status());
    return outcome.ok() ? outcome->open : nullptr;
  }
  NtStatus CreateStatus(CreateParameters p) {
    auto outcome = Create(std::move(p));
    if (outcome.ok()) {
      EXPECT_EQ(Close(outcome->open), NtStatus::kSuccess);
    }
    return outcome.status();
  }
  NtStatus Close(const OpenPtr& open) { return Run(files_->Close(open)); }
  bool Disconnect(const OpenPtr& open) { return Run(files_->Disconnect(open)); }
  Result<OpenPtr> Reconnect(ReconnectParameters p) {
    auto open = Run(files_->Reconnect(std::move(p)));
    if (open.ok()) (*open)->answer_pending = nullptr;
    return open;
  }
  bool Exists(std::u16string path) {
    CreateParameters p = Parameters(std::move(path), disposition::kOpen);
    p.desired_access = access::kReadAttributes;
    p.create_options = options::kOpenReparsePoint;
    return CreateStatus(std::move(p)) == NtStatus::kSuccess;
  }
  // Stable when they return, as what the tests of crashes start from.
  void MakeFile(std::u16string path) {
    CreateParameters p = Parameters(std::move(path), disposition::kCreate);
    p.create_options = options::kWriteThrough;
    ASSERT_EQ(CreateStatus(std::move(p)), NtStatus::kSuccess);
  }
  void MakeDirectory(std::u16string path) {
    CreateParameters p = Parameters(std::move(path), disposition::kCreate);
    p.create_options = options::kDirectory | options::kWriteThrough;
    ASSERT_EQ(CreateStatus(std::move(p)), NtStatus::kSuccess);
  }
  NtStatus Write(const OpenPtr& open, std::string_view text) {
    const Bytes bytes(text.begin(), text.end());
    return Run(files_->Write(open, 0, bytes, false, false));
  }
  std::uint64_t Size(const OpenPtr& open) { return open->file->Stream(open->stream)->facts.size; }
  // Everything that the volume's own check finds wrong.
  std::vector<std::string> Findings() {
    auto report = Run(volume_->Check(false));
    EXPECT_TRUE(report.ok());
    return report.ok() ? report->findings : std::vector<std::string>{"no report"};
  }
  // `applied`: it takes effect all the same.
  void FailNextWrite(bool applied = false) {
    MemoryFault fault;
    fault.op = EngineOp::kWrite;
    fault.applied = applied;
    store_->Inject(fault);
  }
  // What the store holds of a file's open records.
  std::size_t StoredRecords(FileNumber number) {
    auto records = Run(volume_->LoadRecords(number, "o/"));
    return records.ok() ? records->size() : 0;
  }

  std::shared_ptr<MemoryStore> store_;
  std::unique_ptr<MemoryEngine> engine_;
  std::unique_ptr<Volume> volume_;
  LocalHomes homes_;
  CountingRandom random_;
  std::unique_ptr<Files> files_;
  std::shared_ptr<const ShareContext> ca_, plain_;
  std::shared_ptr<const SecurityToken> alice_, bob_;
  std::vector<CachingBreak> breaks_;  // as sent to clients
  bool connected_ = true;             // whether a break finds a connection
};

}  // namespace holdfast
