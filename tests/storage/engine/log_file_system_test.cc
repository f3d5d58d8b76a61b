#include "storage/engine/log_file_system.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/storage/engine/temp_directory.h"

namespace holdfast {
namespace {

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(LogFileSystemTest, ALogIsWrittenIntoZerosThatGoWithItsClose) {
  const TempDirectory directory;
  const std::string path = directory.path() + "/000001.log";
  std::unique_ptr<rocksdb::FSWritableFile> file;
  ASSERT_TRUE(LogPreparingFileSystem()->NewWritableFile(path, {}, &file, nullptr).ok());
  const std::string record(1000, 'r');
  ASSERT_TRUE(file->Append(record, {}, nullptr).ok());
  ASSERT_TRUE(file->Sync({}, nullptr).ok());
  const auto prepared = std::filesystem::file_size(path);
  EXPECT_GT(prepared, 100'000u);
  EXPECT_EQ(Contents(path), record + std::string(prepared - record.size(), '\0'));

  std::string all = record;
  while (all.size() < 2 * prepared) {
    ASSERT_TRUE(file->Append(record, {}, nullptr).ok());
    all += record;
  }
  EXPECT_EQ(file->GetFileSize({}, nullptr), all.size());
  EXPECT_GT(std::filesystem::file_size(path), all.size());
  ASSERT_TRUE(file->Close({}, nullptr).ok());
  EXPECT_EQ(Contents(path), all);
}

TEST(LogFileSystemTest, OtherFilesAreAsRocksDbMakesThem) {
  const TempDirectory directory;
  const std::string path = directory.path() + "/000001.sst";
  std::unique_ptr<rocksdb::FSWritableFile> file;
  ASSERT_TRUE(LogPreparingFileSystem()->NewWritableFile(path, {}, &file, nullptr).ok());
  ASSERT_TRUE(file->Append("abc", {}, nullptr).ok());
  ASSERT_TRUE(file->Flush({}, nullptr).ok());
  EXPECT_EQ(std::filesystem::file_size(path), 3u);
}

TEST(LogFileSystemTest, WhatAKilledProcessLeavesIsReadUpToItsLastRecord) {
  const TempDirectory directory;
  const std::string live = directory.path() + "/live", copy = directory.path() + "/copy";
  const auto env = rocksdb::NewCompositeEnv(LogPreparingFileSystem());
  rocksdb::Options options;
  options.env = env.get();
  options.create_if_missing = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.track_and_verify_wals_in_manifest = true;
  rocksdb::WriteOptions synced;
  synced.sync = true;
  rocksdb::DB* db = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, live, &db).ok());
  std::unique_ptr<rocksdb::DB> first(db);
  // More than one step of zeros, and records that span blocks.
  for (int i = 0; i < 400; ++i) {
    ASSERT_TRUE(first->Put(i % 50 == 0 ? synced : rocksdb::WriteOptions(), std::to_string(i), std::string(5000, 'v')).ok());
  }
  std::filesystem::copy(live, copy, std::filesystem::copy_options::recursive);
  std::filesystem::remove(copy + "/LOCK");
  rocksdb::DB* again = nullptr;
  const auto opened = rocksdb::DB::Open(options, copy, &again);
  ASSERT_TRUE(opened.ok()) << opened.ToString();
  std::unique_ptr<rocksdb::DB> second(again);
  std::string value;
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(second->Get({}, std::to_string(i), &value).ok()) << i;
  EXPECT_EQ(value, std::string(5000, 'v'));
}

}  // namespace
}  // namespace holdfast
