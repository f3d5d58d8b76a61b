// The disk is full: writes say so, everything else goes on, and what was acknowledged is there. Run by
// tests/system/errors_test.py on a file system of its own.
#include "conformance/cases/bed.h"

namespace holdfast::client {
namespace {

using smb2::CreateDisposition;
constexpr std::size_t kPiece = 1 << 20;

// Appends until the disk is full; how many pieces were acknowledged.
Task<std::size_t> FillUp(std::shared_ptr<PersistentFile> file, std::size_t from) {
  constexpr std::size_t kMost = 1024;
  for (std::size_t i = from; i < kMost; ++i) {
    const NtStatus status = co_await file->Write(i * kPiece, Pattern(kPiece, i));
    if (status == NtStatus::kDiskFull) co_return i;
    Need(status, "WRITE");
  }
  throw CannotGoOn("the disk does not become full");
}

Task<void> ExpectPieces(std::shared_ptr<PersistentFile> file, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes back = Need(co_await file->Read(i * kPiece, kPiece), "READ");
    EXPECT_TRUE(back == Pattern(kPiece, i)) << "piece " << i;
  }
}

}  // namespace

CASE_WITHIN(FullDisk, NothingIsLostAndDeletingHelps, std::chrono::seconds(120)) {
  const TreePtr tree = co_await bed.Mount("profiles");
  const std::string ballast_name = "ballast";
  constexpr std::size_t kBallast = 20 * kPiece;
  const smb2::FileId ballast = co_await Opened(tree, FileRequest(ballast_name, CreateDisposition::kCreate));
  co_await WriteAll(tree, ballast, 0, Pattern(kBallast, 99));
  Need(co_await tree->Close(ballast), "CLOSE");

  OpenOptions options;
  options.path = "filled";
  options.disposition = CreateDisposition::kCreate;
  const auto file = co_await bed.OpenPersistent(options);
  const std::size_t full_at = co_await FillUp(file, 0);
  EXPECT_GT(full_at, 5u);
  co_await ExpectPieces(file, full_at);
  EXPECT_TRUE(co_await Contents(tree, ballast_name) == Pattern(kBallast, 99));

  // Still full for everybody; names, locks and changes within a file that is there go on.
  const smb2::FileId other = co_await Opened(tree, FileRequest("other", CreateDisposition::kCreate));
  const auto refused = co_await tree->Write(other, 0, Pattern(kPiece, 1));
  EXPECT_EQ(refused.status(), NtStatus::kDiskFull);
  EXPECT_EQ(co_await tree->Close(other), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Lock(0, 100, true), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Unlock(0, 100), NtStatus::kSuccess);
  EXPECT_EQ(co_await file->Write(0, Pattern(kPiece, 0)), NtStatus::kSuccess) << "over what is there";
  EXPECT_EQ(co_await file->Flush(), NtStatus::kSuccess);

  auto removal = FileRequest(ballast_name, CreateDisposition::kOpen);
  removal.create_options = smb2::create_option::kDeleteOnClose;
  EXPECT_EQ(co_await StatusOfCreate(tree, removal), NtStatus::kSuccess);
  EXPECT_FALSE(co_await Exists(tree, ballast_name));

  const std::size_t full_again = co_await FillUp(file, full_at);
  EXPECT_GE(full_again, full_at + kBallast / kPiece / 2) << "what was freed can be used";
  co_await ExpectPieces(file, full_again);
  EXPECT_EQ(co_await file->SetEndOfFile(full_at * kPiece), NtStatus::kSuccess) << "leaves room behind";
  EXPECT_EQ(co_await file->Close(), NtStatus::kSuccess);
  std::printf("full after %zu pieces, then after %zu\n", full_at, full_again);
}

// After a restart on the same disk: every piece of the file above.
CASE(FullDisk, StillThereAfterARestart) {
  const TreePtr tree = co_await bed.MountWhenUp("profiles");
  const Bytes bytes = co_await Contents(tree, "filled");
  EXPECT_GT(bytes.size(), 5 * kPiece);
  for (std::size_t i = 0; i < bytes.size() / kPiece; ++i) {
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(i * kPiece);
    EXPECT_TRUE(Bytes(begin, begin + static_cast<std::ptrdiff_t>(kPiece)) == Pattern(kPiece, i)) << "piece " << i;
  }
}

}  // namespace holdfast::client
