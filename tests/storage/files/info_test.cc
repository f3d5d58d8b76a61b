#include "tests/storage/files/operations_fixture.h"

#include "protocol/fscc/attributes.h"
#include "protocol/fscc/reparse.h"

namespace holdfast {
namespace {

class InfoTest : public OperationsTest {
 public:
  NtStatus Set(const OpenPtr& open, SetTimesAndAttributes change) { return Run(files().SetBasic(open, change)); }
  NtStatus SetWriteTime(const OpenPtr& open, std::int64_t time) {
    SetTimesAndAttributes change;
    change.last_write_time = time;
    return Set(open, change);
  }
  NtStatus SetAttributes(const OpenPtr& open, std::uint32_t attributes) {
    SetTimesAndAttributes change;
    change.file_attributes = attributes;
    return Set(open, change);
  }
  void Tick() { clock().Advance(std::chrono::seconds(1)); }
  void DelayWriteTimes() {
    options().write_time_delay = std::chrono::seconds(2);
    Remount();
  }
};

constexpr std::int64_t kSomeTime = 120000000000000000;

TEST_F(InfoTest, TheFirstWriteShowsAfterADelayLaterOnesWhenTheFileIsClosed) {
  DelayWriteTimes();
  const auto other = Open(u"f");
  const auto open = Open(u"f");
  const FileFacts before = Facts(open);
  Tick();
  ASSERT_EQ(Write(open, 0, "a"), NtStatus::kSuccess);
  EXPECT_EQ(Facts(other).last_write_time, before.last_write_time);
  EXPECT_GT(Facts(other).change_time, before.change_time);
  clock().Advance(std::chrono::seconds(2));
  EXPECT_EQ(Facts(other).last_write_time, before.last_write_time + 10'000'000);
  ASSERT_EQ(Write(open, 0, "b"), NtStatus::kSuccess);
  clock().Advance(std::chrono::seconds(10));
  EXPECT_EQ(Facts(other).last_write_time, before.last_write_time + 10'000'000);
  ASSERT_EQ(Close(open), NtStatus::kSuccess);
  EXPECT_EQ(Facts(other).last_write_time, before.last_write_time + 130'000'000);
}

TEST_F(InfoTest, FlushesAndSetInfoShowWhatWasHeldBack) {
  DelayWriteTimes();
  const auto open = Open(u"f");
  const auto write_and = [&](auto settle) {
    const FileTime before = Facts(open).last_write_time;
    Tick();
    EXPECT_EQ(Write(open, 0, "a"), NtStatus::kSuccess);
    EXPECT_EQ(Facts(open).last_write_time, before);
    settle();
    EXPECT_GT(Facts(open).last_write_time, before);
    const FileTime shown = Facts(open).last_write_time;
    EXPECT_EQ(Run(files().Flush(open)), NtStatus::kSuccess);
    EXPECT_EQ(Facts(open).last_write_time, shown);
  };
  write_and([&] { EXPECT_EQ(Run(files().Flush(open)), NtStatus::kSuccess); });
  write_and([&] { EXPECT_EQ(Run(files().SetEndOfFile(open, 1)), NtStatus::kSuccess); });
  write_and([&] { EXPECT_EQ(Set(open, {}), NtStatus::kSuccess); });
}

TEST_F(InfoTest, WithoutADelayWritesShowAtOnce) {
  const auto open = Open(u"f");
  const FileTime before = Facts(open).last_write_time;
  Tick();
  ASSERT_EQ(Write(open, 0, "a"), NtStatus::kSuccess);
  EXPECT_EQ(Facts(open).last_write_time, before + 10'000'000);
}

TEST_F(InfoTest, ATimeThatAnOpenHasSetIsNotMovedThroughIt) {
  const auto a = Open(u"f");
  const auto b = Open(u"f");
  ASSERT_EQ(SetWriteTime(a, kSomeTime), NtStatus::kSuccess);
  Tick();
  ASSERT_EQ(Write(a, 0, "a"), NtStatus::kSuccess);
  ASSERT_EQ(Run(files().SetEndOfFile(a, 10)), NtStatus::kSuccess);
  EXPECT_EQ(Facts(b).last_write_time, static_cast<FileTime>(kSomeTime));
  ASSERT_EQ(Write(b, 0, "a"), NtStatus::kSuccess);
  ASSERT_EQ(Run(files().Flush(b)), NtStatus::kSuccess);
  const FileTime moved = Facts(a).last_write_time;
  EXPECT_GT(moved, static_cast<FileTime>(kSomeTime));
  Tick();
  ASSERT_EQ(Write(a, 0, "a"), NtStatus::kSuccess);
  ASSERT_EQ(Run(files().Flush(a)), NtStatus::kSuccess);
  EXPECT_EQ(Facts(a).last_write_time, moved);
  ASSERT_EQ(Close(a), NtStatus::kSuccess);
  EXPECT_EQ(Facts(b).last_write_time, moved);
}

TEST_F(InfoTest, MinusOneFixesATimeAndMinusTwoReleasesIt) {
  const auto open = Open(u"f");
  const FileTime before = Facts(open).last_write_time;
  ASSERT_EQ(SetWriteTime(open, -1), NtStatus::kSuccess);
  Tick();
  ASSERT_EQ(Write(open, 0, "a"), NtStatus::kSuccess);
  EXPECT_EQ(Facts(open).last_write_time, before);
  ASSERT_EQ(SetWriteTime(open, -2), NtStatus::kSuccess);
  EXPECT_EQ(Facts(open).last_write_time, before);
  ASSERT_EQ(Write(open, 0, "a"), NtStatus::kSuccess);
  ASSERT_EQ(Run(files().Flush(open)), NtStatus::kSuccess);
  EXPECT_GT(Facts(open).last_write_time, before);
  EXPECT_EQ(SetWriteTime(open, -3), NtStatus::kInvalidParameter);
}

TEST_F(InfoTest, AllocationMovesOnlyTheChangeTimeUnlessItTruncates) {
  const auto open = Open(u"f");
  ASSERT_EQ(Write(open, 0, "a"), NtStatus::kSuccess);
  const FileFacts before = Facts(open);
  Tick();
  ASSERT_EQ(Run(files().SetAllocation(open, 100'000)), NtStatus::kSuccess);
  EXPECT_EQ(Facts(open).last_write_time, before.last_write_time);
  EXPECT_GT(Facts(open).change_time, before.change_time);
  ASSERT_EQ(Run(files().SetAllocation(open, 0)), NtStatus::kSuccess);
  EXPECT_GT(Facts(open).last_write_time, before.last_write_time);
}

TEST_F(InfoTest, FixedTimesOfAPersistentOpenSurvive) {
  const auto open = OpenPersistent(u"f");
  ASSERT_EQ(SetWriteTime(open, kSomeTime), NtStatus::kSuccess);
  store().PowerCut();
  Remount();
  const auto survivor = Survivor(open->persistent_id);
  ASSERT_TRUE(survivor);
  ASSERT_EQ(Write(survivor, 0, "a"), NtStatus::kSuccess);
  ASSERT_EQ(Run(files().Flush(survivor)), NtStatus::kSuccess);
  EXPECT_EQ(Facts(survivor).last_write_time, static_cast<FileTime>(kSomeTime));
}

TEST_F(InfoTest, AttributesAreReplacedWithinWhatMayBeSet) {
  const auto open = Open(u"f");
  EXPECT_EQ(Facts(open).file_attributes, file_attribute::kArchive);
  ASSERT_EQ(SetAttributes(open, file_attribute::kHidden | file_attribute::kReadonly | file_attribute::kCompressed),
            NtStatus::kSuccess);
  EXPECT_EQ(Facts(open).file_attributes, file_attribute::kHidden | file_attribute::kReadonly);
  ASSERT_EQ(SetAttributes(open, 0), NtStatus::kSuccess);
  EXPECT_EQ(Facts(open).file_attributes, file_attribute::kHidden | file_attribute::kReadonly);
  ASSERT_EQ(SetAttributes(open, file_attribute::kNormal), NtStatus::kSuccess);
  EXPECT_EQ(Facts(open).file_attributes, file_attribute::kNormal);
  EXPECT_EQ(SetAttributes(open, file_attribute::kDirectory), NtStatus::kInvalidParameter);
  ASSERT_EQ(Write(open, 0, "a"), NtStatus::kSuccess);
  EXPECT_EQ(Facts(open).file_attributes, file_attribute::kArchive);
  const auto directory = MakeDirectory(u"d");
  EXPECT_EQ(SetAttributes(directory, file_attribute::kTemporary), NtStatus::kInvalidParameter);
  EXPECT_EQ(SetAttributes(directory, file_attribute::kDirectory | file_attribute::kHidden), NtStatus::kSuccess);
  EXPECT_EQ(Facts(directory).file_attributes, file_attribute::kDirectory | file_attribute::kHidden);
}

TEST_F(InfoTest, WhatIsSetSurvivesTheProcess) {
  auto open = Open(u"f");
  SetTimesAndAttributes change;
  change.file_attributes = file_attribute::kHidden;
  change.creation_time = kSomeTime;
  ASSERT_EQ(Set(open, change), NtStatus::kSuccess);
  Remount();
  open = Open(u"f");
  EXPECT_EQ(Facts(open).file_attributes, file_attribute::kHidden);
  EXPECT_EQ(Facts(open).creation_time, static_cast<FileTime>(kSomeTime));
}

TEST_F(InfoTest, WhatCannotBeStoredIsNotShown) {
  const auto open = Open(u"f");
  MemoryFault fault;
  fault.op = EngineOp::kWrite;
  store().Inject(fault);
  EXPECT_EQ(SetAttributes(open, file_attribute::kHidden), NtStatus::kUnexpectedIoError);
  EXPECT_EQ(Facts(open).file_attributes, file_attribute::kArchive);
}

TEST_F(InfoTest, DeletePendingShowsInTheStandardFacts) {
  const auto open = Open(u"f");
  EXPECT_EQ(Facts(open).number_of_links, 1u);
  ASSERT_EQ(Run(files().SetDisposition(open, true, false, false)), NtStatus::kSuccess);
  EXPECT_TRUE(Facts(open).delete_pending);
  EXPECT_EQ(Facts(open).number_of_links, 0u);
}

TEST_F(InfoTest, NormalizedNamesHaveTheirRealCaseAndBeginAtTheShare) {
  MakeDirectory(u"Dir");
  Open(u"Dir\\File.Txt");
  EXPECT_EQ(*Run(files().QueryNormalizedName(Open(u"dIR\\fILE.tXT"))), u"Dir\\File.Txt");
  EXPECT_EQ(*Run(files().QueryNormalizedName(MakeDirectory(u"DIR"))), u"Dir");
  EXPECT_EQ(*Run(files().QueryNormalizedName(MakeDirectory(u""))), u"");
}

// ---- security -----------------------------------------------------------------------------------------------------

TEST_F(InfoTest, DescriptorsAreShownAndChangedInParts) {
  auto open = Open(u"f");
  const auto parts = security_information::kOwner | security_information::kDacl;
  auto before = SecurityDescriptor::Parse(*Run(files().QuerySecurity(open, parts)));
  ASSERT_TRUE(before.ok());
  ASSERT_TRUE(before->owner);
  EXPECT_FALSE(before->group);
  SecurityDescriptor change;
  change.control = sd_control::kDaclPresent;
  change.dacl = Acl{};
  change.dacl->aces = {AllowAce(well_known::Everyone(), access::kFileGenericRead)};
  ASSERT_EQ(Run(files().SetSecurity(open, security_information::kDacl, change.Encode())), NtStatus::kSuccess);
  Remount();
  OpenOptions options;
  options.access = access::kReadControl;
  open = Open(u"f", options);
  const auto after = SecurityDescriptor::Parse(*Run(files().QuerySecurity(open, parts)));
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->owner, before->owner);
  EXPECT_EQ(after->dacl->aces, change.dacl->aces);
}

TEST_F(InfoTest, DescriptorsNeedTheirRights) {
  Open(u"f");
  OpenOptions options;
  options.access = access::kReadAttributes;
  const auto open = Open(u"f", options);
  EXPECT_EQ(Run(files().QuerySecurity(open, security_information::kDacl)).status(), NtStatus::kAccessDenied);
  SecurityDescriptor change;
  change.control = sd_control::kDaclPresent;
  EXPECT_EQ(Run(files().SetSecurity(open, security_information::kDacl, change.Encode())), NtStatus::kAccessDenied);
  EXPECT_EQ(Run(files().SetSecurity(Open(u"f"), security_information::kDacl, Bytes(5))),
            NtStatus::kInvalidSecurityDescr);
}

TEST_F(InfoTest, OnlyThoseWhoMayBecomeOwners) {
  OpenOptions options;
  options.token = User(1001);
  const auto open = Open(u"f", options);
  SecurityDescriptor change;
  change.owner = User(1002)->user;
  EXPECT_EQ(Run(files().SetSecurity(open, security_information::kOwner, change.Encode())), NtStatus::kInvalidOwner);
  change.owner = User(1001)->user;
  EXPECT_EQ(Run(files().SetSecurity(open, security_information::kOwner, change.Encode())), NtStatus::kSuccess);
  change.owner.reset();
  EXPECT_EQ(Run(files().SetSecurity(open, security_information::kOwner, change.Encode())), NtStatus::kInvalidOwner);
}

// ---- extended attributes, reparse points, object ids ------------------------------------------------------------------

TEST_F(InfoTest, ExtendedAttributesMergeByName) {
  auto open = Open(u"f");
  std::vector<ExtendedAttribute> eas{{"one", {1}, 0}, {"TWO", {2, 2}, 0}};
  ASSERT_EQ(Run(files().SetEas(open, eas)), NtStatus::kSuccess);
  eas = {{"One", {9}, 0}, {"two", {}, 0}, {"three", {3}, 0}};
  ASSERT_EQ(Run(files().SetEas(open, eas)), NtStatus::kSuccess);
  Remount();
  open = Open(u"f");
  const auto stored = Run(files().QueryEas(open));
  ASSERT_EQ(stored->size(), 2u);
  EXPECT_GT(Facts(open).ea_size, 0u);
  for (const ExtendedAttribute& ea : *stored) {
    EXPECT_TRUE((ea.name == "ONE" && ea.value == Bytes{9}) || (ea.name == "THREE" && ea.value == Bytes{3})) << ea.name;
  }
  eas = {{"ONE", {}, 0}, {"THREE", {}, 0}};
  ASSERT_EQ(Run(files().SetEas(open, eas)), NtStatus::kSuccess);
  EXPECT_EQ(Facts(open).ea_size, 0u);
}

TEST_F(InfoTest, TooManyExtendedAttributesChangeNothing) {
  const auto open = Open(u"f");
  std::vector<ExtendedAttribute> eas{{"A", Bytes(40'000), 0}};
  ASSERT_EQ(Run(files().SetEas(open, eas)), NtStatus::kSuccess);
  eas = {{"A", {1}, 0}, {"B", Bytes(40'000), 0}, {"C", Bytes(40'000), 0}};
  EXPECT_EQ(Run(files().SetEas(open, eas)), NtStatus::kEaTooLarge);
  EXPECT_EQ(Run(files().QueryEas(open))->front().value.size(), 40'000u);
  eas = {{"bad*name", {1}, 0}};
  EXPECT_EQ(Run(files().SetEas(open, eas)), NtStatus::kInvalidEaName);
}

TEST_F(InfoTest, ReparsePointsComeAndGoByTheirTag) {
  const auto open = Open(u"f");
  EXPECT_EQ(Run(files().GetReparsePoint(open)).status(), NtStatus::kNotAReparsePoint);
  fscc::ReparsePoint point;
  point.tag = fscc::reparse_tag::kNfs;
  point.data = {1, 2, 3, 4};
  ASSERT_EQ(Run(files().SetReparsePoint(open, point.Encode())), NtStatus::kSuccess);
  EXPECT_EQ(*Run(files().GetReparsePoint(open)), point.Encode());
  EXPECT_TRUE(Facts(open).file_attributes & file_attribute::kReparsePoint);
  EXPECT_EQ(Facts(open).reparse_tag, fscc::reparse_tag::kNfs);
  std::vector<ExtendedAttribute> eas{{"A", {1}, 0}};
  EXPECT_EQ(Run(files().SetEas(open, eas)), NtStatus::kEasNotSupported);
  fscc::ReparsePoint other = point;
  other.tag = fscc::reparse_tag::kDedup;
  EXPECT_EQ(Run(files().SetReparsePoint(open, other.Encode())), NtStatus::kIoReparseTagMismatch);
  EXPECT_EQ(Run(files().DeleteReparsePoint(open, other.tag, std::nullopt)), NtStatus::kIoReparseTagMismatch);
  ASSERT_EQ(Run(files().DeleteReparsePoint(open, point.tag, std::nullopt)), NtStatus::kSuccess);
  EXPECT_FALSE(Facts(open).file_attributes & file_attribute::kReparsePoint);
  EXPECT_EQ(Run(files().SetReparsePoint(open, Bytes(3))), NtStatus::kIoReparseDataInvalid);
}

TEST_F(InfoTest, ADirectoryWithEntriesIsNoReparsePoint) {
  const auto directory = MakeDirectory(u"d");
  Open(u"d\\f");
  fscc::ReparsePoint point;
  point.tag = fscc::reparse_tag::kNfs;
  point.data = {1};
  EXPECT_EQ(Run(files().SetReparsePoint(directory, point.Encode())), NtStatus::kDirectoryNotEmpty);
}

TEST_F(InfoTest, AnObjectIdIsMadeOnceAndKept) {
  auto open = Open(u"f");
  EXPECT_EQ(Run(files().GetOrCreateObjectId(open, false)).status(), NtStatus::kObjectidNotFound);
  const auto id = Run(files().GetOrCreateObjectId(open, true));
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(id->size(), 64u);
  Remount();
  open = Open(u"f");
  EXPECT_EQ(*Run(files().GetOrCreateObjectId(open, false)), *id);
}

TEST_F(InfoTest, AnObjectIdGoesAndCanBeMadeAnew) {
  const auto open = Open(u"f");
  EXPECT_EQ(Run(files().DeleteObjectId(open)), NtStatus::kSuccess);
  const auto first = Run(files().GetOrCreateObjectId(open, true));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(Run(files().DeleteObjectId(open)), NtStatus::kSuccess);
  EXPECT_EQ(Run(files().GetOrCreateObjectId(open, false)).status(), NtStatus::kObjectidNotFound);
  ASSERT_EQ(Close(open), NtStatus::kSuccess);
  Remount();
  const auto again = Open(u"f");
  EXPECT_EQ(Run(files().GetOrCreateObjectId(again, false)).status(), NtStatus::kObjectidNotFound);
  const auto second = Run(files().GetOrCreateObjectId(again, true));
  ASSERT_TRUE(second.ok());
  EXPECT_NE(*first, *second);
}

}  // namespace
}  // namespace holdfast
