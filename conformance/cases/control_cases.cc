// FSCTLs of files, end to end: what is announced works. [MS-SMB2] 3.3.5.15, [MS-FSCC] 2.3.
#include "conformance/cases/bed.h"

#include "protocol/fscc/file_information.h"
#include "protocol/fscc/fs_information.h"
#include "protocol/fscc/fsctl.h"
#include "protocol/smb2/ioctl/file_ranges.h"

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

}  // namespace holdfast::client
