#include "storage/files/wildcard.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

struct Row {
  const char16_t* pattern;
  const char16_t* name;
  bool matches;
};

TEST(WildcardTest, MatchesAsWindowsDoes) {
  constexpr Row kRows[] = {
      {u"*", u"any.thing", true},      {u"*.*", u"no dot", true},      {u"*", u"", false},
      {u"", u"a", false},              {u"", u"", true},               {u"abc", u"ABC", true},
      {u"abc", u"abcd", false},        {u"abc", u"ab", false},         {u"a*", u"a", true},
      {u"a*c", u"abc", true},          {u"a*c", u"abcd", false},       {u"*.txt", u"x.TXT", true},
      {u"*.txt", u"txt", false},       {u"*.txt", u"a.b.txt", true},   {u"a?c", u"abc", true},
      {u"a?c", u"ac", false},          {u"abc?", u"abc", false},       {u"?", u".", true},
      {u"\u00e4*", u"\u00c4rger", true},
      // DOS_QM: nothing before a dot or at the end.
      {u"a>>>.b", u"a.b", true},       {u"a>>>.b", u"axy.b", true},    {u"a>>>.b", u"axyzw.b", false},
      {u"abc>>", u"abc", true},        {u">>>>>>>>.>>>", u"a.b", true}, {u">", u"ab", false},
      {u"a>", u"a.", false},
      // DOS_DOT: a dot, or nothing at the end.
      {u"abc\"", u"abc", true},        {u"abc\"", u"abc.", true},      {u"abc\"txt", u"abc.txt", true},
      {u"abc\"txt", u"abctxt", false}, {u"abc\"*", u"abc", true},      {u"\"", u"x", false},
      // DOS_STAR: to the last dot.
      {u"<.txt", u"a.b.txt", true},    {u"<", u"name", true},          {u"<", u"name.ext", false},
      {u"<txt", u"a.b.txt", true},     {u"<.b", u"a.b.c", false},      {u"<\"*", u"a.b.c", true},
      {u"<\"", u"a", true},            {u"<c", u"abc", true},          {u"a<b", u"a.b", true},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(MatchesPattern(row.pattern, row.name), row.matches)
        << std::string(row.pattern, row.pattern + std::u16string_view(row.pattern).size()) << " on "
        << std::string(row.name, row.name + std::u16string_view(row.name).size());
  }
}

TEST(WildcardTest, ManyStarsTakeNoLongerThanTheirProduct) {
  std::u16string pattern;
  for (int i = 0; i < 120; ++i) pattern += u"*a";
  const std::u16string name(254, u'a');
  EXPECT_TRUE(MatchesPattern(pattern, name));
  EXPECT_FALSE(MatchesPattern(pattern + u"b", name));
}

TEST(WildcardTest, KnowsItsFiveCharacters) {
  for (const char16_t unit : std::u16string_view(u"*?<>\"")) EXPECT_TRUE(HasWildcards(std::u16string(u"a") + unit));
  EXPECT_FALSE(HasWildcards(u"plain.txt"));
  EXPECT_FALSE(HasWildcards(u""));
}

}  // namespace
}  // namespace holdfast
