// Between opens and locks in memory and their records in the inode object.
#include "storage/files/records.h"

#include <google/protobuf/unknown_field_set.h>

#include "protocol/dtyp/unicode.h"
#include "storage/files/files_impl.h"

namespace holdfast {
namespace {

std::string NameBytes(std::u16string_view name) {
  const Bytes bytes = Utf16ToLe(name);
  return std::string(bytes.begin(), bytes.end());
}

bool ReadName(const std::string& bytes, std::u16string& name) {
  auto decoded = Utf16FromLe(ByteView(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  if (!decoded) return false;
  name = std::move(*decoded);
  return true;
}

std::string GuidBytes(const Guid& guid) { return std::string(guid.bytes.begin(), guid.bytes.end()); }

bool ReadGuid(const std::string& bytes, Guid& guid) {
  if (bytes.empty()) return true;
  if (bytes.size() != guid.bytes.size()) return false;
  std::copy(bytes.begin(), bytes.end(), guid.bytes.begin());
  return true;
}

std::string SidBytes(const Sid& sid) {
  std::vector<std::uint8_t> bytes;
  sid.AppendTo(bytes);
  return std::string(bytes.begin(), bytes.end());
}

bool ReadSid(const std::string& bytes, Sid& sid) {
  const auto decoded = Sid::Decode({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (!decoded) return false;
  sid = *decoded;
  return true;
}

pb::TokenRecord EncodeToken(const SecurityToken& token) {
  pb::TokenRecord record;
  record.set_user(SidBytes(token.user));
  record.set_primary_group(SidBytes(token.primary_group));
  for (const Sid& group : token.groups) record.add_groups(SidBytes(group));
  record.set_privileges((token.backup ? 1u : 0u) | (token.restore ? 2u : 0u) | (token.take_ownership ? 4u : 0u) |
                        (token.security ? 8u : 0u));
  return record;
}

std::shared_ptr<const SecurityToken> DecodeToken(const std::string& bytes) {
  pb::TokenRecord record;
  auto token = std::make_shared<SecurityToken>();
  if (!record.ParseFromString(bytes)) return nullptr;
  if (!ReadSid(record.user(), token->user) || !ReadSid(record.primary_group(), token->primary_group)) return nullptr;
  for (const auto& group : record.groups()) {
    if (!ReadSid(group, token->groups.emplace_back())) return nullptr;
  }
  token->backup = record.privileges() & 1;
  token->restore = record.privileges() & 2;
  token->take_ownership = record.privileges() & 4;
  token->security = record.privileges() & 8;
  return token;
}

std::string SlotHex(std::uint64_t persistent_id) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(5, '0');
  for (int i = 4; i >= 0; --i, persistent_id >>= 4) text[static_cast<std::size_t>(i)] = kDigits[persistent_id & 15];
  return text;
}

}  // namespace

std::string OpenRecordKey(std::uint64_t persistent_id) { return "o/" + SlotHex(persistent_id); }

std::string LeaseRecordKey(const CachingGrant& lease) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string key = "z/";
  for (const Guid& guid : {lease.client_guid, lease.lease_key}) {
    for (const std::uint8_t byte : guid.bytes) {
      key += kDigits[byte >> 4];
      key += kDigits[byte & 15];
    }
  }
  return key;
}

RecordChange LeaseRecordChange(const CachingGrant& lease, std::uint32_t state, std::uint16_t epoch) {
  pb::LeaseRecord record;
  record.set_lease_key(GuidBytes(lease.lease_key));
  record.set_client_guid(GuidBytes(lease.client_guid));
  if (lease.parent_lease_key) record.set_parent_lease_key(GuidBytes(*lease.parent_lease_key));
  record.set_state(state);
  record.set_epoch(epoch);
  record.set_version(lease.version);
  return {LeaseRecordKey(lease), record.SerializeAsString()};
}

CachingGrantPtr DecodeLease(const std::string& value) {
  pb::LeaseRecord record;
  auto lease = std::make_shared<CachingGrant>();
  if (!record.ParseFromString(value) || !ReadGuid(record.lease_key(), lease->lease_key) ||
      !ReadGuid(record.client_guid(), lease->client_guid)) {
    return nullptr;
  }
  if (!record.parent_lease_key().empty()) {
    lease->parent_lease_key.emplace();
    if (!ReadGuid(record.parent_lease_key(), *lease->parent_lease_key)) return nullptr;
  }
  lease->is_lease = true;
  lease->restored = true;
  lease->state = record.state() & caching::kAll;
  lease->epoch = static_cast<std::uint16_t>(record.epoch());
  lease->version = static_cast<std::uint8_t>(record.version());
  return lease;
}

std::string LockRecordPrefix(std::uint64_t persistent_id) { return "b/" + SlotHex(persistent_id) + "/"; }

pb::OpenRecord EncodeOpen(const Open& open) {
  const FileState& file = *open.file;
  pb::OpenRecord record;
  record.GetReflection()->MutableUnknownFields(&record)->ParseFromString(open.unknown_record_fields);
  record.set_least_reader(kRecordLevel);
  record.set_persistent_id(open.persistent_id);
  record.set_create_guid(GuidBytes(open.create_guid));
  record.set_client_guid(GuidBytes(open.client_guid));
  if (open.app_instance) {
    record.set_app_instance_id(GuidBytes(open.app_instance->id));
    if (open.app_instance->version) {
      record.set_app_version_high(open.app_instance->version->first);
      record.set_app_version_low(open.app_instance->version->second);
    }
  }
  record.set_owner_sid(SidBytes(open.durable_owner));
  record.set_share_name(NameBytes(open.share->name));
  record.set_path(NameBytes(open.path));
  record.set_link_parent(open.link.parent);
  record.set_link_name(NameBytes(open.link.name));
  record.set_stream(open.stream);
  record.set_desired_access(open.desired_access);
  record.set_granted_access(open.granted_access);
  record.set_maximal_access(open.maximal_access);
  record.set_share_access(open.share_access);
  record.set_create_options(open.create_options);
  record.set_create_disposition(open.create_disposition);
  record.set_file_attributes(open.file_attributes);
  record.set_create_action(open.create_action);
  record.set_durable_open_timeout_ms(open.durable_open_timeout_ms);
  record.set_delete_on_close(open.delete_on_close);
  std::string sequence(64, '\xFF');
  for (std::size_t i = 1; i <= 64; ++i) {
    if (open.lock_sequence[i].valid) sequence[i - 1] = static_cast<char>(open.lock_sequence[i].number);
  }
  record.set_lock_sequence(std::move(sequence));
  record.set_oplock_level(open.oplock_level());
  if (open.has_lease()) record.set_lease_key(GuidBytes(open.caching->lease_key));
  record.set_resilient(open.is_resilient);
  record.set_resilient_timeout_ms(open.resilient_open_timeout_ms);
  // A delete that somebody asked for is kept with every open that holds it up: its own open may have closed before.
  if (file.delete_pending) {
    record.set_delete_parent(file.delete_parent);
    record.set_delete_name(NameBytes(file.delete_name));
  }
  if (open.stream == kUnnamedStream) {
    record.set_delete_pending(file.delete_pending);
  } else if (const auto stream = file.streams.find(open.stream); stream != file.streams.end()) {
    record.set_delete_pending(stream->second->delete_pending);
  }
  record.set_posix_delete(open.posix_delete);
  record.set_sticky_times(open.sticky_times);
  record.set_token(EncodeToken(*open.token).SerializeAsString());
  record.set_mode(open.mode);
  return record;
}

RecordChange OpenRecordChange(const Open& open, RecordTodo todo) {
  pb::OpenRecord record = EncodeOpen(open);
  record.set_todo(static_cast<std::uint32_t>(todo));
  return {OpenRecordKey(open.persistent_id), record.SerializeAsString()};
}

std::vector<RecordChange> Files::Impl::CachingRecords(const CachingGrant& grant, std::uint32_t state) const {
  std::vector<RecordChange> records;
  if (grant.is_lease) {
    records.push_back(LeaseRecordChange(grant, state, grant.epoch));
    return records;
  }
  for (const Open* open : grant.opens) {
    if (!open->is_persistent()) continue;
    pb::OpenRecord record = EncodeOpen(*open);
    record.set_oplock_level(OplockOfState(state));
    records.push_back({OpenRecordKey(open->persistent_id), record.SerializeAsString()});
  }
  return records;
}

RecordChange Files::OpenRecord(const Open& open) const { return OpenRecordChange(open, RecordTodo::kNothing); }

RecordChange Files::LockRecord(const Open& open, const ByteRangeLock& lock, bool remove) const {
  RecordChange change{LockRecordPrefix(open.persistent_id) + std::to_string(lock.key_serial), std::nullopt};
  if (remove) return change;
  pb::LockRecord record;
  record.set_offset(lock.offset);
  record.set_length(lock.length);
  record.set_exclusive(lock.exclusive);
  change.value = record.SerializeAsString();
  return change;
}

Result<DecodedOpen> DecodeOpen(const std::string& value) {
  pb::OpenRecord record;
  if (!record.ParseFromString(value)) return NtStatus::kFileCorruptError;
  // Written by a newer server, which alone knows what the handle means: nobody may open the file past it.
  if (record.least_reader() > kRecordLevel) return NtStatus::kFileNotAvailable;
  auto open = std::make_shared<Open>();
  auto share = std::make_shared<ShareContext>();
  share->continuous_availability = true;
  DecodedOpen decoded;
  open->persistent_id = record.persistent_id();
  bool ok = ReadGuid(record.create_guid(), open->create_guid) && ReadGuid(record.client_guid(), open->client_guid) &&
            ReadSid(record.owner_sid(), open->durable_owner) && ReadName(record.share_name(), share->name) &&
            ReadName(record.path(), open->path) && ReadName(record.link_name(), open->link.name) &&
            ReadName(record.delete_name(), decoded.delete_link.name);
  if (!record.app_instance_id().empty()) {
    open->app_instance.emplace();
    ok = ok && ReadGuid(record.app_instance_id(), open->app_instance->id);
    if (record.has_app_version_high() && record.has_app_version_low()) {
      open->app_instance->version = {record.app_version_high(), record.app_version_low()};
    }
  }
  open->token = DecodeToken(record.token());
  if (!ok || !open->token || record.lock_sequence().size() > 64) return NtStatus::kFileCorruptError;
  open->share = std::move(share);
  open->link.parent = record.link_parent();
  open->stream = record.stream();
  open->desired_access = record.desired_access();
  open->granted_access = record.granted_access();
  open->maximal_access = record.maximal_access();
  open->share_access = record.share_access();
  open->create_options = record.create_options();
  open->create_disposition = record.create_disposition();
  open->file_attributes = record.file_attributes();
  open->create_action = record.create_action();
  open->durable_open_timeout_ms = record.durable_open_timeout_ms();
  open->delete_on_close = record.delete_on_close();
  for (std::size_t i = 0; i < record.lock_sequence().size(); ++i) {
    const auto number = static_cast<std::uint8_t>(record.lock_sequence()[i]);
    if (number <= 15) open->lock_sequence[i + 1] = {true, number};
  }
  open->is_resilient = record.resilient();
  open->resilient_open_timeout_ms = record.resilient_timeout_ms();
  open->posix_delete = record.posix_delete();
  open->sticky_times = record.sticky_times();
  open->user_set_write_time = (open->sticky_times & 4) != 0;
  open->mode = record.mode();
  open->durable = DurableKind::kPersistent;
  decoded.oplock_level = static_cast<std::uint8_t>(record.oplock_level());
  if (!record.lease_key().empty()) {
    decoded.lease_key.emplace();
    if (!ReadGuid(record.lease_key(), *decoded.lease_key)) return NtStatus::kFileCorruptError;
  }
  record.GetReflection()->GetUnknownFields(record).SerializeToString(&open->unknown_record_fields);
  decoded.open = std::move(open);
  decoded.todo = static_cast<RecordTodo>(record.todo());
  decoded.delete_pending = record.delete_pending();
  decoded.delete_link.parent = record.delete_parent();
  return decoded;
}

std::optional<ByteRangeLock> DecodeLock(const std::string& value) {
  pb::LockRecord record;
  if (!record.ParseFromString(value)) return std::nullopt;
  ByteRangeLock lock;
  lock.offset = record.offset();
  lock.length = record.length();
  lock.exclusive = record.exclusive();
  return lock;
}

}  // namespace holdfast
