#include "protocol/smb2/contexts/create_context.h"

#include <gtest/gtest.h>

#include "protocol/smb2/contexts/app_instance.h"
#include "protocol/smb2/contexts/durable_handle.h"
#include "protocol/smb2/contexts/lease.h"
#include "protocol/smb2/messages/create.h"
#include "protocol/smb2/header.h"
#include "tests/protocol/hex_bytes.h"

namespace holdfast::smb2 {
namespace {

constexpr std::size_t kContextsAt = 120;  // header 64, fixed part 56, no name

// A CREATE without a name whose contexts are these bytes.
Bytes WithContexts(ByteView contexts) {
  Bytes message = EncodeMessage(Header{}, CreateRequest{});
  message.resize(kContextsAt);
  wire::StoreLe(message.data() + 64 + 48, std::uint32_t{kContextsAt});
  wire::StoreLe(message.data() + 64 + 52, static_cast<std::uint32_t>(contexts.size()));
  message.insert(message.end(), contexts.begin(), contexts.end());
  return message;
}

// Two contexts: DHnQ with 16 bytes, QFid without data.
Bytes TwoContexts() {
  return HexBytes("28 00 00 00 10 00 04 00 00 00 18 00 10 00 00 00 44 48 6e 51 00 00 00 00"
                  "01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10"
                  "00 00 00 00 10 00 04 00 00 00 00 00 00 00 00 00 51 46 69 64");
}

bool Accepts(ByteView contexts) { return Decode<CreateRequest>(WithContexts(contexts)).ok(); }

bool AcceptsWith(std::size_t at, std::uint8_t value) {
  Bytes contexts = TwoContexts();
  contexts[at] = value;
  return Accepts(contexts);
}

TEST(CreateContexts, AreReadInOrder) {
  const Bytes message = WithContexts(TwoContexts());
  const Result<CreateRequest> request = Decode<CreateRequest>(message);
  ASSERT_TRUE(request.ok());
  ASSERT_EQ(request->contexts.size(), 2u);
  EXPECT_EQ(request->contexts[0].name, create_context::kDurableHandleRequest);
  EXPECT_EQ(request->contexts[0].data.size(), 16u);
  EXPECT_EQ(request->contexts[0].data[15], 0x10);
  EXPECT_EQ(request->contexts[1].name, create_context::kQueryOnDiskId);
  EXPECT_TRUE(request->contexts[1].data.empty());
  EXPECT_EQ(FindContext(request->contexts, "QFid"), &request->contexts[1]);
  EXPECT_EQ(FindContext(request->contexts, "RqLs"), nullptr);
}

TEST(CreateContexts, AreWrittenAsRead) {
  const Bytes message = WithContexts(TwoContexts());
  const Result<CreateRequest> request = Decode<CreateRequest>(message);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(EncodeMessage(Header{}, *request), message);
}

TEST(CreateContexts, RefuseAChainThatLies) {
  EXPECT_TRUE(AcceptsWith(0, 0x28));
  EXPECT_FALSE(AcceptsWith(0, 0x24));  // Next is not a multiple of 8
  EXPECT_FALSE(AcceptsWith(0, 0x20));  // the first one's data would reach into the second
  EXPECT_FALSE(AcceptsWith(0, 0x08));  // Next inside of the fixed part
  EXPECT_FALSE(AcceptsWith(0, 0x30));  // the second one is then cut off
  EXPECT_FALSE(AcceptsWith(0, 0x40));  // beyond the end
  EXPECT_FALSE(AcceptsWith(3, 0x80));  // far beyond the end
  EXPECT_FALSE(AcceptsWith(0x28, 8));  // the last one promises another
}

TEST(CreateContexts, RefuseNamesAndDataOutOfPlace) {
  EXPECT_FALSE(AcceptsWith(4, 0x08));   // the name in the fixed part
  EXPECT_FALSE(AcceptsWith(4, 0x11));   // not aligned
  EXPECT_FALSE(AcceptsWith(4, 0x28));   // the name in the next context
  EXPECT_FALSE(AcceptsWith(6, 0));      // no name
  EXPECT_FALSE(AcceptsWith(6, 3));      // too short a name
  EXPECT_FALSE(AcceptsWith(6, 0x30));   // a name longer than the context
  EXPECT_FALSE(AcceptsWith(10, 0x1c));  // data not aligned
  EXPECT_FALSE(AcceptsWith(10, 0x00));  // data at 0
  EXPECT_FALSE(AcceptsWith(12, 0x11));  // a byte too many
  EXPECT_FALSE(AcceptsWith(15, 0x80));  // very many bytes too many
}

TEST(CreateContexts, IgnoreTheOffsetOfNoData) { EXPECT_TRUE(AcceptsWith(0x28 + 10, 0xFF)); }

TEST(CreateContexts, RefuseAListOutOfPlace) {
  Bytes message = WithContexts(TwoContexts());
  wire::StoreLe(message.data() + 64 + 48, std::uint32_t{kContextsAt + 4});
  EXPECT_FALSE(Decode<CreateRequest>(message).ok());  // not aligned
  wire::StoreLe(message.data() + 64 + 48, std::uint32_t{kContextsAt - 8});
  EXPECT_FALSE(Decode<CreateRequest>(message).ok());  // in the fixed part
  wire::StoreLe(message.data() + 64 + 48, std::uint32_t{0xFFFFFFF8});
  EXPECT_FALSE(Decode<CreateRequest>(message).ok());
}

TEST(CreateContexts, OwnTheirDataThroughCopies) {
  std::vector<CreateContext> contexts;
  {
    AppInstanceId id;
    id.app_instance_id.bytes[0] = 0x77;
    const CreateContext context = CreateContext::From(create_context::kAppInstanceId, id);
    contexts.push_back(context);
  }
  ASSERT_EQ(contexts[0].name.size(), 16u);
  const Result<AppInstanceId> id = wire::Decode<AppInstanceId>(contexts[0].data);
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(id->app_instance_id.bytes[0], 0x77);
}

// [MS-SMB2] 4.9: the replayed CREATE with DH2Q and RqLs (version 2).
TEST(CreateContexts, MatchTheExampleOfTheSpecification) {
  CreateRequest request;
  request.requested_oplock_level = OplockLevel::kLease;
  request.desired_access = 0x0012019F;
  request.file_attributes = 0x20;
  request.share_access = share_access::kAll;
  request.create_disposition = CreateDisposition::kOpenIf;
  request.create_options = create_option::kNonDirectoryFile;
  request.name = u"Replay.txt";
  DurableHandleRequestV2 durable;
  durable.create_guid = {
      {0x70, 0x39, 0xAA, 0x33, 0x1A, 0xEF, 0xA4, 0x60, 0x4B, 0xF1, 0x11, 0xF5, 0xF9, 0xFB, 0xBF, 0xDB}};
  LeaseContextV2 lease;
  lease.lease_key = {
      {0xE0, 0x33, 0x0E, 0x5A, 0x8A, 0x47, 0xA7, 0x9F, 0x42, 0x86, 0xB5, 0x23, 0x90, 0xB5, 0x85, 0x7B}};
  lease.lease_state = 7;
  lease.flags = lease_flag::kParentLeaseKeySet;
  lease.parent_lease_key = {
      {0xAD, 0x4E, 0x4F, 0x5B, 0xE6, 0xB0, 0x97, 0xB9, 0x42, 0x22, 0x50, 0xFA, 0xDE, 0xC1, 0xFD, 0x86}};
  request.contexts.push_back(CreateContext::From(create_context::kDurableHandleRequestV2, durable));
  request.contexts.push_back(CreateContext::From(create_context::kRequestLease, lease));
  EXPECT_EQ(EncodeBody(request),
            HexBytes("39 00 00 ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                     "9f 01 12 00 20 00 00 00 07 00 00 00 03 00 00 00 40 00 00 00"
                     "78 00 14 00 90 00 00 00 84 00 00 00"
                     "52 00 65 00 70 00 6c 00 61 00 79 00 2e 00 74 00 78 00 74 00 00 00 00 00"
                     "38 00 00 00 10 00 04 00 00 00 18 00 20 00 00 00 44 48 32 51 00 00 00 00"
                     "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 70 39 aa 33 1a ef a4 60 4b f1 11 f5 f9 fb bf db"
                     "00 00 00 00 10 00 04 00 00 00 18 00 34 00 00 00 52 71 4c 73 00 00 00 00"
                     "e0 33 0e 5a 8a 47 a7 9f 42 86 b5 23 90 b5 85 7b 07 00 00 00 04 00 00 00 00 00 00 00 00 00 00 00"
                     "ad 4e 4f 5b e6 b0 97 b9 42 22 50 fa de c1 fd 86 00 00 00 00"));
}

}  // namespace
}  // namespace holdfast::smb2
