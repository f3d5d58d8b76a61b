#include "tests/storage/volume/volume_fixture.h"

namespace holdfast {
namespace {

using ::testing::ElementsAre;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kStripe = 1 << 16;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;

class StreamsTest : public VolumeTest {
 protected:
  void SetUp() override {
    VolumeTest::SetUp();
    file_ = Create(kRootFileNumber, u"file");
  }
  StreamFacts Facts(StreamId id = kUnnamedStream) {
    Inode inode = *Run(volume().Load(file_));
    return *inode.FindStream(id);
  }
  void Write(std::uint64_t offset, const Bytes& data, Durability durability = Durability::kStable,
             StreamId stream = kUnnamedStream) {
    ASSERT_EQ(Run(volume().WriteData(file_, stream, offset, data, durability)), NtStatus::kSuccess);
  }
  Bytes Read(std::uint64_t offset, std::size_t length, StreamId stream = kUnnamedStream) {
    Bytes out(length, 0xEE);
    EXPECT_EQ(Run(volume().ReadData(file_, stream, offset, out)), NtStatus::kSuccess);
    return out;
  }
  void Crash() {
    volume_.reset();
    store_->PowerCut();
    Mount();
  }

  FileNumber file_ = 0;
};

TEST_F(StreamsTest, HolesReadZeroAndAreNotAllocated) {
  StreamFacts facts = Facts();
  ASSERT_EQ(Run(volume().Truncate(file_, facts, kMaxFileSize, Durability::kStable)), NtStatus::kSuccess);
  Write(0, Bytes(4096, 1));
  Write(40 * kTiB, Bytes(4096, 2));
  Write(kMaxFileSize - 4096, Bytes(4096, 3));
  EXPECT_THAT(Read(kMaxFileSize - 4096, 4096), Each(3));
  EXPECT_THAT(Read(20 * kTiB, 4096), Each(0));
  const auto ranges = *Run(volume().AllocatedRanges(file_, kUnnamedStream, {0, kMaxFileSize}));
  ASSERT_THAT(ranges, SizeIs(3));
  EXPECT_EQ(ranges[1].offset, 40 * kTiB);
  EXPECT_EQ(*Run(volume().AllocatedBytes(file_, kUnnamedStream)), 3 * 4096u);
  EXPECT_EQ(Facts().size, kMaxFileSize);
  ExpectSound();
}

TEST_F(StreamsTest, NothingLiesBehindTheLargestSize) {
  StreamFacts facts = Facts();
  const Bytes byte(1);
  EXPECT_EQ(Run(volume().WriteData(file_, 0, kMaxFileSize, byte, Durability::kStable)), NtStatus::kInvalidParameter);
  EXPECT_EQ(Run(volume().WriteData(file_, 0, ~0ull, byte, Durability::kStable)), NtStatus::kInvalidParameter);
  EXPECT_EQ(Run(volume().Truncate(file_, facts, kMaxFileSize + 1, Durability::kStable)), NtStatus::kInvalidParameter);
  EXPECT_EQ(Run(volume().PrepareExtend(file_, facts, kMaxFileSize + 1, Durability::kStable)),
            NtStatus::kInvalidParameter);
  EXPECT_EQ(Run(volume().PrepareExtend(file_, facts, kMaxFileSize, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(facts.may_extend_to, kMaxFileSize);
}

TEST_F(StreamsTest, LoadAfterACrashFindsTheTrueEnd) {
  StreamFacts facts = Facts();
  ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, 70000, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(facts.may_extend_to, kExtendStepBytes);
  Write(0, Bytes(70000, 5));
  Crash();
  facts = Facts();
  EXPECT_EQ(facts.size, 70000u);
  EXPECT_EQ(facts.may_extend_to, kExtendStepBytes);
  EXPECT_EQ(facts.valid_data_length, 70000u);
  ExpectSound();
}

TEST_F(StreamsTest, LoadTakesNoPromiseBackFromWhoeverIsWriting) {
  StreamFacts facts = Facts();
  ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, 100, Durability::kStable)), NtStatus::kSuccess);
  Write(0, Bytes(100, 1));
  EXPECT_EQ(Facts().size, 100u);  // somebody else looks at the file
  ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, 5000, Durability::kStable)), NtStatus::kSuccess);
  Write(100, Bytes(4900, 2));
  Crash();
  EXPECT_EQ(Facts().size, 5000u);
}

TEST_F(StreamsTest, PromiseIsWrittenOncePerStep) {
  StreamFacts facts = Facts();
  ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, 1, Durability::kStable)), NtStatus::kSuccess);
  const auto before = store_->operations();
  ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, kExtendStepBytes, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(store_->operations(), before);
  ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, kExtendStepBytes + 1, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_GT(store_->operations(), before);
}

TEST_F(StreamsTest, StableBytesAreFoundThoughThePromiseWasNotStable) {
  file_ = Create(kRootFileNumber, u"loose", false, Durability::kProcess);
  StreamFacts facts = Facts();
  ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, 100, Durability::kProcess)), NtStatus::kSuccess);
  Write(0, Bytes(100, 1), Durability::kProcess);
  ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, 8192, Durability::kStable)), NtStatus::kSuccess);
  Write(4096, Bytes(4096, 2));
  Crash();
  ASSERT_EQ(Find(kRootFileNumber, u"loose"), file_);
  EXPECT_EQ(Facts().size, 8192u);
  EXPECT_THAT(Read(4096, 4096), Each(2));
}

TEST_F(StreamsTest, FlushMakesAFileOfTheProcessStable) {
  file_ = Create(kRootFileNumber, u"loose", false, Durability::kProcess);
  StreamFacts facts = Facts();
  ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, 100, Durability::kProcess)), NtStatus::kSuccess);
  Write(0, Bytes(100, 1), Durability::kProcess);
  facts.size = facts.may_extend_to = 100;
  ASSERT_EQ(Run(volume().StoreStream(file_, facts, Durability::kProcess)), NtStatus::kSuccess);
  ASSERT_EQ(Run(volume().Flush(file_, kUnnamedStream)), NtStatus::kSuccess);
  Crash();
  EXPECT_EQ(Find(kRootFileNumber, u"loose"), file_);
  EXPECT_EQ(Facts().size, 100u);
  EXPECT_THAT(Read(0, 100), Each(1));
}

TEST_F(StreamsTest, WhatIsWrittenDuringAFlushIsNotTakenForStable) {
  file_ = Create(kRootFileNumber, u"loose", false, Durability::kProcess);
  StreamFacts facts = Facts();
  // The promise is written while a flush of the name is under way that has passed the inode already.
  const auto promise = [this, &facts]() -> Task<void> {
    EXPECT_EQ(co_await volume().PrepareExtend(file_, facts, 1, Durability::kProcess), NtStatus::kSuccess);
  };
  Start(promise());
  StreamFacts nothing;
  ASSERT_EQ(Run(volume().PrepareExtend(file_, nothing, 0, Durability::kStable)), NtStatus::kSuccess);
  Settle();
  ASSERT_GT(facts.may_extend_to, 0u);
  ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, 4096, Durability::kStable)), NtStatus::kSuccess);
  Write(0, Bytes(4096, 7));
  Crash();
  EXPECT_EQ(Facts().size, 4096u);
}

TEST_F(StreamsTest, FilesThatNobodyFlushesAreForgotten) {
  options_.most_loose_inodes = 8;
  Mount();
  for (int i = 0; i < 20; ++i) {
    Create(kRootFileNumber, Utf8ToUtf16Lossy("n" + std::to_string(i)), false, Durability::kProcess);
  }
  // Of each an inode and a directory entry.
  EXPECT_EQ(store_->operations(EngineOp::kFlush), 2 * 12u);
  ExpectSound();
}

TEST_F(StreamsTest, PowerCutTakesUnflushedFilesWholeOrNotAtAll) {
  for (int i = 0; i < 20; ++i) {
    const auto durability = i % 3 == 0 ? Durability::kStable : Durability::kProcess;
    Create(kRootFileNumber, Utf8ToUtf16Lossy("f" + std::to_string(i)), false, durability);
  }
  Crash();
  for (int i = 0; i < 20; ++i) {
    const auto name = Utf8ToUtf16Lossy("f" + std::to_string(i));
    auto entry = Run(volume().Lookup(kRootFileNumber, name));
    ASSERT_TRUE(entry.ok() || i % 3 != 0);
    if (!entry.ok()) continue;
    // An entry without its inode is found out by whoever opens it.
    if (Run(volume().Load(entry->number)).ok()) continue;
    EXPECT_EQ(Find(kRootFileNumber, name), 0u);
    EXPECT_NE(Create(kRootFileNumber, name), 0u);
  }
  Findings(true);
  ExpectSound();
}

TEST_F(StreamsTest, ShrinkAndGrowShowsZeros) {
  StreamFacts facts = Facts();
  ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, 9000, Durability::kStable)), NtStatus::kSuccess);
  Write(0, Bytes(9000, 5));
  ASSERT_EQ(Run(volume().Truncate(file_, facts, 100, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(facts.may_extend_to, 100u);
  ASSERT_EQ(Run(volume().Truncate(file_, facts, 9000, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_THAT(Read(0, 100), Each(5));
  EXPECT_THAT(Read(100, 8900), Each(0));
  ASSERT_EQ(Run(volume().Truncate(file_, facts, 0, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(*Run(volume().AllocatedBytes(file_, kUnnamedStream)), 0u);
  ExpectSound();
}

TEST_F(StreamsTest, ZeroDataKeepsTheSizeAndFreesTheRange) {
  StreamFacts facts = Facts();
  ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, 4 * 4096, Durability::kStable)), NtStatus::kSuccess);
  Write(0, Bytes(4 * 4096, 5));
  ASSERT_EQ(Run(volume().ZeroData(file_, kUnnamedStream, {4096, 8192}, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_THAT(Read(4096, 8192), Each(0));
  EXPECT_EQ(*Run(volume().AllocatedBytes(file_, kUnnamedStream)), 8192u);
  EXPECT_EQ(Facts().size, 4 * 4096u);
}

TEST_F(StreamsTest, NamedStreamsHaveBytesAndCaseBlindNamesOfTheirOwn) {
  StreamFacts facts;
  facts.name = u"Zone.Identifier";
  const StreamId id = *Run(volume().CreateStream(file_, facts, 0));
  EXPECT_NE(id, kUnnamedStream);
  facts.name = u"zone.IDENTIFIER";
  EXPECT_EQ(Run(volume().CreateStream(file_, facts, 0)).status(), NtStatus::kObjectNameCollision);
  facts.name = u"other";
  const StreamId other = *Run(volume().CreateStream(file_, facts, 0));
  Write(0, Bytes(10, 1), Durability::kStable, id);
  Write(0, Bytes(10, 2), Durability::kStable, other);
  EXPECT_THAT(Read(0, 10, id), Each(1));
  EXPECT_THAT(Read(0, 10), Each(0));

  facts = Facts(other);
  facts.name = u"ZONE.identifier";
  EXPECT_EQ(Run(volume().StoreStream(file_, facts, Durability::kStable)), NtStatus::kObjectNameCollision);
  facts.name = u"renamed";
  facts.sparse = true;
  facts.allocation_size = 65536;
  facts.size = facts.may_extend_to = 10;
  ASSERT_EQ(Run(volume().StoreStream(file_, facts, Durability::kStable)), NtStatus::kSuccess);
  Mount();
  Inode inode = *Run(volume().Load(file_));
  ASSERT_THAT(inode.streams, SizeIs(3));
  EXPECT_EQ(inode.streams[0].id, kUnnamedStream);
  const StreamFacts* stored = inode.FindStream(u"RENAMED");
  ASSERT_NE(stored, nullptr);
  EXPECT_TRUE(stored->sparse);
  EXPECT_EQ(stored->allocation_size, 65536u);

  ASSERT_EQ(Run(volume().RemoveStream(file_, id)), NtStatus::kSuccess);
  EXPECT_EQ(Run(volume().RemoveStream(file_, id)), NtStatus::kObjectNameNotFound);
  facts = {};
  facts.name = u"third";
  EXPECT_GT(*Run(volume().CreateStream(file_, facts, 0)), other);  // ids are not used again
  EXPECT_EQ(ObjectsUnder(keys::StreamPrefix(file_, id)), 0u);
}

TEST_F(StreamsTest, CreateFileTakesNamedStreamsAlong) {
  Inode inode;
  inode.number = NewNumber();
  inode.streams.resize(2);
  inode.streams[0].name = u"named";
  inode.streams[1].size = 5;  // the unnamed one, wherever it stands
  ASSERT_EQ(Run(volume().CreateFile(kRootFileNumber, u"with", inode, {}, Durability::kStable)), NtStatus::kSuccess);
  file_ = inode.number;
  EXPECT_EQ(Facts().size, 5u);
  EXPECT_EQ(Facts(1).name, u"named");
}

class StripesTest : public StreamsTest {
 protected:
  StripesTest() { options_.stripe_bytes = kStripe; }
};

TEST_F(StripesTest, BytesAreSpreadOverObjects) {
  Bytes data(3 * kStripe);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i * 31 >> 3);
  StreamFacts facts = Facts();
  ASSERT_EQ(Run(volume().PrepareExtend(file_, facts, 10 * kStripe, Durability::kStable)), NtStatus::kSuccess);
  Write(kStripe / 2, data);
  EXPECT_EQ(ObjectsUnder("s/"), 4u);
  EXPECT_EQ(Read(kStripe / 2, data.size()), data);
  EXPECT_THAT(Read(0, kStripe / 2), Each(0));
  const auto ranges = *Run(volume().AllocatedRanges(file_, kUnnamedStream, {0, kMaxFileSize}));
  ASSERT_THAT(ranges, SizeIs(1));  // merged over the seams
  EXPECT_EQ(ranges[0].length, data.size());
  EXPECT_EQ(*Run(volume().AllocatedBytes(file_, kUnnamedStream)), data.size());

  Mount();
  facts = Facts();
  EXPECT_EQ(facts.size, kStripe / 2 + data.size());
  ASSERT_EQ(Run(volume().ZeroData(file_, kUnnamedStream, {kStripe - 100, kStripe + 200}, Durability::kStable)),
            NtStatus::kSuccess);
  EXPECT_THAT(Read(kStripe - 100, kStripe + 200), Each(0));
  EXPECT_EQ(Read(2 * kStripe + 100, 1)[0], data[2 * kStripe + 100 - kStripe / 2]);
  ASSERT_EQ(Run(volume().Truncate(file_, facts, kStripe / 2 + 10, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(*Run(volume().AllocatedBytes(file_, kUnnamedStream)), 4096u);
  ExpectSound();
  ASSERT_EQ(Run(volume().Unlink(kRootFileNumber, u"file", file_, false, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(ObjectsUnder("s/"), 0u);
}

TEST_F(StripesTest, FarStripesAreFoundWithoutAskingForEachBetween) {
  Write(50 * kTiB, Bytes(4096, 8));
  const auto before = store_->operations();
  const auto ranges = *Run(volume().AllocatedRanges(file_, kUnnamedStream, {0, kMaxFileSize}));
  EXPECT_THAT(ranges, SizeIs(1));
  EXPECT_LT(store_->operations() - before, 10u);
}

}  // namespace
}  // namespace holdfast
