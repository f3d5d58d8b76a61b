// The engine interface: a strongly consistent store of objects. Everything Holdfast keeps is in one.
//
// An object has bytes (sparse, zero where never written), keys (ordered, binary) and a version that every
// guarded or key write raises. Per object each write is atomic and sees its guards; between objects nothing
// is ordered but what the caller awaits. Calls are made on the core executor and complete there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/base/bytes.h"
#include "storage/async/task.h"

namespace holdfast {

// The engine's own small set of errors; storage/volume maps them to NTSTATUS in one place.
enum class EngineError : std::uint8_t {
  kNone = 0,
  kNotFound,     // the object (or an exactly named key) is absent
  kGuardFailed,  // a guard did not hold; nothing was changed
  kNoSpace,      // allocation refused; records, claims and deletes still pass (see WriteClass)
  kFenced,       // this client was fenced: the process must exit
  kIo,           // the device failed
  kCorrupt,      // stored bytes fail their checksum
  kTooLarge,     // above the engine's limits
};
std::string_view EngineErrorName(EngineError error);

struct Guard {
  enum class Kind : std::uint8_t { kAbsent, kPresent, kKeyAbsent, kKeyPresent, kKeyEquals, kVersionEquals };
  Kind kind;
  std::string key;            // kKey*
  std::string value;          // kKeyEquals
  std::uint64_t version = 0;  // kVersionEquals

  static Guard Absent() { return {Kind::kAbsent, {}, {}}; }
  static Guard Present() { return {Kind::kPresent, {}, {}}; }
  static Guard KeyAbsent(std::string key) { return {Kind::kKeyAbsent, std::move(key), {}}; }
  static Guard KeyPresent(std::string key) { return {Kind::kKeyPresent, std::move(key), {}}; }
  static Guard KeyEquals(std::string key, std::string value) {
    return {Kind::kKeyEquals, std::move(key), std::move(value)};
  }
  static Guard VersionEquals(std::uint64_t version) { return {Kind::kVersionEquals, {}, {}, version}; }
};

struct Mutation {
  enum class Kind : std::uint8_t { kSetKey, kRemoveKey, kRemoveKeyRange, kRemoveObject };
  Kind kind;
  std::string key;    // kRemoveKeyRange: first key removed
  std::string value;  // kRemoveKeyRange: first key kept (empty: to the end)

  static Mutation Set(std::string key, std::string value) { return {Kind::kSetKey, std::move(key), std::move(value)}; }
  static Mutation Remove(std::string key) { return {Kind::kRemoveKey, std::move(key), {}}; }
  static Mutation RemoveRange(std::string from, std::string to) {
    return {Kind::kRemoveKeyRange, std::move(from), std::move(to)};
  }
  // Keys and bytes go; the version is forgotten with them.
  static Mutation RemoveObject() { return {Kind::kRemoveObject, {}, {}}; }
};

enum class Durability : std::uint8_t {
  kStable,   // acknowledged means it survives the power
  kProcess,  // acknowledged means it survives the process; Flush() makes it stable
};

// kRecord writes (open records, claims, deletes) pass when the store is too full for new data.
enum class WriteClass : std::uint8_t { kData, kRecord };

struct KeyRange {
  std::string from;          // inclusive
  std::string to;            // exclusive; empty: to the end
  std::size_t limit = 1024;  // entries; the engine may return fewer only at its own limit of 1,024
};

struct KeyValue {
  std::string key;
  std::string value;
};

struct KeyPage {
  std::vector<KeyValue> entries;
  bool more = false;  // continue after entries.back().key
  std::uint64_t version = 0;
};

struct DataRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct EngineUsage {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  // what new data may still take, reserve already subtracted
};

template <class T>
class [[nodiscard]] EngineResult {
 public:
  EngineResult(EngineError error) : error_(error) {}  // NOLINT
  EngineResult(T value) : value_(std::move(value)) {}  // NOLINT
  bool ok() const { return value_.has_value(); }
  EngineError error() const { return error_; }
  T& operator*() { return *value_; }
  T* operator->() { return &*value_; }

 private:
  EngineError error_ = EngineError::kNone;
  std::optional<T> value_;
};

class Engine {
 public:
  virtual ~Engine() = default;

  // "embedded", "memory", "rados".
  virtual std::string_view name() const = 0;
  // Bytes one object may hold: callers stripe a stream over objects of this size. embedded: 64 TiB (one file a stream).
  virtual std::uint64_t stripe_bytes() const = 0;

  // Guards, then mutations, all or nothing. Creates the object when a key is set on an absent one (unless guarded
  // Present). Answers the new version. kStable unless said.
  virtual Task<EngineResult<std::uint64_t>> Write(std::string object, std::vector<Guard> guards,
                                                  std::vector<Mutation> mutations,
                                                  Durability durability = Durability::kStable,
                                                  WriteClass write_class = WriteClass::kData) = 0;
  // One consistent page of keys. kNotFound when the object has neither keys nor bytes.
  virtual Task<EngineResult<KeyPage>> ReadKeys(std::string object, KeyRange range) = 0;
  // Exactly these keys; an absent key is nullopt. kNotFound as above.
  virtual Task<EngineResult<std::vector<std::optional<std::string>>>> ReadKeysExact(std::string object,
                                                                                    std::vector<std::string> keys) = 0;

  // Bytes. An aligned 4 KiB piece is never torn. `data` stays valid until completion (caller's duty).
  virtual Task<EngineError> WriteData(std::string object, std::uint64_t offset, ByteView data,
                                      Durability durability) = 0;
  // Fills `out` (caller keeps it valid); absent bytes are zero. Answers the bytes before the object's end that were
  // covered (0 … out.size()); the rest of `out` is zeroed too.
  virtual Task<EngineResult<std::size_t>> ReadData(std::string object, std::uint64_t offset,
                                                   std::span<std::uint8_t> out) = 0;
  // Frees the range (reads zero afterwards); never changes where the object's bytes end.
  virtual Task<EngineError> ZeroData(std::string object, DataRange range, Durability durability) = 0;
  // `to` reads in `length` bytes from `to_offset` what `from` reads from `from_offset`, holes included; the store's
  // blocks are shared where it can do that. Offsets are multiples of kEnginePageBytes; the ranges do not overlap. Writers
  // of either range are kept out by the caller. kNoSpace changes nothing.
  virtual Task<EngineError> DuplicateData(std::string from, std::uint64_t from_offset, std::string to,
                                          std::uint64_t to_offset, std::uint64_t length, Durability durability) = 0;
  // Bytes end at `size` afterwards when they ended behind it; never extends.
  virtual Task<EngineError> TruncateData(std::string object, std::uint64_t size, Durability durability) = 0;
  // End of the bytes; 0 when there are none or no object.
  virtual Task<EngineResult<std::uint64_t>> DataSize(std::string object) = 0;
  // Ranges within `within` that hold data, ascending, merged, page granular; nothing for an absent object.
  virtual Task<EngineResult<std::vector<DataRange>>> AllocatedRanges(std::string object, DataRange within) = 0;
  // Bytes the object's data occupies.
  virtual Task<EngineResult<std::uint64_t>> AllocatedBytes(std::string object) = 0;
  // Removes all bytes, keeps the keys.
  virtual Task<EngineError> RemoveData(std::string object) = 0;

  // Everything acknowledged with kProcess on this object, keys and bytes, becomes stable.
  virtual Task<EngineError> Flush(std::string object) = 0;
  // Objects in order of name, page by page.
  virtual Task<EngineResult<std::vector<std::string>>> List(std::string prefix, std::string after,
                                                            std::size_t limit) = 0;
  virtual Task<EngineResult<EngineUsage>> Usage() = 0;
  // Verifies stored checksums and internal references; human-readable findings, empty when sound.
  virtual Task<std::vector<std::string>> Check(bool repair) = 0;
};

}  // namespace holdfast
