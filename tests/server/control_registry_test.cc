#include <gtest/gtest.h>

#include "protocol/fscc/fsctl.h"
#include "protocol/wire/endian.h"
#include "server/commands/notify_information.h"
#include "server/ioctl/registry.h"

namespace holdfast {
namespace {

// [MS-SMB2] 3.3.5.15, behaviour notes 380 and 381
TEST(ControlRegistry, TellsNotAllowedFromNotHere) {
  EXPECT_EQ(ControlRefusal(fsctl::kSvhdxSyncTunnelRequest), NtStatus::kInvalidDeviceRequest);
  EXPECT_EQ(ControlRefusal(fsctl::kQuerySharedVirtualDiskSupport), NtStatus::kInvalidDeviceRequest);
  EXPECT_EQ(ControlRefusal(fsctl::kOffloadRead), NtStatus::kInvalidDeviceRequest);
  EXPECT_EQ(ControlRefusal(fsctl::kGetRefsVolumeData), NtStatus::kNotSupported);
  EXPECT_EQ(ControlRefusal(fsctl::kGetIntegrityInformation), NtStatus::kNotSupported);
  EXPECT_EQ(ControlRefusal(0x12345678), NtStatus::kNotSupported);
}

// What ReFS refuses and NTFS has: its statistics, its layout on the disk, offload tokens; and what neither does here.
TEST(ControlRegistry, RefusesWhatBelongsToOtherFileSystemsAsUnknownToThisOne) {
  for (const std::uint32_t code :
       {fsctl::kFilesystemGetStatistics, fsctl::kGetNtfsVolumeData, fsctl::kGetRetrievalPointers,
        fsctl::kGetRetrievalPointersAndRefcount, fsctl::kOffloadRead, fsctl::kOffloadWrite, fsctl::kSetObjectId,
        fsctl::kSetObjectIdExtended, fsctl::kReadFileUsnData, fsctl::kWriteUsnCloseRecord, fsctl::kStorageQosControl,
        fsctl::kSetIntegrityInformation, fsctl::kSetIntegrityInformationEx, fsctl::kSetZeroOnDeallocation,
        fsctl::kLmrSetLinkTrackingInformation, fsctl::kQueryOnDiskVolumeInfo, fsctl::kQuerySparingInfo,
        fsctl::kQueryFatBpb, fsctl::kFindFilesBySid, fsctl::kRefsStreamSnapshotManagement}) {
    EXPECT_FALSE(FindControl(code)) << fsctl::Name(code);
    EXPECT_EQ(ControlRefusal(code), NtStatus::kInvalidDeviceRequest) << fsctl::Name(code);
  }
  for (const std::uint32_t code : {fsctl::kLmrGetLinkTrackingInformation, fsctl::kSetEncryption, fsctl::kRecallFile,
                                   fsctl::kSisCopyfile, fsctl::kFilePrefetch, fsctl::kExtendVolume}) {
    EXPECT_EQ(ControlRefusal(code), NtStatus::kNotSupported) << fsctl::Name(code);
  }
}

TEST(ControlRegistry, CarriesOutWhatItIsToCarryOut) {
  for (const std::uint32_t code :
       {fsctl::kCreateOrGetObjectId, fsctl::kDeleteObjectId, fsctl::kDuplicateExtentsToFile,
        fsctl::kDuplicateExtentsToFileEx, fsctl::kFileLevelTrim, fsctl::kGetCompression, fsctl::kGetObjectId,
        fsctl::kIsPathnameValid, fsctl::kQueryAllocatedRanges, fsctl::kQueryFileRegions, fsctl::kSetCompression,
        fsctl::kSetSparse, fsctl::kSetZeroData, fsctl::kSrvCopychunk, fsctl::kSrvCopychunkWrite,
        fsctl::kSrvEnumerateSnapshots, fsctl::kSrvRequestResumeKey}) {
    EXPECT_TRUE(FindControl(code)) << fsctl::Name(code);
  }
}

TEST(ControlRegistry, RefusesOnlyWhatItDoesNotCarryOut) {
#define HOLDFAST_EXPECT_NOT_BOTH(name, value, text) \
  EXPECT_TRUE(!FindControl(fsctl::name) || ControlRefusal(fsctl::name) == NtStatus::kNotSupported) << text;
  HOLDFAST_FSCTL_LIST(HOLDFAST_EXPECT_NOT_BOTH)
#undef HOLDFAST_EXPECT_NOT_BOTH
}

TEST(ControlRegistry, KnowsWhichCodesHaveNoOpen) {
  for (const std::uint32_t code : {fsctl::kDfsGetReferrals, fsctl::kDfsGetReferralsEx, fsctl::kPipeWait,
                                   fsctl::kQueryNetworkInterfaceInfo, fsctl::kValidateNegotiateInfo}) {
    ASSERT_TRUE(FindControl(code)) << fsctl::Name(code);
    EXPECT_EQ(FindControl(code)->target, ControlTarget::kConnection) << fsctl::Name(code);
  }
  EXPECT_EQ(FindControl(fsctl::kSrvCopychunk)->target, ControlTarget::kFile);
  EXPECT_EQ(FindControl(fsctl::kPipeTransceive)->target, ControlTarget::kPipe);
}

// [MS-FSCC] 2.7.1
TEST(NotifyInformation, ChainsEntriesAtMultiplesOfFour) {
  const Bytes bytes = EncodeNotifyInformation({{.action = 1, .name = u"abc"}, {.action = 3, .name = u"d"}});
  ASSERT_EQ(bytes.size(), 20u + 14u);
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(bytes.data()), 20u);
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(bytes.data() + 4), 1u);
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(bytes.data() + 8), 6u);
  EXPECT_EQ(bytes[12], 'a');
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(bytes.data() + 20), 0u);
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(bytes.data() + 24), 3u);
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(bytes.data() + 28), 2u);
}

TEST(NotifyInformation, OfNothingIsEmpty) { EXPECT_TRUE(EncodeNotifyInformation({}).empty()); }

}  // namespace
}  // namespace holdfast
