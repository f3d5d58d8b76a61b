#include "storage/files/path.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

NtStatus StatusOf(std::u16string_view path) { return ParsePath(path).status(); }

TEST(ParsePath, SplitsComponentsAndStream) {
  const auto path = ParsePath(u"a\\b c\\d.txt:info:$dAtA");
  ASSERT_TRUE(path.ok());
  EXPECT_EQ(path->components, (std::vector<std::u16string>{u"a", u"b c", u"d.txt"}));
  EXPECT_EQ(path->stream, u"info");
  EXPECT_EQ(path->stream_type, ParsedPath::StreamType::kData);
}

TEST(ParsePath, EmptyIsTheRoot) {
  const auto path = ParsePath(u"");
  ASSERT_TRUE(path.ok());
  EXPECT_TRUE(path->components.empty());
  EXPECT_FALSE(path->names_stream());
}

TEST(ParsePath, StreamOfTheRoot) {
  const auto path = ParsePath(u":info");
  ASSERT_TRUE(path.ok());
  EXPECT_TRUE(path->components.empty());
  EXPECT_EQ(path->stream, u"info");
}

TEST(ParsePath, KeepsATrailingBackslashApart) {
  const auto path = ParsePath(u"a\\b\\");
  ASSERT_TRUE(path.ok());
  EXPECT_EQ(path->components.size(), 2u);
  EXPECT_TRUE(path->trailing_backslash);
}

TEST(ParsePath, DefaultStreamInItsLongForm) {
  const auto path = ParsePath(u"a::$DATA");
  ASSERT_TRUE(path.ok());
  EXPECT_TRUE(path->stream.empty());
  EXPECT_TRUE(path->names_stream());
}

TEST(ParsePath, DirectoryIndexNamesTheDirectory) {
  for (const auto text : {u"a:$I30:$INDEX_ALLOCATION", u"a::$INDEX_ALLOCATION"}) {
    const auto path = ParsePath(text);
    ASSERT_TRUE(path.ok());
    EXPECT_TRUE(path->names_directory_index());
  }
  EXPECT_EQ(StatusOf(u"a:other:$INDEX_ALLOCATION"), NtStatus::kInvalidParameter);
  EXPECT_TRUE(ParsePath(u"a:$I30:$INDEX_ALLOCATION\\b").ok());
}

TEST(ParsePath, RefusesWhatCannotBeAName) {
  for (const auto text : {u"a*b", u"a?", u"a<", u"a>", u"a|b", u"a\"b", u"a/b", u"a\x1f", u"a\\\\b", u"a\\\\", u"a:",
                          u"a:b:", u"a:b:c:d", u"a:b:$FOO", u"a:b\\c", u"a:x/y", u".", u"b\\.\\c"}) {
    EXPECT_EQ(StatusOf(text), NtStatus::kObjectNameInvalid) << testing::PrintToString(std::u16string(text));
  }
}

TEST(ParsePath, RefusesToClimb) {
  EXPECT_EQ(StatusOf(u"a\\..\\b"), NtStatus::kInvalidParameter);
  EXPECT_EQ(StatusOf(u".."), NtStatus::kInvalidParameter);
  EXPECT_EQ(StatusOf(u"\\a"), NtStatus::kInvalidParameter);
}

TEST(ParsePath, StreamNamesTakeWildcardsAndControlCharacters) {
  EXPECT_TRUE(ParsePath(u"a:?Stream*").ok());
  EXPECT_TRUE(ParsePath(u"a:\x05Stream\n One").ok());
}

TEST(ParsePath, ComponentsHave255Units) {
  EXPECT_TRUE(ParsePath(std::u16string(255, u'x')).ok());
  EXPECT_EQ(StatusOf(std::u16string(256, u'x')), NtStatus::kObjectNameInvalid);
  EXPECT_TRUE(ParsePath(u"a:" + std::u16string(255, u'x')).ok());
  EXPECT_EQ(StatusOf(u"a:" + std::u16string(256, u'x')), NtStatus::kObjectNameInvalid);
}

TEST(ParsePath, DeniesDosDevices) {
  for (const auto text : {u"con", u"NUL", u"Com1", u"lpt9", u"CLOCK$", u"a\\aux"}) {
    EXPECT_EQ(StatusOf(text), NtStatus::kAccessDenied);
  }
  for (const auto text : {u"con.txt", u"com0", u"com10", u"null"}) EXPECT_TRUE(ParsePath(text).ok());
}

TEST(ParsePath, KeepsTrailingDotsAndSpaces) {
  const auto path = ParsePath(u"a. \\b.");
  ASSERT_TRUE(path.ok());
  EXPECT_EQ(path->components[0], u"a. ");
  EXPECT_EQ(path->components[1], u"b.");
}

TEST(ParseStreamTarget, TakesBothForms) {
  EXPECT_EQ(*ParseStreamTarget(u":new"), u"new");
  EXPECT_EQ(*ParseStreamTarget(u":new:$DATA"), u"new");
  EXPECT_EQ(ParseStreamTarget(u"::$DATA").status(), NtStatus::kInvalidParameter);
  EXPECT_EQ(ParseStreamTarget(u":a\\b").status(), NtStatus::kObjectNameInvalid);
}

}  // namespace
}  // namespace holdfast
