#include "tests/storage/files/operations_fixture.h"

#include "protocol/fscc/attributes.h"

namespace holdfast {
namespace {

class DataTest : public OperationsTest {
 public:
  NtStatus SetEnd(const OpenPtr& open, std::uint64_t size) { return Run(files().SetEndOfFile(open, size)); }
  NtStatus WriteAt(const OpenPtr& open, std::uint64_t offset, std::size_t length, bool unbuffered = false) {
    const Bytes data(length, 'x');
    return Run(files().Write(open, offset, data, false, unbuffered));
  }
  NtStatus ReadAt(const OpenPtr& open, std::uint64_t offset, std::size_t length, bool unbuffered = false) {
    Bytes data(length);
    return Run(files().Read(open, offset, data, unbuffered)).status();
  }
};

TEST_F(DataTest, ReadsWhatWasWrittenAndZerosBetween) {
  const auto open = Open(u"f");
  EXPECT_EQ(Write(open, 0, "abc"), NtStatus::kSuccess);
  EXPECT_EQ(Write(open, 6, "xyz"), NtStatus::kSuccess);
  EXPECT_EQ(*Read(open, 0, 100), std::string("abc\0\0\0xyz", 9));
  EXPECT_EQ(*Read(open, 8, 1), "z");
  EXPECT_EQ(Facts(open).end_of_file, 9u);
}

TEST_F(DataTest, TheEndOfFileIsAnErrorOnlyForBytes) {
  const auto open = Open(u"f");
  EXPECT_EQ(ReadAt(open, 0, 1), NtStatus::kEndOfFile);
  EXPECT_EQ(Write(open, 0, "abc"), NtStatus::kSuccess);
  EXPECT_EQ(ReadAt(open, 3, 1), NtStatus::kEndOfFile);
  EXPECT_EQ(ReadAt(open, 3, 0), NtStatus::kSuccess);
  EXPECT_EQ(ReadAt(open, 0x7FFFFFFFFFFFFFFE, 1), NtStatus::kEndOfFile);
  EXPECT_EQ(ReadAt(open, 0x7FFFFFFFFFFFFFFF, 0), NtStatus::kSuccess);
}

TEST_F(DataTest, OffsetsBehindTheLargestFileAreInvalid) {
  const auto open = Open(u"f");
  EXPECT_EQ(ReadAt(open, 0x7FFFFFFFFFFFFFFF, 1), NtStatus::kInvalidParameter);
  EXPECT_EQ(ReadAt(open, 0x8000000000000000, 0), NtStatus::kInvalidParameter);
  EXPECT_EQ(WriteAt(open, 0xFFFFFFFFFFFFFFFF, 1), NtStatus::kInvalidParameter);
  EXPECT_EQ(WriteAt(open, 0x8000000000000000, 0), NtStatus::kInvalidParameter);
  EXPECT_EQ(WriteAt(open, 0x7FFFFFFFFFFFFFFF, 0), NtStatus::kSuccess);
  EXPECT_EQ(WriteAt(open, kMaxFileSize, 1), NtStatus::kInvalidParameter);
  EXPECT_EQ(WriteAt(open, kMaxFileSize - 1, 1), NtStatus::kSuccess);
  EXPECT_EQ(SetEnd(open, kMaxFileSize + 1), NtStatus::kInvalidParameter);
  EXPECT_EQ(Facts(open).end_of_file, kMaxFileSize);
}

TEST_F(DataTest, UnbufferedTransfersAreWholeSectors) {
  OpenOptions options;
  options.options = kUnbuffered;
  const auto unbuffered = Open(u"f", options);
  const auto plain = Open(u"f");
  EXPECT_EQ(WriteAt(unbuffered, 512, 512), NtStatus::kSuccess);
  EXPECT_EQ(WriteAt(unbuffered, 1, 512), NtStatus::kInvalidParameter);
  EXPECT_EQ(WriteAt(unbuffered, 512, 511), NtStatus::kInvalidParameter);
  EXPECT_EQ(ReadAt(unbuffered, 0, 100), NtStatus::kInvalidParameter);
  EXPECT_EQ(ReadAt(unbuffered, 0, 1024), NtStatus::kSuccess);
  EXPECT_EQ(ReadAt(plain, 3, 5, true), NtStatus::kInvalidParameter);
  EXPECT_EQ(ReadAt(plain, 3, 5), NtStatus::kSuccess);
}

TEST_F(DataTest, RightsAreThoseGrantedAtOpen) {
  const auto all = Open(u"f");
  ASSERT_EQ(Write(all, 0, "abc"), NtStatus::kSuccess);
  OpenOptions options;
  options.access = access::kReadAttributes;
  const auto attributes = Open(u"f", options);
  EXPECT_EQ(ReadAt(attributes, 0, 1), NtStatus::kAccessDenied);
  EXPECT_EQ(WriteAt(attributes, 0, 1), NtStatus::kAccessDenied);
  EXPECT_EQ(SetEnd(attributes, 0), NtStatus::kAccessDenied);
  EXPECT_EQ(Run(files().Flush(attributes)), NtStatus::kAccessDenied);
  options.access = access::kExecute;
  EXPECT_EQ(ReadAt(Open(u"f", options), 0, 1), NtStatus::kSuccess);
  options.access = access::kAppendData;
  EXPECT_EQ(WriteAt(Open(u"f", options), 0, 1), NtStatus::kSuccess);
}

TEST_F(DataTest, DirectoriesHaveNoBytes) {
  const auto directory = MakeDirectory(u"d");
  EXPECT_EQ(ReadAt(directory, 0, 1), NtStatus::kInvalidDeviceRequest);
  EXPECT_EQ(ReadAt(directory, 0, 0), NtStatus::kInvalidDeviceRequest);
  EXPECT_EQ(WriteAt(directory, 0, 1), NtStatus::kInvalidDeviceRequest);
  EXPECT_EQ(SetEnd(directory, 1), NtStatus::kInvalidParameter);
  EXPECT_EQ(Run(files().Flush(directory)), NtStatus::kSuccess);
}

TEST_F(DataTest, AClosedOpenReadsNothing) {
  const auto open = Open(u"f");
  ASSERT_EQ(Write(open, 0, "abc"), NtStatus::kSuccess);
  ASSERT_EQ(Close(open), NtStatus::kSuccess);
  EXPECT_EQ(ReadAt(open, 0, 1), NtStatus::kFileClosed);
  EXPECT_EQ(WriteAt(open, 0, 1), NtStatus::kFileClosed);
}

TEST_F(DataTest, SizesShrinkAndGrowWithZeros) {
  const auto open = Open(u"f");
  ASSERT_EQ(Write(open, 0, "abcdef"), NtStatus::kSuccess);
  EXPECT_EQ(SetEnd(open, 3), NtStatus::kSuccess);
  EXPECT_EQ(SetEnd(open, 6), NtStatus::kSuccess);
  EXPECT_EQ(*Read(open, 0, 10), std::string("abc\0\0\0", 6));
  EXPECT_EQ(Run(files().SetAllocation(open, 0)), NtStatus::kSuccess);
  EXPECT_EQ(Facts(open).end_of_file, 0u);
}

TEST_F(DataTest, AllocationIsAtLeastTheSizeInClusters) {
  const auto open = Open(u"f");
  EXPECT_EQ(Facts(open).allocation_size, 0u);
  ASSERT_EQ(Write(open, 4096, "x"), NtStatus::kSuccess);
  EXPECT_EQ(Facts(open).allocation_size, 8192u);
  EXPECT_EQ(Run(files().SetAllocation(open, 100'000)), NtStatus::kSuccess);
  EXPECT_EQ(Facts(open).allocation_size, 102'400u);
  EXPECT_EQ(Facts(open).end_of_file, 4097u);
  EXPECT_EQ(Run(files().SetAllocation(open, 1)), NtStatus::kSuccess);
  EXPECT_EQ(Facts(open).end_of_file, 4096u);
  EXPECT_EQ(Run(files().SetAllocation(open, std::uint64_t{1} << 45)), NtStatus::kDiskFull);
}

TEST_F(DataTest, OnlyAnAdministratorSetsTheValidDataLength) {
  OpenOptions options;
  options.token = User(1001);
  const auto user = Open(u"f", options);
  const auto admin = Open(u"f");
  ASSERT_EQ(SetEnd(admin, 1000), NtStatus::kSuccess);
  EXPECT_EQ(Run(files().SetValidDataLength(user, 500)), NtStatus::kPrivilegeNotHeld);
  EXPECT_EQ(Run(files().SetValidDataLength(admin, 500)), NtStatus::kSuccess);
  EXPECT_EQ(Run(files().SetValidDataLength(admin, 400)), NtStatus::kInvalidParameter);
  EXPECT_EQ(Run(files().SetValidDataLength(admin, 1001)), NtStatus::kInvalidParameter);
}

TEST_F(DataTest, AFileThatIsNotSparseLooksAllocatedThroughout) {
  const auto open = Open(u"f");
  EXPECT_TRUE(Run(files().QueryAllocatedRanges(open, {0, 1024}))->empty());
  ASSERT_EQ(SetEnd(open, 1 << 20), NtStatus::kSuccess);
  const auto ranges = Run(files().QueryAllocatedRanges(open, {4096, 8192}));
  ASSERT_EQ(ranges->size(), 1u);
  EXPECT_EQ((*ranges)[0].offset, 4096u);
  EXPECT_EQ((*ranges)[0].length, 8192u);
  EXPECT_FALSE(Facts(open).file_attributes & file_attribute::kSparseFile);
}

TEST_F(DataTest, SparseFilesShowTheirHoles) {
  const auto open = Open(u"f");
  ASSERT_EQ(Run(files().SetSparse(open, true)), NtStatus::kSuccess);
  ASSERT_EQ(SetEnd(open, 1 << 20), NtStatus::kSuccess);
  ASSERT_EQ(WriteAt(open, 65536, 4096), NtStatus::kSuccess);
  EXPECT_TRUE(Facts(open).file_attributes & file_attribute::kSparseFile);
  EXPECT_EQ(Facts(open).allocation_size, 4096u);
  auto ranges = Run(files().QueryAllocatedRanges(open, {0, 1 << 20}));
  ASSERT_EQ(ranges->size(), 1u);
  EXPECT_EQ((*ranges)[0].offset, 65536u);
  EXPECT_EQ((*ranges)[0].length, 4096u);
  EXPECT_EQ(Run(files().ZeroRange(open, 65536, 1 << 30)), NtStatus::kSuccess);
  EXPECT_TRUE(Run(files().QueryAllocatedRanges(open, {0, 1 << 20}))->empty());
  EXPECT_EQ(Facts(open).end_of_file, 1u << 20);
  EXPECT_EQ(Run(files().ZeroRange(open, 2, 1)), NtStatus::kInvalidParameter);
}

TEST_F(DataTest, SparseIsRememberedAndNeverGuessed) {
  auto open = Open(u"f");
  ASSERT_EQ(Run(files().SetSparse(open, true)), NtStatus::kSuccess);
  ASSERT_EQ(Close(open), NtStatus::kSuccess);
  Remount();
  open = Open(u"f");
  EXPECT_TRUE(Facts(open).file_attributes & file_attribute::kSparseFile);
  ASSERT_EQ(Run(files().SetSparse(open, false)), NtStatus::kSuccess);
  EXPECT_FALSE(Facts(open).file_attributes & file_attribute::kSparseFile);
}

TEST_F(DataTest, CopiesWithinAFileSurviveOverlap) {
  const auto open = Open(u"f");
  std::string text(3 << 20, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  ASSERT_EQ(Write(open, 0, text), NtStatus::kSuccess);
  const auto copied = Run(files().CopyRange(open, 0, open, 1000, text.size()));
  ASSERT_TRUE(copied.ok());
  EXPECT_EQ(*copied, text.size());
  EXPECT_EQ(*Read(open, 1000, text.size()), text);
  EXPECT_EQ(Run(files().CopyRange(open, text.size(), open, 0, text.size())).status(), NtStatus::kInvalidViewSize);
}

TEST_F(DataTest, LocksOfOthersStopTransfers) {
  const auto owner = Open(u"f");
  const auto other = Open(u"f");
  ASSERT_EQ(WriteAt(owner, 0, 100), NtStatus::kSuccess);
  std::vector<LockRange> lock(1);
  lock[0] = {10, 10, true, false, true};
  ASSERT_EQ(Run(files().Lock(owner, lock, 0, false, nullptr)), NtStatus::kSuccess);
  EXPECT_EQ(ReadAt(other, 0, 11), NtStatus::kFileLockConflict);
  EXPECT_EQ(ReadAt(other, 0, 10), NtStatus::kSuccess);
  EXPECT_EQ(WriteAt(other, 19, 1), NtStatus::kFileLockConflict);
  EXPECT_EQ(Run(files().ZeroRange(other, 0, 100)), NtStatus::kFileLockConflict);
  EXPECT_EQ(WriteAt(owner, 0, 100), NtStatus::kSuccess);
  EXPECT_EQ(ReadAt(other, 15, 0), NtStatus::kSuccess);
}

TEST_F(DataTest, StreamsAreApart) {
  const auto file = Open(u"f");
  const auto stream = Open(u"f:side");
  ASSERT_EQ(Write(file, 0, "main"), NtStatus::kSuccess);
  ASSERT_EQ(Write(stream, 0, "aside"), NtStatus::kSuccess);
  EXPECT_EQ(*Read(file, 0, 10), "main");
  EXPECT_EQ(*Read(stream, 0, 10), "aside");
  const auto list = Run(files().QueryStreams(file));
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].name, u"::$DATA");
  EXPECT_EQ((*list)[1].name, u":side:$DATA");
  EXPECT_EQ((*list)[1].size, 5u);
}

// ---- what survives ------------------------------------------------------------------------------------------------

TEST_F(DataTest, APersistentWriteSurvivesThePower) {
  const auto open = OpenPersistent(u"f");
  ASSERT_EQ(Write(open, 0, "abc"), NtStatus::kSuccess);
  ASSERT_EQ(WriteAt(open, 100'000, 1), NtStatus::kSuccess);
  store().PowerCut();
  Remount();
  const auto survivor = Survivor(open->persistent_id);
  ASSERT_TRUE(survivor);
  EXPECT_EQ(Facts(survivor).end_of_file, 100'001u);
  EXPECT_EQ(*Read(survivor, 0, 3), "abc");
}

TEST_F(DataTest, APersistentWriteIntoWhatWasNotStableSurvivesThePower) {
  const auto plain = Open(u"f");
  ASSERT_EQ(WriteAt(plain, 0, 50'000), NtStatus::kSuccess);
  const auto open = OpenPersistent(u"f");
  ASSERT_EQ(Write(open, 20'000, "abc"), NtStatus::kSuccess);
  store().PowerCut();
  Remount();
  const auto survivor = Survivor(open->persistent_id);
  ASSERT_TRUE(survivor);
  EXPECT_EQ(*Read(survivor, 20'000, 3), "abc");
}

TEST_F(DataTest, PersistentSizesSurviveThePower) {
  const auto open = OpenPersistent(u"f");
  ASSERT_EQ(WriteAt(open, 0, 10'000), NtStatus::kSuccess);
  ASSERT_EQ(SetEnd(open, 5'000), NtStatus::kSuccess);
  ASSERT_EQ(Run(files().SetSparse(open, true)), NtStatus::kSuccess);
  store().PowerCut();
  Remount();
  auto survivor = Survivor(open->persistent_id);
  ASSERT_TRUE(survivor);
  EXPECT_EQ(Facts(survivor).end_of_file, 5'000u);
  EXPECT_TRUE(Facts(survivor).file_attributes & file_attribute::kSparseFile);
  ASSERT_EQ(SetEnd(survivor, 1 << 30), NtStatus::kSuccess);
  store().PowerCut();
  Remount();
  survivor = Survivor(open->persistent_id);
  ASSERT_TRUE(survivor);
  EXPECT_EQ(Facts(survivor).end_of_file, 1u << 30);
}

TEST_F(DataTest, AFlushMakesDataAndSizeStable) {
  const auto open = Open(u"f");
  ASSERT_EQ(Run(files().Flush(open)), NtStatus::kSuccess);
  ASSERT_EQ(WriteAt(open, 0, 10'000), NtStatus::kSuccess);
  ASSERT_EQ(Run(files().Flush(open)), NtStatus::kSuccess);
  store().PowerCut();
  Remount();
  EXPECT_EQ(Facts(Open(u"f")).end_of_file, 10'000u);
}

TEST_F(DataTest, PlainWritesSurviveTheProcess) {
  const auto open = Open(u"f");
  ASSERT_EQ(WriteAt(open, 0, 10'000), NtStatus::kSuccess);
  Remount();
  EXPECT_EQ(Facts(Open(u"f")).end_of_file, 10'000u);
}

TEST_F(DataTest, AFullStoreIsSaidAndLosesNothing) {
  const auto open = Open(u"f");
  ASSERT_EQ(WriteAt(open, 0, 4096), NtStatus::kSuccess);
  store().SetCapacity(store().used_bytes() + 1000, 0);
  EXPECT_EQ(WriteAt(open, 4096, 1 << 20), NtStatus::kDiskFull);
  EXPECT_EQ(Facts(open).end_of_file, 4096u);
  store().SetCapacity(1 << 30, 0);
  EXPECT_EQ(WriteAt(open, 4096, 1 << 20), NtStatus::kSuccess);
}

TEST_F(DataTest, ValidDataEndsWhereTheLastByteWasWritten) {
  const auto open = Open(u"f");
  EXPECT_EQ(*Run(files().QueryValidDataLength(open)), 0u);
  ASSERT_EQ(SetEnd(open, 8 * kClusterBytes), NtStatus::kSuccess);
  EXPECT_EQ(*Run(files().QueryValidDataLength(open)), 0u);
  ASSERT_EQ(Write(open, 2 * kClusterBytes, "abc"), NtStatus::kSuccess);
  auto now = Run(files().QueryValidDataLength(open));
  EXPECT_GE(*now, 2 * kClusterBytes + 3);
  EXPECT_LE(*now, 3 * kClusterBytes);
  // A write within the size is not always stored as a length; the bytes tell.
  ASSERT_EQ(Close(open), NtStatus::kSuccess);
  Remount();
  const auto length = Run(files().QueryValidDataLength(Open(u"f")));
  EXPECT_GE(*length, 2 * kClusterBytes + 3);
  EXPECT_LE(*length, 3 * kClusterBytes);
  EXPECT_EQ(Run(files().QueryValidDataLength(MakeDirectory(u"d"))).status(), NtStatus::kInvalidParameter);
}

}  // namespace
}  // namespace holdfast
