#include "tests/storage/files/operations_fixture.h"

#include <algorithm>
#include <set>

#include "protocol/dtyp/unicode.h"
#include "protocol/fscc/attributes.h"

namespace holdfast {
namespace {

class DirectoryScanTest : public OperationsTest {
 public:
  void Make(const std::u16string& path) {
    const auto open = Open(path);
    ASSERT_TRUE(open);
    ASSERT_EQ(Close(open), NtStatus::kSuccess);
  }
  // One QUERY_DIRECTORY that takes up to `take` entries.
  NtStatus Query(const OpenPtr& open, const std::u16string& pattern, std::vector<DirectoryEntry>& out,
                 std::size_t take = 100, bool restart = false, bool reopen = false) {
    const NtStatus status = Run(files().FillScan(open, pattern, restart, reopen, take));
    for (std::size_t i = 0; i < take && !open->scan.ahead.empty(); ++i) {
      out.push_back(std::move(open->scan.ahead.front()));
      open->scan.ahead.pop_front();
    }
    return status;
  }
  std::vector<DirectoryEntry> All(const OpenPtr& open, const std::u16string& pattern, bool restart = false) {
    std::vector<DirectoryEntry> entries;
    NtStatus status = Query(open, pattern, entries, 100, restart);
    while (status == NtStatus::kSuccess) status = Query(open, pattern, entries);
    EXPECT_TRUE(status == NtStatus::kNoMoreFiles || status == NtStatus::kNoSuchFile) << NtStatusName(status);
    return entries;
  }
  std::vector<std::string> Names(const OpenPtr& open, const std::u16string& pattern, bool restart = false) {
    std::vector<std::string> names;
    for (const DirectoryEntry& entry : All(open, pattern, restart)) names.push_back(Utf16ToUtf8(entry.name));
    return names;
  }
};

using Strings = std::vector<std::string>;

TEST_F(DirectoryScanTest, ListsInOrderAfterTheTwoDots) {
  const auto directory = MakeDirectory(u"d");
  for (const char16_t* name : {u"d\\beta", u"d\\Alpha", u"d\\gamma.txt"}) Make(name);
  EXPECT_EQ(Names(directory, u"*"), (Strings{".", "..", "Alpha", "beta", "gamma.txt"}));
}

TEST_F(DirectoryScanTest, TakesOnlyWhatThePatternMatches) {
  const auto directory = MakeDirectory(u"d");
  for (const char16_t* name : {u"d\\a.txt", u"d\\a.doc", u"d\\ab.TXT", u"d\\b.txt", u"d\\-x", u"d\\.hidden", u"d\\!x"}) {
    Make(name);
  }
  EXPECT_EQ(Names(directory, u"*.txt", true), (Strings{"a.txt", "ab.TXT", "b.txt"}));
  EXPECT_EQ(Names(directory, u"A*", true), (Strings{"a.doc", "a.txt", "ab.TXT"}));
  EXPECT_EQ(Names(directory, u"a.txt*", true), (Strings{"a.txt"}));
  EXPECT_EQ(Names(directory, u".*", true), (Strings{".", "..", ".hidden"}));
  EXPECT_EQ(Names(directory, u"B.TXT", true), (Strings{"b.txt"}));
  EXPECT_EQ(Names(directory, u".", true), (Strings{"."}));
  EXPECT_EQ(Names(directory, u"..", true), (Strings{".."}));
  EXPECT_EQ(Names(directory, u"<.txt", true), (Strings{"a.txt", "ab.TXT", "b.txt"}));
  EXPECT_EQ(Names(directory, u"nothing", true), Strings{});
}

TEST_F(DirectoryScanTest, NothingAtAllIsNoSuchFileAndTheEndIsNoMoreFiles) {
  const auto directory = MakeDirectory(u"d");
  Make(u"d\\a");
  std::vector<DirectoryEntry> entries;
  EXPECT_EQ(Query(directory, u"x*", entries), NtStatus::kNoSuchFile);
  const auto again = MakeDirectory(u"d");
  EXPECT_EQ(Query(again, u"a*", entries), NtStatus::kSuccess);
  EXPECT_EQ(Query(again, u"a*", entries), NtStatus::kNoMoreFiles);
  EXPECT_EQ(Query(again, u"a*", entries), NtStatus::kNoMoreFiles);
  EXPECT_EQ(Query(again, u"", entries, 100, true), NtStatus::kSuccess);
  EXPECT_EQ(entries.size(), 2u);
}

TEST_F(DirectoryScanTest, ThePatternStaysUntilARestartBringsAnother) {
  const auto directory = MakeDirectory(u"d");
  for (const char16_t* name : {u"d\\a1", u"d\\a2", u"d\\b1"}) Make(name);
  std::vector<DirectoryEntry> entries;
  ASSERT_EQ(Query(directory, u"a*", entries, 1), NtStatus::kSuccess);
  ASSERT_EQ(Query(directory, u"b*", entries, 1), NtStatus::kSuccess);
  EXPECT_EQ(entries[1].name, u"a2");
  ASSERT_EQ(Query(directory, u"b*", entries, 1, false, true), NtStatus::kSuccess);
  EXPECT_EQ(entries[2].name, u"b1");
  ASSERT_EQ(Query(directory, u"", entries, 1, true), NtStatus::kSuccess);
  EXPECT_EQ(entries[3].name, u"b1");
}

TEST_F(DirectoryScanTest, RefusesWhatIsNoPatternOrNoDirectory) {
  const auto directory = MakeDirectory(u"d");
  std::vector<DirectoryEntry> entries;
  EXPECT_EQ(Query(directory, u"a\\b", entries), NtStatus::kObjectNameInvalid);
  EXPECT_EQ(Query(directory, u"a:b", entries), NtStatus::kObjectNameInvalid);
  EXPECT_EQ(Query(directory, std::u16string(256, u'a'), entries), NtStatus::kObjectNameInvalid);
  EXPECT_EQ(Query(Open(u"f"), u"*", entries), NtStatus::kInvalidParameter);
  OpenOptions options;
  options.access = access::kReadAttributes;
  options.options = kDirectoryFile;
  EXPECT_EQ(Query(Open(u"d", options), u"*", entries), NtStatus::kAccessDenied);
  EXPECT_EQ(Query(directory, u"*", entries), NtStatus::kSuccess);
}

TEST_F(DirectoryScanTest, ThreeThousandEntriesComeOnceEachWhileOthersAreMade) {
  const auto directory = MakeDirectory(u"d");
  for (int i = 0; i < 3000; ++i) Make(u"d\\file" + Utf8ToUtf16Lossy(std::to_string(10000 + i)));
  std::vector<DirectoryEntry> entries;
  NtStatus status = NtStatus::kSuccess;
  int made = 0;
  while ((status = Query(directory, u"*", entries, 150)) == NtStatus::kSuccess) {
    Make(u"d\\aaa" + Utf8ToUtf16Lossy(std::to_string(made)));
    Make(u"d\\zzz" + Utf8ToUtf16Lossy(std::to_string(made++)));
  }
  EXPECT_EQ(status, NtStatus::kNoMoreFiles);
  std::set<std::u16string> names;
  for (const DirectoryEntry& entry : entries) names.insert(entry.name);
  EXPECT_EQ(names.size(), entries.size());
  EXPECT_EQ(std::count_if(names.begin(), names.end(), [](const auto& n) { return n.starts_with(u"file"); }), 3000);
}

TEST_F(DirectoryScanTest, ShowsOpenFilesAsTheyAreNow) {
  const auto directory = MakeDirectory(u"d");
  const auto file = Open(u"d\\f");
  ASSERT_EQ(Write(file, 0, std::string(5000, 'x')), NtStatus::kSuccess);
  auto entries = All(directory, u"f");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].size, 5000u);
  EXPECT_EQ(entries[0].allocation_size, 8192u);
  EXPECT_EQ(entries[0].last_write_time, Facts(file).last_write_time);
  EXPECT_EQ(entries[0].file_attributes, file_attribute::kArchive);
  ASSERT_EQ(Close(file), NtStatus::kSuccess);
  Remount();
  entries = All(MakeDirectory(u"d"), u"f");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].size, 5000u);
  EXPECT_EQ(entries[0].file_attributes, file_attribute::kArchive);
}

TEST_F(DirectoryScanTest, DirectoriesShowTheirAttribute) {
  const auto directory = MakeDirectory(u"d");
  const auto inner = MakeDirectory(u"d\\inner");
  const auto entries = All(directory, u"*");
  ASSERT_EQ(entries.size(), 3u);
  for (const DirectoryEntry& entry : entries) EXPECT_EQ(entry.file_attributes, file_attribute::kDirectory);
  EXPECT_EQ(entries[0].number, directory->file_number());
  EXPECT_EQ(entries[2].number, inner->file_number());
  const auto above = All(inner, u"..");
  ASSERT_EQ(above.size(), 1u);
  EXPECT_EQ(above[0].number, directory->file_number());
  // Above the root of the share nothing is told.
  const auto root = MakeDirectory(u"");
  const auto top = All(root, u"..");
  ASSERT_EQ(top.size(), 1u);
  EXPECT_EQ(top[0].number, root->file_number());
}

TEST_F(DirectoryScanTest, AccessBasedEnumerationHidesWhatCannotBeRead) {
  MakeDirectory(u"d");
  const auto hidden = Open(u"d\\hidden");
  Make(u"d\\open");
  SecurityDescriptor descriptor;
  descriptor.control = sd_control::kDaclPresent | sd_control::kDaclProtected;
  descriptor.dacl = Acl{};
  descriptor.dacl->aces = {AllowAce(well_known::Administrators(), access::kFileAllAccess)};
  ASSERT_EQ(Run(files().SetSecurity(hidden, security_information::kDacl, descriptor.Encode())), NtStatus::kSuccess);
  OpenOptions options;
  options.options = kDirectoryFile;
  options.access = access::kFileGenericRead;
  options.abe = true;
  options.token = User(1001);
  EXPECT_EQ(Names(Open(u"d", options), u"*"), (Strings{".", "..", "open"}));
  ASSERT_EQ(Close(hidden), NtStatus::kSuccess);
  Remount();
  EXPECT_EQ(Names(Open(u"d", options), u"*"), (Strings{".", "..", "open"}));
  EXPECT_EQ(Names(Open(u"d", options), u"hidden"), Strings{});
  options.abe = false;
  EXPECT_EQ(Names(Open(u"d", options), u"*"), (Strings{".", "..", "hidden", "open"}));
}

}  // namespace
}  // namespace holdfast
