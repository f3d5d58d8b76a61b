// Between the stored messages of volume.proto and the structures of volume.h.
//
// A stored message is always changed in place (parse, modify, serialise), so that fields of a later version that this
// one does not know are still there afterwards.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/volume/volume.h"
#include "storage/volume/volume.pb.h"

namespace holdfast {

// Who may write: Super.format_level above this is refused, InodeAttributes.least_reader above it is not changed.
inline constexpr std::uint32_t kVolumeFormatLevel = 1;

namespace codec {

std::string ToString(ByteView bytes);
Bytes ToBytes(std::string_view text);

// UTF-16LE as stored in a message; nullopt for an odd number of bytes.
std::string NameToLe(std::u16string_view name);
std::optional<std::u16string> NameFromLe(std::string_view bytes);

template <class Message>
std::optional<Message> Parse(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
  return message;
}

template <class Message>
std::string Serialise(const Message& message) {
  return message.SerializeAsString();
}

// Everything of the inode that InodeAttributes holds (links, streams and next_stream are not among it).
void SetAttributes(pb::InodeAttributes& to, const Inode& from);
// Only what differs between the two; answers whether anything does.
bool SetChangedAttributes(pb::InodeAttributes& to, const Inode& before, const Inode& after);
void GetAttributes(const pb::InodeAttributes& from, Inode& to);

void SetStream(pb::StreamAttributes& to, const StreamFacts& from);
// nullopt when the name is malformed.
std::optional<StreamFacts> GetStream(const pb::StreamAttributes& from);

pb::Link MakeLink(FileNumber parent, std::u16string_view name);

// A settled entry with copies of what listings show.
pb::Dirent MakeDirent(const Inode& inode, std::u16string_view name);
void SetCopies(pb::Dirent& to, const Inode& from);
// nullopt when the name is malformed.
std::optional<DirectoryEntry> GetEntry(const pb::Dirent& from);

pb::EaValue MakeEa(const ExtendedAttribute& from);
ExtendedAttribute GetEa(const pb::EaValue& from);

}  // namespace codec
}  // namespace holdfast
