// What FSLogix does to a share of profile containers: folders of ordinary users below the recommended ACL, a VHDX that is
// attached by one and by many, difference disks and their merge, lock files, compaction at sign-out.
#include "conformance/cases/bed.h"

#include "protocol/dtyp/access_mask.h"
#include "protocol/dtyp/security_descriptor.h"
#include "protocol/fscc/attributes.h"
#include "protocol/fscc/file_information.h"
#include "protocol/fscc/fsctl.h"
#include "protocol/smb2/contexts/durable_handle.h"
#include "protocol/smb2/ioctl/file_ranges.h"

namespace holdfast::client {
namespace {

namespace info = security_information;
using smb2::CreateDisposition;

constexpr std::uint32_t kModify = 0x001301BF;
constexpr std::uint32_t kFullControl = 0x001F01FF;
constexpr std::uint8_t kForFilesAndFolders = 0x03, kInheritOnly = 0x08, kInherited = 0x10;
constexpr std::uint32_t kReadWrite = 0x0012019F;
constexpr std::size_t kMiB = std::size_t{1} << 20;
// The same on a share of either presentation.
const std::vector<std::string> kShares = {"profiles", "scaleout"};

Bytes RecommendedAcl() {
  SecurityDescriptor descriptor;
  descriptor.control = sd_control::kDaclPresent | sd_control::kDaclProtected | sd_control::kDaclAutoInheritRequired |
                       sd_control::kDaclAutoInherited;
  descriptor.dacl = Acl{};
  descriptor.dacl->aces = {AllowAce(well_known::Administrators(), kFullControl, kForFilesAndFolders),
                           AllowAce(well_known::LocalSystem(), kFullControl, kForFilesAndFolders),
                           AllowAce(well_known::AuthenticatedUsers(), kModify),
                           AllowAce(well_known::CreatorOwner(), kModify, kForFilesAndFolders | kInheritOnly)};
  return descriptor.Encode();
}

// The folder all users share, made by one who is nobody's administrator.
Task<std::string> MakeRoot(TreePtr tree) {
  const std::string root = Bed::Fresh("containers");
  auto request = DirectoryRequest(root, CreateDisposition::kCreate);
  request.desired_access = kReadOnly | access::kWriteDac;
  const smb2::FileId folder = co_await Opened(tree, std::move(request));
  Bytes acl = RecommendedAcl();
  Need(co_await tree->SetSecurity(folder, info::kDacl | info::kProtectedDacl, std::move(acl)), "SET_INFO security");
  Need(co_await tree->Close(folder), "CLOSE");
  co_return root;
}

// As the driver of virtual disks opens them: around the cache, and to survive the server.
smb2::CreateRequest AttachRequest(const std::string& name, bool writable, CreateDisposition disposition) {
  smb2::CreateRequest request = FileRequest(name, disposition);
  request.desired_access = writable ? kReadWrite : kReadOnly;
  request.share_access = writable ? 0 : smb2::share_access::kRead;
  request.create_options |= smb2::create_option::kNoIntermediateBuffering | smb2::create_option::kWriteThrough;
  smb2::DurableHandleRequestV2 durable;
  durable.flags = smb2::durable_flag::kPersistent;
  durable.create_guid = Guid::Generate(SystemRandom());
  request.contexts.push_back(smb2::CreateContext::From(smb2::create_context::kDurableHandleRequestV2, durable));
  return request;
}

Task<smb2::FileId> Attach(TreePtr tree, std::string name, bool writable,
                          CreateDisposition disposition = CreateDisposition::kOpen) {
  auto request = AttachRequest(name, writable, disposition);
  const auto result = Need(co_await tree->Create(std::move(request)), "attach");
  const auto* context = smb2::FindContext(result.response.contexts, smb2::create_context::kDurableHandleRequestV2);
  const auto granted = context ? wire::Decode<smb2::DurableHandleResponseV2>(context->data)
                               : Result<smb2::DurableHandleResponseV2>(NtStatus::kNotSupported);
  EXPECT_TRUE(granted.ok() && (granted->flags & smb2::durable_flag::kPersistent)) << "not persistent";
  // A disk that looks sparse or compressed is not attached.
  EXPECT_EQ(result.response.file_attributes & (file_attribute::kSparseFile | file_attribute::kCompressed), 0u);
  co_return result.response.file_id;
}

Task<NtStatus> StatusOfAttach(TreePtr tree, std::string name, bool writable) {
  auto request = AttachRequest(name, writable, CreateDisposition::kOpen);
  co_return co_await StatusOfCreate(tree, std::move(request));
}

Task<void> MakeDisk(TreePtr tree, std::string name, Bytes contents) {
  const smb2::FileId disk = co_await Attach(tree, name, true, CreateDisposition::kCreate);
  co_await WriteAll(tree, disk, 0, contents);
  Need(co_await tree->Close(disk), "CLOSE");
}

Task<SecurityDescriptor> SecurityOf(TreePtr tree, smb2::FileId file) {
  const auto answer = co_await tree->QueryInfo(file, smb2::InfoType::kSecurity, 0, 65536, info::kOwner | info::kDacl);
  const Bytes bytes = Need(answer, "QUERY_INFO security");
  co_return Need(SecurityDescriptor::Parse(bytes), "security descriptor");
}

bool Allows(const SecurityDescriptor& descriptor, const Sid& sid, std::uint32_t mask, std::uint8_t flags) {
  for (const Ace& ace : descriptor.dacl->aces) {
    if (ace.type == AceType::kAccessAllowed && ace.sid == sid && ace.mask == mask && ace.flags == flags) return true;
  }
  return false;
}

Task<fscc::FileStandardInformation> StandardInformation(TreePtr tree, smb2::FileId file) {
  constexpr auto kClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kStandard);
  const auto answer = co_await tree->QueryInfo(file, smb2::InfoType::kFile, kClass, 64);
  const Bytes bytes = Need(answer, "QUERY_INFO");
  co_return Need(fscc::Decode<fscc::FileStandardInformation>(bytes), "FileStandardInformation");
}

constexpr auto kEndOfFileClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kEndOfFile);
constexpr auto kRenameClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kRename);
constexpr auto kDispositionClass = static_cast<std::uint8_t>(fscc::FileInformationClass::kDisposition);

}  // namespace

CASE(Fslogix, AUserOwnsHisFolderAndNobodyElseEntersIt) {
  for (const std::string& share : kShares) {
    const TreePtr alice = co_await bed.Mount(share);
    const TreePtr bob = co_await bed.MountAs(Bed::Bob(), share);
    const std::string root = co_await MakeRoot(alice);
    const std::string folder = root + "/S-1-5-21-1-2-3-1105_bob";
    const auto made = DirectoryRequest(folder, CreateDisposition::kOpenIf);
    const smb2::FileId handle = co_await Opened(bob, made);
    const SecurityDescriptor of_folder = co_await SecurityOf(bob, handle);
    if (!of_folder.owner || !of_folder.dacl) throw CannotGoOn("no owner or no DACL");
    const Sid owner = *of_folder.owner;
    EXPECT_TRUE(Allows(of_folder, owner, kModify, kInherited));
    EXPECT_TRUE(Allows(of_folder, well_known::CreatorOwner(), kModify, kForFilesAndFolders | kInheritOnly | kInherited));
    EXPECT_EQ(of_folder.dacl->aces.size(), 4u) << "administrators, system, the user, CREATOR OWNER";
    Need(co_await bob->Close(handle), "CLOSE");

    const std::string name = folder + "/Profile_bob.VHDX";
    co_await MakeDisk(bob, name, Pattern(kMiB, 1));
    const smb2::FileId disk = co_await Attach(bob, name, true);
    const SecurityDescriptor of_disk = co_await SecurityOf(bob, disk);
    EXPECT_EQ(of_disk.owner, owner);
    EXPECT_TRUE(Allows(of_disk, owner, kModify, kInherited));
    Need(co_await bob->Close(disk), "CLOSE");

    // Who owns the root owns nothing below it.
    EXPECT_EQ(co_await StatusOfAttach(alice, name, false), NtStatus::kAccessDenied);
    const auto listing = DirectoryRequest(folder, CreateDisposition::kOpen);
    EXPECT_EQ(co_await StatusOfCreate(alice, listing), NtStatus::kAccessDenied);
    auto removal = DirectoryRequest(folder, CreateDisposition::kOpen);
    removal.desired_access = access::kDelete;
    EXPECT_EQ(co_await StatusOfCreate(alice, removal), NtStatus::kAccessDenied);
    EXPECT_TRUE(co_await Exists(bob, name));
  }
}

CASE(Fslogix, ADiskIsAttachedByOneWriterOrByReaders) {
  for (const std::string& share : kShares) {
    const TreePtr first = co_await bed.Mount(share);
    const TreePtr second = co_await bed.Mount(share);
    const std::string name = Bed::Fresh("Profile") + ".VHDX";
    co_await MakeDisk(first, name, Pattern(kMiB, 2));

    const smb2::FileId writer = co_await Attach(first, name, true);
    EXPECT_EQ(co_await StatusOfAttach(second, name, true), NtStatus::kSharingViolation);
    EXPECT_EQ(co_await StatusOfAttach(second, name, false), NtStatus::kSharingViolation);
    Need(co_await first->Close(writer), "CLOSE");

    const smb2::FileId reader = co_await Attach(first, name, false);
    const smb2::FileId other_reader = co_await Attach(second, name, false);
    EXPECT_EQ(co_await ReadAll(second, other_reader, 0, kMiB), Pattern(kMiB, 2));
    EXPECT_EQ(co_await StatusOfAttach(second, name, true), NtStatus::kSharingViolation);
    auto removal = FileRequest(name, CreateDisposition::kOpen);
    removal.desired_access = access::kDelete;
    EXPECT_EQ(co_await StatusOfCreate(second, removal), NtStatus::kSharingViolation);
    Need(co_await first->Close(reader), "CLOSE");
    Need(co_await second->Close(other_reader), "CLOSE");
    EXPECT_EQ(co_await StatusOfAttach(second, name, true), NtStatus::kSuccess);
  }
}

// A session writes to a difference disk beside the parent, which all have open to read. At sign-out it becomes merge.vhdx, and
// goes into the parent once nobody else has it.
CASE(Fslogix, ADifferenceDiskIsMergedWhenTheLastReaderHasLeft) {
  for (const std::string& share : kShares) {
    const TreePtr first = co_await bed.Mount(share);
    const TreePtr second = co_await bed.Mount(share);
    const std::string folder = Bed::Fresh("odfc");
    const auto made = DirectoryRequest(folder, CreateDisposition::kCreate);
    Need(co_await StatusOfCreate(first, made), "CREATE");
    const std::string parent = folder + "/ODFC_bob.VHDX", difference = folder + "/HOST1_ODFC.VHDX";
    const std::string merging = folder + "/merge.vhdx";
    co_await MakeDisk(first, parent, Pattern(4 * kMiB, 3));

    const smb2::FileId parent_of_first = co_await Attach(first, parent, false);
    const smb2::FileId parent_of_second = co_await Attach(second, parent, false);
    auto request = AttachRequest(difference, true, CreateDisposition::kCreate);
    request.desired_access |= access::kDelete;
    const smb2::FileId disk = co_await Opened(first, std::move(request));
    co_await WriteAll(first, disk, 0, Pattern(kMiB, 4));

    EXPECT_EQ(co_await first->SetInfo(disk, kRenameClass, RenameTo(merging, false)), NtStatus::kSuccess);
    EXPECT_FALSE(co_await Exists(second, difference));
    Need(co_await first->Close(parent_of_first), "CLOSE");
    EXPECT_EQ(co_await StatusOfAttach(first, parent, true), NtStatus::kSharingViolation);
    Need(co_await second->Close(parent_of_second), "CLOSE");

    const smb2::FileId target = co_await Attach(first, parent, true);
    const Bytes changed = co_await ReadAll(first, disk, 0, kMiB);
    co_await WriteAll(first, target, kMiB, changed);
    Need(co_await first->Close(target), "CLOSE");
    EXPECT_EQ(co_await first->SetInfo(disk, kDispositionClass, Disposition(true)), NtStatus::kSuccess);
    EXPECT_EQ(co_await StatusOfAttach(second, merging, true), NtStatus::kDeletePending);
    Need(co_await first->Close(disk), "CLOSE");
    EXPECT_EQ(co_await StatusOfOpen(second, merging), NtStatus::kObjectNameNotFound);

    Bytes expected = Pattern(4 * kMiB, 3);
    std::copy(changed.begin(), changed.end(), expected.begin() + kMiB);
    EXPECT_TRUE(co_await Contents(second, parent) == expected);
  }
}

CASE(Fslogix, ALockFileIsHeldByOneAndLeavesWithHim) {
  for (const std::string& share : kShares) {
    const TreePtr first = co_await bed.Mount(share);
    const TreePtr second = co_await bed.Mount(share);
    const std::string name = Bed::Fresh("Profile_bob.VHDX") + ".lock";
    auto request = FileRequest(name, CreateDisposition::kCreate);
    request.share_access = 0;
    request.create_options |= smb2::create_option::kDeleteOnClose;
    const smb2::FileId lock = co_await Opened(first, request);
    EXPECT_EQ(co_await StatusOfCreate(second, request), NtStatus::kObjectNameCollision);
    EXPECT_EQ(co_await StatusOfOpen(second, name), NtStatus::kSharingViolation);
    Need(co_await first->Close(lock), "CLOSE");
    const smb2::FileId next = co_await Opened(second, request);
    // A host that dies lets go of the lock with its connection.
    second->session()->connection()->Close();
    NtStatus status = NtStatus::kSharingViolation;
    for (int i = 0; i < 200 && status != NtStatus::kObjectNameNotFound; ++i) {
      co_await bed.Pause(std::chrono::milliseconds(10));
      status = co_await StatusOfOpen(first, name);
    }
    EXPECT_EQ(status, NtStatus::kObjectNameNotFound) << next.persistent_id;

    // .metadata is written anew each time.
    const std::string metadata = Bed::Fresh("Profile_bob.VHDX") + ".metadata";
    for (std::uint64_t i = 0; i < 3; ++i) {
      const auto again = FileRequest(metadata, CreateDisposition::kOverwriteIf);
      const smb2::FileId file = co_await Opened(first, again);
      co_await WriteAll(first, file, 0, Pattern(3000 - 1000 * i, i));
      Need(co_await first->Close(file), "CLOSE");
      EXPECT_EQ(co_await Contents(first, metadata), Pattern(3000 - 1000 * i, i));
    }
  }
}

// Trim and zeros give space back, the end of file shrinks, and the disk never looks sparse.
CASE(Fslogix, CompactionAtSignOutGivesSpaceBack) {
  for (const std::string& share : kShares) {
    const TreePtr tree = co_await bed.Mount(share);
    const std::string name = Bed::Fresh("Profile") + ".VHDX";
    co_await MakeDisk(tree, name, Pattern(8 * kMiB, 5));
    const smb2::FileId disk = co_await Attach(tree, name, true);

    smb2::FileLevelTrim trim;
    trim.ranges = {{.offset = kMiB, .length = kMiB}, {.offset = 3 * kMiB, .length = kMiB}};
    Bytes input = wire::Encode(trim);
    const Bytes trimmed = Need(co_await tree->Ioctl(disk, fsctl::kFileLevelTrim, std::move(input), 64), "FILE_LEVEL_TRIM");
    EXPECT_EQ(Need(wire::Decode<smb2::FileLevelTrimOutput>(trimmed), "output").num_ranges_processed, 2u);
    smb2::FileZeroDataInformation zero;
    zero.file_offset = 5 * kMiB;
    zero.beyond_final_zero = 6 * kMiB;
    input = wire::Encode(zero);
    Need(co_await tree->Ioctl(disk, fsctl::kSetZeroData, std::move(input), 0), "SET_ZERO_DATA");
    Bytes end = fscc::Encode(fscc::FileEndOfFileInformation{7 * kMiB});
    Need(co_await tree->SetInfo(disk, kEndOfFileClass, std::move(end)), "SET_INFO");

    const auto standard = co_await StandardInformation(tree, disk);
    EXPECT_EQ(standard.end_of_file, 7 * kMiB);
    EXPECT_GE(standard.allocation_size, 7 * kMiB) << "of a file that is not sparse";
    Need(co_await tree->Close(disk), "CLOSE");
    const smb2::FileId again = co_await Attach(tree, name, true);
    Bytes expected = Pattern(8 * kMiB, 5);
    expected.resize(7 * kMiB);
    std::fill_n(expected.begin() + 5 * kMiB, kMiB, std::uint8_t{0});
    Bytes now = co_await ReadAll(tree, again, 0, 7 * kMiB);
    // What a trimmed range holds is undefined.
    for (const smb2::FileLevelTrimRange& range : trim.ranges) {
      const auto at = static_cast<std::ptrdiff_t>(range.offset);
      std::copy_n(expected.begin() + at, range.length, now.begin() + at);
    }
    EXPECT_TRUE(now == expected);
    Need(co_await tree->Close(again), "CLOSE");
  }
}

}  // namespace holdfast::client
