#include <gtest/gtest.h>

#include "protocol/fscc/directory_information.h"
#include "protocol/fscc/extended_attributes.h"
#include "protocol/fscc/file_information.h"
#include "protocol/fscc/fs_information.h"
#include "protocol/fscc/information_class.h"
#include "protocol/fscc/reparse.h"
#include "tests/protocol/crypto_vectors.h"

namespace holdfast::fscc {
namespace {

using test::Hex;
using C = FileInformationClass;

template <class T>
std::size_t SizeOf() {
  return Encode(T{}).size();
}

TEST(FileInformation, HasTheSizesOfTheSpecification) {
  EXPECT_EQ(SizeOf<FileBasicInformation>(), 40u);
  EXPECT_EQ(SizeOf<FileStandardInformation>(), 24u);
  EXPECT_EQ(SizeOf<FileInternalInformation>(), 8u);
  EXPECT_EQ(SizeOf<FileAllInformation>(), 100u);
  EXPECT_EQ(SizeOf<FileCompressionInformation>(), 16u);
  EXPECT_EQ(SizeOf<FileNetworkOpenInformation>(), 56u);
  EXPECT_EQ(SizeOf<FileAttributeTagInformation>(), 8u);
  EXPECT_EQ(SizeOf<FileIdInformation>(), 24u);
  EXPECT_EQ(SizeOf<FilePipeLocalInformation>(), 40u);
  EXPECT_EQ(SizeOf<FileRenameInformation>(), 20u);
  EXPECT_EQ(SizeOf<FileRenameInformationEx>(), 20u);
  EXPECT_EQ(SizeOf<FileFsVolumeInformation>(), 18u);
  EXPECT_EQ(SizeOf<FileFsSizeInformation>(), 24u);
  EXPECT_EQ(SizeOf<FileFsDeviceInformation>(), 8u);
  EXPECT_EQ(SizeOf<FileFsAttributeInformation>(), 12u);
  EXPECT_EQ(SizeOf<FileFsControlInformation>(), 48u);
  EXPECT_EQ(SizeOf<FileFsFullSizeInformation>(), 32u);
  EXPECT_EQ(SizeOf<FileFsObjectIdInformation>(), 64u);
  EXPECT_EQ(SizeOf<FileFsSectorSizeInformation>(), 28u);
}

TEST(FileInformation, StandsInTheOrderOfTheWire) {
  FileStandardInformation standard;
  standard.allocation_size = 0x1000;
  standard.end_of_file = 0xFFF;
  standard.number_of_links = 2;
  standard.directory = true;
  EXPECT_EQ(Encode(standard), Hex("0010000000000000 FF0F000000000000 02000000 00 01 0000"));
  FileFsVolumeInformation volume;
  volume.volume_creation_time = 1;
  volume.volume_serial_number = 0x11223344;
  volume.volume_label = u"ab";
  EXPECT_EQ(Encode(volume), Hex("0100000000000000 44332211 04000000 00 00 61006200"));
  const auto back = Decode<FileFsVolumeInformation>(Encode(volume));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->volume_label, u"ab");
}

TEST(FileInformation, RenameIsReadAndEveryTruncationRefused) {
  FileRenameInformation rename;
  rename.replace_if_exists = true;
  rename.file_name = u"dir\\new";
  const Bytes bytes = Encode(rename);
  EXPECT_EQ(bytes, Hex("01 00000000000000 0000000000000000 0E000000 64006900720 05C006E0065007700"));
  const auto back = Decode<FileRenameInformation>(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->file_name, rename.file_name);
  EXPECT_TRUE(back->replace_if_exists);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(Decode<FileRenameInformation>(ByteView(bytes).first(size)).status(), NtStatus::kInfoLengthMismatch);
  Bytes odd = bytes;
  odd[16] = 13;
  EXPECT_EQ(Decode<FileRenameInformation>(odd).status(), NtStatus::kInvalidParameter);
  Bytes rooted = bytes;
  rooted[8] = 1;
  EXPECT_EQ(Decode<FileRenameInformation>(rooted).status(), NtStatus::kInvalidParameter);
}

TEST(FileInformation, RefusesNegativeSizesAndTimes) {
  EXPECT_EQ(Decode<FileEndOfFileInformation>(Hex("FFFFFFFFFFFFFFFF")).status(), NtStatus::kInvalidParameter);
  FileBasicInformation basic;
  basic.last_write_time = FileBasicInformation::kNoUpdate;
  basic.change_time = FileBasicInformation::kResumeUpdate;
  EXPECT_TRUE(Decode<FileBasicInformation>(Encode(basic)).ok());
  basic.last_write_time = static_cast<std::uint64_t>(-3);
  EXPECT_EQ(Decode<FileBasicInformation>(Encode(basic)).status(), NtStatus::kInvalidParameter);
}

TEST(FileInformation, OutputIsCutOrRefusedByLimit) {
  FileFsAttributeInformation attributes;
  attributes.file_system_name = u"NTFS";
  const auto fit = [&](std::size_t limit) { return FitOutput(Encode(attributes), 16, limit); };
  EXPECT_EQ(fit(20).status, NtStatus::kSuccess);
  EXPECT_EQ(fit(18).status, NtStatus::kBufferOverflow);
  EXPECT_EQ(fit(18).data.size(), 18u);
  EXPECT_EQ(fit(15).status, NtStatus::kInfoLengthMismatch);
}

TEST(FileInformation, StreamsAreChainedAndOnlyWholeOnesShown) {
  const std::vector<FileStreamInformation> streams = {
      {u"::$DATA", 10, 4096}, {u":a:$DATA", 3, 8}, {u":bb:$DATA", 4, 8}};
  const auto all = EncodeStreams(streams, 1000);
  EXPECT_EQ(all.status, NtStatus::kSuccess);
  const auto back = DecodeStreams(all.data);
  ASSERT_TRUE(back.ok());
  ASSERT_EQ(back->size(), 3u);
  EXPECT_EQ((*back)[2].stream_name, u":bb:$DATA");
  EXPECT_EQ((*back)[1].stream_size, 3u);
  const auto two = EncodeStreams(streams, all.data.size() - 1);
  EXPECT_EQ(two.status, NtStatus::kBufferOverflow);
  EXPECT_EQ(DecodeStreams(two.data)->size(), 2u);
  for (std::size_t size = 1; size < all.data.size(); ++size) {
    EXPECT_FALSE(DecodeStreams(ByteView(all.data).first(size)).ok()) << size;
  }
}

TEST(InformationClass, KnowsTheDocumentedOnesOnly) {
  EXPECT_EQ(FindFileInformationClass(37)->directory_entry, 104u);
  EXPECT_EQ(FindFileInformationClass(9)->minimum_query, 0u) << "documented, but not for the wire";
  EXPECT_EQ(FindFileInformationClass(0), nullptr);
  EXPECT_EQ(FindFileInformationClass(100), nullptr);
  EXPECT_EQ(FindFsInformationClass(11)->minimum_query, 28u);
  EXPECT_EQ(FindFsInformationClass(12), nullptr);
}

DirectoryEntry Entry(std::u16string name) {
  DirectoryEntry e;
  e.creation_time = 1, e.last_access_time = 2, e.last_write_time = 3, e.change_time = 4;
  e.end_of_file = 5, e.allocation_size = 4096, e.file_attributes = 0x20;
  e.ea_size = 7;
  e.file_id = 0x1122334455667788;
  e.file_id_128[0] = 9;
  e.short_name = u"SHORT~1";
  e.file_name = std::move(name);
  return e;
}

class EveryDirectoryClass : public testing::TestWithParam<C> {};
INSTANTIATE_TEST_SUITE_P(Directory, EveryDirectoryClass,
                         testing::Values(C::kDirectory, C::kFullDirectory, C::kIdFullDirectory, C::kBothDirectory,
                                         C::kIdBothDirectory, C::kNames, C::kIdExtdDirectory, C::kId64ExtdDirectory,
                                         C::kId64ExtdBothDirectory, C::kIdAllExtdDirectory,
                                         C::kIdAllExtdBothDirectory));

TEST_P(EveryDirectoryClass, ChainsEntriesOnEightBytesAndReadsThemBack) {
  DirectoryWriter writer(GetParam(), 10000);
  for (const auto* name : {u"a", u"some file.vhdx", u"\u00E4\u00F6"}) ASSERT_TRUE(writer.Append(Entry(name)));
  const Bytes bytes = writer.Finish();
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(bytes.data()) % 8, 0u);
  const auto entries = DecodeDirectory(GetParam(), bytes);
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[1].file_name, u"some file.vhdx");
  if (GetParam() != C::kNames) {
    EXPECT_EQ((*entries)[2].allocation_size, 4096u);
  }
  if (GetParam() == C::kIdBothDirectory) {
    EXPECT_EQ((*entries)[2].short_name, u"SHORT~1");
    EXPECT_EQ((*entries)[2].file_id, 0x1122334455667788u);
  }
  if (GetParam() == C::kIdExtdDirectory) {
    EXPECT_EQ((*entries)[2].file_id_128[0], 9);
  }
  const bool all = GetParam() == C::kIdAllExtdDirectory || GetParam() == C::kIdAllExtdBothDirectory;
  if (all || GetParam() == C::kId64ExtdDirectory || GetParam() == C::kId64ExtdBothDirectory) {
    EXPECT_EQ((*entries)[2].ea_size, 7u);
    EXPECT_EQ((*entries)[2].file_id, 0x1122334455667788u);
  }
  if (all) EXPECT_EQ((*entries)[2].file_id_128[0], 9);
  if (GetParam() == C::kId64ExtdBothDirectory || GetParam() == C::kIdAllExtdBothDirectory) {
    EXPECT_EQ((*entries)[2].short_name, u"SHORT~1");
  }
  for (std::size_t size = 1; size < bytes.size(); ++size)
    EXPECT_FALSE(DecodeDirectory(GetParam(), ByteView(bytes).first(size)).ok()) << size;
}

TEST_P(EveryDirectoryClass, NeverWritesPastTheLimit) {
  const std::size_t one = DirectoryWriter::EntrySize(GetParam(), 5);
  const std::size_t aligned = (one + 7) / 8 * 8;
  for (std::size_t limit = 0; limit < 3 * aligned; ++limit) {
    DirectoryWriter writer(GetParam(), limit);
    std::size_t count = 0;
    while (writer.Append(Entry(u"12345"))) ++count;
    EXPECT_EQ(count, limit < one ? 0 : 1 + (limit - one) / aligned) << limit;
    EXPECT_LE(writer.Finish().size(), limit);
  }
}

// [MS-FSCC] 2.4.18 to 2.4.21
TEST(Directory, TheNewestClassesHaveTheTagBesideTheEaSizeAndBothIds) {
  DirectoryEntry link = Entry(u"link");
  link.file_attributes = 0x400;
  link.reparse_tag = reparse_tag::kSymlink;
  DirectoryWriter writer(C::kIdAllExtdBothDirectory, 1000);
  ASSERT_TRUE(writer.Append(link));
  const Bytes bytes = writer.Finish();
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(bytes.data() + 64), 7u);
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(bytes.data() + 68), reparse_tag::kSymlink);
  EXPECT_EQ(wire::LoadLe<std::uint64_t>(bytes.data() + 72), link.file_id);
  EXPECT_EQ(bytes[80], 9u);
  EXPECT_EQ(bytes[96], 14u);  // length of the short name
  EXPECT_EQ(bytes[98], 'S');
  EXPECT_EQ(bytes[122], 'l');
}

TEST(Directory, ShowsTheReparseTagInPlaceOfTheEaSize) {
  DirectoryEntry link = Entry(u"link");
  link.file_attributes = 0x400;
  link.reparse_tag = reparse_tag::kSymlink;
  DirectoryWriter writer(C::kIdBothDirectory, 1000);
  ASSERT_TRUE(writer.Append(link));
  const Bytes bytes = writer.Finish();
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(bytes.data() + 64), reparse_tag::kSymlink);
}

TEST(ExtendedAttributes, ComeBackFromTheirBytes) {
  const std::vector<ExtendedAttribute> list = {
      {0, "ONE", Hex("0102030405")}, {0x80, "TWO", {}}, {0, "THREE", Hex("FF")}};
  const auto bytes = EncodeEaList(list, 1000);
  EXPECT_EQ(bytes.status, NtStatus::kSuccess);
  const auto back = DecodeEaList(bytes.data);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, list);
  EXPECT_EQ(EaLength(list), 5u * 3 + 3 + 3 + 5 + 5 + 0 + 1);
  EXPECT_EQ(EaSize({}), 0u);
  EXPECT_EQ(DecodeEaNames(EncodeEaNames({"ONE", "TWO"})).value(), (std::vector<std::string>{"ONE", "TWO"}));
}

TEST(ExtendedAttributes, OnlyWholeEntriesAreReturned) {
  const std::vector<ExtendedAttribute> list = {{0, "ONE", Hex("01")}, {0, "TWO", Hex("02")}};
  EXPECT_EQ(EncodeEaList(list, 12).status, NtStatus::kBufferTooSmall);
  EXPECT_EQ(EncodeEaList(list, 13).status, NtStatus::kBufferOverflow);
  EXPECT_EQ(EncodeEaList(list, 13).data.size(), 13u);
  EXPECT_EQ(EncodeEaList(list, 29).status, NtStatus::kSuccess);
}

TEST(ExtendedAttributes, ReportWhereTheListIsWrong) {
  const std::vector<ExtendedAttribute> list = {{0, "ONE", Hex("01")}, {0, "TWO", Hex("02")}};
  const Bytes bytes = EncodeEaList(list, 1000).data;
  std::uint32_t offset = 99;
  for (std::size_t size = 1; size < bytes.size(); ++size)
    EXPECT_EQ(DecodeEaList(ByteView(bytes).first(size)).status(), NtStatus::kEaListInconsistent) << size;
  Bytes changed = bytes;
  changed[16 + 8] = '*';
  EXPECT_EQ(DecodeEaList(changed, &offset).status(), NtStatus::kInvalidEaName);
  EXPECT_EQ(offset, 16u);
  changed = bytes;
  changed[0] = 14;  // not aligned
  EXPECT_EQ(DecodeEaList(changed, &offset).status(), NtStatus::kEaListInconsistent);
  EXPECT_EQ(offset, 0u);
  changed = bytes;
  changed[11] = 'X';  // no zero after the name
  EXPECT_EQ(DecodeEaList(changed).status(), NtStatus::kEaListInconsistent);
  changed = bytes;
  changed[4] = 1;  // unknown flag
  EXPECT_EQ(DecodeEaList(changed).status(), NtStatus::kInvalidEaName);
  EXPECT_TRUE(DecodeEaList({}).ok());
}

TEST(Reparse, SymbolicLinkComesBack) {
  const SymbolicLink link{u"..\\target", u"..\\target", true};
  const Bytes bytes = link.ToReparsePoint().Encode();
  const auto point = ReparsePoint::Parse(bytes);
  ASSERT_TRUE(point.ok());
  EXPECT_EQ(point->tag, reparse_tag::kSymlink);
  const auto back = SymbolicLink::Parse(point->data);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->substitute_name, link.substitute_name);
  EXPECT_TRUE(back->relative);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(ReparsePoint::Parse(ByteView(bytes).first(size)).status(), NtStatus::kIoReparseDataInvalid) << size;
  Bytes outside = bytes;
  outside[8] = 0xF0;  // SubstituteNameOffset
  EXPECT_EQ(ReparsePoint::Parse(outside).status(), NtStatus::kIoReparseDataInvalid);
}

TEST(Reparse, ForeignTagsCarryAGuid) {
  ReparsePoint point{0x00001234, {}, Hex("0102")};
  EXPECT_EQ(ReparsePoint::Parse(point.Encode()).status(), NtStatus::kIoReparseDataInvalid) << "no GUID";
  point.guid.bytes[3] = 5;
  EXPECT_EQ(ReparsePoint::Parse(point.Encode()).value(), point);
  point.data.clear();
  EXPECT_TRUE(ReparsePoint::ParseDelete(point.Encode()).ok());
  EXPECT_EQ(ReparsePoint::Parse(Hex("0000000000000000")).status(), NtStatus::kIoReparseTagInvalid);
}

TEST(Reparse, RefusesMoreThan16KiB) {
  const ReparsePoint point{reparse_tag::kNfs, {}, Bytes(kMaximumReparseSize - 7)};
  EXPECT_EQ(ReparsePoint::Parse(point.Encode()).status(), NtStatus::kIoReparseDataInvalid);
}

}  // namespace
}  // namespace holdfast::fscc
