// Names of the objects a volume is made of, and of the keys in them.
//
// Numbers in object names are hexadecimal of fixed width, so that objects list in numeric order; numbers in keys are
// big-endian for the same reason. Directory keys are upcased UTF-16, big-endian: they sort like Windows sorts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/volume/volume.h"

namespace holdfast::keys {

inline constexpr std::string_view kSuperObject = "super";
inline constexpr std::string_view kSuperKey = "super";
inline constexpr std::string_view kAllocationKey = "alloc";
inline constexpr std::string_view kOrphansObject = "x/orphans";

// "i/<number>", "d/<number>/<shard>", "s/<number>/<stream>/<stripe>", "x/<incarnation>".
std::string InodeObject(FileNumber number);
std::string DirectoryPrefix(FileNumber number);
std::string ShardObject(FileNumber number, std::uint32_t shard);
std::string StreamsPrefix(FileNumber number);
std::string StreamPrefix(FileNumber number, StreamId stream);
std::string StripeObject(FileNumber number, StreamId stream, std::uint64_t stripe);
std::string IndexObject(std::uint64_t incarnation);

struct ShardName {
  FileNumber number;
  std::uint32_t shard;
};
struct StripeName {
  FileNumber number;
  StreamId stream;
  std::uint64_t stripe;
};
std::optional<FileNumber> ParseInodeObject(std::string_view object);
std::optional<ShardName> ParseShardObject(std::string_view object);
std::optional<StripeName> ParseStripeObject(std::string_view object);

// Keys of an inode object. The volume leaves alone what storage/files keeps there: see IsRecordKey.
inline constexpr std::string_view kAttributesKey = "a";
inline constexpr std::string_view kSecurityDescriptorKey = "sd";
inline constexpr std::string_view kReparseKey = "r";
inline constexpr std::string_view kStreamPrefix = "s/";
inline constexpr std::string_view kLinkPrefix = "k/";
inline constexpr std::string_view kEaPrefix = "e/";
std::string StreamKey(StreamId stream);
std::string LinkKey(FileNumber parent, std::string_view encoded_name);
std::string EaKey(std::string_view name);
bool IsRecordKey(std::string_view key);

struct LinkName {
  FileNumber parent;
  std::string encoded_name;
};
std::optional<StreamId> ParseStreamKey(std::string_view key);
std::optional<LinkName> ParseLinkKey(std::string_view key);

// Keys of a directory shard.
inline constexpr std::string_view kShardMapKey = "m";
inline constexpr std::string_view kShardStateKey = "g";
inline constexpr std::string_view kDirentPrefix = "e/";
std::string DirentKey(std::string_view encoded_name);

// Keys of the takeover index and of the orphans.
std::string NumberKey(FileNumber number);
std::optional<FileNumber> ParseNumberKey(std::string_view key);

// UTF-16 big-endian bytes and back; nullopt for an odd number of bytes.
std::string EncodeUnits(std::u16string_view units);
std::optional<std::u16string> DecodeUnits(std::string_view bytes);
// What a name is called as a key: upcased, big-endian.
std::string EncodeName(std::u16string_view name);

// The first key behind all that begin with `prefix`.
std::string EndOfPrefix(std::string_view prefix);
// The first key behind `key`.
std::string After(std::string_view key);

}  // namespace holdfast::keys
