#include "server/create/create_contexts.h"

#include <iterator>
#include <limits>

#include "protocol/fscc/extended_attributes.h"
#include "protocol/smb2/contexts/app_instance.h"
#include "protocol/smb2/contexts/file_contexts.h"
#include "protocol/smb2/contexts/lease.h"
#include "server/info/extended_attributes.h"

namespace holdfast {
namespace {

namespace names = smb2::create_context;
using smb2::CreateContext;

// ---- requests --------------------------------------------------------------------------------------------------

template <class M>
Result<M> DecodeAll(ByteView data) {
  return wire::Decode<M>(data);
}

// 3.3.5.9.1
NtStatus ParseEas(ByteView data, const CreateContextRules&, CreateIntent& intent) {
  auto list = fscc::DecodeEaList(data);
  if (!list.ok()) return list.status();
  intent.eas = FromWire(std::move(*list));
  return NtStatus::kSuccess;
}

// 3.3.5.9.2
NtStatus ParseSecurityDescriptor(ByteView data, const CreateContextRules&, CreateIntent& intent) {
  intent.security_descriptor = Bytes(data.begin(), data.end());
  return NtStatus::kSuccess;
}

// 3.3.5.9.3
NtStatus ParseAllocationSize(ByteView data, const CreateContextRules&, CreateIntent& intent) {
  intent.allocation_size = DecodeAll<smb2::AllocationSize>(data)->allocation_size;
  if (intent.allocation_size > std::numeric_limits<std::int64_t>::max()) return NtStatus::kInvalidParameter;
  return NtStatus::kSuccess;
}

// 3.3.5.9.4: 0 is the present.
NtStatus ParseTimewarp(ByteView data, const CreateContextRules&, CreateIntent& intent) {
  const FileTime time = DecodeAll<smb2::TimewarpToken>(data)->timestamp;
  if (time != 0) intent.snapshot = time;
  return NtStatus::kSuccess;
}

// 3.3.5.9.5
NtStatus ParseMaximalAccess(ByteView data, const CreateContextRules&, CreateIntent& intent) {
  intent.maximal_access_wanted = true;
  if (data.empty()) return NtStatus::kSuccess;
  auto query = DecodeAll<smb2::QueryMaximalAccessRequest>(data);
  if (!query.ok()) return query.status();
  intent.maximal_access_since = query->timestamp;
  return NtStatus::kSuccess;
}

NtStatus ParseOnDiskId(ByteView, const CreateContextRules&, CreateIntent& intent) {
  intent.on_disk_id_wanted = true;
  return NtStatus::kSuccess;
}

// 3.3.5.9.6: without a batch oplock or a handle lease it asks for nothing.
NtStatus ParseDurable(ByteView, const CreateContextRules&, CreateIntent& intent) {
  intent.durable_v1 = true;
  return NtStatus::kSuccess;
}

NtStatus ParseReconnect(ByteView data, const CreateContextRules&, CreateIntent& intent) {
  intent.reconnect_v1 = *DecodeAll<smb2::DurableHandleReconnect>(data);
  return NtStatus::kSuccess;
}

NtStatus ParseDurableV2(ByteView data, const CreateContextRules&, CreateIntent& intent) {
  intent.durable_v2 = *DecodeAll<smb2::DurableHandleRequestV2>(data);
  return NtStatus::kSuccess;
}

NtStatus ParseReconnectV2(ByteView data, const CreateContextRules&, CreateIntent& intent) {
  intent.reconnect_v2 = *DecodeAll<smb2::DurableHandleReconnectV2>(data);
  return NtStatus::kSuccess;
}

NtStatus ParseAppInstance(ByteView data, const CreateContextRules&, CreateIntent& intent) {
  auto id = DecodeAll<smb2::AppInstanceId>(data);
  if (!id.ok()) return id.status();
  intent.app_instance = AppInstance{.id = id->app_instance_id, .version = std::nullopt};
  return NtStatus::kSuccess;
}

NtStatus ParseAppVersion(ByteView data, const CreateContextRules&, CreateIntent& intent) {
  auto version = DecodeAll<smb2::AppInstanceVersion>(data);
  if (!version.ok()) return version.status();
  intent.app_version = std::pair(version->app_instance_version_high, version->app_instance_version_low);
  return NtStatus::kSuccess;
}

bool AsksForLease(const CreateIntent& intent) {
  return intent.caching.oplock_level == static_cast<std::uint8_t>(smb2::OplockLevel::kLease);
}

// 3.3.5.9.8 and 3.3.5.9.11. The two versions differ in size.
NtStatus ParseLease(ByteView data, const CreateContextRules& rules, CreateIntent& intent) {
  CachingRequest& caching = intent.caching;
  if (data.size() == smb2::LeaseContextV2::kSize && rules.dialect >= 0x0300) {
    const auto lease = DecodeAll<smb2::LeaseContextV2>(data);
    caching.lease_key = lease->lease_key;
    caching.lease_state = lease->lease_state;
    caching.lease_epoch = lease->epoch;
    caching.lease_version = 2;
    if (lease->flags & smb2::lease_flag::kParentLeaseKeySet) caching.parent_lease_key = lease->parent_lease_key;
    return NtStatus::kSuccess;
  }
  if (data.size() == smb2::LeaseContext::kSize) {
    const auto lease = DecodeAll<smb2::LeaseContext>(data);
    caching.lease_key = lease->lease_key;
    caching.lease_state = lease->lease_state;
    caching.lease_version = 1;
    return NtStatus::kSuccess;
  }
  // Version 2 belongs to 3.x; a server without leases looks at neither.
  const bool ignored = !rules.leasing || !AsksForLease(intent) || data.size() == smb2::LeaseContextV2::kSize;
  return ignored ? NtStatus::kSuccess : NtStatus::kInvalidParameter;
}

// ---- responses -------------------------------------------------------------------------------------------------

using Contexts = std::vector<CreateContext>;

// 3.3.5.9.5: no answer is wanted when the file is as the client knows it.
void AnswerMaximalAccess(const CreateIntent& intent, const CreateAnswer& answer, Contexts& out) {
  if (!intent.maximal_access_wanted) return;
  smb2::QueryMaximalAccessResponse response;
  if (intent.maximal_access_since && *intent.maximal_access_since == answer.facts->change_time) {
    response.query_status = NtStatus::kNoneMapped;
  } else {
    response.maximal_access = answer.open->maximal_access;
  }
  out.push_back(CreateContext::From(names::kQueryMaximalAccess, response));
}

// 3.3.5.9.9
void AnswerOnDiskId(const CreateIntent& intent, const CreateAnswer& answer, Contexts& out) {
  if (!intent.on_disk_id_wanted) return;
  const smb2::QueryOnDiskIdResponse response{.disk_file_id = answer.facts->number, .volume_id = answer.volume_id};
  out.push_back(CreateContext::From(names::kQueryOnDiskId, response));
}

void AnswerDurable(const CreateIntent& intent, const CreateAnswer& answer, Contexts& out) {
  if (!answer.durable_response || !intent.durable_v1 || intent.reconnects()) return;
  out.push_back(CreateContext::From(names::kDurableHandleRequest, smb2::DurableHandleResponse{}));
}

// 3.3.5.9.10; a replayed CREATE gets the same timeout again.
void AnswerDurableV2(const CreateIntent& intent, const CreateAnswer& answer, Contexts& out) {
  if (!answer.durable_response || !intent.durable_v2) return;
  smb2::DurableHandleResponseV2 response;
  response.timeout = answer.open->durable_open_timeout_ms;
  if (answer.open->is_persistent()) response.flags = smb2::durable_flag::kPersistent;
  out.push_back(CreateContext::From(names::kDurableHandleRequestV2, response));
}

// 3.3.5.9.8, 3.3.5.9.11, and of a handle that came back 3.3.5.9.7 and 3.3.5.9.12.
void AnswerLease(const CreateIntent& intent, const CreateAnswer& answer, Contexts& out) {
  if (!intent.caching.lease_key || !answer.open->has_lease()) return;
  const CachingGrant& lease = *answer.open->caching;
  const std::uint32_t flags = lease.breaking ? smb2::lease_flag::kBreakInProgress : 0;
  if (lease.version == 2) {
    smb2::LeaseContextV2 response;
    response.lease_key = lease.lease_key;
    response.lease_state = lease.state;
    response.flags = flags;
    response.epoch = lease.epoch;
    if (lease.parent_lease_key) {
      response.parent_lease_key = *lease.parent_lease_key;
      response.flags |= smb2::lease_flag::kParentLeaseKeySet;
    }
    out.push_back(CreateContext::From(names::kRequestLease, response));
    return;
  }
  out.push_back(CreateContext::From(
      names::kRequestLease,
      smb2::LeaseContext{.lease_key = lease.lease_key, .lease_state = lease.state, .lease_flags = flags}));
}

// ---- the list --------------------------------------------------------------------------------------------------

struct CreateContextRow {
  std::string_view name;
  std::size_t min_size;
  std::size_t max_size;
  std::uint16_t from_dialect;
  NtStatus (*parse)(ByteView data, const CreateContextRules& rules, CreateIntent& intent);
  void (*answer)(const CreateIntent& intent, const CreateAnswer& answer, Contexts& out);
};

constexpr std::size_t kAnySize = std::numeric_limits<std::size_t>::max();

// clang-format off
constexpr CreateContextRow kRows[] = {
  // name                              sizes         dialect  parse                    answer
  {names::kEaBuffer,                   0,  kAnySize, 0x0202,  ParseEas,                nullptr},
  {names::kSdBuffer,                   0,  kAnySize, 0x0202,  ParseSecurityDescriptor, nullptr},
  {names::kAllocationSize,             8,  8,        0x0202,  ParseAllocationSize,     nullptr},
  {names::kTimewarpToken,              8,  8,        0x0202,  ParseTimewarp,           nullptr},
  {names::kDurableHandleRequest,       16, 16,       0x0202,  ParseDurable,            AnswerDurable},
  {names::kDurableHandleReconnect,     16, 16,       0x0202,  ParseReconnect,          nullptr},
  {names::kDurableHandleRequestV2,     32, 32,       0x0300,  ParseDurableV2,          AnswerDurableV2},
  {names::kDurableHandleReconnectV2,   36, 36,       0x0300,  ParseReconnectV2,        nullptr},
  {names::kAppInstanceId,              20, 20,       0x0300,  ParseAppInstance,        nullptr},
  {names::kAppInstanceVersion,         24, 24,       0x0311,  ParseAppVersion,         nullptr},
  {names::kRequestLease,               0,  kAnySize, 0x0210,  ParseLease,              AnswerLease},
  {names::kQueryMaximalAccess,         0,  8,        0x0202,  ParseMaximalAccess,      AnswerMaximalAccess},
  {names::kQueryOnDiskId,              0,  0,        0x0202,  ParseOnDiskId,           AnswerOnDiskId},
};
// clang-format on

const CreateContextRow* FindRow(std::string_view name) {
  for (const CreateContextRow& row : kRows) {
    if (row.name == name) return &row;
  }
  return nullptr;  // SVHDX_OPEN_DEVICE_CONTEXT among them: 3.3.5.9.14
}

// 3.3.5.9.6, .7, .10 and .12: which durable contexts may stand together, and what remains of them.
NtStatus CombineDurable(CreateIntent& intent) {
  const int older = intent.durable_v1 + intent.reconnect_v1.has_value();
  if (intent.durable_v2 && (older != 0 || intent.reconnect_v2)) return NtStatus::kInvalidParameter;
  if (intent.reconnect_v2 && older != 0) return NtStatus::kInvalidParameter;
  if (intent.reconnect_v1) intent.durable_v1 = false;
  const bool handle_caching =
      intent.caching.oplock_level == static_cast<std::uint8_t>(smb2::OplockLevel::kBatch) ||
      (intent.caching.lease_key && (intent.caching.lease_state & smb2::lease_state::kHandleCaching) != 0);
  if (!handle_caching) intent.durable_v1 = false;
  return NtStatus::kSuccess;
}

}  // namespace

NtStatus ParseCreateContexts(const smb2::CreateRequest& message, const CreateContextRules& rules,
                             CreateIntent& intent) {
  intent.caching.oplock_level = static_cast<std::uint8_t>(message.requested_oplock_level);
  bool seen[std::size(kRows)] = {};
  for (const CreateContext& context : message.contexts) {
    const CreateContextRow* row = FindRow(context.name);
    if (!row || rules.dialect < row->from_dialect) continue;
    if (std::exchange(seen[row - kRows], true)) continue;
    if (context.data.size() < row->min_size || context.data.size() > row->max_size) {
      return NtStatus::kInvalidParameter;
    }
    if (const NtStatus status = row->parse(context.data, rules, intent); status != NtStatus::kSuccess) return status;
  }
  if (intent.app_instance) intent.app_instance->version = intent.app_version;
  // Looked at with the oplock level "lease" only; of a handle that comes back it is a mark, and the level does not count.
  if (!AsksForLease(intent) && !intent.reconnects()) {
    CachingRequest level_only;
    level_only.oplock_level = intent.caching.oplock_level;
    intent.caching = level_only;
  }
  return CombineDurable(intent);
}

std::vector<smb2::CreateContext> AnswerCreateContexts(const CreateIntent& intent, const CreateAnswer& answer) {
  std::vector<smb2::CreateContext> out;
  for (const CreateContextRow& row : kRows) {
    if (row.answer) row.answer(intent, answer, out);
  }
  return out;
}

}  // namespace holdfast
