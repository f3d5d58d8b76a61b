// RocksDB's file system, with logs that are written into bytes that are there already.
//
// A log that grows with every record makes each sync write the file's inode as well (and on a journaling file system
// the journal). Zeros are written ahead in steps instead; RocksDB's reader passes over zeros at the end of a log.
#pragma once

#include <rocksdb/file_system.h>

#include <memory>

namespace holdfast {

std::shared_ptr<rocksdb::FileSystem> LogPreparingFileSystem();

}  // namespace holdfast
