// Two mounts of one directory by two users. For the server they are two holders of leases and locks: the kernel keeps
// nothing in common between them, so that all they know of each other comes over the wire.
#include "conformance/kernel_client/neighbour_cases.h"

#include <sys/file.h>

#include <algorithm>
#include <array>
#include <set>

#include "conformance/kernel_client/calls.h"

namespace {

constexpr int kRounds = 20;
// A name that was not there is not asked for again for a second, nor are the attributes of one that was.
constexpr int kNamesAreOldFor = 2'500;  // ms

void WaitFor(const std::function<bool()>& seen, const char* what) {
  for (int waited = 0; !seen(); waited += 20) {
    if (waited > kNamesAreOldFor) Fail(what, __LINE__);
    ::usleep(20'000);
  }
}

// Handles of the client that are open on the server, as /proc/fs/cifs/open_files has them.
int HandlesOf(const std::string& name) {
  std::FILE* list = std::fopen("/proc/fs/cifs/open_files", "r");
  EXPECT(list != nullptr);
  std::array<char, 512> line;
  int count = 0;
  while (std::fgets(line.data(), line.size(), list)) {
    std::string text = line.data();
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    if (text.ends_with(" " + name)) ++count;
  }
  std::fclose(list);
  return count;
}

// What is written through one mount and closed is what the other one reads, at once and in turns.
void ContentsTravel(const std::string& one, const std::string& other) {
  const std::string name = "/travels";
  for (int i = 0; i < kRounds; ++i) {
    const std::string& writer = i % 2 ? other : one;
    const std::string& reader = i % 2 ? one : other;
    const std::string bytes =
        Pattern(static_cast<std::size_t>(1000 + (i * 7919) % 30000), static_cast<std::uint32_t>(i));
    {
      File file(writer + name);
      WriteAll(file, bytes, 0);
    }
    File file(reader + name, O_RDONLY);
    EXPECT(ReadAll(file, bytes.size() + 1, 0) == bytes);
  }
}

// The client keeps the handle of a closed file only under a lease with read, write and handle caching; the open of the
// other mount takes that lease, and the handle with it or what was written.
void LeasesAreHeldAndBroken(const std::string& one, const std::string& other) {
  const std::string name = "leased";
  {
    File file(one + "/" + name);
    WriteAll(file, "kept", 0);
  }
  EXPECT(HandlesOf(name) == 1);
  {
    File file(other + "/" + name, O_RDONLY);
    EXPECT(ReadAll(file, 10, 0) == "kept");
  }
  File holder(one + "/" + name, O_RDWR);
  EXPECT(ReadAll(holder, 10, 0) == "kept");
  // In the cache of the first mount and nowhere else, until the other one asks.
  WriteAll(holder, "dirt", 0);
  File asks(other + "/" + name, O_RDWR);
  EXPECT(ReadAll(asks, 10, 0) == "dirt");
  // Both have it open, nobody writes into a cache any more, and what was cached for reading goes with each write.
  for (int i = 0; i < kRounds; ++i) {
    const std::string bytes = Pattern(4, static_cast<std::uint32_t>(i));
    WriteAll(i % 2 ? asks : holder, bytes, 0);
    EXPECT(::fsync(i % 2 ? asks : holder) == 0);
    EXPECT(ReadAll(i % 2 ? holder : asks, 10, 0) == bytes);
  }
}

void LocksAreSeen(const std::string& one, const std::string& other) {
  const std::string name = "/locked";
  File mine(one + name);
  WriteAll(mine, Pattern(1000, 1), 0);
  File theirs(other + name, O_RDWR);
  const auto refused = [&](short type, off_t start, off_t length) {
    const bool granted = SetLock(theirs, type, start, length);
    if (!granted && errno != EACCES && errno != EAGAIN) Fail("a lock", __LINE__);
    if (granted) EXPECT(SetLock(theirs, F_UNLCK, start, length));
    return !granted;
  };
  EXPECT(SetLock(mine, F_WRLCK, 100, 50));
  EXPECT(refused(F_WRLCK, 149, 10));
  EXPECT(refused(F_RDLCK, 100, 1));
  EXPECT(!refused(F_WRLCK, 150, 10));
  EXPECT(SetLock(mine, F_UNLCK, 100, 50));
  EXPECT(!refused(F_WRLCK, 100, 50));
  EXPECT(SetLock(mine, F_RDLCK, 0, 10));
  EXPECT(!refused(F_RDLCK, 0, 10));
  EXPECT(refused(F_WRLCK, 0, 10));
  EXPECT(SetLock(mine, F_UNLCK, 0, 10));

  EXPECT(::flock(mine, LOCK_EX) == 0);
  EXPECT(::flock(theirs, LOCK_EX | LOCK_NB) == -1 && (errno == EWOULDBLOCK || errno == EACCES));
  EXPECT(::flock(mine, LOCK_UN) == 0);
  EXPECT(::flock(theirs, LOCK_EX | LOCK_NB) == 0);
  EXPECT(::flock(theirs, LOCK_UN) == 0);

  // A counter that both raise under a waiting lock: none of the steps is lost.
  constexpr int kSteps = 25;
  WriteAll(mine, std::string(sizeof(int), '\0'), 0);
  EXPECT(::fsync(mine) == 0);
  const auto count = [](const std::string& path) {
    File file(path, O_RDWR);
    for (int i = 0; i < kSteps; ++i) {
      EXPECT(SetLock(file, F_WRLCK, 4096, 1, F_SETLKW));
      int value = 0;
      EXPECT(::pread(file, &value, sizeof value, 0) == sizeof value);
      ++value;
      EXPECT(::pwrite(file, &value, sizeof value, 0) == sizeof value);
      EXPECT(::fsync(file) == 0);
      EXPECT(SetLock(file, F_UNLCK, 4096, 1));
    }
    return 0;
  };
  std::fflush(stdout);
  const pid_t child = ::fork();
  EXPECT(child >= 0);
  if (child == 0) ::_exit(count(other + name));
  count(one + name);
  int status = 0;
  EXPECT(::waitpid(child, &status, 0) == child && status == 0);
  int value = 0;
  EXPECT(::pread(theirs, &value, sizeof value, 0) == sizeof value);
  EXPECT(value == 2 * kSteps);
}

void NamesAreSeen(const std::string& one, const std::string& other) {
  const std::string name = "/directory";
  EXPECT(::mkdir((one + name).c_str(), 0755) == 0);
  WaitFor([&] { return ::access((other + name).c_str(), F_OK) == 0; }, "a new directory");
  {
    File file(other + name + "/file");
    WriteAll(file, "1234", 0);
  }
  WaitFor([&] { return ::access((one + name + "/file").c_str(), F_OK) == 0; }, "a new file");
  WaitFor([&] { return Stat(one + name + "/file").st_size == 4; }, "its size");
  EXPECT(::rename((one + name + "/file").c_str(), (one + name + "/moved").c_str()) == 0);
  WaitFor([&] { return ::access((other + name + "/file").c_str(), F_OK) != 0; }, "the end of the old name");
  WaitFor([&] { return Names(other + name) == std::vector<std::string>{"moved"}; }, "the new name");
  EXPECT(::truncate((other + name + "/moved").c_str(), 2) == 0);
  WaitFor([&] { return Stat(one + name + "/moved").st_size == 2; }, "the smaller size");
  EXPECT(::unlink((other + name + "/moved").c_str()) == 0);
  WaitFor([&] { return Names(one + name).empty(); }, "the end of the file");
  EXPECT(::rmdir((one + name).c_str()) == 0);
  WaitFor([&] { return ::access((other + name).c_str(), F_OK) != 0; }, "the end of the directory");
}

// What a name in the storm may answer when others rename it and delete it at the same moment.
void DoneOrOfTheStorm(bool done, const char* what) {
  if (done || errno == ENOENT || errno == EACCES || errno == EBUSY || errno == EEXIST || errno == ESTALE) return;
  Fail(what, __LINE__);
}

// Many processes in both mounts make, rename and delete the same few names. Nothing is torn or lost for good: in the
// end both mounts list the same, every file is whole, and all of it can be deleted.
void Storm(const std::string& one, const std::string& other) {
  constexpr int kProcesses = 8, kSteps = 40, kNames = 6;
  constexpr std::size_t kBytes = 3000;
  const std::string name = "/storm";
  EXPECT(::mkdir((one + name).c_str(), 0755) == 0);
  WaitFor([&] { return ::access((other + name).c_str(), F_OK) == 0; }, "the directory of the storm");
  std::fflush(stdout);
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    const pid_t child = ::fork();
    EXPECT(child >= 0);
    if (child != 0) {
      children.push_back(child);
      continue;
    }
    const std::string at = (process % 2 ? other : one) + name + "/";
    for (int step = 0; step < kSteps; ++step) {
      const std::string own = at + "own " + std::to_string(process);
      const std::string shared = at + "shared " + std::to_string((process * 5 + step * 7) % kNames);
      {
        File file(own);
        WriteAll(file, Pattern(kBytes, static_cast<std::uint32_t>(process * kSteps + step)), 0);
      }
      DoneOrOfTheStorm(::rename(own.c_str(), shared.c_str()) == 0, "rename");
      const std::string gone = at + "shared " + std::to_string((process + step) % kNames);
      if (step % 3 == 0) DoneOrOfTheStorm(::unlink(gone.c_str()) == 0, "unlink");
      const int fd = ::open(gone.c_str(), O_RDONLY);
      DoneOrOfTheStorm(fd >= 0, "open");
      if (fd >= 0) ::close(fd);
    }
    ::_exit(0);
  }
  bool well = true;
  for (const pid_t child : children) {
    int status = 0;
    EXPECT(::waitpid(child, &status, 0) == child);
    well = well && status == 0;
  }
  EXPECT(well);
  const auto listed = [&](const std::string& at) {
    const auto names = Names(at + name);
    return std::set<std::string>(names.begin(), names.end());
  };
  WaitFor([&] { return listed(one) == listed(other); }, "the same names on both sides");
  std::set<std::string> whole;
  for (int i = 0; i < kProcesses * kSteps; ++i) whole.insert(Pattern(kBytes, static_cast<std::uint32_t>(i)));
  for (const std::string& left : listed(one)) {
    File file(other + name + "/" + left, O_RDONLY);
    EXPECT(whole.contains(ReadAll(file, kBytes + 1, 0)));
  }
  for (const std::string& left : listed(one)) EXPECT(::unlink((one + name + "/" + left).c_str()) == 0);
  WaitFor([&] { return listed(other).empty(); }, "the end of the storm");
  EXPECT(::rmdir((other + name).c_str()) == 0);
}

}  // namespace

int Neighbours(const std::string& one, const std::string& other) {
  struct Case {
    const char* name;
    void (*run)(const std::string&, const std::string&);
  };
  int failed = 0;
  for (const Case& each : {Case{"contents", ContentsTravel}, Case{"leases", LeasesAreHeldAndBroken},
                           Case{"locks", LocksAreSeen}, Case{"names", NamesAreSeen}, Case{"storm", Storm}}) {
    std::printf("%s: ", each.name);
    const int status = InAnotherProcess([&] {
      ::alarm(300);
      each.run(one, other);
      return 0;
    });
    if (status == 0) std::printf("passed\n");
    std::fflush(stdout);
    failed += status != 0;
  }
  return failed == 0 ? 0 : 1;
}
