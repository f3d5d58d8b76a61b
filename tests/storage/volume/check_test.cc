// Damage of each kind that the check knows: found, said by name, repaired, and then not there any more.
#include "storage/volume/volume.pb.h"
#include "tests/storage/volume/volume_fixture.h"

namespace holdfast {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CheckTest : public VolumeTest {
 protected:
  void Change(const std::string& object, Mutation mutation) {
    ASSERT_TRUE(Run(engine_.Write(object, {}, {std::move(mutation)})).ok());
  }
  static std::string RootShard() { return keys::ShardObject(kRootFileNumber, 0); }
  static std::string Entry(std::u16string_view name) { return keys::DirentKey(keys::EncodeName(name)); }
  std::string Value(const std::string& object, const std::string& key) {
    auto values = Run(engine_.ReadKeysExact(object, {key}));
    EXPECT_TRUE(values.ok() && values->front());
    return *values->front();
  }
  // Found without repair, repaired, and clean afterwards.
  template <class Matcher>
  void ExpectRepaired(Matcher matcher) {
    EXPECT_THAT(Findings(), ElementsAre(matcher));
    auto report = Run(volume().Check(true));
    EXPECT_EQ(report->findings.size(), 1u);
    EXPECT_EQ(report->repaired, 1u);
    ExpectSound();
  }
};

TEST_F(CheckTest, CountsWhatThereIs) {
  const FileNumber directory = MakeDirectory(kRootFileNumber, u"dir");
  const FileNumber file = Create(directory, u"file");
  StreamFacts facts = Run(volume().Load(file))->streams[0];
  ASSERT_EQ(Run(volume().Truncate(file, facts, 1000, Durability::kStable)), NtStatus::kSuccess);
  auto report = Run(volume().Check(false));
  EXPECT_EQ(report->directories, 2u);
  EXPECT_EQ(report->files, 1u);
  EXPECT_EQ(report->bytes, 1000u);
  EXPECT_THAT(report->findings, IsEmpty());
}

TEST_F(CheckTest, AMissingEntryIsRestoredFromTheLinkSet) {
  const FileNumber file = Create(kRootFileNumber, u"File");
  Change(RootShard(), Mutation::Remove(Entry(u"file")));
  ExpectRepaired(AllOf(HasSubstr("e/FILE"), HasSubstr("is missing"), HasSubstr(keys::InodeObject(file))));
  EXPECT_EQ(Find(kRootFileNumber, u"file"), file);
  EXPECT_THAT(NamesIn(kRootFileNumber), ElementsAre("File"));
}

TEST_F(CheckTest, AnEntryWithoutInodeIsRemoved) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  Change(keys::InodeObject(file), Mutation::RemoveObject());
  ExpectRepaired(AllOf(HasSubstr("e/FILE"), HasSubstr("does not exist")));
  EXPECT_EQ(Find(kRootFileNumber, u"file"), 0u);
}

TEST_F(CheckTest, AnEntryThatDoesNotParseIsRebuilt) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  const FileNumber other = Create(kRootFileNumber, u"other");
  Change(RootShard(), Mutation::Set(Entry(u"file"), "\xFF\xFF"));
  EXPECT_THAT(NamesIn(kRootFileNumber), ElementsAre("other"));  // the rest is still listed
  EXPECT_EQ(Run(volume().Lookup(kRootFileNumber, u"file")).status(), NtStatus::kFileCorruptError);
  EXPECT_THAT(Findings(true), Contains(AllOf(HasSubstr("e/FILE"), HasSubstr("does not parse"))));
  ExpectSound();
  EXPECT_EQ(Find(kRootFileNumber, u"file"), file);
  EXPECT_EQ(Find(kRootFileNumber, u"other"), other);
}

TEST_F(CheckTest, AnEntryThatLeadsToAnotherFileIsPutRight) {
  const FileNumber one = Create(kRootFileNumber, u"one");
  Create(kRootFileNumber, u"two");
  Change(RootShard(), Mutation::Set(Entry(u"one"), Value(RootShard(), Entry(u"two"))));
  EXPECT_THAT(Findings(true), Contains(HasSubstr("does not have this name")));
  ExpectSound();
  EXPECT_EQ(Find(kRootFileNumber, u"one"), one);
}

TEST_F(CheckTest, TwoFilesOfOneNameBothSurvive) {
  const FileNumber one = Create(kRootFileNumber, u"one");
  const FileNumber two = Create(kRootFileNumber, u"two");
  StreamFacts facts = Run(volume().Load(two))->streams[0];
  ASSERT_EQ(Run(volume().Truncate(two, facts, 10, Durability::kStable)), NtStatus::kSuccess);
  // As if two had been renamed to one by a broken server.
  const std::string object = keys::InodeObject(two);
  Change(object, Mutation::Remove(keys::LinkKey(kRootFileNumber, keys::EncodeName(u"two"))));
  const std::string taken = keys::LinkKey(kRootFileNumber, keys::EncodeName(u"one"));
  Change(object, Mutation::Set(taken, Value(keys::InodeObject(one), taken)));
  Change(RootShard(), Mutation::Remove(Entry(u"two")));
  ExpectRepaired(HasSubstr("claims the name too"));
  EXPECT_EQ(Find(kRootFileNumber, u"one"), one);
  EXPECT_EQ(Find(kRootFileNumber, Utf8ToUtf16Lossy("lost-" + keys::InodeObject(two).substr(2 + 11 - 2))), two);
}

TEST_F(CheckTest, AFileInADirectoryThatIsGoneMovesToTheRoot) {
  const FileNumber directory = MakeDirectory(kRootFileNumber, u"dir");
  const FileNumber file = Create(directory, u"file");
  Change(keys::InodeObject(directory), Mutation::RemoveObject());
  EXPECT_THAT(Findings(true), Contains(HasSubstr("no directory that exists")));
  ExpectSound();
  EXPECT_EQ(NamesIn(kRootFileNumber).size(), 1u);
  EXPECT_THAT(Utf16ToUtf8(*Run(volume().PathOf(file))), HasSubstr("lost-"));
}

TEST_F(CheckTest, ADirectoryWhoseShardIsGoneIsFilledFromTheLinkSets) {
  const FileNumber directory = MakeDirectory(kRootFileNumber, u"dir");
  const FileNumber a = Create(directory, u"a");
  const FileNumber b = MakeDirectory(directory, u"b");
  Change(keys::ShardObject(directory, 0), Mutation::RemoveObject());
  EXPECT_THAT(Findings(true), Contains(AllOf(HasSubstr("cannot be read"), HasSubstr(keys::ShardObject(directory, 0)))));
  ExpectSound();
  EXPECT_EQ(Find(directory, u"a"), a);
  EXPECT_EQ(Find(directory, u"b"), b);
}

TEST_F(CheckTest, ARingOfDirectoriesIsTakenToTheRoot) {
  const FileNumber a = MakeDirectory(kRootFileNumber, u"a");
  const FileNumber b = MakeDirectory(a, u"b");
  // a becomes a child of b.
  const std::string encoded = keys::EncodeName(u"a");
  pb::Link link;
  ASSERT_TRUE(link.ParseFromString(Value(keys::InodeObject(a), keys::LinkKey(kRootFileNumber, encoded))));
  link.set_parent(b);
  Change(keys::InodeObject(a), Mutation::Remove(keys::LinkKey(kRootFileNumber, encoded)));
  Change(keys::InodeObject(a), Mutation::Set(keys::LinkKey(b, encoded), link.SerializeAsString()));
  Change(keys::ShardObject(b, 0), Mutation::Set(Entry(u"a"), Value(RootShard(), Entry(u"a"))));
  Change(RootShard(), Mutation::Remove(Entry(u"a")));
  ExpectRepaired(HasSubstr("directory below itself"));
  EXPECT_TRUE(*Run(volume().IsSelfOrAncestor(kRootFileNumber, b)));
}

TEST_F(CheckTest, BytesOfNobodyAreRemoved) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  const Bytes data(10, 1);
  ASSERT_EQ(Run(volume().WriteData(file, 3, 0, data, Durability::kStable)), NtStatus::kSuccess);
  ExpectRepaired(AllOf(HasSubstr(keys::StripeObject(file, 3, 0)), HasSubstr("does not have")));
  ASSERT_EQ(Run(volume().WriteData(999999, 0, 0, data, Durability::kStable)), NtStatus::kSuccess);
  ExpectRepaired(HasSubstr("belongs to no inode"));
}

TEST_F(CheckTest, BytesBehindTheEndAreCutOff) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  const Bytes data(100, 1);
  ASSERT_EQ(Run(volume().WriteData(file, 0, 0, data, Durability::kStable)), NtStatus::kSuccess);
  ExpectRepaired(AllOf(HasSubstr(keys::StripeObject(file, 0, 0)), HasSubstr("behind the end")));
}

TEST_F(CheckTest, AnInodeThatDoesNotParseIsLeftAlone) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  const Bytes data(100, 1);
  ASSERT_EQ(Run(volume().WriteData(file, 0, 0, data, Durability::kStable)), NtStatus::kSuccess);
  Change(keys::InodeObject(file), Mutation::Set("a", "\xFF\xFF"));
  EXPECT_THAT(Findings(true), ElementsAre(AllOf(HasSubstr(keys::InodeObject(file)), HasSubstr("does not parse"))));
  EXPECT_EQ(ObjectsUnder("s/"), 1u);
  EXPECT_THAT(NamesIn(kRootFileNumber), ElementsAre("file"));
}

TEST_F(CheckTest, AnInodeWithoutNamesIsPurged) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  Change(keys::InodeObject(file), Mutation::Remove(keys::LinkKey(kRootFileNumber, keys::EncodeName(u"file"))));
  EXPECT_THAT(Findings(true), Contains(HasSubstr("has no name")));
  ExpectSound();
  EXPECT_EQ(ObjectsUnder(keys::InodeObject(file)), 0u);
}

TEST_F(CheckTest, AForgottenOrphanIsPurgedUnlessItHasPersistentOpens) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  const FileNumber open = Create(kRootFileNumber, u"open");
  ASSERT_EQ(Run(volume().StoreRecords(open, {{"o/1", "record"}})), NtStatus::kSuccess);
  ASSERT_EQ(Run(volume().Unlink(kRootFileNumber, u"file", file, true, Durability::kStable)), NtStatus::kSuccess);
  ASSERT_EQ(Run(volume().Unlink(kRootFileNumber, u"open", open, true, Durability::kStable)), NtStatus::kSuccess);
  ExpectSound();  // remembered orphans are nothing to complain of
  Change("x/orphans", Mutation::RemoveObject());
  EXPECT_EQ(Findings(true).size(), 2u);
  ExpectSound();
  EXPECT_THAT(*Run(volume().ReadOrphans()), ElementsAre(open));
}

TEST_F(CheckTest, IndexAndOrphansOfFilesThatAreGoneAreForgotten) {
  ASSERT_EQ(Run(volume().AddToIndex(4444)), NtStatus::kSuccess);
  ExpectRepaired(AllOf(HasSubstr("4444"), HasSubstr("x/")));
}

TEST_F(CheckTest, ANumberIsNotGivenOutAgain) {
  const FileNumber file = Create(kRootFileNumber, u"file");
  Change("super", Mutation::Remove("alloc"));
  ExpectRepaired(HasSubstr("alloc"));
  Mount();
  EXPECT_GT(NewNumber(), file);
}

TEST_F(CheckTest, AShardThatNamesAnotherRangeIsPutRight) {
  options_.shard_split_entries = 4;
  Mount();
  for (const auto* name : {u"a", u"b", u"c", u"d", u"e", u"f"}) Create(kRootFileNumber, name);
  pb::ShardState state;
  ASSERT_TRUE(state.ParseFromString(Value(RootShard(), "g")));
  ASSERT_FALSE(state.to().empty());
  state.set_to("");
  Change(RootShard(), Mutation::Set("g", state.SerializeAsString()));
  Change(RootShard(), Mutation::Set(Entry(u"f"), "anything"));
  EXPECT_THAT(Findings(true), Contains(HasSubstr("names another range")));
  EXPECT_THAT(Findings(true), Contains(HasSubstr("outside of its range")));
  ExpectSound();
  EXPECT_THAT(NamesIn(kRootFileNumber), ElementsAre("a", "b", "c", "d", "e", "f"));
}

}  // namespace
}  // namespace holdfast
