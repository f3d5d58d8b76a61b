// Random operations against a model that is a few maps, with remounts, and crashes at random operations.
#include <map>
#include <set>

#include "tests/storage/volume/volume_fixture.h"

namespace holdfast {
namespace {

// A directory's names to numbers, by upcased name: {spelling, number}.
struct Model {
  using Names = std::map<std::string, std::pair<std::u16string, FileNumber>>;
  std::map<FileNumber, Names> directories{{kRootFileNumber, {}}};
  std::map<FileNumber, std::set<std::pair<FileNumber, std::string>>> links;  // of files

  bool IsBelow(FileNumber ancestor, FileNumber number) const {
    if (ancestor == number) return true;
    const auto it = directories.find(ancestor);
    if (it == directories.end()) return false;
    for (const auto& [key, entry] : it->second) {
      if (directories.contains(entry.second) && IsBelow(entry.second, number)) return true;
    }
    return false;
  }
};

class FuzzTest : public VolumeTest, public ::testing::WithParamInterface<std::uint64_t> {
 protected:
  FuzzTest() : dice_(GetParam()) { options_.shard_split_entries = 6; }

  std::u16string RandomName() {
    std::u16string name(1, static_cast<char16_t>(u'a' + dice_.Below(20)));
    if (dice_.Below(2) == 0) name[0] = static_cast<char16_t>(name[0] - 32);
    if (dice_.Below(3) == 0) name += u'é';
    return name;
  }
  FileNumber RandomDirectory() {
    auto it = model_.directories.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(dice_.Below(model_.directories.size())));
    return it->first;
  }
  FileNumber At(FileNumber directory, const std::u16string& name) {
    const auto& names = model_.directories[directory];
    const auto it = names.find(keys::EncodeName(name));
    return it == names.end() ? 0 : it->second.second;
  }
  void Put(FileNumber directory, const std::u16string& name, FileNumber number) {
    const std::string key = keys::EncodeName(name);
    model_.directories[directory][key] = {name, number};
    if (!model_.directories.contains(number)) model_.links[number].emplace(directory, key);
  }
  // True when that was the file's last name.
  bool Take(FileNumber directory, const std::u16string& name) {
    const std::string key = keys::EncodeName(name);
    const FileNumber number = At(directory, name);
    model_.directories[directory].erase(key);
    if (model_.directories.contains(number)) return false;
    auto& links = model_.links[number];
    links.erase({directory, key});
    if (!links.empty()) return false;
    model_.links.erase(number);
    return true;
  }

  void Create() {
    const FileNumber directory = RandomDirectory();
    const std::u16string name = RandomName();
    const bool is_directory = dice_.Below(4) == 0;
    const FileNumber number = NewNumber();
    const NtStatus status = Run(CreateTask(number, directory, name, is_directory, Durability::kProcess));
    if (At(directory, name) != 0) {
      ASSERT_EQ(status, NtStatus::kObjectNameCollision);
      return;
    }
    ASSERT_EQ(status, NtStatus::kSuccess);
    if (is_directory) model_.directories[number];
    Put(directory, name, number);
  }
  void Unlink() {
    const FileNumber directory = RandomDirectory();
    const std::u16string name = RandomName();
    const FileNumber number = At(directory, name);
    const NtStatus status = Run(volume().Unlink(directory, name, number == 0 ? 1 : number, false, Durability::kStable));
    if (number == 0) {
      ASSERT_EQ(status, NtStatus::kObjectNameNotFound);
      return;
    }
    const auto sub = model_.directories.find(number);
    if (sub != model_.directories.end() && !sub->second.empty()) {
      ASSERT_EQ(status, NtStatus::kDirectoryNotEmpty);
      return;
    }
    ASSERT_EQ(status, NtStatus::kSuccess);
    Take(directory, name);
    model_.directories.erase(number);
  }
  void Link() {
    const FileNumber directory = RandomDirectory();
    const FileNumber to = RandomDirectory();
    const std::u16string name = RandomName();
    const std::u16string to_name = RandomName();
    const FileNumber number = At(directory, name);
    if (number == 0) return;
    const NtStatus status = Run(volume().Link(number, to, to_name));
    if (model_.directories.contains(number)) {
      ASSERT_EQ(status, NtStatus::kFileIsADirectory);
    } else if (At(to, to_name) != 0) {
      ASSERT_EQ(status, NtStatus::kObjectNameCollision);
    } else {
      ASSERT_EQ(status, NtStatus::kSuccess);
      Put(to, to_name, number);
    }
  }
  void Rename() {
    const FileNumber from = RandomDirectory();
    const FileNumber to = RandomDirectory();
    const std::u16string name = RandomName();
    const std::u16string to_name = RandomName();
    const FileNumber number = At(from, name);
    if (number == 0) return;
    const bool same = from == to && keys::EncodeName(name) == keys::EncodeName(to_name);
    const FileNumber there = same ? 0 : At(to, to_name);
    const FileNumber replace = dice_.Below(2) == 0 ? there : 0;
    const bool is_directory = model_.directories.contains(number);
    const NtStatus status = Run(volume().Rename(number, from, name, to, to_name, replace, false));
    if (is_directory && from != to && model_.IsBelow(number, to)) {
      ASSERT_TRUE(IsError(status));
      return;
    }
    if (there != 0 && (replace == 0 || model_.directories.contains(there))) {
      ASSERT_TRUE(IsError(status));
      return;
    }
    ASSERT_EQ(status, NtStatus::kSuccess);
    if (there == number && !same) {
      Take(from, name);
      return;
    }
    if (there != 0) Take(to, to_name);
    // Put first: the file must not lose its last name on the way.
    if (same) Take(from, name);
    Put(to, to_name, number);
    if (!same) Take(from, name);
  }

  void Compare() {
    for (const auto& [directory, names] : model_.directories) {
      std::vector<std::string> expected;
      for (const auto& [key, entry] : names) expected.push_back(Utf16ToUtf8(entry.first));
      ASSERT_EQ(NamesIn(directory), expected) << "directory " << directory;
      for (const auto& [key, entry] : names) ASSERT_EQ(Find(directory, entry.first), entry.second);
    }
    ExpectSound();
    const std::size_t inodes = model_.directories.size() + model_.links.size();
    EXPECT_EQ(ObjectsUnder("i/"), inodes);
  }

  SeededRandom dice_;
  Model model_;
};

TEST_P(FuzzTest, BehavesLikeTheModel) {
  for (int step = 0; step < 400 && !HasFatalFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    switch (dice_.Below(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        Create();
        break;
      case 4:
      case 5:
        Unlink();
        break;
      case 6:
        Link();
        break;
      case 7:
      case 8:
        Rename();
        break;
      default:
        if (dice_.Below(4) == 0) Mount();
    }
    if (step % 100 == 99) Compare();
  }
}

// Whatever is cut off wherever: after a remount and a repair everything is one consistent tree, and what was
// acknowledged before the crash is still there.
TEST_P(FuzzTest, AnyCrashLeavesAConsistentTree) {
  for (int round = 0; round < 12 && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    MemoryFault last;
    last.nth = 1 + dice_.Below(250);
    last.applied = true;
    MemoryFault dead;
    dead.nth = last.nth + 1;
    dead.times = ~std::uint64_t{0};
    store_->Inject(last);
    store_->Inject(dead);
    std::map<std::u16string, FileNumber> acknowledged;
    for (int step = 0; step < 60; ++step) {
      const std::u16string name = Utf8ToUtf16Lossy("r" + std::to_string(round) + "-" + std::to_string(step));
      auto number = Run(volume().AllocateNumber());
      if (!number.ok()) break;
      const NtStatus created = Run(CreateTask(*number, kRootFileNumber, name));
      if (created != NtStatus::kSuccess) break;
      acknowledged[name] = *number;
      const auto victim = acknowledged.begin();
      if (dice_.Below(3) == 0) {
        const std::u16string target = name + u"-moved";
        if (Run(volume().Rename(victim->second, kRootFileNumber, victim->first, kRootFileNumber, target, 0, false)) !=
            NtStatus::kSuccess) {
          acknowledged.erase(victim);  // either name may hold it now
          break;
        }
        acknowledged[target] = victim->second;
        acknowledged.erase(victim);
      } else if (dice_.Below(3) == 0) {
        const auto gone = *victim;
        acknowledged.erase(victim);
        if (Run(volume().Unlink(kRootFileNumber, gone.first, gone.second, false, Durability::kStable)) != NtStatus::kSuccess) break;
      }
    }
    store_->ClearFaults();
    volume_.reset();
    store_->PowerCut();
    Mount();
    for (const auto& [name, number] : acknowledged) EXPECT_EQ(Find(kRootFileNumber, name), number) << Utf16ToUtf8(name);
    Tree();
    Findings(true);
    ExpectSound();
    for (const auto& [name, number] : acknowledged) EXPECT_EQ(Find(kRootFileNumber, name), number) << Utf16ToUtf8(name);
    for (const auto& entry : ListAll(kRootFileNumber)) {
      ASSERT_EQ(Run(volume().Unlink(kRootFileNumber, entry.name, entry.number, false, Durability::kStable)), NtStatus::kSuccess);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FuzzTest, ::testing::Range(std::uint64_t{1}, std::uint64_t{7}));

}  // namespace
}  // namespace holdfast
