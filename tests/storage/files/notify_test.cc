#include "storage/files/notify.h"

#include "protocol/fscc/attributes.h"
#include "tests/storage/files/operations_fixture.h"

namespace holdfast {
namespace {

constexpr std::uint32_t kNames = notify_filter::kFileName | notify_filter::kDirectoryName;
constexpr std::uint32_t kAll = 0xFFF;

class NotifyTest : public OperationsTest {
 public:
  struct Watcher {
    PendingWaitPtr wait = std::make_shared<PendingWait>();
    bool pending = false;
    std::optional<NtStatus> status;
    std::vector<NotifyEvent> events;
    std::u16string text() const {
      std::u16string all;
      for (const NotifyEvent& event : events) {
        all += static_cast<char16_t>(u'0' + event.action);
        all += u":" + event.name + u" ";
      }
      return all;
    }
  };
  std::shared_ptr<Watcher> Watch(const OpenPtr& open, std::uint32_t filter = kNames, bool tree = false,
                                 std::uint32_t max_bytes = 1000) {
    auto watcher = std::make_shared<Watcher>();
    watcher->wait->on_pending = [raw = watcher.get()] { raw->pending = true; };
    Start(Wait(open, filter, tree, max_bytes, watcher));
    Settle();
    return watcher;
  }
  Task<void> Wait(OpenPtr open, std::uint32_t filter, bool tree, std::uint32_t max_bytes,
                  std::shared_ptr<Watcher> watcher) {
    auto result = co_await files().Notify(open, filter, tree, max_bytes, watcher->wait);
    watcher->status = result.status();
    if (result.ok()) watcher->events = std::move(*result);
  }
  void Make(const std::u16string& path) {
    const auto open = Open(path);
    ASSERT_TRUE(open);
    ASSERT_EQ(Close(open), NtStatus::kSuccess);
    Settle();
  }
  void Delete(const std::u16string& path) {
    const auto open = Open(path);
    ASSERT_EQ(Run(files().SetDisposition(open, true, false, false)), NtStatus::kSuccess);
    ASSERT_EQ(Close(open), NtStatus::kSuccess);
    Settle();
  }
};

TEST_F(NotifyTest, WaitsForAChangeAndKeepsWhatHappensBetweenRequests) {
  const auto directory = MakeDirectory(u"d");
  auto watcher = Watch(directory);
  EXPECT_TRUE(watcher->pending);
  EXPECT_FALSE(watcher->status);
  Make(u"d\\a");
  EXPECT_EQ(watcher->status, NtStatus::kSuccess);
  EXPECT_EQ(watcher->text(), u"1:a ");
  Make(u"d\\b");
  Delete(u"d\\a");
  watcher = Watch(directory);
  EXPECT_FALSE(watcher->pending);
  EXPECT_EQ(watcher->text(), u"1:b 2:a ");
}

TEST_F(NotifyTest, SeesOnlyWhatItsFilterNames) {
  const auto directory = MakeDirectory(u"d");
  const auto directories = Watch(directory, notify_filter::kDirectoryName);
  const auto second = MakeDirectory(u"d");
  const auto attributes = Watch(second, notify_filter::kAttributes);
  const auto file = Open(u"d\\f");
  SetTimesAndAttributes change;
  change.file_attributes = file_attribute::kHidden;
  ASSERT_EQ(Run(files().SetBasic(file, change)), NtStatus::kSuccess);
  MakeDirectory(u"d\\sub");
  Settle();
  EXPECT_EQ(directories->text(), u"1:sub ");
  EXPECT_EQ(attributes->text(), u"3:f ");
}

TEST_F(NotifyTest, TheFirstRequestSetsTheFilter) {
  const auto directory = MakeDirectory(u"d");
  auto watcher = Watch(directory, notify_filter::kDirectoryName);
  watcher->wait->Cancel();
  Settle();
  EXPECT_EQ(watcher->status, NtStatus::kCancelled);
  watcher = Watch(directory, kAll);
  Make(u"d\\a");
  EXPECT_FALSE(watcher->status);
  MakeDirectory(u"d\\sub");
  Settle();
  EXPECT_EQ(watcher->text(), u"1:sub ");
}

TEST_F(NotifyTest, RequestsAreAnsweredInTheirOrder) {
  const auto directory = MakeDirectory(u"d");
  const auto first = Watch(directory);
  const auto second = Watch(directory);
  Make(u"d\\a");
  EXPECT_EQ(first->text(), u"1:a ");
  EXPECT_FALSE(second->status);
  Make(u"d\\b");
  EXPECT_EQ(second->text(), u"1:b ");
}

TEST_F(NotifyTest, BothNamesOfARenameComeTogether) {
  const auto directory = MakeDirectory(u"d");
  Make(u"d\\a");
  const auto watcher = Watch(directory);
  const auto file = Open(u"d\\a");
  ASSERT_EQ(Run(files().Rename(file, u"d\\b", false, false)), NtStatus::kSuccess);
  Settle();
  EXPECT_EQ(watcher->text(), u"4:a 5:b ");
}

TEST_F(NotifyTest, ARenamedFileIsAChangeToThoseWhoDoNotListenToNames) {
  const auto directory = MakeDirectory(u"d");
  const auto sub = MakeDirectory(u"d\\sub");
  const auto attributes = Watch(directory, notify_filter::kAttributes);
  const auto both = Watch(MakeDirectory(u"d"), notify_filter::kAttributes | kNames);
  OpenOptions options;
  options.options = kDirectoryFile;
  ASSERT_EQ(Close(sub), NtStatus::kSuccess);
  ASSERT_EQ(Run(files().Rename(Open(u"d\\sub", options), u"d\\gone", false, false)), NtStatus::kSuccess);
  Make(u"d\\a");
  EXPECT_FALSE(attributes->status);
  ASSERT_EQ(Run(files().Rename(Open(u"d\\a"), u"d\\b", false, false)), NtStatus::kSuccess);
  Settle();
  EXPECT_EQ(attributes->text(), u"3:b ");
  EXPECT_EQ(both->text(), u"4:sub 5:gone ");
}

TEST_F(NotifyTest, MoreThanFitsIsOneAnswerToLookAgain) {
  const auto directory = MakeDirectory(u"d");
  auto watcher = Watch(directory, kNames, false, 64);
  watcher->wait->Cancel();
  Settle();
  for (int i = 0; i < 5; ++i) Make(u"d\\a" + std::u16string(1, static_cast<char16_t>(u'0' + i)));
  watcher = Watch(directory, kNames, false, 1000);
  EXPECT_EQ(watcher->status, NtStatus::kNotifyEnumDir);
  // Afterwards it starts afresh.
  watcher = Watch(directory);
  Make(u"d\\b");
  EXPECT_EQ(watcher->text(), u"1:b ");
  watcher = Watch(directory, kNames, false, 4);
  Make(u"d\\c");
  EXPECT_EQ(watcher->status, NtStatus::kNotifyEnumDir);
}

TEST_F(NotifyTest, ClosingAnswersCleanup) {
  const auto directory = MakeDirectory(u"d");
  const auto watcher = Watch(directory);
  ASSERT_EQ(Close(directory), NtStatus::kSuccess);
  Settle();
  EXPECT_EQ(watcher->status, NtStatus::kNotifyCleanup);
}

TEST_F(NotifyTest, ADirectoryThatIsDeletedSaysSo) {
  const auto directory = MakeDirectory(u"d");
  const auto watcher = Watch(directory);
  OpenOptions options;
  options.options = kDirectoryFile;
  const auto other = Open(u"d", options);
  ASSERT_EQ(Run(files().SetDisposition(other, true, false, false)), NtStatus::kSuccess);
  ASSERT_EQ(Close(other), NtStatus::kSuccess);
  Settle();
  EXPECT_EQ(watcher->status, NtStatus::kDeletePending);
}

TEST_F(NotifyTest, AWatchedTreeTellsPaths) {
  const auto directory = MakeDirectory(u"d");
  MakeDirectory(u"d\\one");
  const auto flat = Watch(MakeDirectory(u"d"), kNames, false);
  auto tree = Watch(directory, kNames, true);
  Make(u"d\\one\\a");
  EXPECT_EQ(tree->text(), u"1:one\\a ");
  EXPECT_FALSE(flat->status);
  MakeDirectory(u"d\\one\\two");
  Make(u"d\\one\\two\\b");
  Make(u"elsewhere");
  Make(u"d\\c");
  tree = Watch(directory, kNames, true);
  EXPECT_EQ(tree->text(), u"1:one\\two 1:one\\two\\b 1:c ");
  EXPECT_EQ(flat->text(), u"1:c ");
}

TEST_F(NotifyTest, ATreeKnowsDirectoriesThatHaveMovedOrAreNotInMemory) {
  for (const char16_t* path : {u"d", u"d\\one", u"d\\one\\deep"}) ASSERT_EQ(Close(MakeDirectory(path)), NtStatus::kSuccess);
  Remount();
  const auto directory = MakeDirectory(u"d");
  auto tree = Watch(directory, kNames, true);
  Make(u"d\\one\\deep\\a");
  EXPECT_EQ(tree->text(), u"1:one\\deep\\a ");
  OpenOptions options;
  options.options = kDirectoryFile;
  const auto one = Open(u"d\\one", options);
  ASSERT_EQ(Run(files().Rename(one, u"d\\two", false, false)), NtStatus::kSuccess);
  Make(u"d\\two\\deep\\b");
  tree = Watch(directory, kNames, true);
  EXPECT_EQ(tree->text(), u"4:one 5:two 1:two\\deep\\b ");
}

TEST_F(NotifyTest, WritesAreToldOnceUntilSomebodyLooks) {
  const auto directory = MakeDirectory(u"d");
  const auto file = Open(u"d\\f");
  auto watcher = Watch(directory, notify_filter::kSize | notify_filter::kLastWrite);
  ASSERT_EQ(Write(file, 0, "a"), NtStatus::kSuccess);
  Settle();
  EXPECT_EQ(watcher->text(), u"3:f ");
  ASSERT_EQ(Write(file, 1, "b"), NtStatus::kSuccess);
  ASSERT_EQ(Write(file, 2, "c"), NtStatus::kSuccess);
  watcher = Watch(directory);
  EXPECT_EQ(watcher->text(), u"3:f ");
}

TEST_F(NotifyTest, OnlyDirectoriesThatMayBeListedAreWatched) {
  EXPECT_EQ(Watch(Open(u"f"))->status, NtStatus::kInvalidParameter);
  MakeDirectory(u"d");
  OpenOptions options;
  options.options = kDirectoryFile;
  options.access = access::kReadAttributes;
  EXPECT_EQ(Watch(Open(u"d", options))->status, NtStatus::kAccessDenied);
}

}  // namespace
}  // namespace holdfast
