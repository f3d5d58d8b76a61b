#include "storage/volume/inode_store.h"

#include <algorithm>

#include "storage/volume/keys.h"

namespace holdfast {
namespace {

// Puts one key where it belongs; what does not parse is remembered by name.
void TakeKey(StoredInode& inode, const KeyValue& entry) {
  const std::string_view key = entry.key;
  if (keys::IsRecordKey(key)) {
    inode.has_opens |= key.starts_with("o/");
  } else if (key == keys::kSecurityDescriptorKey) {
    inode.security_descriptor = entry.value;
  } else if (key == keys::kReparseKey) {
    inode.reparse_data = entry.value;
  } else if (key.starts_with(keys::kStreamPrefix)) {
    auto stream = codec::Parse<pb::StreamAttributes>(entry.value);
    const auto id = keys::ParseStreamKey(key);
    if (!stream || !id || stream->id() != *id || !codec::NameFromLe(stream->name())) {
      inode.bad_keys.push_back(entry.key);
    } else {
      inode.streams.push_back({entry.value, std::move(*stream)});
    }
  } else if (key.starts_with(keys::kLinkPrefix)) {
    auto link = codec::Parse<pb::Link>(entry.value);
    auto where = keys::ParseLinkKey(key);
    const auto name = link ? codec::NameFromLe(link->name()) : std::nullopt;
    if (!link || !where || link->parent() != where->parent || !name ||
        keys::EncodeName(*name) != where->encoded_name) {
      inode.bad_keys.push_back(entry.key);
    } else {
      inode.links.push_back({where->parent, std::move(where->encoded_name), {entry.value, std::move(*link)}});
    }
  } else if (key.starts_with(keys::kEaPrefix)) {
    auto ea = codec::Parse<pb::EaValue>(entry.value);
    if (!ea || keys::EaKey(ea->name()) != key) {
      inode.bad_keys.push_back(entry.key);
    } else {
      inode.eas.push_back(std::move(*ea));
    }
  }
  // Any other key is of a later version: it stays where it is.
}

}  // namespace

bool StoredInode::Has(FileNumber parent, std::string_view encoded_name) const {
  return std::any_of(links.begin(), links.end(), [&](const StoredLink& link) {
    return link.parent == parent && link.encoded_name == encoded_name;
  });
}

Task<EngineResult<StoredInode>> InodeStore::Read(FileNumber number) {
  const std::string object = keys::InodeObject(number);
  for (;;) {
    StoredInode inode;
    inode.number = number;
    std::optional<std::string> attributes;
    std::string from;
    bool torn = false;
    for (bool more = true, first = true; more && !torn; first = false) {
      KeyRange range{from, {}, 1024};
      auto page = co_await engine_.ReadKeys(object, std::move(range));
      if (!page.ok()) co_return page.error();
      // Pages of one version are one state of the object.
      torn = !first && page->version != inode.version;
      inode.version = page->version;
      for (const KeyValue& entry : page->entries) {
        if (entry.key == keys::kAttributesKey) {
          attributes = entry.value;
        } else {
          TakeKey(inode, entry);
        }
      }
      more = page->more && !page->entries.empty();
      if (more) from = keys::After(page->entries.back().key);
    }
    if (torn) continue;
    auto message = attributes ? codec::Parse<pb::InodeAttributes>(*attributes) : std::nullopt;
    if (!message) co_return EngineError::kCorrupt;
    inode.attributes = {std::move(*attributes), std::move(*message)};
    co_return inode;
  }
}

Task<EngineResult<Stored<pb::InodeAttributes>>> InodeStore::ReadAttributes(FileNumber number) {
  std::vector<std::string> wanted{std::string(keys::kAttributesKey)};
  auto values = co_await engine_.ReadKeysExact(keys::InodeObject(number), std::move(wanted));
  if (!values.ok()) co_return values.error();
  auto& raw = values->front();
  auto message = raw ? codec::Parse<pb::InodeAttributes>(*raw) : std::nullopt;
  if (!message) co_return EngineError::kCorrupt;
  co_return Stored<pb::InodeAttributes>{std::move(*raw), std::move(*message)};
}

Task<EngineResult<LinkState>> InodeStore::ReadLink(FileNumber number, FileNumber parent, std::string encoded_name) {
  std::vector<std::string> wanted{std::string(keys::kAttributesKey), keys::LinkKey(parent, encoded_name)};
  auto values = co_await engine_.ReadKeysExact(keys::InodeObject(number), std::move(wanted));
  LinkState state;
  if (!values.ok()) {
    if (values.error() == EngineError::kNotFound) co_return state;
    co_return values.error();
  }
  const auto attributes = (*values)[0] ? codec::Parse<pb::InodeAttributes>(*(*values)[0]) : std::nullopt;
  if (!attributes) co_return EngineError::kCorrupt;
  state.exists = true;
  state.unlinking = attributes->unlinking();
  if ((*values)[1]) {
    auto link = codec::Parse<pb::Link>(*(*values)[1]);
    if (!link) co_return EngineError::kCorrupt;
    state.link = Stored<pb::Link>{std::move(*(*values)[1]), std::move(*link)};
  }
  co_return state;
}

Task<EngineResult<std::optional<Stored<pb::StreamAttributes>>>> InodeStore::ReadStream(FileNumber number,
                                                                                       StreamId stream) {
  using Answer = std::optional<Stored<pb::StreamAttributes>>;
  std::vector<std::string> wanted{keys::StreamKey(stream)};
  auto values = co_await engine_.ReadKeysExact(keys::InodeObject(number), std::move(wanted));
  if (!values.ok()) co_return values.error();
  auto& raw = values->front();
  if (!raw) co_return Answer{};
  auto message = codec::Parse<pb::StreamAttributes>(*raw);
  if (!message || !codec::NameFromLe(message->name())) co_return EngineError::kCorrupt;
  co_return Answer{Stored<pb::StreamAttributes>{std::move(*raw), std::move(*message)}};
}

Task<EngineError> InodeStore::Create(const Inode& inode, std::vector<Mutation> records, Durability durability) {
  std::vector<Guard> guards{Guard::Absent()};
  std::vector<Mutation> mutations = InodeMutations(inode);
  for (Mutation& record : records) mutations.push_back(std::move(record));
  auto written =
      co_await engine_.Write(keys::InodeObject(inode.number), std::move(guards), std::move(mutations), durability);
  co_return written.ok() ? EngineError::kNone : written.error();
}

Task<EngineError> InodeStore::Remove(FileNumber number) {
  std::vector<Mutation> mutations{Mutation::RemoveObject()};
  auto written = co_await engine_.Write(keys::InodeObject(number), {}, std::move(mutations), Durability::kProcess,
                                        WriteClass::kRecord);
  co_return written.ok() || written.error() == EngineError::kNotFound ? EngineError::kNone : written.error();
}

Task<EngineError> InodeStore::AddLink(FileNumber number, FileNumber parent, std::string encoded_name,
                                      std::u16string name) {
  for (;;) {
    auto inode = co_await Read(number);
    if (!inode.ok()) co_return inode.error();
    if (inode->attributes.message.unlinking()) co_return EngineError::kNotFound;
    // Already there: a write of ours whose answer was lost.
    if (inode->Has(parent, encoded_name)) co_return EngineError::kNone;
    if (inode->links.size() >= kMaxLinks) co_return EngineError::kTooLarge;
    std::vector<Guard> guards{Guard::KeyEquals(std::string(keys::kAttributesKey), inode->attributes.raw)};
    auto& attributes = inode->attributes.message;
    attributes.set_link_generation(attributes.link_generation() + 1);
    std::vector<Mutation> mutations{
        Mutation::Set(std::string(keys::kAttributesKey), codec::Serialise(attributes)),
        Mutation::Set(keys::LinkKey(parent, encoded_name), codec::Serialise(codec::MakeLink(parent, name)))};
    auto written = co_await engine_.Write(keys::InodeObject(number), std::move(guards), std::move(mutations));
    if (written.ok()) co_return EngineError::kNone;
    if (written.error() != EngineError::kGuardFailed) co_return written.error();
  }
}

Task<EngineError> InodeStore::MoveLink(FileNumber number, FileNumber from, std::string from_encoded,
                                       std::string old_raw, FileNumber to, std::string to_encoded,
                                       std::u16string to_name) {
  const std::string from_key = keys::LinkKey(from, from_encoded);
  const std::string to_key = keys::LinkKey(to, to_encoded);
  std::vector<Guard> guards{Guard::KeyPresent(std::string(keys::kAttributesKey)),
                            Guard::KeyEquals(from_key, std::move(old_raw))};
  std::vector<Mutation> mutations;
  if (from_key != to_key) mutations.push_back(Mutation::Remove(from_key));
  const std::string link = codec::Serialise(codec::MakeLink(to, to_name));
  mutations.push_back(Mutation::Set(to_key, link));
  auto written = co_await engine_.Write(keys::InodeObject(number), std::move(guards), std::move(mutations),
                                        Durability::kStable, WriteClass::kRecord);
  if (written.ok()) co_return EngineError::kNone;
  if (written.error() != EngineError::kGuardFailed) co_return written.error();
  // A guard that fails after a resend may hide our own success.
  auto state = co_await ReadLink(number, to, to_encoded);
  if (state.ok() && state->leads_here() && state->link->raw == link) co_return EngineError::kNone;
  co_return EngineError::kGuardFailed;
}

Task<EngineError> InodeStore::DropLink(FileNumber number, FileNumber parent, std::string encoded_name,
                                       bool expect_last, bool drop_records, Durability durability) {
  for (;;) {
    auto inode = co_await Read(number);
    if (!inode.ok()) co_return inode.error() == EngineError::kNotFound ? EngineError::kNone : inode.error();
    auto& attributes = inode->attributes.message;
    if (attributes.unlinking() || !inode->Has(parent, encoded_name)) co_return EngineError::kNone;
    const bool last = inode->links.size() == 1;
    if (last != expect_last) co_return EngineError::kGuardFailed;
    std::vector<Guard> guards{Guard::KeyEquals(std::string(keys::kAttributesKey), inode->attributes.raw)};
    std::vector<Mutation> mutations;
    attributes.set_link_generation(attributes.link_generation() + 1);
    if (last) {
      attributes.set_unlinking(true);
      if (drop_records) {
        for (const char* prefix : {"b/", "o/", "z/"}) {
          mutations.push_back(Mutation::RemoveRange(prefix, keys::EndOfPrefix(prefix)));
        }
      }
    } else {
      mutations.push_back(Mutation::Remove(keys::LinkKey(parent, encoded_name)));
    }
    mutations.push_back(Mutation::Set(std::string(keys::kAttributesKey), codec::Serialise(attributes)));
    auto written = co_await engine_.Write(keys::InodeObject(number), std::move(guards), std::move(mutations),
                                          durability, WriteClass::kRecord);
    if (written.ok()) co_return EngineError::kNone;
    if (written.error() != EngineError::kGuardFailed) co_return written.error();
  }
}

std::vector<Mutation> InodeMutations(const Inode& inode) {
  std::vector<Mutation> mutations;
  pb::InodeAttributes attributes;
  attributes.set_least_reader(kVolumeFormatLevel);
  codec::SetAttributes(attributes, inode);
  StreamId next_stream = 1;
  for (const StreamFacts& facts : inode.streams) {
    pb::StreamAttributes stream;
    codec::SetStream(stream, facts);
    mutations.push_back(Mutation::Set(keys::StreamKey(facts.id), codec::Serialise(stream)));
    next_stream = std::max(next_stream, facts.id + 1);
  }
  attributes.set_next_stream(next_stream);
  mutations.push_back(Mutation::Set(std::string(keys::kAttributesKey), codec::Serialise(attributes)));
  for (const LinkFacts& link : inode.links) {
    mutations.push_back(Mutation::Set(keys::LinkKey(link.parent, keys::EncodeName(link.name)),
                                      codec::Serialise(codec::MakeLink(link.parent, link.name))));
  }
  if (!inode.security_descriptor.empty()) {
    mutations.push_back(
        Mutation::Set(std::string(keys::kSecurityDescriptorKey), codec::ToString(inode.security_descriptor)));
  }
  if (!inode.reparse_data.empty()) {
    mutations.push_back(Mutation::Set(std::string(keys::kReparseKey), codec::ToString(inode.reparse_data)));
  }
  for (const ExtendedAttribute& ea : inode.eas) {
    mutations.push_back(Mutation::Set(keys::EaKey(ea.name), codec::Serialise(codec::MakeEa(ea))));
  }
  return mutations;
}

std::optional<Inode> ToInode(const StoredInode& stored) {
  if (!stored.bad_keys.empty()) return std::nullopt;
  Inode inode;
  inode.number = stored.number;
  inode.version = stored.version;
  codec::GetAttributes(stored.attributes.message, inode);
  inode.security_descriptor = codec::ToBytes(stored.security_descriptor);
  inode.reparse_data = codec::ToBytes(stored.reparse_data);
  for (const pb::EaValue& ea : stored.eas) inode.eas.push_back(codec::GetEa(ea));
  for (const auto& stream : stored.streams) {
    auto facts = codec::GetStream(stream.message);
    if (!facts) return std::nullopt;
    inode.streams.push_back(std::move(*facts));
  }
  for (const StoredLink& link : stored.links) {
    auto name = codec::NameFromLe(link.link.message.name());
    if (!name) return std::nullopt;
    inode.links.push_back({link.parent, std::move(*name)});
  }
  return inode;
}

}  // namespace holdfast
