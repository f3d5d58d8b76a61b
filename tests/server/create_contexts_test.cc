#include "server/create/create_contexts.h"

#include <gtest/gtest.h>

#include "protocol/smb2/contexts/app_instance.h"
#include "protocol/smb2/contexts/file_contexts.h"
#include "protocol/smb2/contexts/lease.h"

namespace holdfast {
namespace {

namespace names = smb2::create_context;
using smb2::CreateContext;

constexpr CreateContextRules kSmb311{.dialect = 0x0311, .leasing = false};

class CreateContexts : public testing::Test {
 public:
  template <class M>
  void Add(std::string_view name, const M& m) {
    message_.contexts.push_back(CreateContext::From(name, m));
  }
  void AddRaw(std::string_view name, Bytes data) {
    message_.contexts.push_back(CreateContext::Own(name, std::move(data)));
  }
  void AddDh2q() { Add(names::kDurableHandleRequestV2, smb2::DurableHandleRequestV2{.timeout = 7, .flags = 2}); }
  void AddDh2c() { Add(names::kDurableHandleReconnectV2, smb2::DurableHandleReconnectV2{}); }
  void AddDhnq() { Add(names::kDurableHandleRequest, smb2::DurableHandleRequest{}); }
  void AddDhnc() { Add(names::kDurableHandleReconnect, smb2::DurableHandleReconnect{}); }
  NtStatus Parse(CreateContextRules rules = kSmb311) {
    intent_ = {};
    return ParseCreateContexts(message_, rules, intent_);
  }

  smb2::CreateRequest message_;
  CreateIntent intent_;
};

// [MS-SMB2] 3.3.5.9.6, .7, .10, .12
TEST_F(CreateContexts, DurableRequestV2StandsAlone) {
  for (auto add : {&CreateContexts::AddDhnq, &CreateContexts::AddDhnc, &CreateContexts::AddDh2c}) {
    message_.contexts.clear();
    AddDh2q();
    (this->*add)();
    EXPECT_EQ(Parse(), NtStatus::kInvalidParameter);
  }
}

TEST_F(CreateContexts, DurableReconnectV2StandsAlone) {
  for (auto add : {&CreateContexts::AddDhnq, &CreateContexts::AddDhnc, &CreateContexts::AddDh2q}) {
    message_.contexts.clear();
    (this->*add)();
    AddDh2c();
    EXPECT_EQ(Parse(), NtStatus::kInvalidParameter);
  }
}

TEST_F(CreateContexts, ReconnectV1DropsTheRequestBesideIt) {
  message_.requested_oplock_level = smb2::OplockLevel::kBatch;
  AddDhnq();
  AddDhnc();
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  EXPECT_FALSE(intent_.durable_v1);
  EXPECT_TRUE(intent_.reconnect_v1);
  EXPECT_TRUE(intent_.reconnects());
}

TEST_F(CreateContexts, DurableRequestV1NeedsBatchOrHandleLease) {
  AddDhnq();
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  EXPECT_FALSE(intent_.durable_v1);
  message_.requested_oplock_level = smb2::OplockLevel::kBatch;
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  EXPECT_TRUE(intent_.durable_v1);
  message_.requested_oplock_level = smb2::OplockLevel::kLease;
  Add(names::kRequestLease, smb2::LeaseContext{.lease_state = smb2::lease_state::kReadCaching});
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  EXPECT_FALSE(intent_.durable_v1);
  message_.contexts.pop_back();
  Add(names::kRequestLease, smb2::LeaseContext{.lease_state = smb2::lease_state::kHandleCaching});
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  EXPECT_TRUE(intent_.durable_v1);
}

TEST_F(CreateContexts, OfALaterDialectAreIgnored) {
  AddDh2q();
  AddDh2c();
  Add(names::kAppInstanceId, smb2::AppInstanceId{});
  ASSERT_EQ(Parse({.dialect = 0x0210, .leasing = false}), NtStatus::kSuccess);
  EXPECT_FALSE(intent_.durable_v2);
  EXPECT_FALSE(intent_.reconnect_v2);
  EXPECT_FALSE(intent_.app_instance);
}

TEST_F(CreateContexts, AppInstanceVersionCountsIn311Only) {
  Guid id;
  id.bytes[0] = 9;
  Add(names::kAppInstanceVersion,
      smb2::AppInstanceVersion{.app_instance_version_high = 3, .app_instance_version_low = 4});
  Add(names::kAppInstanceId, smb2::AppInstanceId{.app_instance_id = id});
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  ASSERT_TRUE(intent_.app_instance && intent_.app_instance->version);
  EXPECT_EQ(intent_.app_instance->id, id);
  EXPECT_EQ(*intent_.app_instance->version, std::pair(std::uint64_t{3}, std::uint64_t{4}));
  ASSERT_EQ(Parse({.dialect = 0x0302, .leasing = false}), NtStatus::kSuccess);
  ASSERT_TRUE(intent_.app_instance);
  EXPECT_FALSE(intent_.app_instance->version);
}

TEST_F(CreateContexts, OfTheWrongSizeAreRefused) {
  const std::pair<std::string_view, std::size_t> wrong[] = {
      {names::kDurableHandleRequest, 15},    {names::kDurableHandleReconnect, 17}, {names::kDurableHandleRequestV2, 31},
      {names::kDurableHandleReconnectV2, 35}, {names::kAllocationSize, 7},          {names::kTimewarpToken, 9},
      {names::kQueryMaximalAccess, 4},        {names::kQueryOnDiskId, 1},           {names::kAppInstanceId, 19}};
  for (const auto& [name, size] : wrong) {
    message_.contexts.clear();
    AddRaw(name, Bytes(size));
    EXPECT_EQ(Parse(), NtStatus::kInvalidParameter) << name << " " << size;
  }
}

TEST_F(CreateContexts, UnknownOnesAreIgnored) {
  AddRaw("FooO", Bytes(3));
  AddRaw(names::kSvhdxOpenDevice, Bytes(20));
  EXPECT_EQ(Parse(), NtStatus::kSuccess);
}

TEST_F(CreateContexts, TheFirstOfTwoEqualOnesCounts) {
  Add(names::kAllocationSize, smb2::AllocationSize{.allocation_size = 1});
  Add(names::kAllocationSize, smb2::AllocationSize{.allocation_size = 2});
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  EXPECT_EQ(intent_.allocation_size, 1u);
}

TEST_F(CreateContexts, NegativeAllocationSizeIsRefused) {
  Add(names::kAllocationSize, smb2::AllocationSize{.allocation_size = 1ULL << 63});
  EXPECT_EQ(Parse(), NtStatus::kInvalidParameter);
}

TEST_F(CreateContexts, BrokenEaListIsRefusedAsSuch) {
  AddRaw(names::kEaBuffer, {1, 0, 0, 0, 0, 1, 0, 0, 'a', 0});
  EXPECT_EQ(Parse(), NtStatus::kEaListInconsistent);
}

TEST_F(CreateContexts, LeaseCountsWithItsOplockLevelOnly) {
  Add(names::kRequestLease, smb2::LeaseContextV2{.lease_state = 7, .epoch = 5});
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  EXPECT_FALSE(intent_.caching.lease_key);
  message_.requested_oplock_level = smb2::OplockLevel::kLease;
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  ASSERT_TRUE(intent_.caching.lease_key);
  EXPECT_EQ(intent_.caching.lease_version, 2);
  EXPECT_EQ(intent_.caching.lease_state, 7u);
  EXPECT_EQ(intent_.caching.lease_epoch, 5);
}

// Of a handle that comes back the level does not count, and the lease is a mark: smb2.durable-open.reopen2-lease.
TEST_F(CreateContexts, LeaseOfAReconnectCountsWithAnyLevel) {
  Add(names::kRequestLease, smb2::LeaseContextV2{.lease_state = 3});
  AddDh2c();
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  EXPECT_TRUE(intent_.caching.lease_key);
}

TEST_F(CreateContexts, LeaseVersion2BelongsTo3x) {
  message_.requested_oplock_level = smb2::OplockLevel::kLease;
  Add(names::kRequestLease, smb2::LeaseContextV2{.lease_state = 3});
  ASSERT_EQ(Parse({.dialect = 0x0210, .leasing = true}), NtStatus::kSuccess);
  EXPECT_FALSE(intent_.caching.lease_key);
}

TEST_F(CreateContexts, LeaseOfAnOddSizeIsRefusedByServersWithLeasesOnly) {
  message_.requested_oplock_level = smb2::OplockLevel::kLease;
  AddRaw(names::kRequestLease, Bytes(33));
  EXPECT_EQ(Parse({.dialect = 0x0311, .leasing = false}), NtStatus::kSuccess);
  EXPECT_EQ(Parse({.dialect = 0x0311, .leasing = true}), NtStatus::kInvalidParameter);
}

class CreateContextAnswers : public CreateContexts {
 protected:
  const CreateContext* Answer(std::string_view name) {
    answers_ = AnswerCreateContexts(
        intent_, {.open = &open_, .facts = &facts_, .volume_id = 77, .durable_response = durable_response_});
    return smb2::FindContext(answers_, name);
  }
  Open open_;
  FileFacts facts_;
  bool durable_response_ = false;
  std::vector<CreateContext> answers_;
};

TEST_F(CreateContextAnswers, MaximalAccessIsLeftOutWhenTheFileIsAsKnown) {
  open_.maximal_access = 0x001F01FF;
  facts_.change_time = 1000;
  Add(names::kQueryMaximalAccess, smb2::QueryMaximalAccessRequest{.timestamp = 1000});
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  const auto* context = Answer(names::kQueryMaximalAccess);
  ASSERT_TRUE(context);
  auto response = wire::Decode<smb2::QueryMaximalAccessResponse>(context->data);
  EXPECT_EQ(response->query_status, NtStatus::kNoneMapped);
  EXPECT_EQ(response->maximal_access, 0u);
  facts_.change_time = 1001;
  response = wire::Decode<smb2::QueryMaximalAccessResponse>(Answer(names::kQueryMaximalAccess)->data);
  EXPECT_EQ(response->query_status, NtStatus::kSuccess);
  EXPECT_EQ(response->maximal_access, 0x001F01FFu);
}

TEST_F(CreateContextAnswers, OnDiskIdNamesFileAndVolume) {
  facts_.number = 4711;
  AddRaw(names::kQueryOnDiskId, {});
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  const auto* context = Answer(names::kQueryOnDiskId);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->data.size(), 32u);
  const auto response = wire::Decode<smb2::QueryOnDiskIdResponse>(context->data);
  EXPECT_EQ(response->disk_file_id, 4711u);
  EXPECT_EQ(response->volume_id, 77u);
}

TEST_F(CreateContextAnswers, DurableV2TellsWhatWasGranted) {
  AddDh2q();
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  EXPECT_FALSE(Answer(names::kDurableHandleRequestV2));
  durable_response_ = true;
  open_.durable = DurableKind::kDurableV2;
  open_.durable_open_timeout_ms = 60'000;
  auto response = wire::Decode<smb2::DurableHandleResponseV2>(Answer(names::kDurableHandleRequestV2)->data);
  EXPECT_EQ(response->timeout, 60'000u);
  EXPECT_EQ(response->flags, 0u);
  open_.durable = DurableKind::kPersistent;
  response = wire::Decode<smb2::DurableHandleResponseV2>(Answer(names::kDurableHandleRequestV2)->data);
  EXPECT_EQ(response->flags, smb2::durable_flag::kPersistent);
}

// 3.3.5.9.8 and 3.3.5.9.11
TEST_F(CreateContextAnswers, LeaseTellsItsState) {
  message_.requested_oplock_level = smb2::OplockLevel::kLease;
  Add(names::kRequestLease, smb2::LeaseContextV2{.lease_state = 7});
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  EXPECT_FALSE(Answer(names::kRequestLease));
  auto lease = std::make_shared<CachingGrant>();
  lease->is_lease = true;
  lease->version = 2;
  lease->state = 3;
  lease->epoch = 9;
  lease->lease_key.bytes.fill(4);
  lease->parent_lease_key.emplace().bytes.fill(5);
  lease->breaking = true;
  open_.caching = lease;
  const auto second = wire::Decode<smb2::LeaseContextV2>(Answer(names::kRequestLease)->data);
  EXPECT_EQ(second->lease_key, lease->lease_key);
  EXPECT_EQ(second->lease_state, 3u);
  EXPECT_EQ(second->epoch, 9);
  EXPECT_EQ(second->parent_lease_key, *lease->parent_lease_key);
  EXPECT_EQ(second->flags, smb2::lease_flag::kBreakInProgress | smb2::lease_flag::kParentLeaseKeySet);
  lease->version = 1;
  lease->breaking = false;
  const auto* context = Answer(names::kRequestLease);
  ASSERT_EQ(context->data.size(), smb2::LeaseContext::kSize);
  const auto first = wire::Decode<smb2::LeaseContext>(context->data);
  EXPECT_EQ(first->lease_state, 3u);
  EXPECT_EQ(first->lease_flags, 0u);
}

TEST_F(CreateContextAnswers, ReconnectsGetNoDurableAnswer) {
  AddDh2c();
  ASSERT_EQ(Parse(), NtStatus::kSuccess);
  durable_response_ = true;
  Answer(names::kDurableHandleRequestV2);
  EXPECT_TRUE(answers_.empty());
}

}  // namespace
}  // namespace holdfast
