// Records of opens and locks: keys and values, [MS-SMB2] 3.3.1.10 as far as it survives a node.
#pragma once

#include <optional>
#include <string>

#include "storage/files/file_state.h"
#include "storage/files/records.pb.h"

namespace holdfast {

// The format level this code writes and claims; a record whose least_reader is above it is left alone.
inline constexpr std::uint32_t kRecordLevel = 1;

// Work that the claimer of a record completes before anybody sees the file. Unknown values need a newer least_reader.
enum class RecordTodo : std::uint32_t { kNothing = 0, kTruncate = 1, kCreateStream = 3 };

struct DecodedOpen {
  OpenPtr open;  // persistent, not attached, without its file
  RecordTodo todo = RecordTodo::kNothing;
  bool delete_pending = false;  // of the stream
  LinkFacts delete_link;        // with a name when the whole file is to go
  std::optional<Guid> lease_key;
  std::uint8_t oplock_level = 0;
};

// "o/<slot as five hexadecimal digits>"; its locks begin with "b/<slot>/".
std::string OpenRecordKey(std::uint64_t persistent_id);
std::string LockRecordPrefix(std::uint64_t persistent_id);

// "z/<ClientGuid><LeaseKey as hexadecimal digits>"
std::string LeaseRecordKey(const CachingGrant& lease);
RecordChange LeaseRecordChange(const CachingGrant& lease, std::uint32_t state, std::uint16_t epoch);
// Null for a record that cannot be read.
CachingGrantPtr DecodeLease(const std::string& value);

RecordChange OpenRecordChange(const Open& open, RecordTodo todo);
// kFileNotAvailable for a record of a newer level, kFileCorruptError for one that cannot be read.
Result<DecodedOpen> DecodeOpen(const std::string& value);
std::optional<ByteRangeLock> DecodeLock(const std::string& value);

}  // namespace holdfast
