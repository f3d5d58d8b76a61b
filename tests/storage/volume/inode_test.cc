#include "storage/volume/volume.pb.h"
#include "tests/storage/volume/volume_fixture.h"

namespace holdfast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class InodeTest : public VolumeTest {
 protected:
  // Attributes of the file as stored.
  pb::InodeAttributes Attributes(FileNumber number) {
    auto values = Run(engine_.ReadKeysExact(keys::InodeObject(number), {"a"}));
    pb::InodeAttributes attributes;
    EXPECT_TRUE(values.ok() && attributes.ParseFromString(*values->front()));
    return attributes;
  }
  void Put(const std::string& object, const std::string& key, const std::string& value) {
    ASSERT_TRUE(Run(engine_.Write(object, {}, {Mutation::Set(key, value)})).ok());
  }
};

Inode FullInode() {
  Inode inode;
  inode.file_attributes = 0x27;
  inode.creation_time = 1;
  inode.last_access_time = 2;
  inode.last_write_time = 3;
  inode.change_time = 4;
  inode.sticky_times = 5;
  inode.security_descriptor = {1, 0, 4, 128};
  inode.reparse_tag = 0xA000000C;
  inode.reparse_data = Bytes(16384, 0x5A);
  inode.eas.push_back({"User.One", {1, 2, 3}, 0});
  inode.eas.push_back({"TWO", {}, 0x80});
  inode.ea_bytes = 42;
  inode.object_id = Bytes(16, 9);
  inode.integrity = 2;
  inode.next_slot = 7;
  return inode;
}

void ExpectSame(const Inode& a, const Inode& b) {
  EXPECT_EQ(a.file_attributes, b.file_attributes);
  EXPECT_EQ(a.creation_time, b.creation_time);
  EXPECT_EQ(a.last_access_time, b.last_access_time);
  EXPECT_EQ(a.last_write_time, b.last_write_time);
  EXPECT_EQ(a.change_time, b.change_time);
  EXPECT_EQ(a.sticky_times, b.sticky_times);
  EXPECT_EQ(a.security_descriptor, b.security_descriptor);
  EXPECT_EQ(a.reparse_tag, b.reparse_tag);
  EXPECT_EQ(a.reparse_data, b.reparse_data);
  ASSERT_EQ(a.eas.size(), b.eas.size());
  for (const ExtendedAttribute& ea : a.eas) {
    const auto same = [&](const ExtendedAttribute& other) {
      return ea.name == other.name && ea.value == other.value && ea.flags == other.flags;
    };
    EXPECT_TRUE(std::any_of(b.eas.begin(), b.eas.end(), same)) << ea.name;
  }
  EXPECT_EQ(a.ea_bytes, b.ea_bytes);
  EXPECT_EQ(a.object_id, b.object_id);
  EXPECT_EQ(a.integrity, b.integrity);
  EXPECT_EQ(a.next_slot, b.next_slot);
}

TEST_F(InodeTest, EverythingComesBack) {
  Inode inode = FullInode();
  inode.number = NewNumber();
  ASSERT_EQ(Run(volume().CreateFile(kRootFileNumber, u"file", inode, {{"o/1", "open"}}, Durability::kStable)),
            NtStatus::kSuccess);
  store_->PowerCut();
  Mount();
  const Inode loaded = *Run(volume().Load(inode.number));
  ExpectSame(inode, loaded);
  EXPECT_THAT(loaded.links, SizeIs(1));
  EXPECT_NE(loaded.version, 0u);
  const auto records = *Run(volume().LoadRecords(inode.number, "o/"));
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].value, "open");
}

TEST_F(InodeTest, StoreWritesWhatDiffersInBothDirections) {
  const FileNumber number = Create(kRootFileNumber, u"file");
  const Inode plain = *Run(volume().Load(number));
  Inode full = FullInode();
  full.number = number;
  ASSERT_EQ(Run(volume().Store(plain, full, {{"h", "home"}}, Durability::kStable)), NtStatus::kSuccess);
  ExpectSame(full, *Run(volume().Load(number)));
  EXPECT_THAT(*Run(volume().LoadRecords(number, "h")), SizeIs(1));

  Inode renamed_ea = full;
  renamed_ea.eas = {{"user.ONE", {9}, 0}};  // the same attribute, case-blind
  ASSERT_EQ(Run(volume().Store(full, renamed_ea, {{"h", std::nullopt}}, Durability::kStable)), NtStatus::kSuccess);
  ExpectSame(renamed_ea, *Run(volume().Load(number)));
  ASSERT_EQ(Run(volume().Store(renamed_ea, plain, {}, Durability::kStable)), NtStatus::kSuccess);
  ExpectSame(plain, *Run(volume().Load(number)));
  EXPECT_THAT(*Run(volume().LoadRecords(number, "h")), IsEmpty());
}

TEST_F(InodeTest, StoreOfNothingWritesNothing) {
  const FileNumber number = Create(kRootFileNumber, u"file");
  const Inode inode = *Run(volume().Load(number));
  const auto before = store_->operations();
  ASSERT_EQ(Run(volume().Store(inode, inode, {}, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(store_->operations(), before);
}

TEST_F(InodeTest, TwoStoresOfDifferentFieldsBothHold) {
  const FileNumber number = Create(kRootFileNumber, u"file");
  const Inode base = *Run(volume().Load(number));
  Inode a = base;
  a.last_write_time = 11;
  Inode b = base;
  b.file_attributes = 0x20;
  NtStatus first = NtStatus::kPending;
  const auto store = [](Volume& v, Inode before, Inode after, NtStatus& out) -> Task<void> {
    out = co_await v.Store(before, after, {}, Durability::kStable);
  };
  Start(store(volume(), base, a, first));
  ASSERT_EQ(Run(volume().Store(base, b, {}, Durability::kStable)), NtStatus::kSuccess);
  Settle();
  EXPECT_EQ(first, NtStatus::kSuccess);
  const Inode now = *Run(volume().Load(number));
  EXPECT_EQ(now.last_write_time, 11u);
  EXPECT_EQ(now.file_attributes, 0x20u);
}

TEST_F(InodeTest, RecordsOfAFileThatIsGoneAreRefused) {
  const FileNumber number = Create(kRootFileNumber, u"file");
  ASSERT_EQ(Run(volume().Unlink(kRootFileNumber, u"file", number, false, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_EQ(Run(volume().StoreRecords(number, {{"o/1", "late"}})), NtStatus::kObjectNameNotFound);
  EXPECT_EQ(ObjectsUnder(keys::InodeObject(number)), 0u);
}

TEST_F(InodeTest, KeysOfTheVolumeAreNoRecords) {
  const FileNumber number = Create(kRootFileNumber, u"file");
  EXPECT_EQ(Run(volume().StoreRecords(number, {{"a", "x"}})), NtStatus::kInvalidParameter);
  EXPECT_EQ(Run(volume().StoreRecords(number, {{"k/x", std::nullopt}})), NtStatus::kInvalidParameter);
}

TEST_F(InodeTest, ThousandsOfRecordsDoNotHideTheInode) {
  const FileNumber number = Create(kRootFileNumber, u"file");
  std::vector<RecordChange> locks;
  for (int i = 0; i < 3000; ++i) locks.push_back({"b/" + std::to_string(10000 + i), "lock"});
  ASSERT_EQ(Run(volume().StoreRecords(number, locks)), NtStatus::kSuccess);
  EXPECT_THAT(*Run(volume().LoadRecords(number, "b/")), SizeIs(3000));
  EXPECT_THAT(*Run(volume().LoadRecords(number, "o/")), IsEmpty());
  EXPECT_EQ(Run(volume().Load(number))->links.size(), 1u);
}

TEST_F(InodeTest, FieldsOfALaterVersionAreKept) {
  const FileNumber number = Create(kRootFileNumber, u"file");
  const std::string later = "\xF8\x3E\x07";  // field 1007, a varint
  Put(keys::InodeObject(number), "a", Attributes(number).SerializeAsString() + later);
  const Inode before = *Run(volume().Load(number));
  Inode after = before;
  after.file_attributes = 0x20;
  ASSERT_EQ(Run(volume().Store(before, after, {}, Durability::kStable)), NtStatus::kSuccess);
  EXPECT_THAT(Attributes(number).SerializeAsString(), ::testing::HasSubstr(later));
  EXPECT_EQ(Attributes(number).file_attributes(), 0x20u);
}

TEST_F(InodeTest, AnInodeForALaterVersionIsNotTouched) {
  const FileNumber number = Create(kRootFileNumber, u"file");
  pb::InodeAttributes attributes = Attributes(number);
  attributes.set_least_reader(1000);
  Put(keys::InodeObject(number), "a", attributes.SerializeAsString());
  EXPECT_EQ(Run(volume().Load(number)).status(), NtStatus::kNotSupported);
}

TEST_F(InodeTest, IndexIsKeptPerIncarnation) {
  ASSERT_EQ(Run(volume().AddToIndex(70)), NtStatus::kSuccess);
  ASSERT_EQ(Run(volume().AddToIndex(71)), NtStatus::kSuccess);
  ASSERT_EQ(Run(volume().RemoveFromIndex(70)), NtStatus::kSuccess);
  ASSERT_EQ(Run(volume().RemoveFromIndex(70)), NtStatus::kSuccess);
  store_->PowerCut();
  Mount();
  EXPECT_THAT(*Run(volume().ReadIndex()), ::testing::Contains(71));
  options_.incarnation = 2;
  Mount();
  EXPECT_THAT(*Run(volume().ReadIndex()), IsEmpty());
}

TEST_F(InodeTest, FullStoreStillTakesRecordsAndDeletes) {
  const FileNumber number = Create(kRootFileNumber, u"file");
  const FileNumber next = NewNumber();
  store_->SetCapacity(store_->used_bytes() + 8192, 8192);
  EXPECT_EQ(Run(CreateTask(next, kRootFileNumber, u"new")), NtStatus::kDiskFull);
  EXPECT_EQ(Run(volume().StoreRecords(number, {{"o/1", "open"}})), NtStatus::kSuccess);
  // A close writes times, whatever the store has room for; a longer descriptor is data.
  const Inode before = *Run(volume().Load(number));
  Inode after = before;
  after.sticky_times = 15;
  EXPECT_EQ(Run(volume().Store(before, after, {}, Durability::kStable)), NtStatus::kSuccess);
  after.security_descriptor = Bytes(100, 1);
  EXPECT_EQ(Run(volume().Store(before, after, {}, Durability::kStable)), NtStatus::kDiskFull);
  EXPECT_EQ(Run(volume().Unlink(kRootFileNumber, u"file", number, false, Durability::kStable)), NtStatus::kSuccess);
  ExpectSound();
}

class MountTest : public VolumeTest {
 protected:
  NtStatus MountStatus() {
    volume_.reset();
    problem_.clear();
    options_.problem = &problem_;
    auto mounted = Run(Volume::Mount(engine_, clock(), random_, options_));
    return mounted.status();
  }
  void ChangeSuper(const std::function<void(pb::Super&)>& change) {
    auto values = Run(engine_.ReadKeysExact("super", {"super"}));
    pb::Super super;
    ASSERT_TRUE(super.ParseFromString(*values->front()));
    change(super);
    ASSERT_TRUE(Run(engine_.Write("super", {}, {Mutation::Set("super", super.SerializeAsString())})).ok());
  }
  std::string problem_;
};

TEST_F(MountTest, FactsAreTheSameEveryTime) {
  const VolumeFacts first = volume().facts();
  EXPECT_FALSE(first.guid.IsZero());
  EXPECT_EQ(first.label, u"Holdfast");
  store_->PowerCut();
  Mount();
  EXPECT_EQ(volume().facts().guid, first.guid);
  EXPECT_EQ(volume().facts().serial, first.serial);
  EXPECT_EQ(volume().facts().creation_time, first.creation_time);
}

TEST_F(MountTest, WithoutCreateAnEmptyEngineIsNoVolume) {
  store_ = MemoryStore::Make();
  volume_.reset();
  engine_ = MemoryEngine(store_, executor());
  options_.create = false;
  EXPECT_EQ(MountStatus(), NtStatus::kObjectNameNotFound);
  EXPECT_EQ(problem_, "the engine holds no volume: object \"super\" is missing");
}

TEST_F(MountTest, SaysWhatIsDamaged) {
  ASSERT_TRUE(Run(engine_.Write("super", {}, {Mutation::Set("super", "\xFF\xFF")})).ok());
  EXPECT_EQ(MountStatus(), NtStatus::kFileCorruptError);
  EXPECT_EQ(problem_, "key \"super\" of object \"super\" cannot be parsed: the volume is damaged");
}

TEST_F(MountTest, DoesNotFormatOverFiles) {
  Create(kRootFileNumber, u"file");
  ASSERT_TRUE(Run(engine_.Write("super", {}, {Mutation::RemoveObject()})).ok());
  EXPECT_EQ(MountStatus(), NtStatus::kFileCorruptError);
  EXPECT_THAT(problem_, ::testing::HasSubstr("there are files"));
}

TEST_F(MountTest, RefusesALaterFormat) {
  ChangeSuper([](pb::Super& super) { super.set_format_level(2); });
  EXPECT_EQ(MountStatus(), NtStatus::kNotSupported);
  EXPECT_EQ(problem_, "the volume has format level 2, this version writes level 1");
}

TEST_F(MountTest, RefusesAnotherUpperCaseTable) {
  ChangeSuper([](pb::Super& super) { super.set_upcase_version(9); });
  EXPECT_EQ(MountStatus(), NtStatus::kNotSupported);
  EXPECT_EQ(problem_, "the volume's names are ordered by upper case table 9, this version has table 1");
}

TEST_F(MountTest, RefusesAVolumeWithoutRoot) {
  ASSERT_TRUE(Run(engine_.Write(keys::InodeObject(kRootFileNumber), {}, {Mutation::RemoveObject()})).ok());
  EXPECT_EQ(MountStatus(), NtStatus::kFileCorruptError);
  EXPECT_THAT(problem_, ::testing::HasSubstr("i/00000000005"));
}

TEST_F(MountTest, TellsTheEnginesErrors) {
  MemoryFault fault;
  store_->Inject(fault);
  EXPECT_EQ(MountStatus(), NtStatus::kUnexpectedIoError);
  EXPECT_THAT(problem_, ::testing::HasSubstr("input/output error"));
}

}  // namespace
}  // namespace holdfast
