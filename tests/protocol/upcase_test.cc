#include "protocol/dtyp/upcase.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "protocol/dtyp/unicode.h"

namespace holdfast {
namespace {

TEST(Upcase, TableOfVersion1NeverChanges) {
  ASSERT_EQ(kUpcaseVersion, 1);
  // FNV-1a over the 65536 units, little-endian. A different number here means that existing volumes lose files.
  std::uint64_t hash = 0xCBF29CE484222325;
  for (std::uint32_t unit = 0; unit < 0x10000; ++unit) {
    const char16_t upper = Upcase(static_cast<char16_t>(unit));
    for (const unsigned byte : {upper & 0xFFu, static_cast<unsigned>(upper >> 8)}) hash = (hash ^ byte) * 0x100000001B3;
  }
  EXPECT_EQ(hash, 0x96FA186C4D6E9717u);
}

TEST(Upcase, IsIdempotent) {
  for (std::uint32_t unit = 0; unit < 0x10000; ++unit) {
    const char16_t upper = Upcase(static_cast<char16_t>(unit));
    ASSERT_EQ(Upcase(upper), upper) << unit;
  }
}

TEST(Upcase, FoldsLettersOfManyScripts) {
  EXPECT_EQ(UpcaseName(u"profile_j\u00F6rg.vhdx"), u"PROFILE_J\u00D6RG.VHDX");
  EXPECT_EQ(UpcaseName(u"\u0436\u03C9\u03C2\u0561\u1F80"), u"\u0416\u03A9\u03A3\u0531\u1F88");
}

TEST(Upcase, LeavesApartWhatWindowsLeavesApart) {
  for (const char16_t unit :
       {u'\u0131', u'\u017F', u'\u00B5', u'\u00DF', u'\u0149', u'\u03D0', u'\u1E9E', char16_t{0xD801}})
    EXPECT_EQ(Upcase(unit), unit) << std::hex << static_cast<unsigned>(unit);
}

TEST(Upcase, ComparesWithoutCase) {
  EXPECT_TRUE(EqualsIgnoringCase(u"Disk.VHDX", u"dISK.vhdx"));
  EXPECT_FALSE(EqualsIgnoringCase(u"Disk.VHDX", u"Disk.VHD"));
  EXPECT_FALSE(EqualsIgnoringCase(u"i", u"\u0130"));
}

TEST(Unicode, ConvertsBothWays) {
  const std::u16string text = u"a\u00E4\u20AC\U0001F600";
  EXPECT_EQ(Utf16ToUtf8(text), "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(Utf8ToUtf16(Utf16ToUtf8(text)), text);
}

TEST(Unicode, EveryUtf16StringComesBack) {
  const std::u16string cases[] = {
      {char16_t{0xD800}},
      {char16_t{0xDC00}},
      {char16_t{0xDC00}, char16_t{0xD800}},
      {char16_t{0xD800}, char16_t{0xD800}, char16_t{0xDC00}},
      {u'a', char16_t{0xDFFF}, u'b'},
      {char16_t{0xFFFF}, char16_t{0}},
  };
  for (const auto& text : cases) EXPECT_EQ(Utf8ToUtf16(Utf16ToUtf8(text)), text);
}

TEST(Unicode, RefusesMalformedUtf8) {
  for (const std::string_view text :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xC3", "\xE2\x82", "a\xFF", "\xED\xA0\x80\xED\xB0\x80"})
    EXPECT_FALSE(Utf8ToUtf16(text).has_value());
  EXPECT_EQ(Utf8ToUtf16Lossy("a\xFFz"), u"a\uFFFDz");
}

TEST(Unicode, ReadsTheWireOnlyInWholeUnits) {
  const Bytes bytes = Utf16ToLe(u"ab");
  EXPECT_EQ(bytes, (Bytes{'a', 0, 'b', 0}));
  EXPECT_EQ(Utf16FromLe(bytes), u"ab");
  EXPECT_FALSE(Utf16FromLe(ByteView(bytes).first(3)).has_value());
}

}  // namespace
}  // namespace holdfast
