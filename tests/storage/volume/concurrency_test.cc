// Operations that interleave at every wait, of one volume and of two that share the store as nodes will.
#include <map>

#include "tests/storage/volume/volume_fixture.h"

namespace holdfast {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class ConcurrencyTest : public VolumeTest {
 protected:
  ConcurrencyTest() {
    MemoryOptions options;
    options.clock = &clock();
    options.max_delay = std::chrono::milliseconds(2);
    store_ = MemoryStore::Make(options);
    engine_ = MemoryEngine(store_, executor());
  }
  void SetUp() override {
    auto mounted = RunStepping(Volume::Mount(engine_, clock(), random_, options_));
    ASSERT_TRUE(mounted.ok());
    volume_ = std::move(*mounted);
  }
  void MountAnother() {
    other_engine_ = std::make_unique<MemoryEngine>(store_, executor());
    VolumeOptions options = options_;
    options.incarnation = 2;
    auto mounted = RunStepping(Volume::Mount(*other_engine_, clock(), random_, options));
    ASSERT_TRUE(mounted.ok());
    other_ = std::move(*mounted);
  }
  // Runs all at once and answers how each ended.
  std::vector<NtStatus> RunAll(std::vector<Task<NtStatus>> tasks) {
    auto outcomes = std::make_shared<std::vector<NtStatus>>(tasks.size(), NtStatus::kPending);
    auto left = std::make_shared<std::size_t>(tasks.size());
    auto done = std::make_shared<OneShot<int>>();
    for (std::size_t i = 0; i < tasks.size(); ++i) Start(Record(std::move(tasks[i]), outcomes, left, done, i));
    RunStepping(done->Wait());
    return *outcomes;
  }
  static Task<void> Record(Task<NtStatus> task, std::shared_ptr<std::vector<NtStatus>> outcomes,
                           std::shared_ptr<std::size_t> left, std::shared_ptr<OneShot<int>> done, std::size_t i) {
    (*outcomes)[i] = co_await std::move(task);
    if (--*left == 0) done->Set(0);
  }
  static Task<NtStatus> CreateIn(Volume& volume, FileNumber directory, std::u16string name, bool is_directory) {
    auto number = co_await volume.AllocateNumber();
    Inode inode;
    inode.number = *number;
    inode.directory = is_directory;
    co_return co_await volume.CreateFile(directory, std::move(name), std::move(inode), {}, Durability::kStable);
  }
  static Task<NtStatus> CreateLater(Clock& clock, Duration pause, Volume& volume, FileNumber directory,
                                    std::u16string name) {
    co_await SleepFor(clock, pause);
    co_return co_await CreateIn(volume, directory, std::move(name), false);
  }
  FileNumber Made(FileNumber directory, std::u16string name, bool is_directory = false) {
    EXPECT_EQ(RunStepping(CreateIn(volume(), directory, name, is_directory)), NtStatus::kSuccess);
    auto entry = RunStepping(volume().Lookup(directory, name));
    return entry.ok() ? entry->number : 0;
  }
  std::vector<std::string> Listed(FileNumber directory) {
    std::vector<std::string> names;
    std::u16string after;
    for (bool more = true; more;) {
      auto page = RunStepping(volume().List(directory, after, 7));
      EXPECT_TRUE(page.ok());
      if (!page.ok()) break;
      for (const auto& entry : page->entries) names.push_back(Utf16ToUtf8(entry.name));
      more = page->more;
      if (more) after = page->entries.back().name;
    }
    return names;
  }
  void ExpectSoundNow() {
    auto report = RunStepping(volume().Check(false));
    ASSERT_TRUE(report.ok());
    EXPECT_THAT(report->findings, IsEmpty());
  }
  static std::size_t Count(const std::vector<NtStatus>& outcomes, NtStatus status) {
    return static_cast<std::size_t>(std::count(outcomes.begin(), outcomes.end(), status));
  }

  std::unique_ptr<MemoryEngine> other_engine_;
  std::unique_ptr<Volume> other_;
};

TEST_F(ConcurrencyTest, OfManyCreatorsOfOneNameExactlyOneWins) {
  MountAnother();
  for (int round = 0; round < 10; ++round) {
    const auto name = Utf8ToUtf16Lossy("name" + std::to_string(round));
    std::vector<Task<NtStatus>> tasks;
    for (int i = 0; i < 6; ++i) {
      tasks.push_back(CreateIn(i % 2 == 0 ? volume() : *other_, kRootFileNumber, name, i % 3 == 0));
    }
    const auto outcomes = RunAll(std::move(tasks));
    EXPECT_EQ(Count(outcomes, NtStatus::kSuccess), 1u);
    EXPECT_EQ(Count(outcomes, NtStatus::kObjectNameCollision), 5u);
  }
  EXPECT_THAT(Listed(kRootFileNumber), SizeIs(10));
  ExpectSoundNow();
}

TEST_F(ConcurrencyTest, InsertsDuringSplitsAreNeitherLostNorDoubled) {
  options_.shard_split_entries = 5;
  SetUp();
  MountAnother();
  const FileNumber directory = Made(kRootFileNumber, u"dir", true);
  std::vector<Task<NtStatus>> tasks;
  for (int i = 0; i < 150; ++i) {
    const auto name = Utf8ToUtf16Lossy("n" + std::to_string(1000 + i * 37 % 150));
    tasks.push_back(CreateIn(volume(), directory, name, false));
  }
  EXPECT_EQ(Count(RunAll(std::move(tasks)), NtStatus::kSuccess), 150u);
  const auto names = Listed(directory);
  ASSERT_THAT(names, SizeIs(150));
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  // The other node's maps are out of date, and it finds everything all the same.
  for (const auto& name : names) EXPECT_TRUE(RunStepping(other_->Lookup(directory, Utf8ToUtf16Lossy(name))).ok());
  ExpectSoundNow();
}

TEST_F(ConcurrencyTest, CreateInADirectoryThatIsBeingRemovedEndsOneWayOrTheOther) {
  int removed = 0;
  for (int round = 0; round < 20; ++round) {
    const auto name = Utf8ToUtf16Lossy("dir" + std::to_string(round));
    const FileNumber directory = Made(kRootFileNumber, name, true);
    std::vector<Task<NtStatus>> tasks;
    const auto pause = std::chrono::milliseconds(round);
    tasks.push_back(CreateLater(clock(), pause, volume(), directory, u"inside"));
    tasks.push_back(volume().Unlink(kRootFileNumber, name, directory, false, Durability::kStable));
    const auto outcomes = RunAll(std::move(tasks));
    if (outcomes[1] == NtStatus::kSuccess) {
      ++removed;
      EXPECT_EQ(outcomes[0], NtStatus::kObjectPathNotFound);
    } else {
      EXPECT_EQ(outcomes[1], NtStatus::kDirectoryNotEmpty);
      EXPECT_EQ(outcomes[0], NtStatus::kSuccess);
    }
  }
  EXPECT_GT(removed, 0);
  EXPECT_LT(removed, 20);
  ExpectSoundNow();
}

TEST_F(ConcurrencyTest, RenamesAcrossEachOtherDoNotWaitForEver) {
  const FileNumber a = Made(kRootFileNumber, u"a");
  const FileNumber b = Made(kRootFileNumber, u"b");
  std::vector<Task<NtStatus>> tasks;
  tasks.push_back(volume().Rename(a, kRootFileNumber, u"a", kRootFileNumber, u"b", b, false));
  tasks.push_back(volume().Rename(b, kRootFileNumber, u"b", kRootFileNumber, u"a", a, false));
  const auto outcomes = RunAll(std::move(tasks));
  EXPECT_EQ(Count(outcomes, NtStatus::kSuccess), 1u);
  EXPECT_THAT(Listed(kRootFileNumber), SizeIs(1));
  ExpectSoundNow();
}

TEST_F(ConcurrencyTest, TwoMovesOfDirectoriesMakeNoRing) {
  const FileNumber a = Made(kRootFileNumber, u"a", true);
  const FileNumber b = Made(kRootFileNumber, u"b", true);
  std::vector<Task<NtStatus>> tasks;
  tasks.push_back(volume().Rename(a, kRootFileNumber, u"a", b, u"a", 0, false));
  tasks.push_back(volume().Rename(b, kRootFileNumber, u"b", a, u"b", 0, false));
  const auto outcomes = RunAll(std::move(tasks));
  EXPECT_EQ(Count(outcomes, NtStatus::kSuccess), 1u);
  EXPECT_EQ(Count(outcomes, NtStatus::kInvalidParameter), 1u);
  ExpectSoundNow();
}

TEST_F(ConcurrencyTest, ALoadDoesNotFinishATruncationThatIsUnderWay) {
  using std::chrono::milliseconds;
  const FileNumber file = Made(kRootFileNumber, u"file");
  StreamFacts facts = RunStepping(volume().Load(file))->streams[0];
  const Bytes bytes(8192, 1);
  ASSERT_EQ(RunStepping(volume().PrepareExtend(file, facts, 8192, Durability::kStable)), NtStatus::kSuccess);
  ASSERT_EQ(RunStepping(volume().WriteData(file, 0, 0, bytes, Durability::kStable)), NtStatus::kSuccess);
  facts.size = 8192;
  // The first cut takes long enough for a load to see that it is pending, a second one would come far too late.
  MemoryFault slow;
  slow.op = EngineOp::kTruncateData;
  slow.error = EngineError::kNone;
  slow.delay = milliseconds(100);
  store_->Inject(slow);
  slow.nth = 2;
  slow.delay = milliseconds(1000);
  store_->Inject(slow);
  const auto cut_and_write = [&]() -> Task<NtStatus> {
    const NtStatus cut = co_await volume().Truncate(file, facts, 100, Durability::kStable);
    if (cut != NtStatus::kSuccess) co_return cut;
    const NtStatus promised = co_await volume().PrepareExtend(file, facts, 8192, Durability::kStable);
    if (promised != NtStatus::kSuccess) co_return promised;
    co_return co_await volume().WriteData(file, 0, 0, bytes, Durability::kStable);
  };
  const auto load = [&]() -> Task<NtStatus> {
    co_await SleepFor(clock(), milliseconds(50));
    const auto loaded = co_await volume().Load(file);
    co_return loaded.status();
  };
  std::vector<Task<NtStatus>> tasks;
  tasks.push_back(cut_and_write());
  tasks.push_back(load());
  EXPECT_EQ(Count(RunAll(std::move(tasks)), NtStatus::kSuccess), 2u);
  Bytes read(8192);
  ASSERT_EQ(RunStepping(volume().ReadData(file, 0, 0, read)), NtStatus::kSuccess);
  EXPECT_EQ(read, bytes);
}

TEST_F(ConcurrencyTest, BothNamesUnlinkedAtOnceTakeTheFileWithThem) {
  for (int round = 0; round < 10; ++round) {
    const FileNumber file = Made(kRootFileNumber, u"one");
    ASSERT_EQ(RunStepping(volume().Link(file, kRootFileNumber, u"two")), NtStatus::kSuccess);
    std::vector<Task<NtStatus>> tasks;
    tasks.push_back(volume().Unlink(kRootFileNumber, u"one", file, false, Durability::kStable));
    tasks.push_back(volume().Unlink(kRootFileNumber, u"two", file, false, Durability::kStable));
    EXPECT_EQ(Count(RunAll(std::move(tasks)), NtStatus::kSuccess), 2u);
    EXPECT_EQ(RunStepping(volume().Load(file)).status(), NtStatus::kObjectNameNotFound);
  }
  ExpectSoundNow();
}

TEST_F(ConcurrencyTest, ALookupDuringARenameFindsOneOfTheTwoStates) {
  const FileNumber file = Made(kRootFileNumber, u"old");
  for (int round = 0; round < 30; ++round) {
    const std::u16string from = round % 2 == 0 ? u"old" : u"new";
    const std::u16string to = round % 2 == 0 ? u"new" : u"old";
    NtStatus renamed = NtStatus::kPending;
    Start([](Volume& v, FileNumber n, std::u16string f, std::u16string t, NtStatus& out) -> Task<void> {
      out = co_await v.Rename(n, kRootFileNumber, f, kRootFileNumber, t, 0, false);
    }(volume(), file, from, to, renamed));
    bool seen_new = false;
    while (renamed == NtStatus::kPending) {
      const bool is_new = RunStepping(volume().Lookup(kRootFileNumber, to)).ok();
      EXPECT_TRUE(is_new || !seen_new) << "the new name came and went";
      seen_new |= is_new;
    }
    EXPECT_EQ(renamed, NtStatus::kSuccess);
  }
  ExpectSoundNow();
}

}  // namespace
}  // namespace holdfast
