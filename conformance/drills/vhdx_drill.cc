#include "conformance/drills/vhdx_drill.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <random>

namespace holdfast::client {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
  ~Sha256() { EVP_MD_CTX_free(context_); }
  void Update(ByteView bytes) { EVP_DigestUpdate(context_, bytes.data(), bytes.size()); }
  std::string Hex() {
    std::uint8_t digest[32];
    unsigned size = sizeof digest;
    EVP_DigestFinal_ex(context_, digest, &size);
    std::string text;
    for (std::uint8_t b : digest) {
      constexpr char kDigits[] = "0123456789abcdef";
      text += kDigits[b >> 4];
      text += kDigits[b & 15];
    }
    return text;
  }

 private:
  EVP_MD_CTX* context_;
};

}  // namespace

// A lane has one request in flight and a part of the file of its own, so that what a byte must hold is never in doubt.
struct VhdxDrill::Lane {
  std::uint64_t begin, end;
  std::mt19937_64 random;
};

VhdxDrill::VhdxDrill(DrillOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {}

VhdxDrill::~VhdxDrill() {
  if (mirror_fd_ >= 0) ::close(mirror_fd_);
}

Task<NtStatus> VhdxDrill::Start() {
  mirror_fd_ = ::open(options_.mirror.c_str(), O_RDWR | O_CLOEXEC);
  struct stat facts {};
  if (mirror_fd_ < 0 || ::fstat(mirror_fd_, &facts) != 0) co_return NtStatus::kNoSuchFile;
  OpenOptions open;
  open.path = options_.path;
  auto file = co_await PersistentFile::Open(options_.target, open, clock_);
  if (!file.ok()) co_return file.status();
  file_ = *file;
  size_ = file_->end_of_file();
  if (size_ != static_cast<std::uint64_t>(facts.st_size)) co_return NtStatus::kInvalidParameter;
  const std::uint64_t part = (size_ - options_.from) / options_.writers;
  for (unsigned w = 0; w < options_.writers; ++w) {
    const NtStatus locked = co_await file_->Lock(options_.from + w * part, part, true);
    if (locked != NtStatus::kSuccess) co_return locked;
  }
  co_return NtStatus::kSuccess;
}

void VhdxDrill::Fail(const std::string& what, NtStatus status) {
  ++result_.failed;
  if (result_.first_failure.empty()) result_.first_failure = what + ": " + std::string(NtStatusName(status));
}

Task<bool> VhdxDrill::WriteOnce(Lane& lane) {
  constexpr std::uint64_t kSector = 4096;
  constexpr std::uint64_t kSizes[] = {kSector, kSector, kSector, 4 * kSector, 16 * kSector, 64 * kSector};
  const std::uint64_t length = std::min(kSizes[lane.random() % std::size(kSizes)], lane.end - lane.begin);
  const std::uint64_t slots = (lane.end - lane.begin - length) / kSector + 1;
  const std::uint64_t offset = lane.begin + lane.random() % slots * kSector;
  Bytes data(length);
  for (std::size_t i = 0; i + 8 <= data.size(); i += 8) {
    const std::uint64_t v = lane.random();
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&v), 8, data.begin() + static_cast<std::ptrdiff_t>(i));
  }
  const NtStatus status = co_await file_->Write(offset, data);
  if (status != NtStatus::kSuccess) {
    Fail("WRITE", status);
    co_return false;
  }
  if (::pwrite(mirror_fd_, data.data(), data.size(), static_cast<off_t>(offset)) != static_cast<ssize_t>(length)) {
    Fail("mirror", NtStatus::kUnexpectedIoError);
    co_return false;
  }
  ++result_.writes;
  result_.bytes_written += length;
  co_return true;
}

Task<bool> VhdxDrill::ReadOnce(Lane& lane) {
  constexpr std::uint32_t kLength = 4096;
  const std::uint64_t offset = lane.begin + lane.random() % ((lane.end - lane.begin) / kLength) * kLength;
  const auto found = co_await file_->Read(offset, kLength);
  if (!found.ok()) {
    Fail("READ", found.status());
    co_return false;
  }
  Bytes expected(kLength);
  const ssize_t n = ::pread(mirror_fd_, expected.data(), expected.size(), static_cast<off_t>(offset));
  if (n != static_cast<ssize_t>(kLength) || *found != expected) ++result_.wrong_reads;
  ++result_.reads;
  co_return true;
}

Task<void> VhdxDrill::RunLane(std::shared_ptr<Lane> lane) {
  bool well = true;
  while (!stopping_ && well) {
    const std::uint64_t dice = lane->random() % 20;
    if (dice == 0) {
      const NtStatus status = co_await file_->Flush();
      well = status == NtStatus::kSuccess;
      if (!well) Fail("FLUSH", status);
      ++result_.flushes;
    } else if (dice < 4) {
      well = co_await ReadOnce(*lane);
    } else {
      well = co_await WriteOnce(*lane);
    }
  }
  if (--running_ == 0) all_done_.Set(0);
}

Task<DrillResult> VhdxDrill::Run() {
  const auto executor = co_await boost::asio::this_coro::executor;
  const unsigned lanes = options_.writers * options_.depth;
  const std::uint64_t part = (size_ - options_.from) / lanes / 4096 * 4096;
  running_ = lanes;
  for (unsigned i = 0; i < lanes; ++i) {
    const std::uint64_t begin = options_.from + i * part;
    Spawn(executor, RunLane(std::make_shared<Lane>(Lane{begin, begin + part, std::mt19937_64(options_.seed + i)})));
  }
  co_await all_done_.Wait();
  co_await Verify();
  result_.history = file_->history();
  const NtStatus closed = co_await file_->Close();
  if (closed != NtStatus::kSuccess) Fail("CLOSE", closed);
  co_return result_;
}

Task<void> VhdxDrill::Verify() {
  constexpr std::uint32_t kPiece = 1 << 20;
  Sha256 expected_hash, found_hash;
  Bytes expected(kPiece);
  for (std::uint64_t offset = 0; offset < size_; offset += kPiece) {
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(kPiece, size_ - offset));
    const auto found = co_await file_->Read(offset, length);
    if (!found.ok() || found->size() != length) {
      Fail("READ back", found.ok() ? NtStatus::kEndOfFile : found.status());
      co_return;
    }
    if (::pread(mirror_fd_, expected.data(), length, static_cast<off_t>(offset)) != static_cast<ssize_t>(length)) {
      Fail("mirror", NtStatus::kUnexpectedIoError);
      co_return;
    }
    const ByteView piece(expected.data(), length);
    expected_hash.Update(piece);
    found_hash.Update(*found);
    for (std::size_t i = 0; i < length; ++i) result_.differing_bytes += piece[i] != (*found)[i];
  }
  result_.expected_sha256 = expected_hash.Hex();
  result_.found_sha256 = found_hash.Hex();
}

}  // namespace holdfast::client
