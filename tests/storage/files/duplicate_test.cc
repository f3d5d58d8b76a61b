#include "protocol/fscc/attributes.h"
#include "tests/storage/files/operations_fixture.h"

namespace holdfast {
namespace {

constexpr std::uint64_t kCluster = kClusterBytes;

std::string Clusters(std::size_t count, char fill) { return std::string(count * kCluster, fill); }

class DuplicateTest : public OperationsTest {
 public:
  NtStatus Duplicate(const OpenPtr& source, std::uint64_t from, const OpenPtr& target, std::uint64_t to,
                     std::uint64_t length) {
    return Run(files().DuplicateExtents(source, from, target, to, length));
  }
  NtStatus SetEnd(const OpenPtr& open, std::uint64_t size) { return Run(files().SetEndOfFile(open, size)); }
};

TEST_F(DuplicateTest, TheTargetGetsItsOwnCopyOfTheRange) {
  const auto source = Open(u"source");
  const auto target = Open(u"target");
  ASSERT_EQ(Write(source, 0, Clusters(1, 'a') + Clusters(1, 'b')), NtStatus::kSuccess);
  ASSERT_EQ(Write(target, 0, Clusters(3, 'x')), NtStatus::kSuccess);
  EXPECT_EQ(Duplicate(source, 0, target, kCluster, 2 * kCluster), NtStatus::kSuccess);
  EXPECT_EQ(*Read(target, 0, 3 * kCluster), Clusters(1, 'x') + Clusters(1, 'a') + Clusters(1, 'b'));
  ASSERT_EQ(Write(source, 0, "changed"), NtStatus::kSuccess);
  EXPECT_EQ(*Read(target, kCluster, 5), "aaaaa");
  EXPECT_EQ(Facts(target).end_of_file, 3 * kCluster);
}

// A file that the clients have given its size copies the same as one written to: what was asked for is durable.
TEST_F(DuplicateTest, APersistentTargetKeepsItOverAPowerCut) {
  const auto source = OpenPersistent(u"source");
  const auto target = OpenPersistent(u"target");
  const std::uint64_t id = target->persistent_id;
  ASSERT_EQ(Write(source, 0, Clusters(2, 'a')), NtStatus::kSuccess);
  ASSERT_EQ(SetEnd(target, 2 * kCluster), NtStatus::kSuccess);
  ASSERT_EQ(Duplicate(source, 0, target, 0, 2 * kCluster), NtStatus::kSuccess);
  store().PowerCut();
  Remount();
  const auto survivor = Survivor(id);
  ASSERT_TRUE(survivor);
  Bytes buffer(2 * kCluster);
  ASSERT_EQ(Run(files().volume().ReadData(survivor->file->number, kUnnamedStream, 0, buffer)), NtStatus::kSuccess);
  EXPECT_EQ(std::string(buffer.begin(), buffer.end()), Clusters(2, 'a'));
}

TEST_F(DuplicateTest, NeitherFileGrows) {
  const auto source = Open(u"source");
  const auto target = Open(u"target");
  ASSERT_EQ(Write(source, 0, Clusters(4, 'a')), NtStatus::kSuccess);
  EXPECT_EQ(Duplicate(source, 0, target, 0, 4 * kCluster), NtStatus::kSuccess);
  EXPECT_EQ(Facts(target).end_of_file, 0u);
  ASSERT_EQ(SetEnd(target, kCluster + 10), NtStatus::kSuccess);
  EXPECT_EQ(*Read(target, 0, kCluster), Clusters(1, '\0'));
  // What would lie behind the end of the target is left out.
  EXPECT_EQ(Duplicate(source, 0, target, 0, 4 * kCluster), NtStatus::kSuccess);
  EXPECT_EQ(Facts(target).end_of_file, kCluster + 10);
  ASSERT_EQ(SetEnd(target, 2 * kCluster), NtStatus::kSuccess);
  EXPECT_EQ(*Read(target, 0, 2 * kCluster), std::string(kCluster + 10, 'a') + std::string(kCluster - 10, '\0'));
}

TEST_F(DuplicateTest, TheLastClusterOfTheSourceMayBeTakenWhole) {
  const auto source = Open(u"source");
  const auto target = Open(u"target");
  ASSERT_EQ(Write(source, 0, Clusters(1, 'a') + "rest"), NtStatus::kSuccess);
  ASSERT_EQ(Write(target, 0, Clusters(3, 'x')), NtStatus::kSuccess);
  EXPECT_EQ(Duplicate(source, 0, target, 0, 3 * kCluster), NtStatus::kNotSupported);
  EXPECT_EQ(*Read(target, 0, 3 * kCluster), Clusters(3, 'x'));
  EXPECT_EQ(Duplicate(source, 0, target, 0, 2 * kCluster), NtStatus::kSuccess);
  EXPECT_EQ(*Read(target, 0, 3 * kCluster),
            Clusters(1, 'a') + "rest" + std::string(kCluster - 4, '\0') + Clusters(1, 'x'));
}

TEST_F(DuplicateTest, OnlyWholeClustersThatAreThere) {
  const auto source = Open(u"source");
  const auto target = Open(u"target");
  ASSERT_EQ(Write(source, 0, Clusters(4, 'a')), NtStatus::kSuccess);
  ASSERT_EQ(Write(target, 0, Clusters(4, 'x')), NtStatus::kSuccess);
  EXPECT_EQ(Duplicate(source, 512, target, 0, kCluster), NtStatus::kInvalidParameter);
  EXPECT_EQ(Duplicate(source, 0, target, 512, kCluster), NtStatus::kInvalidParameter);
  EXPECT_EQ(Duplicate(source, 0, target, 0, 512), NtStatus::kInvalidParameter);
  EXPECT_EQ(Duplicate(source, 0, target, 0, 0x8000000000000000), NtStatus::kInvalidParameter);
  EXPECT_EQ(Duplicate(source, 0, target, 0, std::uint64_t{4} << 30), NtStatus::kInvalidParameter);
  EXPECT_EQ(Duplicate(source, 0x7FFFFFFFFFFFF000, target, 0, kCluster), NtStatus::kInvalidParameter);
  EXPECT_EQ(Duplicate(source, 0, target, 0, 0), NtStatus::kSuccess);
  EXPECT_EQ(*Read(target, 0, 4 * kCluster), Clusters(4, 'x'));
}

TEST_F(DuplicateTest, WithinOneFileTheRangesAreApart) {
  const auto open = Open(u"f");
  ASSERT_EQ(Write(open, 0, Clusters(2, 'a') + Clusters(2, 'b')), NtStatus::kSuccess);
  EXPECT_EQ(Duplicate(open, 0, open, kCluster, 2 * kCluster), NtStatus::kNotSupported);
  EXPECT_EQ(Duplicate(open, kCluster, open, 0, 2 * kCluster), NtStatus::kNotSupported);
  EXPECT_EQ(*Read(open, 0, 4 * kCluster), Clusters(2, 'a') + Clusters(2, 'b'));
  EXPECT_EQ(Duplicate(open, 2 * kCluster, open, 0, 2 * kCluster), NtStatus::kSuccess);
  EXPECT_EQ(*Read(open, 0, 4 * kCluster), Clusters(4, 'b'));
  // Of two streams of one file the same ranges are two.
  const auto stream = Open(u"f:s");
  ASSERT_EQ(SetEnd(stream, kCluster), NtStatus::kSuccess);
  EXPECT_EQ(Duplicate(open, 0, stream, 0, kCluster), NtStatus::kSuccess);
  EXPECT_EQ(*Read(stream, 0, kCluster), Clusters(1, 'b'));
}

TEST_F(DuplicateTest, HolesStayHolesAndASparseSourceNeedsASparseTarget) {
  const auto source = Open(u"source");
  const auto target = Open(u"target");
  ASSERT_EQ(Run(files().SetSparse(source, true)), NtStatus::kSuccess);
  ASSERT_EQ(Write(source, 2 * kCluster, Clusters(1, 'a')), NtStatus::kSuccess);
  ASSERT_EQ(Write(target, 0, Clusters(3, 'x')), NtStatus::kSuccess);
  EXPECT_EQ(Duplicate(source, 0, target, 0, 3 * kCluster), NtStatus::kNotSupported);
  ASSERT_EQ(Run(files().SetSparse(target, true)), NtStatus::kSuccess);
  EXPECT_EQ(Duplicate(source, 0, target, 0, 3 * kCluster), NtStatus::kSuccess);
  EXPECT_EQ(*Read(target, 0, 3 * kCluster), Clusters(2, '\0') + Clusters(1, 'a'));
  const auto ranges = Run(files().QueryAllocatedRanges(target, {0, 3 * kCluster}));
  ASSERT_EQ(ranges->size(), 1u);
  EXPECT_EQ(ranges->front().offset, 2 * kCluster);
  // The other way round any file may go into a sparse one.
  ASSERT_EQ(Run(files().SetSparse(source, false)), NtStatus::kSuccess);
  EXPECT_EQ(Duplicate(source, 0, target, 0, kCluster), NtStatus::kSuccess);
}

TEST_F(DuplicateTest, LocksStandInNobodysWay) {
  const auto source = Open(u"source");
  const auto target = Open(u"target");
  const auto other = Open(u"target");
  ASSERT_EQ(Write(source, 0, Clusters(1, 'a')), NtStatus::kSuccess);
  ASSERT_EQ(Write(target, 0, Clusters(1, 'x')), NtStatus::kSuccess);
  ASSERT_EQ(Run(files().Lock(other, {{.offset = 0, .length = kCluster, .exclusive = true, .fail_immediately = true}}, 0,
                             false, nullptr)),
            NtStatus::kSuccess);
  ASSERT_EQ(Write(target, 0, "x"), NtStatus::kFileLockConflict);
  EXPECT_EQ(Duplicate(source, 0, target, 0, kCluster), NtStatus::kSuccess);
  EXPECT_EQ(*Read(other, 0, kCluster), Clusters(1, 'a'));
}

TEST_F(DuplicateTest, RightsAndKindsAreChecked) {
  const auto source = Open(u"source");
  const auto target = Open(u"target");
  const auto directory = MakeDirectory(u"d");
  ASSERT_EQ(Write(source, 0, Clusters(1, 'a')), NtStatus::kSuccess);
  ASSERT_EQ(Write(target, 0, Clusters(1, 'x')), NtStatus::kSuccess);
  OpenOptions options;
  options.access = access::kReadAttributes | access::kWriteData;
  EXPECT_EQ(Duplicate(Open(u"source", options), 0, target, 0, kCluster), NtStatus::kInvalidParameter);
  options.access = access::kReadData | access::kReadAttributes;
  EXPECT_EQ(Duplicate(source, 0, Open(u"target", options), 0, kCluster), NtStatus::kAccessDenied);
  EXPECT_EQ(Duplicate(Open(u"source", options), 0, target, 0, kCluster), NtStatus::kSuccess);
  EXPECT_EQ(Duplicate(directory, 0, target, 0, kCluster), NtStatus::kInvalidParameter);
  EXPECT_EQ(Duplicate(source, 0, directory, 0, kCluster), NtStatus::kNotSupported);
  const auto gone = Open(u"source");
  ASSERT_EQ(Close(gone), NtStatus::kSuccess);
  EXPECT_EQ(Duplicate(gone, 0, target, 0, kCluster), NtStatus::kInvalidHandle);
  EXPECT_EQ(Duplicate(source, 0, gone, 0, kCluster), NtStatus::kFileClosed);
}

TEST_F(DuplicateTest, WhatHasNoRoomIsADiskFull) {
  const auto source = Open(u"source");
  const auto target = Open(u"target");
  ASSERT_EQ(Write(source, 0, Clusters(64, 'a')), NtStatus::kSuccess);
  ASSERT_EQ(SetEnd(target, 64 * kCluster), NtStatus::kSuccess);
  store().SetCapacity(store().used_bytes() + 8 * kCluster, 0);
  EXPECT_EQ(Duplicate(source, 0, target, 0, 64 * kCluster), NtStatus::kDiskFull);
  EXPECT_EQ(*Read(target, 0, kCluster), Clusters(1, '\0'));
}

// Crosswise between two files neither waits for the other for ever.
TEST_F(DuplicateTest, CrosswiseDuplicatesBothEnd) {
  const auto a = Open(u"a");
  const auto b = Open(u"b");
  ASSERT_EQ(Write(a, 0, Clusters(1, 'a') + Clusters(1, 'A')), NtStatus::kSuccess);
  ASSERT_EQ(Write(b, 0, Clusters(1, 'b') + Clusters(1, 'B')), NtStatus::kSuccess);
  int done = 0;
  auto duplicate = [](Files& files, OpenPtr from, OpenPtr to, int& count) -> Task<void> {
    EXPECT_EQ(co_await files.DuplicateExtents(from, 0, to, kCluster, kCluster), NtStatus::kSuccess);
    ++count;
  };
  for (int i = 0; i < 5; ++i) {
    Start(duplicate(files(), a, b, done));
    Start(duplicate(files(), b, a, done));
  }
  Settle();
  EXPECT_EQ(done, 10);
  EXPECT_EQ(*Read(a, kCluster, 1), "b");
  EXPECT_EQ(*Read(b, kCluster, 1), "a");
}

}  // namespace
}  // namespace holdfast
