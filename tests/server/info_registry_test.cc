#include <gtest/gtest.h>

#include "server/info/file_facts.h"
#include "server/info/registry.h"
#include "server/info/short_name.h"

namespace holdfast {
namespace {

fscc::FileInformationClass Class(int id) { return static_cast<fscc::FileInformationClass>(id); }

TEST(InfoRegistry, EveryFunctionHasItsLengthAndRights) {
  for (int id = 0; id < 256; ++id) {
    const auto* rules = fscc::FindFileInformationClass(static_cast<std::uint8_t>(id));
    for (const FileInfoRow* row : {FindFileInfo(Class(id)), FindPipeInfo(Class(id))}) {
      if (!row) continue;
      ASSERT_TRUE(rules) << id;
      EXPECT_TRUE(!row->query || rules->minimum_query > 0) << id;
      EXPECT_TRUE(!row->set || rules->minimum_set > 0) << id;
    }
    if (FindFsInfo(static_cast<fscc::FsInformationClass>(id))) {
      const auto* fs_rules = fscc::FindFsInformationClass(static_cast<std::uint8_t>(id));
      ASSERT_TRUE(fs_rules) << id;
      EXPECT_GT(fs_rules->minimum_query, 0) << id;
    }
  }
}

TEST(FileAllInformation, FillsTheLeastBufferAlthoughItsNameIsEmpty) {
  const auto* rules = fscc::FindFileInformationClass(static_cast<std::uint8_t>(fscc::FileInformationClass::kAll));
  EXPECT_EQ(fscc::Encode(info::All({}, {})).size(), rules->minimum_query);
}

// [MS-SMB2] 2.2.37
TEST(InfoRegistry, AnswersTheQueryClassesOfTheProtocol) {
  for (const int id : {4, 5, 6, 7, 8, 14, 15, 16, 17, 18, 21, 22, 28, 34, 35, 48, 59}) {
    const FileInfoRow* row = FindFileInfo(Class(id));
    EXPECT_TRUE(row && row->query) << id;
  }
  for (const int id : {1, 3, 4, 5, 6, 7, 8, 11})
    EXPECT_TRUE(FindFsInfo(static_cast<fscc::FsInformationClass>(id))) << id;
}

// 2.2.39, short names excepted: the volume has none to set. With the forms of [MS-FSCC] 2.4 that are remote since.
TEST(InfoRegistry, CarriesOutTheSetClassesOfTheProtocol) {
  for (const int id : {4, 10, 11, 13, 14, 15, 16, 19, 20, 39, 64, 65}) {
    const FileInfoRow* row = FindFileInfo(Class(id));
    EXPECT_TRUE(row && row->set) << id;
  }
  EXPECT_TRUE(FindPipeInfo(fscc::FileInformationClass::kPipe)->set);
}

// Behaviour notes 415, 416 and 428
TEST(InfoRegistry, RefusesAsWindowsDoes) {
  EXPECT_EQ(FileQueryRefusal(1), NtStatus::kInvalidInfoClass);
  EXPECT_EQ(FileQueryRefusal(40), NtStatus::kInvalidInfoClass);
  EXPECT_EQ(FileQueryRefusal(41), NtStatus::kNotSupported);
  EXPECT_EQ(FileQueryRefusal(46), NtStatus::kNotSupported);  // documented, not of the protocol
  EXPECT_EQ(FileQueryRefusal(52), NtStatus::kInfoLengthMismatch);
  EXPECT_EQ(FileQueryRefusal(0), NtStatus::kInvalidInfoClass);
  EXPECT_EQ(FileQueryRefusal(200), NtStatus::kInvalidInfoClass);
  EXPECT_EQ(FileSetRefusal(43), NtStatus::kNotSupported);
  EXPECT_EQ(FileSetRefusal(5), NtStatus::kInvalidInfoClass);  // query only
  EXPECT_EQ(FileSetRefusal(40), NtStatus::kNotSupported);     // short names are off
  EXPECT_EQ(FileSetRefusal(200), NtStatus::kInvalidInfoClass);
  EXPECT_EQ(FsQueryRefusal(2), NtStatus::kNotSupported);
  EXPECT_EQ(FsQueryRefusal(99), NtStatus::kInvalidInfoClass);
}

TEST(InfoRegistry, KnowsFromWhichDialectAClassExists) {
  EXPECT_EQ(FindFileInfo(fscc::FileInformationClass::kNormalizedName)->min_dialect, 0x0311);
  EXPECT_EQ(FindFileInfo(fscc::FileInformationClass::kId)->min_dialect, 0x0300);
  EXPECT_EQ(FindFileInfo(fscc::FileInformationClass::kBasic)->min_dialect, 0);
}

TEST(ShortName, OfAnEightThreeNameIsItselfInUpperCase) {
  EXPECT_EQ(ShortName(u"readme.txt"), u"README.TXT");
  EXPECT_EQ(ShortName(u"A"), u"A");
  EXPECT_EQ(ShortName(u"12345678.123"), u"12345678.123");
}

TEST(ShortName, OfALongNameIsMadeAndStays) {
  const std::u16string made = ShortName(u"testsmb2_file.dat");
  EXPECT_EQ(made.size(), 12u);
  EXPECT_TRUE(made.starts_with(u"TE"));
  EXPECT_TRUE(made.ends_with(u"~1.DAT"));
  EXPECT_EQ(made, ShortName(u"testsmb2_file.dat"));
  EXPECT_NE(made, ShortName(u"testsmb2_fild.dat"));
}

TEST(ShortName, NeverExceedsEightThree) {
  for (const std::u16string_view name :
       {u"a.b.c", u".profile", u"name.", u"name with spaces", u"x.longext", u"12345678.1234", u"\u00e4\u00f6\u00fc",
        u"...", u"many.dots.in.this.name.text"}) {
    const std::u16string made = ShortName(name);
    const std::size_t dot = made.find(u'.');
    EXPECT_LE(made.substr(0, dot).size(), 8u);
    EXPECT_GT(made.substr(0, dot).size(), 0u);
    if (dot != made.npos) {
      EXPECT_LE(made.size() - dot - 1, 3u);
      EXPECT_GT(made.size() - dot - 1, 0u);
    }
    EXPECT_EQ(made.find(u' '), made.npos);
    EXPECT_EQ(made.find(u'.', dot == made.npos ? 0 : dot + 1), made.npos);
  }
}

}  // namespace
}  // namespace holdfast
