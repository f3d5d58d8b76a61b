// What every engine must do, whatever it is made of. A test program includes this once and instantiates EngineSuite
// for its engines.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/engine/engine.h"
#include "storage/engine/limits.h"
#include "tests/storage/run.h"

namespace holdfast {

class EngineUnderTest {
 public:
  virtual ~EngineUnderTest() = default;
  virtual Engine& engine() = 0;
  // The process ends and another one opens the same store.
  virtual void Reopen() = 0;
};

struct EngineKind {
  std::string name;
  std::function<std::unique_ptr<EngineUnderTest>(Executor)> make;
};
inline void PrintTo(const EngineKind& kind, std::ostream* out) { *out << kind.name; }

inline DataRange Range(std::uint64_t offset, std::uint64_t length) { return {offset, length}; }
inline bool operator==(const DataRange& a, const DataRange& b) { return a.offset == b.offset && a.length == b.length; }
inline void PrintTo(const DataRange& r, std::ostream* out) { *out << '[' << r.offset << ",+" << r.length << ')'; }
inline bool operator==(const KeyValue& a, const KeyValue& b) { return a.key == b.key && a.value == b.value; }
inline void PrintTo(const KeyValue& kv, std::ostream* out) { *out << kv.key << '=' << kv.value; }
inline void PrintTo(EngineError error, std::ostream* out) { *out << EngineErrorName(error); }

class EngineSuite : public CoreTest, public ::testing::WithParamInterface<EngineKind> {
 protected:
  static constexpr std::uint64_t kPage = kEnginePageBytes;

  void SetUp() override { under_test_ = GetParam().make(executor()); }
  Engine& engine() { return under_test_->engine(); }
  void Reopen() { under_test_->Reopen(); }

  EngineResult<std::uint64_t> Write(const std::string& object, std::vector<Guard> guards,
                                    std::vector<Mutation> mutations, Durability durability = Durability::kStable) {
    return Run(engine().Write(object, std::move(guards), std::move(mutations), durability));
  }
  // The new version, or dies.
  std::uint64_t Set(const std::string& object, const std::string& key, const std::string& value) {
    auto version = Write(object, {}, {Mutation::Set(key, value)});
    EXPECT_TRUE(version.ok()) << EngineErrorName(version.error());
    return version.ok() ? *version : 0;
  }
  EngineResult<KeyPage> ReadKeys(const std::string& object, KeyRange range = {}) {
    return Run(engine().ReadKeys(object, std::move(range)));
  }
  std::vector<KeyValue> Keys(const std::string& object) {
    auto page = ReadKeys(object);
    return page.ok() ? page->entries : std::vector<KeyValue>{};
  }
  EngineError WriteBytes(const std::string& object, std::uint64_t offset, const std::string& text,
                         Durability durability = Durability::kStable) {
    return Run(engine().WriteData(object, offset, View(text), durability));
  }
  std::string ReadBytes(const std::string& object, std::uint64_t offset, std::size_t length) {
    std::string out(length, '#');
    auto covered = Run(engine().ReadData(object, offset, Span(out)));
    EXPECT_TRUE(covered.ok()) << EngineErrorName(covered.error());
    if (covered.ok()) covered_ = *covered;
    return out;
  }
  std::uint64_t Size(const std::string& object) {
    auto size = Run(engine().DataSize(object));
    EXPECT_TRUE(size.ok());
    return size.ok() ? *size : UINT64_MAX;
  }
  std::vector<DataRange> Allocated(const std::string& object, DataRange within) {
    auto ranges = Run(engine().AllocatedRanges(object, within));
    EXPECT_TRUE(ranges.ok());
    return ranges.ok() ? *ranges : std::vector<DataRange>{};
  }
  std::vector<std::string> List(const std::string& prefix, const std::string& after = "", std::size_t limit = 100) {
    auto names = Run(engine().List(prefix, after, limit));
    EXPECT_TRUE(names.ok());
    return names.ok() ? *names : std::vector<std::string>{};
  }
  static ByteView View(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }
  static std::span<std::uint8_t> Span(std::string& text) {
    return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
  }

  std::size_t covered_ = 0;  // what the last ReadBytes() said was there
  std::unique_ptr<EngineUnderTest> under_test_;
};

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_P(EngineSuite, AnAbsentObjectHasNoKeysAndNoBytes) {
  EXPECT_EQ(ReadKeys("o").error(), EngineError::kNotFound);
  EXPECT_EQ(Run(engine().ReadKeysExact("o", {"a"})).error(), EngineError::kNotFound);
  EXPECT_EQ(Size("o"), 0u);
  EXPECT_EQ(ReadBytes("o", 5, 4), std::string(4, '\0'));
  EXPECT_EQ(covered_, 0u);
  EXPECT_THAT(Allocated("o", Range(0, 1 << 20)), IsEmpty());
  EXPECT_EQ(Run(engine().TruncateData("o", 0, Durability::kStable)), EngineError::kNone);
  EXPECT_EQ(Run(engine().ZeroData("o", Range(0, 10), Durability::kStable)), EngineError::kNone);
  EXPECT_EQ(Run(engine().RemoveData("o")), EngineError::kNone);
  EXPECT_EQ(Run(engine().Flush("o")), EngineError::kNone);
  EXPECT_THAT(List(""), IsEmpty());
}

TEST_P(EngineSuite, AWriteRaisesTheVersionAndReadsBack) {
  EXPECT_EQ(Set("o", "b", "2"), 1u);
  EXPECT_EQ(Set("o", "a", "1"), 2u);
  auto page = ReadKeys("o");
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->entries, ElementsAre(KeyValue{"a", "1"}, KeyValue{"b", "2"}));
  EXPECT_EQ(page->version, 2u);
  EXPECT_FALSE(page->more);
  auto exact = Run(engine().ReadKeysExact("o", {"b", "x", "a"}));
  ASSERT_TRUE(exact.ok());
  EXPECT_EQ(*exact, (std::vector<std::optional<std::string>>{"2", std::nullopt, "1"}));
}

TEST_P(EngineSuite, NamesKeysAndValuesAreBinary) {
  using namespace std::string_literals;
  const std::string key = "k\0\xff\x01"s;
  const std::string value = "\0v\xff"s;
  // Neighbours that a careless separator would mix up.
  for (const std::string& object : {"a"s, "a\0"s, "a\0b"s, "a\x01"s, "a\xff"s, "\0"s, "\xff\xff"s}) {
    Set(object, key, value + object);
    Set(object, "", "empty" + object);
  }
  for (const std::string& object : {"a"s, "a\0"s, "a\0b"s, "a\x01"s, "a\xff"s, "\0"s, "\xff\xff"s}) {
    EXPECT_THAT(Keys(object), ElementsAre(KeyValue{"", "empty" + object}, KeyValue{key, value + object}));
  }
  EXPECT_THAT(List(""), ElementsAre("\0"s, "a"s, "a\0"s, "a\0b"s, "a\x01"s, "a\xff"s, "\xff\xff"s));
}

TEST_P(EngineSuite, KeysComeInUnsignedByteOrderWithinTheirRange) {
  for (const char* key : {"\xff", "a", "b", "\x80", "ab", "A"}) Set("o", key, "v");
  std::vector<std::string> order;
  for (const KeyValue& kv : Keys("o")) order.push_back(kv.key);
  EXPECT_THAT(order, ElementsAre("A", "a", "ab", "b", "\x80", "\xff"));
  auto page = ReadKeys("o", {.from = "a", .to = "b", .limit = 1024});
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->entries, ElementsAre(KeyValue{"a", "v"}, KeyValue{"ab", "v"}));
  EXPECT_FALSE(page->more);
  page = ReadKeys("o", {.from = "ab", .to = "", .limit = 2});
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->entries, ElementsAre(KeyValue{"ab", "v"}, KeyValue{"b", "v"}));
  EXPECT_TRUE(page->more);
  // An empty range of a present object is not "not found".
  page = ReadKeys("o", {.from = "c", .to = "d", .limit = 10});
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->entries, IsEmpty());
}

TEST_P(EngineSuite, PagesOfKeysCoverALargeObjectOnce) {
  std::vector<Mutation> mutations;
  for (int i = 0; i < 2500; ++i) {
    std::string key = std::to_string(100000 + i);
    mutations.push_back(Mutation::Set(key, "v" + key));
  }
  ASSERT_TRUE(Write("o", {}, mutations).ok());
  KeyRange range{.from = "", .to = "", .limit = 5000};
  std::vector<std::size_t> pages;
  int next = 0;
  for (bool more = true; more;) {
    auto page = ReadKeys("o", range);
    ASSERT_TRUE(page.ok());
    pages.push_back(page->entries.size());
    for (const KeyValue& kv : page->entries) EXPECT_EQ(kv.key, std::to_string(100000 + next++));
    more = page->more;
    range.from = page->entries.back().key + '\0';
  }
  EXPECT_THAT(pages, ElementsAre(1024u, 1024u, 452u));
}

TEST_P(EngineSuite, MutationsApplyInTheirOrder) {
  Set("o", "a", "old");
  ASSERT_TRUE(Write("o", {}, {Mutation::Remove("a"), Mutation::Set("a", "1"), Mutation::Set("c", "3"),
                              Mutation::Set("b", "2"), Mutation::RemoveRange("b", "d"), Mutation::Set("c", "again")})
                  .ok());
  EXPECT_THAT(Keys("o"), ElementsAre(KeyValue{"a", "1"}, KeyValue{"c", "again"}));
  ASSERT_TRUE(Write("o", {}, {Mutation::RemoveRange("b", "")}).ok());
  EXPECT_THAT(Keys("o"), ElementsAre(KeyValue{"a", "1"}));
  ASSERT_TRUE(Write("o", {}, {Mutation::RemoveRange("z", "a"), Mutation::Remove("nothing")}).ok());
  EXPECT_THAT(Keys("o"), ElementsAre(KeyValue{"a", "1"}));
}

TEST_P(EngineSuite, EachGuardRefusesWithoutChangingAnything) {
  const std::uint64_t version = Set("o", "k", "v");
  const std::vector<Mutation> change = {Mutation::Set("k", "changed"), Mutation::Set("new", "x")};
  const std::vector<Guard> failing = {Guard::Absent(),           Guard::KeyAbsent("k"),
                                      Guard::KeyPresent("x"),    Guard::KeyEquals("k", "w"),
                                      Guard::KeyEquals("x", ""), Guard::VersionEquals(version + 1)};
  for (const Guard& guard : failing) {
    EXPECT_EQ(Write("o", {Guard::Present(), guard}, change).error(), EngineError::kGuardFailed)
        << static_cast<int>(guard.kind);
  }
  EXPECT_EQ(Write("other", {Guard::Present()}, change).error(), EngineError::kGuardFailed);
  EXPECT_EQ(ReadKeys("other").error(), EngineError::kNotFound);
  EXPECT_THAT(Keys("o"), ElementsAre(KeyValue{"k", "v"}));

  auto passed = Write("o",
                      {Guard::Present(), Guard::KeyAbsent("x"), Guard::KeyPresent("k"), Guard::KeyEquals("k", "v"),
                       Guard::VersionEquals(version)},
                      change);
  ASSERT_TRUE(passed.ok());
  EXPECT_EQ(*passed, version + 1);
  EXPECT_TRUE(Write("other", {Guard::Absent(), Guard::VersionEquals(0), Guard::KeyAbsent("k")}, change).ok());
  EXPECT_EQ(Write("other", {Guard::Absent()}, change).error(), EngineError::kGuardFailed);
}

TEST_P(EngineSuite, AGuardedWriteWithoutMutationsRaisesTheVersion) {
  const std::uint64_t version = Set("o", "k", "v");
  auto touched = Write("o", {Guard::VersionEquals(version)}, {});
  ASSERT_TRUE(touched.ok());
  EXPECT_EQ(*touched, version + 1);
  // It does not bring an object into being.
  ASSERT_TRUE(Write("absent", {}, {Mutation::Remove("k")}).ok());
  EXPECT_EQ(ReadKeys("absent").error(), EngineError::kNotFound);
}

TEST_P(EngineSuite, BytesAloneMakeAnObjectPresent) {
  ASSERT_EQ(WriteBytes("d", 0, "bytes"), EngineError::kNone);
  EXPECT_EQ(Write("d", {Guard::Absent()}, {Mutation::Set("k", "v")}).error(), EngineError::kGuardFailed);
  EXPECT_TRUE(ReadKeys("d").ok());
  EXPECT_THAT(List(""), ElementsAre("d"));
  EXPECT_TRUE(Write("d", {Guard::Present(), Guard::VersionEquals(0)}, {Mutation::Set("k", "v")}).ok());
  ASSERT_EQ(Run(engine().RemoveData("d")), EngineError::kNone);
  EXPECT_EQ(Size("d"), 0u);
  EXPECT_THAT(Keys("d"), ElementsAre(KeyValue{"k", "v"}));
}

TEST_P(EngineSuite, RemovingTheObjectTakesKeysBytesAndVersion) {
  Set("o", "k", "v");
  Set("o", "k", "w");
  ASSERT_EQ(WriteBytes("o", 0, "bytes"), EngineError::kNone);
  auto version = Write("o", {Guard::KeyEquals("k", "w")}, {Mutation::RemoveObject()});
  ASSERT_TRUE(version.ok());
  EXPECT_EQ(*version, 0u);
  EXPECT_EQ(ReadKeys("o").error(), EngineError::kNotFound);
  EXPECT_EQ(Size("o"), 0u);
  EXPECT_THAT(List(""), IsEmpty());
  Reopen();
  EXPECT_EQ(Size("o"), 0u);
  EXPECT_EQ(ReadBytes("o", 0, 5), std::string(5, '\0'));
  // The same name begins anew.
  EXPECT_EQ(Set("o", "n", "1"), 1u);
  ASSERT_EQ(WriteBytes("o", 1, "x"), EngineError::kNone);
  EXPECT_EQ(ReadBytes("o", 0, 3), std::string("\0x\0", 3));
  Reopen();
  EXPECT_THAT(Keys("o"), ElementsAre(KeyValue{"n", "1"}));
  EXPECT_EQ(ReadBytes("o", 0, 2), std::string("\0x", 2));
}

TEST_P(EngineSuite, AnObjectWithoutAnyKeyLeftIsAbsentButRemembersItsVersion) {
  Set("o", "k", "v");
  ASSERT_TRUE(Write("o", {}, {Mutation::Remove("k")}).ok());
  EXPECT_EQ(ReadKeys("o").error(), EngineError::kNotFound);
  EXPECT_THAT(List(""), IsEmpty());
  auto again = Write("o", {Guard::Absent()}, {Mutation::Set("k", "v")});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, 3u);
}

TEST_P(EngineSuite, ReadsCoverOnlyWhatIsBeforeTheEnd) {
  ASSERT_EQ(WriteBytes("d", 3, "abc"), EngineError::kNone);
  EXPECT_EQ(Size("d"), 6u);
  EXPECT_EQ(ReadBytes("d", 0, 6), std::string("\0\0\0abc", 6));
  EXPECT_EQ(covered_, 6u);
  EXPECT_EQ(ReadBytes("d", 4, 8), std::string("bc\0\0\0\0\0\0", 8));
  EXPECT_EQ(covered_, 2u);
  EXPECT_EQ(ReadBytes("d", 6, 2), std::string(2, '\0'));
  EXPECT_EQ(covered_, 0u);
  EXPECT_EQ(ReadBytes("d", std::uint64_t{1} << 40, 2), std::string(2, '\0'));
  EXPECT_EQ(covered_, 0u);
  EXPECT_EQ(ReadBytes("d", 0, 0), "");
  ASSERT_EQ(WriteBytes("d", 100, ""), EngineError::kNone);
  EXPECT_EQ(Size("d"), 6u);
}

TEST_P(EngineSuite, BytesBehindTheLargestOffsetAreTooLarge) {
  EXPECT_EQ(WriteBytes("d", UINT64_MAX - 1, "abc"), EngineError::kTooLarge);
  EXPECT_EQ(WriteBytes("d", engine().stripe_bytes(), "a"), EngineError::kTooLarge);
  EXPECT_EQ(Size("d"), 0u);
}

TEST_P(EngineSuite, LimitsAreTooLarge) {
  EXPECT_EQ(Write(std::string(kMaxObjectNameBytes + 1, 'o'), {}, {Mutation::Set("k", "v")}).error(),
            EngineError::kTooLarge);
  EXPECT_EQ(Write("o", {}, {Mutation::Set(std::string(kMaxKeyBytes + 1, 'k'), "v")}).error(), EngineError::kTooLarge);
  EXPECT_EQ(Write("o", {}, {Mutation::Set("k", std::string(kMaxValueBytes + 1, 'v'))}).error(),
            EngineError::kTooLarge);
  const std::string longest_name(kMaxObjectNameBytes, 'o');
  const std::string longest_key(kMaxKeyBytes, 'k');
  Set(longest_name, longest_key, std::string(kMaxValueBytes, 'v'));
  ASSERT_EQ(WriteBytes(longest_name, 0, "x"), EngineError::kNone);
  Reopen();
  ASSERT_EQ(Keys(longest_name).size(), 1u);
  EXPECT_EQ(Keys(longest_name)[0].value.size(), kMaxValueBytes);
  EXPECT_EQ(ReadBytes(longest_name, 0, 1), "x");
}

TEST_P(EngineSuite, SparseBytesOccupyOnlyTheirPages) {
  ASSERT_EQ(WriteBytes("d", 10 * kPage + 5, "x"), EngineError::kNone);
  ASSERT_EQ(WriteBytes("d", 100 * kPage - 1, "yz"), EngineError::kNone);
  const auto all = Range(0, std::uint64_t{1} << 40);
  EXPECT_THAT(Allocated("d", all), ElementsAre(Range(10 * kPage, kPage), Range(99 * kPage, 2 * kPage)));
  EXPECT_THAT(Allocated("d", Range(0, 10 * kPage)), IsEmpty());
  EXPECT_THAT(Allocated("d", Range(10 * kPage + 100, 90 * kPage - 100)),
              ElementsAre(Range(10 * kPage + 100, kPage - 100), Range(99 * kPage, kPage)));
  EXPECT_THAT(Allocated("d", Range(50 * kPage, 0)), IsEmpty());
  auto bytes = Run(engine().AllocatedBytes("d"));
  ASSERT_TRUE(bytes.ok());
  EXPECT_GE(*bytes, 3 * kPage);
  EXPECT_LT(*bytes, 50 * kPage);
}

TEST_P(EngineSuite, ZeroingFreesWholePagesAndKeepsTheEnd) {
  ASSERT_EQ(WriteBytes("d", 0, std::string(8 * kPage, 'x')), EngineError::kNone);
  ASSERT_EQ(Run(engine().ZeroData("d", Range(kPage + 10, 3 * kPage), Durability::kStable)), EngineError::kNone);
  EXPECT_EQ(Size("d"), 8 * kPage);
  EXPECT_EQ(ReadBytes("d", 0, 6 * kPage),
            std::string(kPage + 10, 'x') + std::string(3 * kPage, '\0') + std::string(2 * kPage - 10, 'x'));
  EXPECT_THAT(Allocated("d", Range(0, 8 * kPage)), ElementsAre(Range(0, 2 * kPage), Range(4 * kPage, 4 * kPage)));
  // To the end and behind it: the end stays.
  ASSERT_EQ(Run(engine().ZeroData("d", Range(6 * kPage, UINT64_MAX), Durability::kProcess)), EngineError::kNone);
  EXPECT_EQ(Size("d"), 8 * kPage);
  EXPECT_EQ(ReadBytes("d", 6 * kPage - 1, 2 * kPage + 1), "x" + std::string(2 * kPage, '\0'));
  EXPECT_EQ(covered_, 2 * kPage + 1);
  ASSERT_EQ(Run(engine().ZeroData("d", Range(20 * kPage, kPage), Durability::kStable)), EngineError::kNone);
  EXPECT_EQ(Size("d"), 8 * kPage);
}

TEST_P(EngineSuite, ADuplicateReadsLikeItsSourceAndIsItsOwn) {
  const auto pages = [](std::size_t count, char fill) { return std::string(count * kPage, fill); };
  ASSERT_EQ(WriteBytes("from", 0, pages(1, 'a') + pages(1, 'b')), EngineError::kNone);
  ASSERT_EQ(WriteBytes("from", 3 * kPage, "the end"), EngineError::kNone);
  ASSERT_EQ(WriteBytes("to", 0, pages(6, 'x'), Durability::kProcess), EngineError::kNone);
  ASSERT_EQ(Run(engine().DuplicateData("from", 0, "to", kPage, 4 * kPage, Durability::kStable)), EngineError::kNone);
  const std::string duplicate =
      pages(1, 'a') + pages(1, 'b') + pages(1, '\0') + "the end" + std::string(kPage - 7, '\0');
  EXPECT_EQ(ReadBytes("to", 0, 6 * kPage), pages(1, 'x') + duplicate + pages(1, 'x'));
  EXPECT_THAT(Allocated("to", Range(0, 6 * kPage)), ElementsAre(Range(0, 3 * kPage), Range(4 * kPage, 2 * kPage)));
  EXPECT_EQ(Size("to"), 6 * kPage);
  EXPECT_EQ(Size("from"), 3 * kPage + 7);

  ASSERT_EQ(WriteBytes("from", 10, "new"), EngineError::kNone);
  ASSERT_EQ(WriteBytes("to", 2 * kPage, "own"), EngineError::kNone);
  EXPECT_EQ(ReadBytes("to", kPage, 20), std::string(20, 'a'));
  EXPECT_EQ(ReadBytes("from", kPage, 5), "bbbbb");
  Reopen();
  EXPECT_EQ(ReadBytes("to", kPage, kPage + 5), pages(1, 'a') + "ownbb");
  EXPECT_EQ(ReadBytes("from", 8, 7), "aanewaa");
}

TEST_P(EngineSuite, ADuplicateMayGrowItsTargetAndEndWithinAPage) {
  ASSERT_EQ(WriteBytes("from", 0, std::string(3 * kPage, 'a')), EngineError::kNone);
  ASSERT_EQ(WriteBytes("to", 0, std::string(2 * kPage, 'x')), EngineError::kNone);
  ASSERT_EQ(Run(engine().DuplicateData("from", 0, "to", 0, kPage + 100, Durability::kProcess)), EngineError::kNone);
  EXPECT_EQ(ReadBytes("to", kPage - 1, 200), std::string(101, 'a') + std::string(99, 'x'));
  ASSERT_EQ(Run(engine().DuplicateData("from", kPage, "to", 8 * kPage, 2 * kPage, Durability::kStable)),
            EngineError::kNone);
  EXPECT_EQ(Size("to"), 10 * kPage);
  EXPECT_EQ(ReadBytes("to", 8 * kPage - 1, 2), std::string("\0a", 2));
  // Within one object, and from one that is not there.
  ASSERT_EQ(Run(engine().DuplicateData("from", 0, "from", 5 * kPage, kPage, Durability::kStable)), EngineError::kNone);
  EXPECT_EQ(ReadBytes("from", 5 * kPage, kPage), std::string(kPage, 'a'));
  ASSERT_EQ(Run(engine().DuplicateData("absent", 0, "from", kPage, kPage, Durability::kStable)), EngineError::kNone);
  EXPECT_EQ(ReadBytes("from", kPage - 1, kPage + 2), "a" + std::string(kPage, '\0') + "a");
  ASSERT_EQ(Run(engine().DuplicateData("from", 0, "new", kPage, kPage, Durability::kStable)), EngineError::kNone);
  EXPECT_EQ(ReadBytes("new", kPage - 1, 2), std::string("\0a", 2));
  EXPECT_EQ(Run(engine().DuplicateData("from", 0, "new", engine().stripe_bytes(), kPage, Durability::kStable)),
            EngineError::kTooLarge);
}

TEST_P(EngineSuite, TruncatedBytesDoNotComeBack) {
  ASSERT_EQ(WriteBytes("d", 0, std::string(3 * kPage, 'x')), EngineError::kNone);
  ASSERT_EQ(Run(engine().TruncateData("d", 5 * kPage, Durability::kStable)), EngineError::kNone);
  EXPECT_EQ(Size("d"), 3 * kPage);
  ASSERT_EQ(Run(engine().TruncateData("d", kPage + 7, Durability::kStable)), EngineError::kNone);
  EXPECT_EQ(Size("d"), kPage + 7);
  ASSERT_EQ(WriteBytes("d", 3 * kPage, "end"), EngineError::kNone);
  EXPECT_EQ(ReadBytes("d", kPage, 2 * kPage), std::string(7, 'x') + std::string(2 * kPage - 7, '\0'));
  EXPECT_EQ(Size("d"), 3 * kPage + 3);
}

TEST_P(EngineSuite, ObjectsListInOrderPageByPage) {
  for (const char* object : {"i/3", "i/1", "s/1", "i/2", "d/9"}) Set(object, "k", "v");
  ASSERT_EQ(WriteBytes("i/25", 0, "bytes only"), EngineError::kNone);
  EXPECT_THAT(List("i/"), ElementsAre("i/1", "i/2", "i/25", "i/3"));
  EXPECT_THAT(List("i/", "", 2), ElementsAre("i/1", "i/2"));
  EXPECT_THAT(List("i/", "i/2", 2), ElementsAre("i/25", "i/3"));
  EXPECT_THAT(List("i/", "i/3"), IsEmpty());
  EXPECT_THAT(List("", "i/3"), ElementsAre("s/1"));
}

TEST_P(EngineSuite, OfRacingExclusiveCreatorsOneWins) {
  std::vector<EngineError> errors;
  auto create = [](Engine& e, int i, std::vector<EngineError>& out) -> Task<void> {
    // g++ 12 cannot compile a braced list inside a co_await expression.
    const std::vector<Guard> guards = {Guard::Absent()};
    const std::vector<Mutation> mutations = {Mutation::Set("owner", std::to_string(i))};
    auto result = co_await e.Write("o", guards, mutations);
    out.push_back(result.error());
  };
  for (int i = 0; i < 20; ++i) Start(create(engine(), i, errors));
  while (errors.size() < 20) Run(engine().DataSize("x")).ok();
  EXPECT_EQ(std::count(errors.begin(), errors.end(), EngineError::kNone), 1);
  EXPECT_EQ(std::count(errors.begin(), errors.end(), EngineError::kGuardFailed), 19);
}

TEST_P(EngineSuite, RacingCompareAndSwapsLoseNoIncrement) {
  Set("o", "n", "0");
  int done = 0;
  auto add = [](Engine& e, int rounds, int& finished) -> Task<void> {
    for (int i = 0; i < rounds;) {
      const std::vector<std::string> keys = {"n"};
      auto now = co_await e.ReadKeysExact("o", keys);
      const std::string old = now->at(0).value();
      const std::vector<Guard> guards = {Guard::KeyEquals("n", old)};
      const std::vector<Mutation> mutations = {Mutation::Set("n", std::to_string(std::stoi(old) + 1))};
      auto swapped = co_await e.Write("o", guards, mutations, Durability::kProcess);
      if (swapped.ok()) ++i;
    }
    ++finished;
  };
  for (int i = 0; i < 8; ++i) Start(add(engine(), 10, done));
  while (done < 8) Run(engine().DataSize("x")).ok();
  EXPECT_THAT(Keys("o"), ElementsAre(KeyValue{"n", "80"}));
}

TEST_P(EngineSuite, ConcurrentStableWritesOfOneFileAllLand) {
  constexpr int kWriters = 32;
  int done = 0;
  auto write = [](Engine& e, int i, int& finished) -> Task<void> {
    const Bytes page(kPage, static_cast<std::uint8_t>('a' + i));
    EXPECT_EQ(co_await e.WriteData("d", static_cast<std::uint64_t>(i) * kPage, page, Durability::kStable),
              EngineError::kNone);
    ++finished;
  };
  for (int i = 0; i < kWriters; ++i) Start(write(engine(), i, done));
  while (done < kWriters) Run(engine().DataSize("x")).ok();
  Reopen();
  for (int i = 0; i < kWriters; ++i) {
    EXPECT_EQ(ReadBytes("d", static_cast<std::uint64_t>(i) * kPage, kPage), std::string(kPage, static_cast<char>('a' + i)));
  }
}

TEST_P(EngineSuite, EverythingIsThereAfterReopening) {
  Set("o", "k", "v");
  ASSERT_TRUE(Write("o", {}, {Mutation::Set("p", "process")}, Durability::kProcess).ok());
  ASSERT_EQ(WriteBytes("o", 5 * kPage, "stable"), EngineError::kNone);
  ASSERT_EQ(WriteBytes("o", 9 * kPage, "process", Durability::kProcess), EngineError::kNone);
  Reopen();
  auto page = ReadKeys("o");
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->entries, ElementsAre(KeyValue{"k", "v"}, KeyValue{"p", "process"}));
  EXPECT_EQ(page->version, 2u);
  EXPECT_EQ(ReadBytes("o", 5 * kPage, 6), "stable");
  EXPECT_EQ(ReadBytes("o", 9 * kPage, 7), "process");
  EXPECT_THAT(List(""), ElementsAre("o"));
}

TEST_P(EngineSuite, UsageIsPlausibleAndTheStoreIsSound) {
  Set("o", "k", "v");
  ASSERT_EQ(WriteBytes("o", 0, "bytes"), EngineError::kNone);
  auto usage = Run(engine().Usage());
  ASSERT_TRUE(usage.ok());
  EXPECT_GT(usage->total_bytes, 0u);
  EXPECT_LE(usage->free_bytes, usage->total_bytes);
  EXPECT_THAT(Run(engine().Check(false)), IsEmpty());
}

}  // namespace holdfast
