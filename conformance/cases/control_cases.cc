// FSCTLs of files, end to end: what is announced works. [MS-SMB2] 3.3.5.15, [MS-FSCC] 2.3.
#include "conformance/cases/bed.h"

#include "protocol/fscc/directory_information.h"
#include "protocol/fscc/file_information.h"
#include "protocol/fscc/fs_information.h"
#include "protocol/fscc/fsctl.h"
#include "protocol/smb2/ioctl/file_ranges.h"
#include "protocol/smb2/messages/query_directory.h"

namespace holdfast::client {
namespace {

using smb2::CreateDisposition;

constexpr std::int64_t kCluster = 4096;

Task<smb2::FileId> Made(TreePtr tree, ByteView data) {
  const smb2::FileId file = co_await Opened(tree, FileRequest(Bed::Fresh("control"), CreateDisposition::kCreate));
  if (!data.empty()) co_await WriteAll(tree, file, 0, data);
  co_return file;
}

template <class Input>
Task<NtStatus> Control(TreePtr tree, smb2::FileId file, std::uint32_t code, Input input) {
  const auto answer = co_await tree->Ioctl(file, code, wire::Encode(input), 0);
  co_return answer.status();
}

Task<NtStatus> SetEnd(TreePtr tree, smb2::FileId file, std::uint64_t size) {
  Bytes buffer = fscc::Encode(fscc::FileEndOfFileInformation{.end_of_file = size});
  co_return co_await tree->SetInfo(file, static_cast<std::uint8_t>(fscc::FileInformationClass::kEndOfFile),
                                   std::move(buffer));
}

}  // namespace

CASE(Control, TheVolumeSaysThatItSharesBlocksAndFilesDo) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const Bytes data = Pattern(8 * kCluster, 7);
  const smb2::FileId source = co_await Made(tree, data);
  const smb2::FileId target = co_await Made(tree, {});
  const auto attributes = Need(
      co_await tree->QueryInfo(source, smb2::InfoType::kFilesystem,
                               static_cast<std::uint8_t>(fscc::FsInformationClass::kAttribute), 64),
      "FileFsAttributeInformation");
  EXPECT_NE(wire::LoadLe<std::uint32_t>(attributes.data()) & fscc::fs_attributes::kSupportsBlockRefcounting, 0u);

  Need(co_await SetEnd(tree, target, 8 * kCluster), "FileEndOfFileInformation");
  smb2::DuplicateExtentsData first{source, kCluster, 0, 6 * kCluster};
  EXPECT_EQ(co_await Control(tree, target, fsctl::kDuplicateExtentsToFile, first), NtStatus::kSuccess);
  smb2::DuplicateExtentsDataEx second;
  second.source_file_id = source;
  second.source_file_offset = 2 * kCluster;
  second.target_file_offset = 6 * kCluster;
  second.byte_count = 2 * kCluster;
  second.flags = smb2::DuplicateExtentsDataEx::kSourceAtomic;
  EXPECT_EQ(co_await Control(tree, target, fsctl::kDuplicateExtentsToFileEx, second), NtStatus::kSuccess);
  second.structure_size = 56;
  EXPECT_EQ(co_await Control(tree, target, fsctl::kDuplicateExtentsToFileEx, second), NtStatus::kNotSupported);

  Bytes expected(data.begin() + kCluster, data.begin() + 7 * kCluster);
  expected.insert(expected.end(), data.begin() + 2 * kCluster, data.begin() + 4 * kCluster);
  EXPECT_EQ(co_await ReadAll(tree, target, 0, expected.size()), expected);
  const Bytes other(kCluster, 0xFF);
  co_await WriteAll(tree, source, kCluster, other);
  EXPECT_EQ(co_await ReadAll(tree, target, 0, expected.size()), expected) << "the copy is one of its own";

  first.source_file_id = smb2::FileId{1, 0x7777};
  EXPECT_EQ(co_await Control(tree, target, fsctl::kDuplicateExtentsToFile, first), NtStatus::kInvalidHandle);
  const auto cut = co_await tree->Ioctl(target, fsctl::kDuplicateExtentsToFile, Bytes(39), 0);
  EXPECT_EQ(cut.status(), NtStatus::kInvalidParameter);
}

// [MS-FSA] 2.1.5.10.24
CASE(Control, WhatOfAFileWasWrittenIsTold) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const Bytes data = Pattern(2 * kCluster, 9);
  const smb2::FileId file = co_await Made(tree, data);
  Need(co_await SetEnd(tree, file, 10 * kCluster), "FileEndOfFileInformation");
  smb2::FileRegionInput input;
  input.file_offset = kCluster;
  input.length = 5 * kCluster;
  input.desired_usage = smb2::file_region_usage::kValidCachedData;
  const Bytes request = wire::Encode(input);
  const auto both = Need(co_await tree->Ioctl(file, fsctl::kQueryFileRegions, request, 64), "QUERY_FILE_REGIONS");
  const auto regions = Need(wire::Decode<smb2::FileRegionOutput>(both), "FILE_REGION_OUTPUT");
  EXPECT_EQ(regions.total_region_entry_count, 2u);
  if (regions.regions.size() != 2) throw CannotGoOn("not two regions");
  EXPECT_EQ(regions.regions[0].file_offset, kCluster);
  EXPECT_EQ(regions.regions[0].length, kCluster);
  EXPECT_EQ(regions.regions[0].usage, smb2::file_region_usage::kValidCachedData);
  EXPECT_EQ(regions.regions[1].file_offset, 2 * kCluster);
  EXPECT_EQ(regions.regions[1].length, 4 * kCluster);
  EXPECT_EQ(regions.regions[1].usage, 0u);
  // Without an input all of it; in too small a buffer the first, or nothing.
  const Bytes nothing;
  const auto all = Need(co_await tree->Ioctl(file, fsctl::kQueryFileRegions, nothing, 64), "QUERY_FILE_REGIONS");
  EXPECT_EQ(Need(wire::Decode<smb2::FileRegionOutput>(all), "all").regions[1].length, 8 * kCluster);
  const auto small = co_await tree->Ioctl(file, fsctl::kQueryFileRegions, request, 39);
  EXPECT_EQ(small.status(), NtStatus::kBufferTooSmall);
  input.desired_usage = 0;
  EXPECT_EQ(co_await Control(tree, file, fsctl::kQueryFileRegions, input), NtStatus::kInvalidParameter);
}

// [MS-FSA] 2.1.5.10.1, 2.1.5.10.2 and 2.1.5.10.13
CASE(Control, ObjectIdsComeStayAndGo) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const Bytes nothing;
  const smb2::FileId file = co_await Made(tree, nothing);
  const auto none = co_await tree->Ioctl(file, fsctl::kGetObjectId, nothing, 64);
  EXPECT_EQ(none.status(), NtStatus::kObjectidNotFound);
  const auto made = Need(co_await tree->Ioctl(file, fsctl::kCreateOrGetObjectId, nothing, 64), "CREATE_OR_GET_OBJECT_ID");
  const auto again = Need(co_await tree->Ioctl(file, fsctl::kCreateOrGetObjectId, nothing, 64), "the same");
  EXPECT_EQ(made, again);
  EXPECT_EQ(made.size(), 64u);
  EXPECT_NE(made, Bytes(64));
  const auto gone = co_await tree->Ioctl(file, fsctl::kDeleteObjectId, nothing, 0);
  EXPECT_EQ(gone.status(), NtStatus::kSuccess);
  const auto after = co_await tree->Ioctl(file, fsctl::kGetObjectId, nothing, 64);
  EXPECT_EQ(after.status(), NtStatus::kObjectidNotFound);
}

CASE(Control, CompressionIsNoneAndStaysSo) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const Bytes nothing;
  const smb2::FileId file = co_await Made(tree, nothing);
  const auto state = Need(co_await tree->Ioctl(file, fsctl::kGetCompression, nothing, 2), "GET_COMPRESSION");
  EXPECT_EQ(state, Bytes(2));
  const Bytes none{0, 0}, standard{1, 0};
  const auto as_it_is = co_await tree->Ioctl(file, fsctl::kSetCompression, none, 0);
  EXPECT_EQ(as_it_is.status(), NtStatus::kSuccess);
  const auto compressed = co_await tree->Ioctl(file, fsctl::kSetCompression, standard, 0);
  EXPECT_EQ(compressed.status(), NtStatus::kNotSupported);
}

// [MS-FSCC] 2.4.12: the name goes when the handle closes, although another one is open.
CASE(Control, APosixDeletionFreesTheNameAtOnce) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const std::string name = Bed::Fresh("posix");
  const smb2::FileId reader = co_await Opened(tree, FileRequest(name, CreateDisposition::kCreate));
  const Bytes data = Pattern(100, 3);
  co_await WriteAll(tree, reader, 0, data);
  const smb2::FileId remover = co_await Opened(tree, FileRequest(name, CreateDisposition::kOpen));
  using Ex = fscc::FileDispositionInformationEx;
  constexpr auto kClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kDispositionEx);
  const Bytes unknown = fscc::Encode(Ex{0x20}), on_close = fscc::Encode(Ex{Ex::kDelete | Ex::kOnClose});
  EXPECT_EQ(co_await tree->SetInfo(remover, kClass, unknown), NtStatus::kNotSupported);
  EXPECT_EQ(co_await tree->SetInfo(remover, kClass, on_close), NtStatus::kNotSupported);
  const Bytes posix = fscc::Encode(Ex{Ex::kDelete | Ex::kPosixSemantics});
  EXPECT_EQ(co_await tree->SetInfo(remover, kClass, posix), NtStatus::kSuccess);
  Need(co_await tree->Close(remover), "CLOSE");
  EXPECT_FALSE(co_await Exists(tree, name));
  EXPECT_EQ(co_await ReadAll(tree, reader, 0, 100), data);
  const smb2::FileId second = co_await Opened(tree, FileRequest(name, CreateDisposition::kCreate));
  EXPECT_EQ(co_await EndOfFile(tree, second), 0u);
}

// [MS-FSCC] 2.4.43
CASE(Control, APosixRenameReplacesAnOpenFile) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const std::string target = Bed::Fresh("target");
  const smb2::FileId holder = co_await Opened(tree, FileRequest(target, CreateDisposition::kCreate));
  const Bytes old = Pattern(100, 4), data = Pattern(50, 5);
  co_await WriteAll(tree, holder, 0, old);
  const smb2::FileId file = co_await Made(tree, data);
  using Ex = fscc::FileRenameInformationEx;
  constexpr auto kClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kRenameEx);
  const std::u16string name(target.begin(), target.end());
  const Bytes no_replacing = fscc::Encode(Ex{Ex::kPosixSemantics, 0, name});
  const Bytes replacing = fscc::Encode(Ex{Ex::kReplaceIfExists, 0, name});
  const Bytes posix = fscc::Encode(Ex{Ex::kReplaceIfExists | Ex::kPosixSemantics, 0, name});
  EXPECT_EQ(co_await tree->SetInfo(file, kClass, no_replacing), NtStatus::kObjectNameCollision);
  EXPECT_EQ(co_await tree->SetInfo(file, kClass, replacing), NtStatus::kAccessDenied);
  EXPECT_EQ(co_await tree->SetInfo(file, kClass, posix), NtStatus::kSuccess);
  EXPECT_EQ(co_await ReadAll(tree, holder, 0, 100), old);
  EXPECT_EQ(co_await Contents(tree, target), data);
}

// [MS-FSCC] 2.4.18 to 2.4.21
CASE(Control, TheNewestDirectoryClassesListWhatTheOthersDo) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const std::string name = Bed::Fresh("listed");
  const smb2::FileId made = co_await Opened(tree, FileRequest(name, CreateDisposition::kCreate));
  const Bytes data = Pattern(77, 1);
  co_await WriteAll(tree, made, 0, data);
  const smb2::FileId root = co_await Opened(tree, DirectoryRequest("", CreateDisposition::kOpen));
  const std::u16string pattern(name.begin(), name.end());
  std::uint64_t id = 0;
  for (const auto info_class :
       {fscc::FileInformationClass::kIdBothDirectory, fscc::FileInformationClass::kId64ExtdDirectory,
        fscc::FileInformationClass::kId64ExtdBothDirectory, fscc::FileInformationClass::kIdAllExtdDirectory,
        fscc::FileInformationClass::kIdAllExtdBothDirectory}) {
    const auto bytes = Need(co_await tree->QueryDirectory(root, static_cast<std::uint8_t>(info_class), pattern,
                                                          smb2::query_directory_flag::kRestartScans, 4096),
                            "QUERY_DIRECTORY");
    const auto entries = Need(fscc::DecodeDirectory(info_class, bytes), "entries");
    if (entries.size() != 1) throw CannotGoOn("not one entry");
    EXPECT_EQ(entries[0].file_name, pattern);
    if (id == 0) id = entries[0].file_id;
    EXPECT_EQ(entries[0].file_id, id);
    EXPECT_NE(id, 0u);
  }
}

}  // namespace holdfast::client
