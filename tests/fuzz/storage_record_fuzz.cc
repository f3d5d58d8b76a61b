// What is read back from the store: keys, and the messages of volume.proto and records.proto. A damaged disk may hold
// anything; it is refused or read, and what was read is written the same again.
#include "protocol/base/check.h"
#include "storage/engine/key_encoding.h"
#include "storage/files/records.h"
#include "storage/volume/codec.h"
#include "storage/volume/keys.h"
#include "storage/volume/shard_map.h"

namespace {

using namespace holdfast;

void Keys(std::string_view bytes) {
  if (const auto key = DecodeKey(bytes); key && !key->is_meta) {
    const std::string encoded = UserKey(EncodeObject(key->object), key->key);
    const auto again = DecodeKey(encoded);
    HOLDFAST_CHECK(again && again->object == key->object && again->key == key->key);
  }
  if (const auto meta = DecodeMeta(bytes)) HOLDFAST_CHECK(DecodeMeta(EncodeMeta(*meta)).has_value());
  static_cast<void>(keys::ParseInodeObject(bytes));
  static_cast<void>(keys::ParseShardObject(bytes));
  static_cast<void>(keys::ParseStripeObject(bytes));
  if (const auto stream = keys::ParseStreamKey(bytes))
    HOLDFAST_CHECK(keys::ParseStreamKey(keys::StreamKey(*stream)) == stream);
  static_cast<void>(keys::ParseLinkKey(bytes));
  if (const auto number = keys::ParseNumberKey(bytes))
    HOLDFAST_CHECK(keys::ParseNumberKey(keys::NumberKey(*number)) == number);
  if (const auto units = keys::DecodeUnits(bytes)) HOLDFAST_CHECK(keys::EncodeUnits(*units) == bytes);
}

void VolumeMessages(std::string_view bytes) {
  if (const auto attributes = codec::Parse<pb::InodeAttributes>(bytes)) {
    Inode inode;
    codec::GetAttributes(*attributes, inode);
    pb::InodeAttributes again = *attributes;
    codec::SetAttributes(again, inode);
  }
  if (const auto stream = codec::Parse<pb::StreamAttributes>(bytes)) static_cast<void>(codec::GetStream(*stream));
  if (const auto dirent = codec::Parse<pb::Dirent>(bytes)) static_cast<void>(codec::GetEntry(*dirent));
  if (const auto ea = codec::Parse<pb::EaValue>(bytes)) static_cast<void>(codec::GetEa(*ea));
  if (auto map = ParseShardMap(std::string(bytes))) {
    for (const std::string_view name : {std::string_view(), bytes}) {
      const Shard& shard = map->Find(name);
      HOLDFAST_CHECK(map->FindId(shard.id) == &shard);
    }
  }
}

void Records(const std::string& bytes) {
  if (const auto open = DecodeOpen(bytes); open.ok()) HOLDFAST_CHECK(open->open != nullptr);
  static_cast<void>(DecodeLock(bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0: Keys(bytes); break;
    case 1: VolumeMessages(bytes); break;
    default: Records(bytes);
  }
  return 0;
}
