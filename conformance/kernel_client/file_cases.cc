// What a program of Linux expects of a file system, asked of a mounted share. It runs inside the VM, so it is static
// and needs nothing of the house.
//
//   file_cases DIRECTORY ENTRIES [NAME]          every case below, or one; ENTRIES names go into one directory
//   file_cases hold FILE STOP [flush]            one handle and one lock, written through until the file STOP exists
//   file_cases neighbours ONE OTHER              neighbour_cases.cc: the same directory in two mounts
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include <set>

#include "conformance/kernel_client/calls.h"
#include "conformance/kernel_client/neighbour_cases.h"

namespace {

constexpr std::size_t kPage = 4096;
constexpr off_t kMiB = 1 << 20;

void MemoryMaps(const std::string& at) {
  const std::string path = at + "/mapped", bytes = Pattern(3 * kPage + 100, 1);
  {
    File file(path);
    EXPECT(::ftruncate(file, static_cast<off_t>(bytes.size())) == 0);
    void* memory = ::mmap(nullptr, bytes.size(), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    EXPECT(memory != MAP_FAILED);
    std::memcpy(memory, bytes.data(), bytes.size());
    EXPECT(::msync(memory, bytes.size(), MS_SYNC) == 0);
    EXPECT(::munmap(memory, bytes.size()) == 0);
  }
  File file(path, O_RDONLY);
  EXPECT(ReadAll(file, bytes.size() + 1, 0) == bytes);
  void* memory = ::mmap(nullptr, bytes.size(), PROT_READ, MAP_PRIVATE, file, 0);
  EXPECT(memory != MAP_FAILED);
  EXPECT(std::memcmp(memory, bytes.data(), bytes.size()) == 0);
  EXPECT(::munmap(memory, bytes.size()) == 0);
}

void DirectIo(const std::string& at) {
  const std::string path = at + "/direct", bytes = Pattern(2 * kMiB, 2);
  void* buffer = nullptr;
  EXPECT(::posix_memalign(&buffer, kPage, bytes.size()) == 0);
  std::memcpy(buffer, bytes.data(), bytes.size());
  {
    File file(path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT);
    EXPECT(::pwrite(file, buffer, kPage, 5 * kPage) == static_cast<ssize_t>(kPage));
    EXPECT(::pwrite(file, buffer, bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    std::memset(buffer, 0, bytes.size());
    EXPECT(::pread(file, buffer, bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    EXPECT(std::memcmp(buffer, bytes.data(), bytes.size()) == 0);
    EXPECT(::pread(file, buffer, kPage, 2 * kMiB - 512) == 512);
    EXPECT(::pread(file, buffer, kPage, 3 * kMiB) == 0);
  }
  std::free(buffer);
  File file(path, O_RDONLY);
  EXPECT(ReadAll(file, bytes.size() + 1, 0) == bytes);
}

void SizesAndAppending(const std::string& at) {
  const std::string path = at + "/sizes";
  File file(path);
  WriteAll(file, Pattern(10000, 3), 0);
  EXPECT(::ftruncate(file, 5000) == 0);
  EXPECT(::ftruncate(file, 20000) == 0);
  const std::string back = ReadAll(file, 30000, 0);
  EXPECT(back == Pattern(10000, 3).substr(0, 5000) + std::string(15000, '\0'));
  File one(path, O_WRONLY | O_APPEND), other(path, O_WRONLY | O_APPEND);
  EXPECT(::write(one, "one", 3) == 3);
  EXPECT(::fsync(one) == 0);
  EXPECT(::write(other, "two", 3) == 3);
  EXPECT(::fsync(other) == 0);
  EXPECT(ReadAll(file, 100, 20000) == "onetwo");
  EXPECT(Stat(path).st_size == 20006);
  EXPECT(::truncate(path.c_str(), 0) == 0);
  EXPECT(Stat(path).st_size == 0);
}

void Holes(const std::string& at) {
  const std::string path = at + "/holes", bytes = Pattern(64 << 10, 4);
  File file(path);
  EXPECT(::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kMiB) == 0);  // makes it sparse
  EXPECT(::ftruncate(file, 1024 * kMiB) == 0);
  WriteAll(file, bytes, 512 * kMiB);
  EXPECT(::fsync(file) == 0);
  EXPECT(::lseek(file, 0, SEEK_DATA) == 512 * kMiB);
  EXPECT(::lseek(file, 512 * kMiB, SEEK_HOLE) == 512 * kMiB + static_cast<off_t>(bytes.size()));
  EXPECT_ERROR(::lseek(file, 600 * kMiB, SEEK_DATA), ENXIO);
  EXPECT(ReadAll(file, 4096, 700 * kMiB) == std::string(4096, '\0'));
  EXPECT(ReadAll(file, bytes.size(), 512 * kMiB) == bytes);
  EXPECT(::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 512 * kMiB, 16 << 10) == 0);
  EXPECT(ReadAll(file, bytes.size(), 512 * kMiB) == std::string(16 << 10, '\0') + bytes.substr(16 << 10));
  EXPECT(::lseek(file, 0, SEEK_DATA) == 512 * kMiB + (16 << 10));
  EXPECT(::fallocate(file, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 512 * kMiB + (16 << 10), 4096) == 0);
  EXPECT(ReadAll(file, 4096, 512 * kMiB + (16 << 10)) == std::string(4096, '\0'));
  EXPECT(Stat(path).st_size == 1024 * kMiB);
}

void WholeFileLocks(const std::string& at) {
  const std::string path = at + "/flock";
  File file(path);
  EXPECT(::flock(file, LOCK_EX) == 0);
  const auto try_lock = [&path](int how) {
    return InAnotherProcess([&] {
      File other(path, O_RDWR);
      return ::flock(other, how | LOCK_NB) == 0 ? 0 : (errno == EWOULDBLOCK || errno == EACCES ? 1 : 2);
    });
  };
  EXPECT(try_lock(LOCK_EX) == 1);
  EXPECT(try_lock(LOCK_SH) == 1);
  EXPECT(::flock(file, LOCK_UN) == 0);
  EXPECT(try_lock(LOCK_EX) == 0);
  EXPECT(::flock(file, LOCK_SH) == 0);
  EXPECT(try_lock(LOCK_SH) == 0);
  EXPECT(::flock(file, LOCK_UN) == 0);
}

void RangeLocks(const std::string& at) {
  const std::string path = at + "/ranges";
  File file(path);
  WriteAll(file, Pattern(1000, 5), 0);
  EXPECT(SetLock(file, F_WRLCK, 100, 50));
  const auto other = [&path](short type, off_t start, off_t length) {
    return InAnotherProcess([&] {
      File another(path, O_RDWR);
      return SetLock(another, type, start, length) ? 0 : 1;
    });
  };
  EXPECT(other(F_WRLCK, 149, 10) == 1);
  EXPECT(other(F_RDLCK, 100, 1) == 1);
  EXPECT(other(F_WRLCK, 150, 10) == 0);
  EXPECT(other(F_WRLCK, 0, 100) == 0);
  EXPECT(SetLock(file, F_UNLCK, 100, 50));
  EXPECT(other(F_WRLCK, 100, 50) == 0);
  EXPECT(SetLock(file, F_RDLCK, 0, 10));
  EXPECT(other(F_RDLCK, 0, 10) == 0);
  EXPECT(other(F_WRLCK, 0, 10) == 1);
  EXPECT(SetLock(file, F_UNLCK, 0, 10));

  // One that waits is served when the holder lets go, and not before.
  EXPECT(SetLock(file, F_WRLCK, 0, 0));
  int pipe[2];
  EXPECT(::pipe(pipe) == 0);
  std::fflush(stdout);
  const pid_t child = ::fork();
  EXPECT(child >= 0);
  if (child == 0) {
    File another(path, O_RDWR);
    if (::write(pipe[1], "w", 1) != 1 || !SetLock(another, F_WRLCK, 0, 0, F_SETLKW)) ::_exit(1);
    if (::write(pipe[1], "l", 1) != 1) ::_exit(1);
    ::_exit(0);
  }
  char byte = 0;
  EXPECT(::read(pipe[0], &byte, 1) == 1 && byte == 'w');
  ::usleep(300'000);
  EXPECT(::fcntl(pipe[0], F_SETFL, O_NONBLOCK) == 0);
  EXPECT_ERROR(::read(pipe[0], &byte, 1), EAGAIN);
  EXPECT(SetLock(file, F_UNLCK, 0, 0));
  EXPECT(::fcntl(pipe[0], F_SETFL, 0) == 0);
  EXPECT(::read(pipe[0], &byte, 1) == 1 && byte == 'l');
  int status = 0;
  EXPECT(::waitpid(child, &status, 0) == child && status == 0);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

void RenameOverAnOpenFile(const std::string& at) {
  const std::string from = at + "/rename-from", to = at + "/rename-to";
  {
    File file(from);
    WriteAll(file, "new", 0);
  }
  File open(to);
  WriteAll(open, "old", 0);
  EXPECT(::fsync(open) == 0);
  // A Windows file server does not replace a file that is open. The client then deletes the old name, which stays until
  // its last close, and tries again: ENOENT, for a name that is being deleted. Whichever it is, no content may be lost.
  if (::rename(from.c_str(), to.c_str()) == 0) {
    File replaced(to, O_RDONLY);
    EXPECT(ReadAll(replaced, 10, 0) == "new");
    EXPECT_ERROR(::access(from.c_str(), F_OK), ENOENT);
  } else {
    const int why = errno;
    if (why != EACCES && why != EBUSY && why != EEXIST && why != ENOENT) Fail(std::strerror(why), __LINE__);
    File kept(from, O_RDONLY);
    EXPECT(ReadAll(kept, 10, 0) == "new");
  }
  EXPECT(ReadAll(open, 10, 0) == "old");
  open.Close();
  if (::access(from.c_str(), F_OK) == 0) EXPECT(::rename(from.c_str(), to.c_str()) == 0);
  File result(to, O_RDONLY);
  EXPECT(ReadAll(result, 10, 0) == "new");
}

void RenameOfAnOpenFile(const std::string& at) {
  const std::string from = at + "/moving", to = at + "/moved";
  File file(from);
  WriteAll(file, "before", 0);
  EXPECT(::rename(from.c_str(), to.c_str()) == 0);
  WriteAll(file, "behind", 6);
  EXPECT(::fsync(file) == 0);
  File other(to, O_RDONLY);
  EXPECT(ReadAll(other, 20, 0) == "beforebehind");
  EXPECT_ERROR(::access(from.c_str(), F_OK), ENOENT);
}

void UnlinkOfAnOpenFile(const std::string& at) {
  const std::string path = at + "/unlinked";
  File file(path);
  WriteAll(file, "kept", 0);
  EXPECT(::unlink(path.c_str()) == 0);
  WriteAll(file, "more", 4);
  EXPECT(::fsync(file) == 0);
  EXPECT(ReadAll(file, 20, 0) == "keptmore");
  file.Close();
  EXPECT_ERROR(::access(path.c_str(), F_OK), ENOENT);
  File again(path, O_RDWR | O_CREAT | O_EXCL);
  EXPECT(Stat(path).st_size == 0);
}

void Directories(const std::string& at) {
  const std::string outer = at + "/outer", inner = outer + "/inner", moved = at + "/elsewhere";
  EXPECT(::mkdir(outer.c_str(), 0755) == 0);
  EXPECT_ERROR(::mkdir(outer.c_str(), 0755), EEXIST);
  EXPECT(::mkdir(inner.c_str(), 0755) == 0);
  EXPECT_ERROR(::rmdir(outer.c_str()), ENOTEMPTY);
  EXPECT_ERROR(::open((outer + "/none/file").c_str(), O_RDONLY), ENOENT);
  {
    File file(inner + "/file");
    WriteAll(file, "here", 0);
  }
  EXPECT_ERROR(::open((inner + "/file").c_str(), O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
  EXPECT_ERROR(::open(inner.c_str(), O_RDWR), EISDIR);
  EXPECT_ERROR(::rmdir((inner + "/file").c_str()), ENOTDIR);
  EXPECT(::rename(outer.c_str(), moved.c_str()) == 0);
  File file(moved + "/inner/file", O_RDONLY);
  EXPECT(ReadAll(file, 10, 0) == "here");
  file.Close();
  EXPECT(::unlink((moved + "/inner/file").c_str()) == 0);
  EXPECT(::rmdir((moved + "/inner").c_str()) == 0);
  EXPECT(::rmdir(moved.c_str()) == 0);
  EXPECT_ERROR(::access(moved.c_str(), F_OK), ENOENT);
}

void NamesOfEveryKind(const std::string& at) {
  const std::string directory = at + "/names";
  EXPECT(::mkdir(directory.c_str(), 0755) == 0);
  // Characters that Windows does not have in names travel as private ones; case is kept.
  const std::set<std::string> names = {"MiXed CaSe.TxT",
                                       "\xC3\xBC\xC3\xB6\xC3\xA4 \xE2\x82\xAC.txt",
                                       "\xE6\x97\xA5\xE6\x9C\xAC",
                                       "smile \xF0\x9F\x98\x80",
                                       "a:b*c?d<e>f|g\"h",
                                       "dot.",
                                       "space ",
                                       ".hidden",
                                       std::string(255, 'n')};
  for (const std::string& name : names) {
    File file(directory + "/" + name, O_RDWR | O_CREAT | O_EXCL);
    WriteAll(file, name, 0);
  }
  const std::vector<std::string> listed = Names(directory);
  EXPECT(std::set<std::string>(listed.begin(), listed.end()) == names);
  for (const std::string& name : names) {
    File file(directory + "/" + name, O_RDONLY);
    EXPECT(ReadAll(file, 300, 0) == name);
  }
  EXPECT_ERROR(::open((directory + "/" + std::string(256, 'n')).c_str(), O_RDWR | O_CREAT, 0644), ENAMETOOLONG);
}

void HardLinks(const std::string& at) {
  const std::string one = at + "/link-one", two = at + "/link-two";
  {
    File file(one);
    WriteAll(file, "shared", 0);
  }
  EXPECT(::link(one.c_str(), two.c_str()) == 0);
  EXPECT(Stat(one).st_ino == Stat(two).st_ino);
  EXPECT(Stat(two).st_nlink == 2);
  EXPECT(::unlink(one.c_str()) == 0);
  File file(two, O_RDONLY);
  EXPECT(ReadAll(file, 10, 0) == "shared");
}

void Times(const std::string& at) {
  const std::string path = at + "/times";
  { File file(path); }
  const timespec times[2] = {{1'234'567'890, 123'456'700}, {987'654'321, 987'654'300}};
  EXPECT(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  const struct stat facts = Stat(path);
  EXPECT(facts.st_atim.tv_sec == 1'234'567'890 && facts.st_atim.tv_nsec == 123'456'700);
  EXPECT(facts.st_mtim.tv_sec == 987'654'321 && facts.st_mtim.tv_nsec == 987'654'300);
}

void FileSystemFacts(const std::string& at) {
  struct statfs facts = {};
  EXPECT(::statfs(at.c_str(), &facts) == 0);
  EXPECT(facts.f_type == static_cast<decltype(facts.f_type)>(SMB2_SUPER_MAGIC));
  EXPECT(facts.f_blocks > 0 && facts.f_bfree > 0 && facts.f_bavail <= facts.f_blocks);
  EXPECT(facts.f_namelen == 255);
}

// Names in upper case: the server stores them so, and the client of Linux tells case apart.
void ExtendedAttributes(const std::string& at) {
  const std::string path = at + "/attributes";
  { File file(path); }
  EXPECT(::setxattr(path.c_str(), "user.COLOUR", "blue", 4, 0) == 0);
  EXPECT(::setxattr(path.c_str(), "user.SIZE", "12", 2, 0) == 0);
  EXPECT(::setxattr(path.c_str(), "user.COLOUR", "green", 5, 0) == 0);
  char value[64] = {};
  EXPECT(::getxattr(path.c_str(), "user.COLOUR", value, sizeof value) == 5 && std::memcmp(value, "green", 5) == 0);
  char list[256] = {};
  const ssize_t size = ::listxattr(path.c_str(), list, sizeof list);
  EXPECT(size > 0);
  std::set<std::string> names;
  for (const char* name = list; name < list + size; name += std::strlen(name) + 1) names.insert(name);
  EXPECT((names == std::set<std::string>{"user.COLOUR", "user.SIZE"}));
  EXPECT(::removexattr(path.c_str(), "user.COLOUR") == 0);
  EXPECT_ERROR(::getxattr(path.c_str(), "user.COLOUR", value, sizeof value), ENODATA);
  EXPECT(::getxattr(path.c_str(), "user.SIZE", value, sizeof value) == 2);
}

void CopiesOnTheServer(const std::string& at) {
  const std::string bytes = Pattern(3 * kMiB + 17, 6);
  File from(at + "/copy-from"), to(at + "/copy-to");
  WriteAll(from, bytes, 0);
  EXPECT(::fsync(from) == 0);
  off_t in = 0, out = 0;
  while (in < static_cast<off_t>(bytes.size())) {
    EXPECT(::copy_file_range(from, &in, to, &out, bytes.size() - static_cast<std::size_t>(in), 0) > 0);
  }
  EXPECT(ReadAll(to, bytes.size() + 1, 0) == bytes);
}

void TwoOpensSeeEachOther(const std::string& at) {
  const std::string path = at + "/two";
  File one(path), two(path, O_RDWR);
  WriteAll(one, "first", 0);
  EXPECT(ReadAll(two, 10, 0) == "first");
  WriteAll(two, "FIRST", 0);
  EXPECT(ReadAll(one, 10, 0) == "FIRST");
  EXPECT(::ftruncate(two, 2) == 0);
  EXPECT(ReadAll(one, 10, 0) == "FI");
}

void ManyNames(const std::string& at, int count) {
  const std::string directory = at + "/many";
  EXPECT(::mkdir(directory.c_str(), 0755) == 0);
  for (int i = 0; i < count; ++i) {
    const int fd =
        ::open((directory + "/name of a file, number " + std::to_string(i)).c_str(), O_CREAT | O_EXCL | O_WRONLY, 0644);
    EXPECT(fd >= 0);
    EXPECT(::close(fd) == 0);
  }
  const std::vector<std::string> listed = Names(directory);
  EXPECT(listed.size() == static_cast<std::size_t>(count));
  EXPECT(std::set<std::string>(listed.begin(), listed.end()).size() == listed.size());
}

// Several records a second through one handle, each under a lock of the same handle, until `stop` exists; every record
// is read back through it. What a session host does with a VHDX while its server dies.
int Hold(const std::string& path, const std::string& stop, bool flush) {
  constexpr std::size_t kRecord = 4096;
  File file(path);
  EXPECT(SetLock(file, F_WRLCK, 1LL << 40, 1));
  std::uint32_t count = 0;
  while (::access(stop.c_str(), F_OK) != 0) {
    const auto offset = static_cast<off_t>(count) * static_cast<off_t>(kRecord);
    WriteAll(file, Pattern(kRecord, count), offset);
    // Without a FLUSH the record leaves the cache, and no more. Only all three flags together repeat a WRITE that was
    // cut off, as fsync does.
    constexpr unsigned kWriteAndWait = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    EXPECT((flush ? ::fsync(file) : ::sync_file_range(file, offset, kRecord, kWriteAndWait)) == 0);
    ++count;
    ::usleep(100'000);
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    if (ReadAll(file, kRecord, static_cast<off_t>(i) * static_cast<off_t>(kRecord)) != Pattern(kRecord, i)) {
      std::printf("record %u of %u differs\n", i, count);
      return 1;
    }
  }
  EXPECT(SetLock(file, F_UNLCK, 1LL << 40, 1));
  file.Close();
  EXPECT(Stat(path).st_size == static_cast<off_t>(count) * static_cast<off_t>(kRecord));
  std::printf("%u records\n", count);
  return 0;
}

struct Case {
  const char* name;
  std::function<void(const std::string&)> run;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[1]) == "neighbours") return Neighbours(argv[2], argv[3]);
  if (argc >= 4 && std::string(argv[1]) == "hold") return Hold(argv[2], argv[3], argc == 5);
  if (argc != 3 && argc != 4) return 2;
  const std::string directory = argv[1];
  const int entries = std::atoi(argv[2]);
  const std::vector<Case> cases = {
      {"memory maps", MemoryMaps},
      {"direct I/O", DirectIo},
      {"sizes and appending", SizesAndAppending},
      {"holes", Holes},
      {"flock", WholeFileLocks},
      {"range locks", RangeLocks},
      {"rename over an open file", RenameOverAnOpenFile},
      {"rename of an open file", RenameOfAnOpenFile},
      {"unlink of an open file", UnlinkOfAnOpenFile},
      {"directories", Directories},
      {"names", NamesOfEveryKind},
      {"hard links", HardLinks},
      {"times", Times},
      {"statfs", FileSystemFacts},
      {"extended attributes", ExtendedAttributes},
      {"copies on the server", CopiesOnTheServer},
      {"two opens", TwoOpensSeeEachOther},
      {"many names", [entries](const std::string& at) { ManyNames(at, entries); }},
  };
  int failed = 0;
  for (const Case& one : cases) {
    if (argc == 4 && one.name != std::string(argv[3])) continue;
    // A process each: what a failed case holds does not disturb the next.
    std::printf("%s: ", one.name);
    const int status = InAnotherProcess([&] {
      ::alarm(900);
      one.run(directory);
      return 0;
    });
    if (status == 0) std::printf("passed\n");
    std::fflush(stdout);
    failed += status != 0;
  }
  return failed == 0 ? 0 : 1;
}
