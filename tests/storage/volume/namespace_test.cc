#include "tests/storage/volume/volume_fixture.h"

namespace holdfast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using NamespaceTest = VolumeTest;

TEST_F(NamespaceTest, FindsANameInAnyCaseAndKeepsTheOneItWasGiven) {
  const FileNumber file = Create(kRootFileNumber, u"Größe ΑΒΓ.vhdx");
  EXPECT_EQ(Find(kRootFileNumber, u"GRÖßE αβγ.VHDX"), file);
  EXPECT_EQ(Run(volume().Lookup(kRootFileNumber, u"größe αβγ.vhdx"))->name, u"Größe ΑΒΓ.vhdx");
  EXPECT_EQ(Find(kRootFileNumber, u"Grosse"), 0u);
  const NtStatus again = Run(CreateTask(NewNumber(), kRootFileNumber, u"GRÖßE ΑΒΓ.VHDX"));
  EXPECT_EQ(again, NtStatus::kObjectNameCollision);
  EXPECT_THAT(ListAll(kRootFileNumber), SizeIs(1));
  ExpectSound();  // nothing remains of the second
}

TEST_F(NamespaceTest, LoneSurrogatesAreNames) {
  const std::u16string odd{u'a', char16_t{0xD800}, u'b'};
  const FileNumber file = Create(kRootFileNumber, odd);
  EXPECT_EQ(Find(kRootFileNumber, odd), file);
  EXPECT_EQ(ListAll(kRootFileNumber)[0].name, odd);
}

TEST_F(NamespaceTest, RefusesNamesThatCannotBe) {
  EXPECT_EQ(Run(CreateTask(NewNumber(), kRootFileNumber, u"")), NtStatus::kObjectNameInvalid);
  EXPECT_EQ(Run(CreateTask(NewNumber(), kRootFileNumber, u"a\\b")), NtStatus::kObjectNameInvalid);
  EXPECT_EQ(Run(CreateTask(NewNumber(), kRootFileNumber, std::u16string(256, u'x'))), NtStatus::kNameTooLong);
  EXPECT_NE(Create(kRootFileNumber, std::u16string(255, u'x')), 0u);
}

TEST_F(NamespaceTest, MissingDirectoryIsAPathNotFound) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  EXPECT_EQ(Run(volume().Lookup(999999, u"x")).status(), NtStatus::kObjectPathNotFound);
  EXPECT_EQ(Run(volume().Lookup(file, u"x")).status(), NtStatus::kObjectPathNotFound);
  EXPECT_EQ(Run(CreateTask(NewNumber(), 999999, u"x")), NtStatus::kObjectPathNotFound);
  ExpectSound();
}

TEST_F(NamespaceTest, NumbersAreNeverGivenOutTwice) {
  const FileNumber first = NewNumber();
  Mount();
  const FileNumber second = NewNumber();
  store_->PowerCut();
  Mount();
  const FileNumber third = NewNumber();
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_EQ(NewNumber(), third + 1);
}

TEST_F(NamespaceTest, CreateCostsTwoWritesAndLookupOneRead) {
  Create(kRootFileNumber, u"warm");  // map, slab
  const FileNumber number = NewNumber();
  const auto before = store_->operations();
  ASSERT_EQ(Run(CreateTask(number, kRootFileNumber, u"file")), NtStatus::kSuccess);
  EXPECT_EQ(store_->operations() - before, 2u);
  EXPECT_NE(Find(kRootFileNumber, u"file"), 0u);
  EXPECT_EQ(store_->operations() - before, 3u);
}

TEST_F(NamespaceTest, ListsInOrderOfCapitalsAndGoesOnAfterAName) {
  for (const auto* name : {u"b", u"C", u"a", u"D", u"_"}) Create(kRootFileNumber, name);
  EXPECT_THAT(NamesIn(kRootFileNumber), ElementsAre("a", "b", "C", "D", "_"));
  auto page = Run(volume().List(kRootFileNumber, u"B", 2));
  ASSERT_THAT(page->entries, SizeIs(2));
  EXPECT_EQ(page->entries[0].name, u"C");
  EXPECT_TRUE(page->more);
  page = Run(volume().List(kRootFileNumber, u"bb", 100));  // a name that is not there
  EXPECT_THAT(page->entries, SizeIs(3));
  EXPECT_FALSE(page->more);
}

TEST_F(NamespaceTest, ListingShowsWhatRefreshDirentsCopied) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  Inode inode = *Run(volume().Load(file));
  inode.file_attributes = 0x22;
  inode.last_write_time = 77;
  inode.streams[0].size = 12345;
  inode.streams[0].allocation_size = 16384;
  Run(volume().RefreshDirents(inode));
  const DirectoryEntry entry = ListAll(kRootFileNumber)[0];
  EXPECT_EQ(entry.file_attributes, 0x22u);
  EXPECT_EQ(entry.last_write_time, 77u);
  EXPECT_EQ(entry.size, 12345u);
  EXPECT_EQ(entry.allocation_size, 16384u);
  EXPECT_EQ(entry.creation_time, 1000 + file);
}

TEST_F(NamespaceTest, UnlinkOfTheLastNameTakesEverything) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  const Bytes data(5000, 1);
  ASSERT_EQ(Run(volume().WriteData(file, kUnnamedStream, 0, data, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(Run(volume().Unlink(kRootFileNumber, u"FILE", file + 1, false, Durability::kStable)), NtStatus::kObjectNameNotFound);
  EXPECT_EQ(Run(volume().Unlink(kRootFileNumber, u"FILE", file, false, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(Find(kRootFileNumber, u"file"), 0u);
  EXPECT_EQ(Run(volume().Load(file)).status(), NtStatus::kObjectNameNotFound);
  EXPECT_EQ(ObjectsUnder("s/"), 0u);
  EXPECT_THAT(*Run(volume().ReadOrphans()), IsEmpty());
  ExpectSound();
}

TEST_F(NamespaceTest, KeptOrphanLivesUntilItIsPurged) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  const Bytes data(100, 7);
  ASSERT_EQ(Run(volume().WriteData(file, kUnnamedStream, 0, data, Durability::kStable)), NtStatus::kSuccess);
  ASSERT_EQ(Run(volume().Purge(file)), NtStatus::kCannotDelete);
  ASSERT_EQ(Run(volume().Unlink(kRootFileNumber, u"file", file, true, Durability::kStable)), NtStatus::kSuccess);
  const FileNumber second = Create(kRootFileNumber, u"file");  // the name is free at once
  store_->PowerCut();
  Mount();
  EXPECT_EQ(Find(kRootFileNumber, u"file"), second);
  EXPECT_THAT(*Run(volume().ReadOrphans()), ElementsAre(file));
  EXPECT_TRUE(Run(volume().Load(file))->unlinking);
  Bytes read(100);
  ASSERT_EQ(Run(volume().ReadData(file, kUnnamedStream, 0, read)), NtStatus::kSuccess);
  EXPECT_EQ(read, data);
  ASSERT_EQ(Run(volume().Purge(file)), NtStatus::kSuccess);
  ASSERT_EQ(Run(volume().Purge(file)), NtStatus::kSuccess);
  EXPECT_THAT(*Run(volume().ReadOrphans()), IsEmpty());
  EXPECT_EQ(Find(kRootFileNumber, u"file"), second);
  ExpectSound();
}

TEST_F(NamespaceTest, DirectoryIsRemovedOnlyWhenEmpty) {
  const FileNumber directory = MakeDirectory(kRootFileNumber, u"dir");
  const FileNumber file = Create(directory, u"file");
  EXPECT_FALSE(*Run(volume().IsEmpty(directory)));
  EXPECT_EQ(Run(volume().Unlink(kRootFileNumber, u"dir", directory, false, Durability::kStable)), NtStatus::kDirectoryNotEmpty);
  EXPECT_NE(Create(directory, u"another"), 0u);  // it is not left frozen
  ASSERT_EQ(Run(volume().Unlink(directory, u"another", Find(directory, u"another"), false, Durability::kStable)), NtStatus::kSuccess);
  ASSERT_EQ(Run(volume().Unlink(directory, u"file", file, false, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_TRUE(*Run(volume().IsEmpty(directory)));
  EXPECT_EQ(Run(volume().Unlink(kRootFileNumber, u"dir", directory, false, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(Run(volume().Lookup(directory, u"file")).status(), NtStatus::kObjectPathNotFound);
  EXPECT_EQ(Run(CreateTask(NewNumber(), directory, u"late")), NtStatus::kObjectPathNotFound);
  EXPECT_EQ(ObjectsUnder("d/"), 1u);
  ExpectSound();
}

TEST_F(NamespaceTest, NothingIsCreatedInADirectoryThatIsUnlinkedButKept) {
  const FileNumber directory = MakeDirectory(kRootFileNumber, u"dir");
  ASSERT_EQ(Run(volume().Unlink(kRootFileNumber, u"dir", directory, true, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(Run(CreateTask(NewNumber(), directory, u"late")), NtStatus::kObjectPathNotFound);
  Mount();
  EXPECT_EQ(Run(CreateTask(NewNumber(), directory, u"late")), NtStatus::kObjectPathNotFound);
  ASSERT_EQ(Run(volume().Purge(directory)), NtStatus::kSuccess);
  ExpectSound();
}

TEST_F(NamespaceTest, HardLinksAreOneFile) {
  const FileNumber directory = MakeDirectory(kRootFileNumber, u"dir");
  const FileNumber file = Create(kRootFileNumber, u"one");
  ASSERT_EQ(Run(volume().Link(file, directory, u"Two")), NtStatus::kSuccess);
  EXPECT_EQ(Run(volume().Link(file, directory, u"TWO")), NtStatus::kObjectNameCollision);
  EXPECT_EQ(Run(volume().Link(directory, directory, u"self")), NtStatus::kFileIsADirectory);
  EXPECT_EQ(Find(directory, u"two"), file);
  EXPECT_THAT(Run(volume().Load(file))->links, SizeIs(2));
  ASSERT_EQ(Run(volume().Unlink(kRootFileNumber, u"one", file, false, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_FALSE(Run(volume().Load(file))->unlinking);
  EXPECT_EQ(*Run(volume().PathOf(file)), u"dir\\Two");
  ExpectSound();
  ASSERT_EQ(Run(volume().Unlink(directory, u"two", file, false, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(Run(volume().Load(file)).status(), NtStatus::kObjectNameNotFound);
  ExpectSound();
}

TEST_F(NamespaceTest, RenameMovesAndKeepsTheOldStateWhenRefused) {
  const FileNumber directory = MakeDirectory(kRootFileNumber, u"dir");
  const FileNumber file = Create(kRootFileNumber, u"file");
  const FileNumber other = Create(directory, u"other");
  EXPECT_EQ(Run(volume().Rename(file, kRootFileNumber, u"file", directory, u"OTHER", 0, false)),
            NtStatus::kObjectNameCollision);
  EXPECT_EQ(Run(volume().Rename(file, kRootFileNumber, u"nofile", directory, u"x", 0, false)),
            NtStatus::kObjectNameNotFound);
  ASSERT_EQ(Run(volume().Rename(file, kRootFileNumber, u"FILE", directory, u"New", 0, false)), NtStatus::kSuccess);
  EXPECT_THAT(NamesIn(kRootFileNumber), ElementsAre("dir"));
  EXPECT_THAT(NamesIn(directory), ElementsAre("New", "other"));
  EXPECT_EQ(*Run(volume().PathOf(file)), u"dir\\New");
  // Asked again, as after a lost answer.
  EXPECT_EQ(Run(volume().Rename(file, kRootFileNumber, u"FILE", directory, u"New", 0, false)), NtStatus::kSuccess);
  EXPECT_EQ(Find(directory, u"other"), other);
  ExpectSound();
}

TEST_F(NamespaceTest, RenameCanReplaceAFile) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  const FileNumber gone = Create(kRootFileNumber, u"gone");
  const FileNumber kept = Create(kRootFileNumber, u"kept");
  ASSERT_EQ(Run(volume().Rename(file, kRootFileNumber, u"file", kRootFileNumber, u"Gone", gone, false)),
            NtStatus::kSuccess);
  EXPECT_EQ(Run(volume().Load(gone)).status(), NtStatus::kObjectNameNotFound);
  ASSERT_EQ(Run(volume().Rename(file, kRootFileNumber, u"Gone", kRootFileNumber, u"kept", kept, true)),
            NtStatus::kSuccess);
  EXPECT_TRUE(Run(volume().Load(kept))->unlinking);
  EXPECT_THAT(*Run(volume().ReadOrphans()), ElementsAre(kept));
  EXPECT_EQ(Tree(), "kept(" + std::to_string(file) + ") ");
  ExpectSound();
}

TEST_F(NamespaceTest, RenameDoesNotReplaceADirectory) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  const FileNumber directory = MakeDirectory(kRootFileNumber, u"dir");
  EXPECT_EQ(Run(volume().Rename(file, kRootFileNumber, u"file", kRootFileNumber, u"dir", directory, false)),
            NtStatus::kAccessDenied);
}

TEST_F(NamespaceTest, RenameOntoItselfChangesTheCase) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  ASSERT_EQ(Run(volume().Rename(file, kRootFileNumber, u"file", kRootFileNumber, u"FiLe", 0, false)),
            NtStatus::kSuccess);
  EXPECT_THAT(NamesIn(kRootFileNumber), ElementsAre("FiLe"));
  EXPECT_EQ(Run(volume().Load(file))->links[0].name, u"FiLe");
  ExpectSound();
}

TEST_F(NamespaceTest, RenameOverAnotherNameOfTheSameFileLeavesThatName) {
  const FileNumber file = Create(kRootFileNumber, u"one");
  ASSERT_EQ(Run(volume().Link(file, kRootFileNumber, u"two")), NtStatus::kSuccess);
  ASSERT_EQ(Run(volume().Rename(file, kRootFileNumber, u"one", kRootFileNumber, u"two", file, false)),
            NtStatus::kSuccess);
  EXPECT_THAT(NamesIn(kRootFileNumber), ElementsAre("two"));
  EXPECT_THAT(Run(volume().Load(file))->links, SizeIs(1));
  ExpectSound();
}

TEST_F(NamespaceTest, ADirectoryIsNotMovedBelowItself) {
  const FileNumber a = MakeDirectory(kRootFileNumber, u"a");
  const FileNumber b = MakeDirectory(a, u"b");
  const FileNumber c = MakeDirectory(b, u"c");
  EXPECT_TRUE(*Run(volume().IsSelfOrAncestor(a, c)));
  EXPECT_TRUE(*Run(volume().IsSelfOrAncestor(c, c)));
  EXPECT_FALSE(*Run(volume().IsSelfOrAncestor(c, a)));
  EXPECT_EQ(Run(volume().Rename(a, kRootFileNumber, u"a", c, u"a", 0, false)), NtStatus::kInvalidParameter);
  ASSERT_EQ(Run(volume().Rename(c, b, u"c", kRootFileNumber, u"c", 0, false)), NtStatus::kSuccess);
  ASSERT_EQ(Run(volume().Rename(a, kRootFileNumber, u"a", c, u"a", 0, false)), NtStatus::kSuccess);
  EXPECT_EQ(*Run(volume().PathOf(b)), u"c\\a\\b");
  ExpectSound();
}

class ShardTest : public VolumeTest {
 protected:
  ShardTest() { options_.shard_split_entries = 64; }
  static std::u16string Name(std::size_t i) {
    // Neither ascending nor descending, so that every shard grows.
    return Utf8ToUtf16Lossy("file-" + std::to_string(i * 7919 % 100003));
  }
};

TEST_F(ShardTest, ManyEntriesAreSplitAndNoneIsLostOrDoubled) {
  constexpr std::size_t kFiles = 1500;
  const FileNumber directory = MakeDirectory(kRootFileNumber, u"big");
  for (std::size_t i = 0; i < kFiles; ++i) ASSERT_NE(Create(directory, Name(i), false, Durability::kProcess), 0u);
  EXPECT_GT(ObjectsUnder(keys::DirectoryPrefix(directory)), kFiles / 64);
  Mount();
  const auto entries = ListAll(directory, 100);
  ASSERT_THAT(entries, SizeIs(kFiles));
  for (std::size_t i = 1; i < kFiles; ++i) {
    ASSERT_LT(keys::EncodeName(entries[i - 1].name), keys::EncodeName(entries[i].name));
  }
  for (std::size_t i = 0; i < kFiles; i += 37) EXPECT_NE(Find(directory, Name(i)), 0u);
  ExpectSound();
  EXPECT_EQ(Run(volume().Unlink(kRootFileNumber, u"big", directory, false, Durability::kStable)), NtStatus::kDirectoryNotEmpty);
  for (const DirectoryEntry& entry : entries) {
    ASSERT_EQ(Run(volume().Unlink(directory, entry.name, entry.number, false, Durability::kStable)), NtStatus::kSuccess);
  }
  EXPECT_EQ(Run(volume().Unlink(kRootFileNumber, u"big", directory, false, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(ObjectsUnder("d/"), 1u);
}

TEST_F(ShardTest, RenameBetweenShardsIsOneChange) {
  const FileNumber directory = MakeDirectory(kRootFileNumber, u"big");
  for (std::size_t i = 0; i < 300; ++i) Create(directory, Name(i), false, Durability::kProcess);
  const FileNumber file = Create(directory, u"aaa");
  ASSERT_EQ(Run(volume().Rename(file, directory, u"aaa", directory, u"zzz", 0, false)), NtStatus::kSuccess);
  EXPECT_EQ(Find(directory, u"aaa"), 0u);
  EXPECT_EQ(Find(directory, u"zzz"), file);
  ExpectSound();
}

// A million entries: minutes in a debug build, so only when asked for by name with --gtest_also_run_disabled_tests.
TEST_F(NamespaceTest, DISABLED_AMillionEntriesInADirectory) {
  const FileNumber directory = MakeDirectory(kRootFileNumber, u"million");
  for (std::size_t i = 0; i < 1000000; ++i) {
    const auto name = Utf8ToUtf16Lossy("file-" + std::to_string(i * 7919 % 1000003));
    ASSERT_NE(Create(directory, name, false, Durability::kProcess), 0u);
  }
  EXPECT_THAT(ListAll(directory), SizeIs(1000000));
}

}  // namespace
}  // namespace holdfast
