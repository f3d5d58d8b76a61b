// A short run on the engine that servers use: what a reopened store still says.
#include "storage/engine/embedded_engine.h"
#include "tests/storage/engine/temp_directory.h"
#include "tests/storage/volume/volume_fixture.h"

namespace holdfast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class EmbeddedVolumeTest : public CoreTest {
 protected:
  void SetUp() override {
    options_.shard_split_entries = 50;
    Open();
  }
  void Open() {
    volume_.reset();
    engine_.reset();
    EmbeddedOptions options;
    options.directory = directory_.path();
    options.io_threads = 2;
    auto opened = EmbeddedEngine::Open(options, executor());
    ASSERT_NE(opened.engine, nullptr) << opened.error;
    engine_ = std::move(opened.engine);
    auto mounted = Run(Volume::Mount(*engine_, clock(), random_, options_));
    ASSERT_TRUE(mounted.ok());
    volume_ = std::move(*mounted);
  }
  FileNumber Create(FileNumber directory, std::u16string name, bool is_directory, Durability durability) {
    Inode inode;
    inode.number = *Run(volume_->AllocateNumber());
    inode.directory = is_directory;
    inode.security_descriptor = Bytes(100, 1);
    EXPECT_EQ(Run(volume_->CreateFile(directory, std::move(name), inode, {}, durability)), NtStatus::kSuccess);
    return inode.number;
  }
  void ExpectSound() {
    auto report = Run(volume_->Check(false));
    ASSERT_TRUE(report.ok());
    EXPECT_THAT(report->findings, IsEmpty());
  }

  TempDirectory directory_;
  VolumeOptions options_;
  SeededRandom random_{7};
  std::unique_ptr<EmbeddedEngine> engine_;
  std::unique_ptr<Volume> volume_;
};

TEST_F(EmbeddedVolumeTest, ATreeIsTheSameAfterReopening) {
  const FileNumber directory = Create(kRootFileNumber, u"dir", true, Durability::kStable);
  for (int i = 0; i < 300; ++i) {
    Create(directory, Utf8ToUtf16Lossy("file-" + std::to_string(i)), false, Durability::kProcess);
  }
  const FileNumber file = Create(kRootFileNumber, u"profile.vhdx", false, Durability::kStable);
  StreamFacts facts = Run(volume_->Load(file))->streams[0];
  Bytes data(200000, 3);
  ASSERT_EQ(Run(volume_->PrepareExtend(file, facts, std::uint64_t{1} << 40, Durability::kStable)),
            NtStatus::kSuccess);
  ASSERT_EQ(Run(volume_->WriteData(file, 0, (std::uint64_t{1} << 40) - data.size(), data, Durability::kStable)),
            NtStatus::kSuccess);
  ASSERT_EQ(Run(volume_->Rename(file, kRootFileNumber, u"profile.vhdx", directory, u"Moved.vhdx", 0, false)),
            NtStatus::kSuccess);
  const FileNumber gone = Run(volume_->Lookup(directory, u"FILE-7"))->number;
  ASSERT_EQ(Run(volume_->Unlink(directory, u"file-7", gone, false, Durability::kStable)), NtStatus::kSuccess);

  Open();
  auto page = Run(volume_->List(directory, {}, 1024));
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->entries, SizeIs(300));
  EXPECT_EQ(Run(volume_->Lookup(directory, u"moved.VHDX"))->number, file);
  Inode inode = *Run(volume_->Load(file));
  EXPECT_EQ(inode.streams[0].size, std::uint64_t{1} << 40);
  EXPECT_EQ(inode.security_descriptor, Bytes(100, 1));
  Bytes read(data.size());
  ASSERT_EQ(Run(volume_->ReadData(file, 0, (std::uint64_t{1} << 40) - data.size(), read)), NtStatus::kSuccess);
  EXPECT_EQ(read, data);
  EXPECT_LT(*Run(volume_->AllocatedBytes(file, 0)), 1u << 20);
  ExpectSound();

  facts = inode.streams[0];
  ASSERT_EQ(Run(volume_->Truncate(file, facts, 10, Durability::kStable)), NtStatus::kSuccess);
  ASSERT_EQ(Run(volume_->Unlink(directory, u"Moved.vhdx", file, true, Durability::kStable)), NtStatus::kSuccess);
  Open();
  EXPECT_THAT(*Run(volume_->ReadOrphans()), ElementsAre(file));
  EXPECT_EQ(Run(volume_->Load(file))->streams[0].size, 10u);
  ASSERT_EQ(Run(volume_->Purge(file)), NtStatus::kSuccess);
  ExpectSound();
}

}  // namespace
}  // namespace holdfast
