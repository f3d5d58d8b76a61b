// Five hundred users begin their day: each signs in, finds or makes his folder, attaches his disk and reads the beginning of it.
#include <algorithm>

#include "conformance/cases/bed.h"

#include "protocol/smb2/contexts/durable_handle.h"

namespace holdfast::client {
namespace {

using smb2::CreateDisposition;

constexpr std::size_t kUsers = 500;
constexpr std::size_t kUsersOnAHost = 25;
constexpr std::size_t kSignInsAtOnce = 2;  // a host begins so many sessions at a time
constexpr std::size_t kReads = 20;
constexpr std::uint32_t kBlock = 65536;
constexpr Duration kLimit = std::chrono::seconds(60);

struct Storm {
  std::string folder;
  std::size_t running = 0;
  std::vector<double> milliseconds;  // of the users that are at work
  std::vector<smb2::FileId> disks;
  std::vector<TreePtr> trees;
  OneShot<int> all_done;
};

// From the first byte of the sign-in to a desktop that could begin.
Task<void> BeginDay(Bed& bed, ConnectionPtr connection, std::size_t user, std::shared_ptr<Storm> storm) {
  const SteadyTime begun = bed.clock().Now();
  const Credentials credentials = user % 2 == 0 ? Bed::Alice() : Bed::Bob();
  const SessionPtr session = co_await bed.SignIn(connection, credentials);
  const TreePtr tree = co_await bed.Mount(session, "profiles");
  const std::string folder = storm->folder + "/user" + std::to_string(user);
  const auto directory = DirectoryRequest(folder, CreateDisposition::kOpenIf);
  Need(co_await StatusOfCreate(tree, directory), "folder");

  auto request = FileRequest(folder + "/Profile.VHDX", CreateDisposition::kOpenIf);
  request.share_access = 0;
  smb2::DurableHandleRequestV2 durable;
  durable.flags = smb2::durable_flag::kPersistent;
  durable.create_guid = Guid::Generate(SystemRandom());
  request.contexts.push_back(smb2::CreateContext::From(smb2::create_context::kDurableHandleRequestV2, durable));
  const smb2::FileId disk = co_await Opened(tree, std::move(request));
  co_await WriteAll(tree, disk, 0, Pattern(2 * kBlock, user));
  const Bytes expected = Pattern(2 * kBlock, user);
  for (std::size_t i = 0; i < kReads; ++i) {
    const std::size_t at = (i % 2) * kBlock;
    const Bytes data = co_await ReadAll(tree, disk, at, kBlock);
    EXPECT_TRUE(std::equal(data.begin(), data.end(), expected.begin() + static_cast<std::ptrdiff_t>(at))) << user;
  }
  storm->milliseconds.push_back(std::chrono::duration<double, std::milli>(bed.clock().Now() - begun).count());
  storm->disks.push_back(disk);
  storm->trees.push_back(tree);
}

Task<void> Host(Bed& bed, std::size_t first, std::size_t step, std::size_t last, ConnectionPtr connection,
                std::shared_ptr<Storm> storm) {
  for (std::size_t user = first; user < last; user += step) {
    try {
      co_await BeginDay(bed, connection, user, storm);
    } catch (const CannotGoOn& reason) {
      ADD_FAILURE() << "user " << user << ": " << reason.what();
      break;
    }
  }
  if (--storm->running == 0) storm->all_done.Set(0);
}

}  // namespace

CASE_WITHIN(SignInStorm, FiveHundredUsersWithinAMinute, std::chrono::seconds(150)) {
  const auto storm = std::make_shared<Storm>();
  storm->folder = Bed::Fresh("storm");
  const TreePtr tree = co_await bed.Mount("profiles");
  const auto folder = DirectoryRequest(storm->folder, CreateDisposition::kCreate);
  Need(co_await StatusOfCreate(tree, folder), "CREATE");

  std::vector<ConnectionPtr> hosts;
  for (std::size_t i = 0; i < kUsers / kUsersOnAHost; ++i) hosts.push_back(co_await bed.Connect());
  const SteadyTime begun = bed.clock().Now();
  storm->running = hosts.size() * kSignInsAtOnce;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    for (std::size_t k = 0; k < kSignInsAtOnce; ++k) {
      Spawn(bed.executor(), Host(bed, i * kUsersOnAHost + k, kSignInsAtOnce, (i + 1) * kUsersOnAHost, hosts[i], storm));
    }
  }
  co_await storm->all_done.Wait();
  const Duration all = bed.clock().Now() - begun;
  EXPECT_EQ(storm->milliseconds.size(), kUsers);
  EXPECT_LT(all, kLimit);

  std::vector<double>& times = storm->milliseconds;
  if (times.empty()) co_return;
  std::sort(times.begin(), times.end());
  const auto at = [&](double part) { return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))]; };
  std::printf("%zu users at work after %.1f s; one of them after: p50 %.0f ms, p95 %.0f ms, worst %.0f ms\n", times.size(),
              std::chrono::duration<double>(all).count(), at(0.5), at(0.95), times.back());
  // All are still there, each with his disk to himself.
  for (std::size_t i = 0; i < storm->disks.size(); ++i) {
    EXPECT_EQ(co_await storm->trees[i]->Close(storm->disks[i]), NtStatus::kSuccess);
  }
}

}  // namespace holdfast::client
