// A volume on the memory engine, and what the tests of this folder do with it all the time.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "protocol/dtyp/unicode.h"
#include "storage/engine/memory_engine.h"
#include "storage/volume/keys.h"
#include "storage/volume/volume.h"
#include "tests/storage/run.h"

namespace holdfast {

inline void PrintTo(NtStatus status, std::ostream* out) { *out << NtStatusName(status); }

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : mix_(seed) {}
  void Fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(mix_.Next());
  }
  std::uint64_t Below(std::uint64_t bound) { return mix_.Below(bound); }

 private:
  SplitMix mix_;
};

class VolumeTest : public CoreTest {
 protected:
  VolumeTest() : store_(MemoryStore::Make()), engine_(store_, executor()) {}
  void SetUp() override { Mount(); }

  void Mount() {
    volume_.reset();
    auto mounted = Run(Volume::Mount(engine_, clock(), random_, options_));
    ASSERT_TRUE(mounted.ok()) << NtStatusName(mounted.status());
    volume_ = std::move(*mounted);
  }
  Volume& volume() { return *volume_; }

  FileNumber NewNumber() { return *Run(volume().AllocateNumber()); }
  Task<NtStatus> CreateTask(FileNumber number, FileNumber directory, std::u16string name, bool is_directory = false,
                            Durability durability = Durability::kStable) {
    Inode inode;
    inode.number = number;
    inode.directory = is_directory;
    inode.creation_time = 1000 + number;
    return volume().CreateFile(directory, std::move(name), std::move(inode), {}, durability);
  }
  // The new file's number, or 0.
  FileNumber Create(FileNumber directory, std::u16string name, bool is_directory = false,
                    Durability durability = Durability::kStable) {
    const FileNumber number = NewNumber();
    const NtStatus status = Run(CreateTask(number, directory, std::move(name), is_directory, durability));
    EXPECT_EQ(status, NtStatus::kSuccess);
    return status == NtStatus::kSuccess ? number : 0;
  }
  FileNumber MakeDirectory(FileNumber parent, std::u16string name) { return Create(parent, std::move(name), true); }

  // Where the name leads; 0 when it leads nowhere.
  FileNumber Find(FileNumber directory, std::u16string_view name) {
    auto entry = Run(volume().Lookup(directory, name));
    EXPECT_EQ(entry.ok() ? NtStatus::kObjectNameNotFound : entry.status(), NtStatus::kObjectNameNotFound);
    return entry.ok() ? entry->number : 0;
  }
  std::vector<DirectoryEntry> ListAll(FileNumber directory, std::size_t limit = 1024) {
    std::vector<DirectoryEntry> all;
    std::u16string after;
    for (;;) {
      auto page = Run(volume().List(directory, after, limit));
      EXPECT_TRUE(page.ok()) << NtStatusName(page.status());
      if (!page.ok()) return all;
      all.insert(all.end(), page->entries.begin(), page->entries.end());
      if (!page->more) return all;
      EXPECT_FALSE(page->entries.empty());
      after = page->entries.back().name;
    }
  }
  std::vector<std::string> NamesIn(FileNumber directory) {
    std::vector<std::string> names;
    for (const DirectoryEntry& entry : ListAll(directory)) names.push_back(Utf16ToUtf8(entry.name));
    return names;
  }
  // The tree below as text, "a(70) d(71){b(72)} ", each entry looked up and loaded as well as listed.
  std::string Tree(FileNumber directory = kRootFileNumber) {
    std::string text;
    for (const DirectoryEntry& entry : ListAll(directory)) {
      const std::string name = Utf16ToUtf8(entry.name);
      auto found = Run(volume().Lookup(directory, entry.name));
      EXPECT_TRUE(found.ok()) << name << " is listed, but " << NtStatusName(found.status());
      if (found.ok()) {
        EXPECT_EQ(found->number, entry.number) << name;
        EXPECT_EQ(found->name, entry.name);
      }
      auto inode = Run(volume().Load(entry.number));
      EXPECT_TRUE(inode.ok()) << name << " cannot be loaded: " << NtStatusName(inode.status());
      if (inode.ok()) {
        EXPECT_EQ(inode->directory, entry.directory) << name;
        EXPECT_FALSE(inode->unlinking) << name;
        const bool has_link = std::any_of(inode->links.begin(), inode->links.end(), [&](const LinkFacts& link) {
          return link.parent == directory && link.name == entry.name;
        });
        EXPECT_TRUE(has_link) << name;
      }
      text += name + "(" + std::to_string(entry.number) + ")";
      if (entry.directory) text += "{" + Tree(entry.number) + "}";
      text += " ";
    }
    return text;
  }
  std::vector<std::string> Findings(bool repair = false) {
    auto report = Run(volume().Check(repair));
    EXPECT_TRUE(report.ok()) << NtStatusName(report.status());
    return report.ok() ? report->findings : std::vector<std::string>{"no report"};
  }
  void ExpectSound() { EXPECT_THAT(Findings(), ::testing::IsEmpty()); }

  std::uint64_t ObjectsUnder(const std::string& prefix) {
    auto objects = Run(engine_.List(prefix, "", 100000));
    return objects.ok() ? objects->size() : 0;
  }

  VolumeOptions options_;
  SeededRandom random_{42};
  std::shared_ptr<MemoryStore> store_;
  MemoryEngine engine_;
  std::unique_ptr<Volume> volume_;
};

}  // namespace holdfast
