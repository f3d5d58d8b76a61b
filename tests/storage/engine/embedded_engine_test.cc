#include "storage/engine/embedded_engine.h"
#include "storage/engine/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "storage/engine/key_encoding.h"
#include "tests/storage/engine/power_cut_file_system.h"
#include "tests/storage/engine/temp_directory.h"
#include "tests/storage/run.h"

namespace holdfast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kPage = kEnginePageBytes;

std::vector<Mutation> SetK() { return {Mutation::Set("k", "v")}; }

class EmbeddedEngineTest : public CoreTest {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(store());
    options_.directory = store();
    options_.io_threads = 4;
    options_.reserve_percent = 0;
    options_.reserve_bytes = 0;
    options_.write_buffer_bytes = 1 << 20;
  }
  std::string store() const { return directory_.path() + "/store"; }
  void Open() {
    engine_.reset();
    auto opened = EmbeddedEngine::Open(options_, executor());
    ASSERT_TRUE(opened.engine) << opened.error;
    engine_ = std::move(opened.engine);
  }
  // Why the store cannot be opened; empty when it can.
  std::string OpenError() {
    engine_.reset();
    return EmbeddedEngine::Open(options_, executor()).error;
  }
  std::shared_ptr<PowerCutFileSystem> UseFaultyDisk() {
    auto disk = std::make_shared<PowerCutFileSystem>(directory_.path() + "/graveyard");
    options_.files = disk;
    return disk;
  }
  EngineError WriteBytes(const std::string& object, std::uint64_t offset, std::size_t length,
                         Durability durability = Durability::kStable) {
    const Bytes bytes(length, 'x');
    return Run(engine_->WriteData(object, offset, bytes, durability));
  }

  TempDirectory directory_;
  EmbeddedOptions options_;
  std::unique_ptr<EmbeddedEngine> engine_;
};

TEST(KeyEncodingTest, RoundTripsAndKeepsTheOrderOfNames) {
  using namespace std::string_literals;
  const std::vector<std::string> names = {"\0"s, "\0\x01"s, "\x01"s, "a"s, "a\0"s, "a\0\xff"s, "a\x01"s, "ab"s, "\xff"s};
  std::string last;
  for (const std::string& name : names) {
    const std::string encoded = EncodeObject(name);
    EXPECT_LT(last, MetaKey(encoded));
    last = EndOfObject(encoded);
    const std::string key = UserKey(encoded, "k\0"s);
    EXPECT_TRUE(MetaKey(encoded) < key && key < last);
    const auto decoded = DecodeKey(key);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->object, name);
    EXPECT_EQ(decoded->key, "k\0"s);
    EXPECT_FALSE(decoded->is_meta);
    for (std::size_t cut = 0; cut <= encoded.size(); ++cut) EXPECT_FALSE(DecodeKey(encoded.substr(0, cut)));
  }
  EXPECT_FALSE(DecodeKey("a\0\x02"s + "x"));
  const auto meta = DecodeMeta(EncodeMeta({7, DataFileState::kDead, 9}));
  ASSERT_TRUE(meta);
  EXPECT_EQ(meta->version, 7u);
  EXPECT_EQ(meta->removal, 9u);
  EXPECT_FALSE(DecodeMeta("12345678"));
  EXPECT_FALSE(DecodeMeta("12345678\x03"));
  EXPECT_FALSE(DecodeMeta("12345678\x02"));
}

TEST_F(EmbeddedEngineTest, OpenNamesTheCauseOfEveryRefusal) {
  options_.directory = directory_.path() + "/missing";
  EXPECT_EQ(OpenError(), "directory " + options_.directory + ": No such file or directory");

  options_.directory = directory_.path() + "/file";
  std::ofstream(options_.directory) << "text";
  EXPECT_EQ(OpenError(), options_.directory + " is not a directory");

  options_.directory = directory_.path() + "/foreign";
  std::filesystem::create_directory(options_.directory);
  std::ofstream(options_.directory + "/holiday.jpg") << "text";
  EXPECT_EQ(OpenError(), options_.directory + " holds no store, but is not empty: holiday.jpg");

  options_.directory = store();
  Open();
  EXPECT_EQ(EmbeddedEngine::Open(options_, executor()).error,
            "directory " + store() + " is in use by another process (pid " + std::to_string(::getpid()) + ")");
  engine_.reset();

  const std::string format = store() + "/format";
  std::ofstream(format) << "holdfast embedded store, format 7\n";
  EXPECT_EQ(OpenError(), store() + " holds a store of format 7, this server reads format 1");
  std::ofstream(format) << "nonsense";
  EXPECT_EQ(OpenError(), format + " is damaged");
  std::ofstream(format) << "holdfast embedded store, format 1\n";
  EXPECT_EQ(OpenError(), "");

  std::ofstream(store() + "/keys/CURRENT") << "MANIFEST-999999\n";
  EXPECT_THAT(OpenError(), HasSubstr("the key store " + store() + "/keys"));
}

TEST_F(EmbeddedEngineTest, ADirectoryThatCannotBeWrittenIsNamed) {
  if (::geteuid() == 0) GTEST_SKIP() << "nothing is read-only for root";
  ::chmod(store().c_str(), 0500);
  EXPECT_THAT(OpenError(), HasSubstr("directory " + store() + " is not writable"));
  ::chmod(store().c_str(), 0700);
}

TEST_F(EmbeddedEngineTest, ADamagedKeyStoreIsNoticed) {
  Open();
  for (int i = 0; i < 50; ++i) {
    const std::vector<Mutation> mutations = {Mutation::Set("k", std::string(1000, 'v'))};
    ASSERT_TRUE(Run(engine_->Write("o" + std::to_string(i), {}, mutations)).ok());
  }
  Open();  // what the log held is in a table file now
  engine_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(store() + "/keys")) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream table(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    table.seekp(20);
    table << "DAMAGE";
  }
  Open();
  EXPECT_EQ(Run(engine_->ReadKeys("o0", {})).error(), EngineError::kCorrupt);
  EXPECT_THAT(Run(engine_->Check(false)), ::testing::Contains(HasSubstr("checksum")));
}

TEST_F(EmbeddedEngineTest, DataFilesThatBelongToNobodyAreFoundAndRemoved) {
  Open();
  ASSERT_EQ(WriteBytes("d", 0, 10), EngineError::kNone);
  std::ofstream(store() + "/data/2a/stranger") << "text";
  EXPECT_THAT(Run(engine_->Check(false)), ElementsAre("data file 2a/stranger belongs to no object"));
  EXPECT_THAT(Run(engine_->Check(true)), ElementsAre("data file 2a/stranger belongs to no object: removed"));
  EXPECT_THAT(Run(engine_->Check(false)), IsEmpty());
  EXPECT_EQ(*Run(engine_->DataSize("d")), 10u);
}

TEST_F(EmbeddedEngineTest, NewDataStopsAtTheReserveRecordsAndDeletesDoNot) {
  auto disk = UseFaultyDisk();
  options_.reserve_percent = 3;
  options_.reserve_bytes = 64 << 20;
  disk->SetSpace(FileSystemSeam::Space{std::uint64_t{10} << 30, std::uint64_t{1} << 30});
  Open();
  ASSERT_EQ(WriteBytes("d", 0, 4 * kPage), EngineError::kNone);
  EXPECT_EQ(Run(engine_->Usage())->free_bytes, (std::uint64_t{1} << 30) - (std::uint64_t{10} << 30) / 100 * 3);

  disk->SetSpace(FileSystemSeam::Space{std::uint64_t{10} << 30, std::uint64_t{300} << 20});
  EXPECT_EQ(Run(engine_->Usage())->free_bytes, 0u);
  EXPECT_EQ(WriteBytes("d", 4 * kPage, 1), EngineError::kNoSpace);
  EXPECT_EQ(WriteBytes("new", 0, 1), EngineError::kNoSpace);
  EXPECT_EQ(WriteBytes("d", kPage, kPage), EngineError::kNone);  // in its own place
  EXPECT_EQ(Run(engine_->Write("o", {}, SetK())).error(), EngineError::kNoSpace);
  EXPECT_TRUE(Run(engine_->Write("o", {}, SetK(), Durability::kStable, WriteClass::kRecord)).ok());
  EXPECT_TRUE(Run(engine_->Write("d", {}, {Mutation::RemoveObject()})).ok());
  EXPECT_EQ(*Run(engine_->DataSize("d")), 0u);

  // On a small file system the bytes count, not the percent.
  disk->SetSpace(FileSystemSeam::Space{std::uint64_t{1} << 30, std::uint64_t{60} << 20});
  EXPECT_EQ(WriteBytes("d", 0, 1), EngineError::kNoSpace);
  disk->SetSpace(FileSystemSeam::Space{std::uint64_t{1} << 30, std::uint64_t{70} << 20});
  EXPECT_EQ(WriteBytes("d", 0, 1), EngineError::kNone);
}

TEST_F(EmbeddedEngineTest, AFileWhoseSyncFailedIsFailedForGood) {
  auto disk = UseFaultyDisk();
  options_.max_open_files = 16;
  Open();
  ASSERT_EQ(WriteBytes("d", 0, kPage), EngineError::kNone);
  disk->FailSyncs(1);
  EXPECT_EQ(WriteBytes("d", 0, kPage), EngineError::kIo);
  // The disk answers well again; what it lost stays lost.
  EXPECT_EQ(WriteBytes("d", 0, kPage), EngineError::kIo);
  EXPECT_EQ(Run(engine_->Flush("d")), EngineError::kIo);
  for (int i = 0; i < 40; ++i) ASSERT_EQ(WriteBytes("other" + std::to_string(i), 0, 1), EngineError::kNone);
  EXPECT_EQ(WriteBytes("d", 0, kPage, Durability::kProcess), EngineError::kIo) << "forgotten with its descriptor";
  EXPECT_TRUE(Run(engine_->Write("d", {}, {Mutation::RemoveObject()})).ok());
  EXPECT_EQ(WriteBytes("d", 0, kPage), EngineError::kNone);
}

TEST_F(EmbeddedEngineTest, StableWritesThatMeetShareTheirSyncs) {
  auto disk = UseFaultyDisk();
  Open();
  ASSERT_EQ(WriteBytes("d", 0, 1), EngineError::kNone);
  const std::uint64_t before = disk->syncs();
  disk->SlowSyncs(std::chrono::milliseconds(20));
  constexpr int kWriters = 64;
  int done = 0;
  const Bytes page(kPage, 'x');
  for (int i = 0; i < kWriters; ++i) {
    Start([](Engine& e, int n, const Bytes& bytes, int& finished) -> Task<void> {
      EXPECT_EQ(co_await e.WriteData("d", static_cast<std::uint64_t>(n) * kPage, bytes, Durability::kStable),
                EngineError::kNone);
      ++finished;
    }(*engine_, i, page, done));
  }
  while (done < kWriters) Run(engine_->Usage()).ok();
  EXPECT_GE(disk->syncs(), before + 1);
  EXPECT_LE(disk->syncs(), before + kWriters / 4);
}

// Adds one to the number under "n" so many times, against everybody else who does.
Task<int> CountUp(Engine& engine, int times, Durability durability) {
  int retries = 0;
  for (int done = 0; done < times;) {
    std::vector<std::string> keys{"n"};
    auto values = co_await engine.ReadKeysExact("counter", std::move(keys));
    if (!values.ok()) co_return -1;
    const std::string before = values->front().value_or("");
    std::vector<Guard> guards{Guard::KeyEquals("n", before)};
    std::vector<Mutation> mutations{Mutation::Set("n", std::to_string(std::stoi(before) + 1))};
    const auto written = co_await engine.Write("counter", std::move(guards), std::move(mutations), durability);
    if (written.ok()) {
      ++done;
    } else if (written.error() == EngineError::kGuardFailed) {
      ++retries;
    } else {
      co_return -1;
    }
  }
  co_return retries;
}

TEST_F(EmbeddedEngineTest, WritesThatWaitForASyncAndWritesThatDoNotSeeEachOther) {
  Open();
  std::vector<Mutation> zero{Mutation::Set("n", "0")};
  ASSERT_TRUE(Run(engine_->Write("counter", {}, std::move(zero))).ok());
  int left = 0;
  bool failed = false;
  for (int i = 0; i < 8; ++i) {
    ++left;
    const auto count = [](Engine& engine, int index, int& running, bool& bad) -> Task<void> {
      const auto durability = index % 2 == 0 ? Durability::kProcess : Durability::kStable;
      if (co_await CountUp(engine, 50, durability) < 0) bad = true;
      --running;
    };
    Spawn(executor(), count(*engine_, i, left, failed));
  }
  const auto wait = [](const int& running) -> Task<void> {
    while (running != 0) co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
  };
  Run(wait(left));
  EXPECT_FALSE(failed);
  std::vector<std::string> keys{"n"};
  auto value = Run(engine_->ReadKeysExact("counter", std::move(keys)));
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(value->front(), "400");
}

TEST_F(EmbeddedEngineTest, WritesOnTheCoreAndInThePoolAreBothThere) {
  options_.inline_write_bytes = 8192;
  Open();
  Bytes expected(16 * kPage, 0);
  // Aligned ones up to two pages are done at once, the others by the pool.
  const struct {
    std::uint64_t offset;
    std::size_t length;
  } writes[] = {{0, 16 * kPage}, {kPage, kPage}, {2 * kPage, 2 * kPage}, {5 * kPage, 3 * kPage}, {kPage + 7, 100}, {9 * kPage, kPage}};
  std::uint8_t fill = 1;
  for (const auto& write : writes) {
    const Bytes bytes(write.length, fill++);
    ASSERT_EQ(Run(engine_->WriteData("o", write.offset, bytes, Durability::kProcess)), EngineError::kNone);
    std::copy(bytes.begin(), bytes.end(), expected.begin() + static_cast<std::ptrdiff_t>(write.offset));
  }
  Bytes found(expected.size());
  ASSERT_TRUE(Run(engine_->ReadData("o", 0, found)).ok());
  EXPECT_EQ(found, expected);
}

TEST_F(EmbeddedEngineTest, AFullDiskUnderTheKeysIsSurvived) {
  auto disk = UseFaultyDisk();
  Open();
  ASSERT_TRUE(Run(engine_->Write("o", {}, SetK())).ok());
  disk->SetFull(true);
  EXPECT_EQ(Run(engine_->Write("o", {}, SetK())).error(), EngineError::kNoSpace);
  EXPECT_EQ(Run(engine_->Write("o", {}, SetK())).error(), EngineError::kNoSpace);
  EXPECT_EQ(Run(engine_->Flush("o")), EngineError::kNoSpace);
  EXPECT_TRUE(Run(engine_->ReadKeys("o", {})).ok());
  disk->SetFull(false);
  auto version = Run(engine_->Write("o", {}, SetK()));
  for (int i = 0; i < 300 && !version.ok(); ++i) {
    EXPECT_EQ(version.error(), EngineError::kNoSpace);
    ::usleep(50000);  // RocksDB looks for room every five seconds
    version = Run(engine_->Write("o", {}, SetK()));
  }
  ASSERT_TRUE(version.ok()) << EngineErrorName(version.error());
  Open();
  auto page = Run(engine_->ReadKeys("o", {}));
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->version, *version);
}

TEST_F(EmbeddedEngineTest, BlocksAreSharedWhereTheFileSystemCanAndCopiedElsewhere) {
  const auto disk = UseFaultyDisk();
  disk->SetSharesBlocks(true);
  Open();
  ASSERT_EQ(WriteBytes("from", 0, 5 * kPage + 100), EngineError::kNone);
  ASSERT_EQ(WriteBytes("from", 8 * kPage, 2 * kPage), EngineError::kNone);
  ASSERT_EQ(Run(engine_->DuplicateData("from", 0, "to", 0, 10 * kPage, Durability::kStable)), EngineError::kNone);
  // Page 5 is whole to the end of the file.
  EXPECT_EQ(disk->shared_bytes(), 8 * kPage);
  disk->SetSharesBlocks(false);
  ASSERT_EQ(Run(engine_->DuplicateData("from", 0, "copy", 0, 10 * kPage, Durability::kStable)), EngineError::kNone);
  EXPECT_EQ(disk->shared_bytes(), 8 * kPage);
  Bytes shared(10 * kPage), copied(10 * kPage);
  ASSERT_TRUE(Run(engine_->ReadData("to", 0, shared)).ok());
  ASSERT_TRUE(Run(engine_->ReadData("copy", 0, copied)).ok());
  EXPECT_EQ(shared, copied);
  EXPECT_EQ(shared[5 * kPage + 99], 'x');
  EXPECT_EQ(shared[5 * kPage + 100], 0);
}

// Only a file system that shares blocks can show it: TEST_TMPDIR on XFS or Btrfs.
TEST_F(EmbeddedEngineTest, SharedBlocksAreNotOccupiedTwice) {
  const auto files = PosixFileSystem();
  const int a = files->Open(directory_.path() + "/a", true);
  const int b = files->Open(directory_.path() + "/b", true);
  const Bytes page(kPage, 'x');
  ASSERT_EQ(files->Write(a, page, 0), 0);
  const int shares = files->ShareBlocks(a, 0, b, 0, kPage);
  files->Close(a);
  files->Close(b);
  if (shares == -EOPNOTSUPP || shares == -ENOTTY) GTEST_SKIP() << "no blocks are shared here";
  ASSERT_EQ(shares, 0);

  constexpr std::uint64_t kBytes = 32 << 20;
  Open();
  ASSERT_EQ(WriteBytes("from", 0, kBytes), EngineError::kNone);
  FileSystemSeam::Space before, after;
  ASSERT_EQ(files->GetSpace(store(), &before), 0);
  ASSERT_EQ(Run(engine_->DuplicateData("from", 0, "to", 0, kBytes, Durability::kStable)), EngineError::kNone);
  ASSERT_EQ(files->GetSpace(store(), &after), 0);
  EXPECT_LT(before.free_bytes - after.free_bytes, kBytes / 4);
  Bytes read(kBytes);
  ASSERT_TRUE(Run(engine_->ReadData("to", 0, read)).ok());
  EXPECT_EQ(read, Bytes(kBytes, 'x'));
}

TEST_F(EmbeddedEngineTest, ADuplicateWithoutRoomForItsBytesChangesNothing) {
  const auto disk = UseFaultyDisk();
  Open();
  ASSERT_EQ(WriteBytes("from", 0, 8 * kPage), EngineError::kNone);
  const Bytes old(8 * kPage, 'o');
  ASSERT_EQ(Run(engine_->WriteData("to", 0, old, Durability::kStable)), EngineError::kNone);
  disk->SetSpace(FileSystemSeam::Space{std::uint64_t{1} << 30, 4 * kPage});
  EXPECT_EQ(Run(engine_->DuplicateData("from", 0, "to", 0, 8 * kPage, Durability::kStable)), EngineError::kNoSpace);
  Bytes now(8 * kPage);
  ASSERT_TRUE(Run(engine_->ReadData("to", 0, now)).ok());
  EXPECT_EQ(now, old);
  // Shared blocks take none.
  disk->SetSharesBlocks(true);
  Open();
  EXPECT_EQ(Run(engine_->DuplicateData("from", 0, "to", 0, 8 * kPage, Durability::kStable)), EngineError::kNone);
}

}  // namespace
}  // namespace holdfast
