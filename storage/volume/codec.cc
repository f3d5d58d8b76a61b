#include "storage/volume/codec.h"

#include "protocol/dtyp/unicode.h"
#include "protocol/dtyp/upcase.h"

namespace holdfast {

StreamFacts* Inode::FindStream(StreamId id) {
  for (StreamFacts& stream : streams) {
    if (stream.id == id) return &stream;
  }
  return nullptr;
}

StreamFacts* Inode::FindStream(std::u16string_view name) {
  for (StreamFacts& stream : streams) {
    if (EqualsIgnoringCase(stream.name, name)) return &stream;
  }
  return nullptr;
}

namespace codec {

std::string ToString(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
Bytes ToBytes(std::string_view text) { return {text.begin(), text.end()}; }

std::string NameToLe(std::u16string_view name) { return ToString(Utf16ToLe(name)); }

std::optional<std::u16string> NameFromLe(std::string_view bytes) {
  return Utf16FromLe({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

void SetAttributes(pb::InodeAttributes& to, const Inode& from) {
  to.set_directory(from.directory);
  to.set_file_attributes(from.file_attributes);
  to.set_creation_time(from.creation_time);
  to.set_last_access_time(from.last_access_time);
  to.set_last_write_time(from.last_write_time);
  to.set_change_time(from.change_time);
  to.set_reparse_tag(from.reparse_tag);
  to.set_ea_bytes(from.ea_bytes);
  to.set_object_id(ToString(from.object_id));
  to.set_sticky(from.sticky_times);
  to.set_next_slot(from.next_slot);
  to.set_integrity(from.integrity);
}

bool SetChangedAttributes(pb::InodeAttributes& to, const Inode& before, const Inode& after) {
  bool changed = false;
  const auto set = [&changed](const auto& old_value, const auto& new_value, auto&& setter) {
    if (old_value == new_value) return;
    setter(new_value);
    changed = true;
  };
  set(before.file_attributes, after.file_attributes, [&](auto v) { to.set_file_attributes(v); });
  set(before.creation_time, after.creation_time, [&](auto v) { to.set_creation_time(v); });
  set(before.last_access_time, after.last_access_time, [&](auto v) { to.set_last_access_time(v); });
  set(before.last_write_time, after.last_write_time, [&](auto v) { to.set_last_write_time(v); });
  set(before.change_time, after.change_time, [&](auto v) { to.set_change_time(v); });
  set(before.reparse_tag, after.reparse_tag, [&](auto v) { to.set_reparse_tag(v); });
  set(before.ea_bytes, after.ea_bytes, [&](auto v) { to.set_ea_bytes(v); });
  set(before.object_id, after.object_id, [&](const Bytes& v) { to.set_object_id(ToString(v)); });
  set(before.sticky_times, after.sticky_times, [&](auto v) { to.set_sticky(v); });
  set(before.next_slot, after.next_slot, [&](auto v) { to.set_next_slot(v); });
  set(before.integrity, after.integrity, [&](auto v) { to.set_integrity(v); });
  return changed;
}

void GetAttributes(const pb::InodeAttributes& from, Inode& to) {
  to.directory = from.directory();
  to.file_attributes = from.file_attributes();
  to.creation_time = from.creation_time();
  to.last_access_time = from.last_access_time();
  to.last_write_time = from.last_write_time();
  to.change_time = from.change_time();
  to.sticky_times = from.sticky();
  to.reparse_tag = from.reparse_tag();
  to.ea_bytes = from.ea_bytes();
  to.object_id = ToBytes(from.object_id());
  to.integrity = from.integrity();
  to.next_slot = from.next_slot();
  to.unlinking = from.unlinking();
}

void SetStream(pb::StreamAttributes& to, const StreamFacts& from) {
  to.set_id(from.id);
  to.set_name(NameToLe(from.name));
  to.set_size(from.size);
  to.set_may_extend_to(from.may_extend_to);
  to.set_allocation_size(from.allocation_size);
  to.set_valid_data_length(from.valid_data_length);
  to.set_sparse(from.sparse);
}

std::optional<StreamFacts> GetStream(const pb::StreamAttributes& from) {
  auto name = NameFromLe(from.name());
  if (!name) return std::nullopt;
  StreamFacts facts;
  facts.id = from.id();
  facts.name = std::move(*name);
  facts.size = from.size();
  facts.may_extend_to = from.may_extend_to();
  facts.allocation_size = from.allocation_size();
  facts.valid_data_length = from.valid_data_length();
  facts.sparse = from.sparse();
  return facts;
}

pb::Link MakeLink(FileNumber parent, std::u16string_view name) {
  pb::Link link;
  link.set_parent(parent);
  link.set_name(NameToLe(name));
  return link;
}

pb::Dirent MakeDirent(const Inode& inode, std::u16string_view name) {
  pb::Dirent dirent;
  dirent.set_number(inode.number);
  dirent.set_name(NameToLe(name));
  dirent.set_directory(inode.directory);
  SetCopies(dirent, inode);
  return dirent;
}

void SetCopies(pb::Dirent& to, const Inode& from) {
  to.set_file_attributes(from.file_attributes);
  to.set_creation_time(from.creation_time);
  to.set_last_access_time(from.last_access_time);
  to.set_last_write_time(from.last_write_time);
  to.set_change_time(from.change_time);
  to.set_ea_bytes(from.ea_bytes);
  to.set_reparse_tag(from.reparse_tag);
  std::uint64_t size = 0;
  std::uint64_t allocation = 0;
  if (!from.directory && !from.streams.empty() && from.streams.front().id == kUnnamedStream) {
    size = from.streams.front().size;
    allocation = from.streams.front().allocation_size;
  }
  to.set_size(size);
  to.set_allocation_size(allocation);
}

std::optional<DirectoryEntry> GetEntry(const pb::Dirent& from) {
  auto name = NameFromLe(from.name());
  if (!name) return std::nullopt;
  DirectoryEntry entry;
  entry.name = std::move(*name);
  entry.number = from.number();
  entry.directory = from.directory();
  entry.file_attributes = from.file_attributes();
  entry.creation_time = from.creation_time();
  entry.last_access_time = from.last_access_time();
  entry.last_write_time = from.last_write_time();
  entry.change_time = from.change_time();
  entry.size = from.size();
  entry.allocation_size = from.allocation_size();
  entry.ea_bytes = from.ea_bytes();
  entry.reparse_tag = from.reparse_tag();
  return entry;
}

pb::EaValue MakeEa(const ExtendedAttribute& from) {
  pb::EaValue value;
  value.set_name(from.name);
  value.set_value(ToString(from.value));
  value.set_flags(from.flags);
  return value;
}

ExtendedAttribute GetEa(const pb::EaValue& from) {
  ExtendedAttribute ea;
  ea.name = from.name();
  ea.value = ToBytes(from.value());
  ea.flags = static_cast<std::uint8_t>(from.flags());
  return ea;
}

}  // namespace codec
}  // namespace holdfast
