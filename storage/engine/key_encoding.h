// How objects and their keys are laid out in RocksDB's one ordered key space.
//
//   object   each 0x00 byte followed by 0xff, ended by 0x00 0x01: no name is a prefix of another's encoding and the
//            order of encodings is the order of names
//   then     0x01                   the object's meta record (ObjectMeta)
//            0x02 key bytes         a key of the object; the value is stored as it is
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

enum class DataFileState : std::uint8_t {
  kNone = 0,  // the object has no data file
  kLive = 1,  // it may have one
  kDead = 2,  // it had one, whose directory entry may come back after a power cut: to be unlinked
};

// One for each object that has keys, a data file, or the memory of its version.
struct ObjectMeta {
  std::uint64_t version = 0;
  DataFileState file = DataFileState::kNone;
  std::uint64_t removal = 0;  // kDead: which removal, so that a later one is not taken for it

  bool forgettable() const { return version == 0 && file == DataFileState::kNone; }
};

// Everything of the object starts with this.
std::string EncodeObject(std::string_view object);
inline std::string MetaKey(std::string encoded_object) { return std::move(encoded_object) + '\x01'; }
inline std::string UserKey(std::string encoded_object, std::string_view key) {
  return (std::move(encoded_object) + '\x02').append(key);
}
// The first key behind all of the object's.
inline std::string EndOfObject(std::string encoded_object) { return std::move(encoded_object) + '\x03'; }

struct DecodedKey {
  std::string object;
  bool is_meta = false;
  std::string_view key;  // within the input
};
std::optional<DecodedKey> DecodeKey(std::string_view encoded);

std::string EncodeMeta(const ObjectMeta& meta);
std::optional<ObjectMeta> DecodeMeta(std::string_view value);

}  // namespace holdfast
