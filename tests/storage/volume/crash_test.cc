// Every change of several writes, cut off at every operation of the engine: the next mount finds the old or the new
// state, and the check has nothing left to complain of once it has repaired.
#include <functional>

#include "tests/storage/volume/volume_fixture.h"

namespace holdfast {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::IsEmpty;

enum class Cut { kBefore, kAfter, kPower };

std::string CutName(const ::testing::TestParamInfo<Cut>& info) {
  return info.param == Cut::kBefore ? "BeforeTheWrite" : info.param == Cut::kAfter ? "AfterTheWrite" : "PowerToo";
}

class CrashTest : public VolumeTest, public ::testing::WithParamInterface<Cut> {
 protected:
  using Setup = std::function<void()>;
  using Action = std::function<Task<NtStatus>()>;

  // A store of its own for each round, set up alike.
  void Fresh(const Setup& setup) {
    volume_.reset();
    store_ = MemoryStore::Make();
    engine_ = MemoryEngine(store_, executor());
    random_ = SeededRandom(42);
    Mount();
    setup();
  }

  // From the n-th operation on nothing reaches the store; with kAfter the n-th itself still does.
  void FailFrom(std::uint64_t n) {
    if (GetParam() == Cut::kAfter) {
      MemoryFault lost;
      lost.nth = n;
      lost.applied = true;
      store_->Inject(lost);
      ++n;
    }
    MemoryFault dead;
    dead.nth = n;
    dead.times = ~std::uint64_t{0};
    store_->Inject(dead);
  }

  void CrashEverywhere(const Setup& setup, const Action& action) {
    Fresh(setup);
    const std::string old_tree = Tree();
    ASSERT_EQ(Run(action()), NtStatus::kSuccess);
    const std::string new_tree = Tree();
    ASSERT_NE(old_tree, new_tree);
    ExpectSound();

    const bool outlives = synced_ || GetParam() != Cut::kPower;
    std::uint64_t rounds = 0;
    bool saw_old = false;
    bool saw_new = false;
    for (std::uint64_t n = 1;; ++n, ++rounds) {
      SCOPED_TRACE("operation " + std::to_string(n));
      Fresh(setup);
      FailFrom(n);
      const std::uint64_t before = store_->operations();
      const NtStatus status = Run(action());
      const bool reached = store_->operations() - before >= n;
      store_->ClearFaults();
      volume_.reset();
      if (GetParam() == Cut::kPower) store_->PowerCut();
      Mount();

      // Of what was not synced a store may forget the earlier half only: then the check makes the tree sound again.
      if (!outlives) Findings(true);
      const std::string listed = Tree();
      EXPECT_THAT(listed, AnyOf(old_tree, new_tree));
      const bool kept = status == NtStatus::kSuccess && outlives;
      if (kept) {
        EXPECT_EQ(listed, new_tree) << "what was acknowledged is lost";
      }
      if (listed == old_tree) ExpectBytesOfFile();
      saw_old |= listed == old_tree;
      saw_new |= listed == new_tree;
      const auto orphans = Run(volume().ReadOrphans());
      ASSERT_TRUE(orphans.ok());
      for (const FileNumber orphan : *orphans) EXPECT_EQ(Run(volume().Purge(orphan)), NtStatus::kSuccess);
      Findings(true);
      EXPECT_THAT(Findings(), IsEmpty());
      EXPECT_THAT(Tree(), AnyOf(old_tree, new_tree));
      if (kept) {
        EXPECT_EQ(Tree(), new_tree);
      }
      EXPECT_NE(Create(kRootFileNumber, u"afterwards"), 0u);
      ExpectSound();
      if (HasFailure() || !reached) break;
    }
    EXPECT_GT(rounds, 2u);
    EXPECT_TRUE(saw_old);
    if (outlives) {
      EXPECT_TRUE(saw_new);
    }
  }

  // Where the setup wrote any, they are there as long as the name is.
  void ExpectBytesOfFile() {
    if (bytes_.empty()) return;
    Bytes read(bytes_.size());
    ASSERT_EQ(Run(volume().ReadData(file_, kUnnamedStream, 0, read)), NtStatus::kSuccess);
    EXPECT_EQ(read, bytes_);
  }

  bool synced_ = true;  // whether the action's success outlives the power
  Bytes bytes_;
  FileNumber file_ = 0;
  FileNumber other_ = 0;
  FileNumber directory_ = 0;
  FileNumber number_ = 0;
};

TEST_P(CrashTest, Create) {
  CrashEverywhere([this] { number_ = NewNumber(); }, [this] { return CreateTask(number_, kRootFileNumber, u"new"); });
}

TEST_P(CrashTest, CreateDirectory) {
  CrashEverywhere([this] { number_ = NewNumber(); },
                  [this] { return CreateTask(number_, kRootFileNumber, u"new", true); });
}

TEST_P(CrashTest, Link) {
  CrashEverywhere([this] { file_ = Create(kRootFileNumber, u"file"); },
                  [this] { return volume().Link(file_, kRootFileNumber, u"second"); });
}

TEST_P(CrashTest, Unlink) {
  CrashEverywhere(
      [this] {
        file_ = Create(kRootFileNumber, u"file");
        const Bytes data(100, 1);
        ASSERT_EQ(Run(volume().WriteData(file_, kUnnamedStream, 0, data, Durability::kStable)), NtStatus::kSuccess);
        StreamFacts facts = Run(volume().Load(file_))->streams[0];
        ASSERT_EQ(Run(volume().Truncate(file_, facts, 100, Durability::kStable)), NtStatus::kSuccess);
      },
      [this] { return volume().Unlink(kRootFileNumber, u"file", file_, false, Durability::kStable); });
}

TEST_P(CrashTest, UnlinkOfAnEmptyFileThatIsNotSynced) {
  synced_ = false;
  CrashEverywhere([this] { file_ = Create(kRootFileNumber, u"file"); },
                  [this] { return volume().Unlink(kRootFileNumber, u"file", file_, false, Durability::kProcess); });
}

TEST_P(CrashTest, UnlinkOfBytesIsSyncedInAnyCase) {
  bytes_ = Bytes(100, 1);
  CrashEverywhere(
      [this] {
        file_ = Create(kRootFileNumber, u"file");
        ASSERT_EQ(Run(volume().WriteData(file_, kUnnamedStream, 0, bytes_, Durability::kStable)), NtStatus::kSuccess);
        StreamFacts facts = Run(volume().Load(file_))->streams[0];
        ASSERT_EQ(Run(volume().Truncate(file_, facts, 100, Durability::kStable)), NtStatus::kSuccess);
      },
      [this] { return volume().Unlink(kRootFileNumber, u"file", file_, false, Durability::kProcess); });
}

TEST_P(CrashTest, UnlinkOfOneOfTwoNames) {
  CrashEverywhere(
      [this] {
        file_ = Create(kRootFileNumber, u"file");
        ASSERT_EQ(Run(volume().Link(file_, kRootFileNumber, u"second")), NtStatus::kSuccess);
      },
      [this] { return volume().Unlink(kRootFileNumber, u"file", file_, false, Durability::kStable); });
}

TEST_P(CrashTest, UnlinkOfADirectory) {
  CrashEverywhere([this] { directory_ = MakeDirectory(kRootFileNumber, u"dir"); },
                  [this] { return volume().Unlink(kRootFileNumber, u"dir", directory_, false, Durability::kStable); });
}

TEST_P(CrashTest, RenameInADirectory) {
  CrashEverywhere([this] { file_ = Create(kRootFileNumber, u"file"); }, [this] {
    return volume().Rename(file_, kRootFileNumber, u"file", kRootFileNumber, u"renamed", 0, false);
  });
}

TEST_P(CrashTest, RenameOfTheCase) {
  CrashEverywhere([this] { file_ = Create(kRootFileNumber, u"file"); }, [this] {
    return volume().Rename(file_, kRootFileNumber, u"file", kRootFileNumber, u"FILE", 0, false);
  });
}

TEST_P(CrashTest, RenameAcrossDirectories) {
  CrashEverywhere(
      [this] {
        directory_ = MakeDirectory(kRootFileNumber, u"dir");
        file_ = Create(kRootFileNumber, u"file");
      },
      [this] { return volume().Rename(file_, kRootFileNumber, u"file", directory_, u"moved", 0, false); });
}

TEST_P(CrashTest, RenameOfADirectoryToAnotherParent) {
  CrashEverywhere(
      [this] {
        directory_ = MakeDirectory(kRootFileNumber, u"dir");
        other_ = MakeDirectory(kRootFileNumber, u"other");
        Create(other_, u"inside");
      },
      [this] { return volume().Rename(other_, kRootFileNumber, u"other", directory_, u"moved", 0, false); });
}

TEST_P(CrashTest, RenameOverAFile) {
  CrashEverywhere(
      [this] {
        directory_ = MakeDirectory(kRootFileNumber, u"dir");
        file_ = Create(kRootFileNumber, u"file");
        other_ = Create(directory_, u"target");
      },
      [this] { return volume().Rename(file_, kRootFileNumber, u"file", directory_, u"target", other_, false); });
}

TEST_P(CrashTest, RenameOverAFileThatIsHeldOpen) {
  CrashEverywhere(
      [this] {
        file_ = Create(kRootFileNumber, u"file");
        other_ = Create(kRootFileNumber, u"target");
      },
      [this] { return volume().Rename(file_, kRootFileNumber, u"file", kRootFileNumber, u"Target", other_, true); });
}

TEST_P(CrashTest, Split) {
  options_.shard_split_entries = 6;
  CrashEverywhere(
      [this] {
        directory_ = MakeDirectory(kRootFileNumber, u"dir");
        for (const auto* name : {u"a", u"b", u"c", u"d", u"e", u"f"}) Create(directory_, name);
        number_ = NewNumber();
      },
      [this] { return CreateTask(number_, directory_, u"g"); });
}

TEST_P(CrashTest, SecondSplit) {
  options_.shard_split_entries = 4;
  CrashEverywhere(
      [this] {
        directory_ = MakeDirectory(kRootFileNumber, u"dir");
        for (const auto* name : {u"a", u"b", u"c", u"d", u"e", u"f"}) Create(directory_, name);
        number_ = NewNumber();
      },
      [this] { return CreateTask(number_, directory_, u"g"); });
}

TEST_P(CrashTest, TruncationIsOldOrNewAndBytesBehindTheEndAreGone) {
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE("operation " + std::to_string(n));
    Fresh([this] {
      file_ = Create(kRootFileNumber, u"file");
      StreamFacts facts = Run(volume().Load(file_))->streams[0];
      ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, 10000, Durability::kStable)), NtStatus::kSuccess);
      const Bytes data(10000, 9);
      ASSERT_EQ(Run(volume().WriteData(file_, kUnnamedStream, 0, data, Durability::kStable)), NtStatus::kSuccess);
      facts.size = 10000;
      ASSERT_EQ(Run(volume().StoreStream(file_, facts, Durability::kStable)), NtStatus::kSuccess);
    });
    StreamFacts facts = Run(volume().Load(file_))->streams[0];
    FailFrom(n);
    const std::uint64_t before = store_->operations();
    const NtStatus status = Run(volume().Truncate(file_, facts, 3000, Durability::kStable));
    const bool reached = store_->operations() - before >= n;
    store_->ClearFaults();
    volume_.reset();
    if (GetParam() == Cut::kPower) store_->PowerCut();
    Mount();
    facts = Run(volume().Load(file_))->streams[0];
    EXPECT_THAT(facts.size, AnyOf(10000u, 3000u));
    if (status == NtStatus::kSuccess) {
      EXPECT_EQ(facts.size, 3000u);
    }
    ExpectSound();
    if (facts.size == 3000) {
      // What was cut off does not come back when the file grows.
      ASSERT_EQ(Run(volume().Truncate(file_, facts, 10000, Durability::kStable)), NtStatus::kSuccess);
    }
    Bytes read(10000);
    ASSERT_EQ(Run(volume().ReadData(file_, kUnnamedStream, 0, read)), NtStatus::kSuccess);
    EXPECT_EQ(read[2999], 9);
    EXPECT_THAT(read[3000], AnyOf(0, 9));
    EXPECT_EQ(read[3000], read[9999]);
    if (HasFailure() || !reached) break;
  }
}

TEST_P(CrashTest, FormatIsDoneAgainOrWhole) {
  for (std::uint64_t n = 1; n < 30; ++n) {
    volume_.reset();
    store_ = MemoryStore::Make();
    engine_ = MemoryEngine(store_, executor());
    FailFrom(n);
    static_cast<void>(Run(Volume::Mount(engine_, clock(), random_, options_)));
    store_->ClearFaults();
    if (GetParam() == Cut::kPower) store_->PowerCut();
    Mount();
    EXPECT_NE(Create(kRootFileNumber, u"file"), 0u);
    ExpectSound();
  }
}

INSTANTIATE_TEST_SUITE_P(Cuts, CrashTest, ::testing::Values(Cut::kBefore, Cut::kAfter, Cut::kPower), CutName);

}  // namespace
}  // namespace holdfast
