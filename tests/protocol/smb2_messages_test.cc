// Single messages against bytes written by hand from [MS-SMB2] 4 or taken from real clients, and the rules that the
// generated tests cannot know.
#include <gtest/gtest.h>

#include "protocol/smb2/registry.h"
#include "tests/protocol/hex_bytes.h"

namespace holdfast::smb2 {
namespace {

Bytes Message(std::string_view body) {
  Bytes bytes = EncodeMessage(Header{}, EchoRequest{});
  bytes.resize(kHeaderSize);
  const Bytes rest = HexBytes(body);
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return bytes;
}

// From smbclient, all dialects of SMB2 and 3.
TEST(NegotiateRequest, ReadsARealClientsContexts) {
  const Bytes message = HexBytes(
      "fe534d42400000000000000000001f0000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000"
      "24000500010000007f000000e311e851c202ca438c2ab88576217fb67000000004000000020210020003020311030000"
      "0100260000000000010020000100f9f31c53374d78327de3cc9ed8696b781055419d6bb16100fc31488025d6d5700000"
      "02000a00000000000400020001000400030000000000000008000800000000000300020001000000"
      "05001200000000003100320037002e0030002e0030002e003100");
  const Result<NegotiateRequest> request = Decode<NegotiateRequest>(message);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->security_mode, security_mode::kSigningEnabled);
  EXPECT_EQ(request->capabilities, 0x7Fu);
  EXPECT_EQ(request->client_guid.ToString(), "51e811e3-02c2-43ca-8c2a-b88576217fb6");
  EXPECT_EQ(request->dialects,
            (std::vector<Dialect>{Dialect::k202, Dialect::k210, Dialect::k300, Dialect::k302, Dialect::k311}));
  ASSERT_EQ(request->negotiate_contexts.size(), 4u);

  const auto* preauth = FindContext(request->negotiate_contexts, NegotiateContextType::kPreauthIntegrityCapabilities);
  ASSERT_NE(preauth, nullptr);
  const auto hashes = wire::Decode<PreauthIntegrityCapabilities>(preauth->data);
  ASSERT_TRUE(hashes.ok());
  EXPECT_EQ(hashes->hash_algorithms, std::vector<std::uint16_t>{PreauthIntegrityCapabilities::kSha512});
  EXPECT_EQ(hashes->salt.size(), 32u);

  const auto* encryption = FindContext(request->negotiate_contexts, NegotiateContextType::kEncryptionCapabilities);
  ASSERT_NE(encryption, nullptr);
  EXPECT_EQ(wire::Decode<EncryptionCapabilities>(encryption->data)->ciphers, (std::vector<std::uint16_t>{2, 1, 4, 3}));

  const auto* signing = FindContext(request->negotiate_contexts, NegotiateContextType::kSigningCapabilities);
  ASSERT_NE(signing, nullptr);
  EXPECT_EQ(wire::Decode<SigningCapabilities>(signing->data)->signing_algorithms,
            (std::vector<std::uint16_t>{2, 1, 0}));

  const auto* netname = FindContext(request->negotiate_contexts, NegotiateContextType::kNetnameNegotiateContextId);
  ASSERT_NE(netname, nullptr);
  EXPECT_EQ(wire::Decode<NetnameNegotiateContextId>(netname->data)->net_name, u"127.0.0.1");

  EXPECT_EQ(FindContext(request->negotiate_contexts, NegotiateContextType::kCompressionCapabilities), nullptr);
  EXPECT_EQ(EncodeBody(*request), Bytes(message.begin() + 64, message.end()));
}

// [MS-SMB2] 4.3. Without 3.1.1 the context fields are ClientStartTime and may hold anything.
TEST(NegotiateRequest, IgnoresContextsWithout311) {
  const Bytes message = Message("24 00 01 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                                "ff ff ff ff ff ff ff ff 02 02");
  const Result<NegotiateRequest> request = Decode<NegotiateRequest>(message);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->dialects, std::vector<Dialect>{Dialect::k202});
  EXPECT_TRUE(request->negotiate_contexts.empty());
}

TEST(NegotiateRequest, RefusesMoreDialectsThanItHolds) {
  const Bytes message = Message("24 00 ff ff 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                                "00 00 00 00 00 00 00 00 00 00 00 00 02 02");
  EXPECT_FALSE(Decode<NegotiateRequest>(message).ok());
}

// [MS-SMB2] 4.3, with a token of 30 bytes.
TEST(NegotiateResponse, MatchesTheExampleOfTheSpecification) {
  const Bytes token(30, 0xAB);
  NegotiateResponse response;
  response.security_mode = security_mode::kSigningEnabled;
  response.dialect_revision = Dialect::k202;
  response.server_guid = {
      {0x09, 0xF2, 0x5C, 0x3F, 0xE5, 0xA4, 0x49, 0x00, 0xA7, 0xD6, 0x6A, 0x45, 0x6D, 0x5C, 0xA5, 0xCF}};
  response.capabilities = capability::kDfs;
  response.max_transact_size = response.max_read_size = response.max_write_size = 65536;
  response.system_time = 0x1C6A6C21CAE2680;
  response.server_start_time = 0x1C6A6C0AD2538E0;
  response.security_buffer = token;
  EXPECT_EQ(EncodeBody(response),
            HexBytes("41 00 01 00 02 02 00 00 09 f2 5c 3f e5 a4 49 00 a7 d6 6a 45 6d 5c a5 cf"
                     "01 00 00 00 00 00 01 00 00 00 01 00 00 00 01 00"
                     "80 26 ae 1c c2 a6 c6 01 e0 38 25 ad c0 a6 c6 01 80 00 1e 00 00 00 00 00"
                     "abababababababababababababababababababababababababababababab"));
}

TEST(NegotiateResponse, PutsContextsAtAMultipleOfEight) {
  const Bytes token(3, 0xAB);
  NegotiateResponse response;
  response.dialect_revision = Dialect::k311;
  response.security_buffer = token;
  EncryptionCapabilities encryption;
  encryption.ciphers = {2};
  response.negotiate_contexts.push_back(NegotiateContext::From(encryption));
  const Bytes body = EncodeBody(response);
  EXPECT_EQ(wire::LoadLe<std::uint16_t>(body.data() + 6), 1);       // NegotiateContextCount
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(body.data() + 60), 136u);  // NegotiateContextOffset: 128 + 3, rounded up
  EXPECT_EQ(Bytes(body.begin() + 64, body.end()),
            HexBytes("ab ab ab 00 00 00 00 00 02 00 04 00 00 00 00 00 01 00 02 00"));
}

// [MS-SMB2] 4.4: the pipe srvsvc.
TEST(CreateRequest, MatchesTheExampleOfTheSpecification) {
  const Bytes message = Message("39 00 00 09 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                                "9f 01 12 00 00 00 00 00 03 00 00 00 01 00 00 00 40 00 40 00 78 00 0c 00"
                                "00 00 00 00 00 00 00 00 73 00 72 00 76 00 73 00 76 00 63 00");
  const Result<CreateRequest> request = Decode<CreateRequest>(message);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->requested_oplock_level, OplockLevel::kBatch);
  EXPECT_EQ(request->impersonation_level, ImpersonationLevel::kImpersonation);
  EXPECT_EQ(request->desired_access, 0x0012019Fu);
  EXPECT_EQ(request->share_access, share_access::kRead | share_access::kWrite);
  EXPECT_EQ(request->create_disposition, CreateDisposition::kOpen);
  EXPECT_EQ(request->create_options, create_option::kNonDirectoryFile | create_option::kOpenNoRecall);
  EXPECT_EQ(request->name, u"srvsvc");
  EXPECT_TRUE(request->contexts.empty());
  EXPECT_EQ(EncodeMessage(Header{}, *request), message);
}

TEST(CreateRequest, MayNameTheRoot) {
  const Bytes body = EncodeBody(CreateRequest{});
  EXPECT_EQ(body.size(), 57u);  // the fixed part and one byte, which the size counts
  EXPECT_EQ(wire::LoadLe<std::uint16_t>(body.data() + 44), 0x78);
  const Bytes message = EncodeMessage(Header{}, CreateRequest{});
  ASSERT_TRUE(Decode<CreateRequest>(message).ok());
  EXPECT_TRUE(Decode<CreateRequest>(message)->name.empty());
  EXPECT_TRUE(Decode<CreateRequest>(ByteView(message).first(message.size() - 1)).ok());
}

TEST(CreateRequest, RefusesHalfACharacter) {
  Bytes message = Message("39 00 00 09 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                          "9f 01 12 00 00 00 00 00 03 00 00 00 01 00 00 00 40 00 40 00 78 00 03 00"
                          "00 00 00 00 00 00 00 00 73 00 72 00");
  const char* failed_field = "";
  EXPECT_FALSE(Decode<CreateRequest>(message, &failed_field).ok());
  EXPECT_STREQ(failed_field, "name");
}

// [MS-SMB2] 4.6, with 4 bytes instead of 65536.
TEST(WriteRequest, MatchesTheExampleOfTheSpecification) {
  const Bytes data = HexBytes("de ad be ef");
  WriteRequest request;
  request.file_id = {0x19, 0xFFFFFFFF00000005};
  request.data = data;
  EXPECT_EQ(EncodeBody(request), HexBytes("31 00 70 00 04 00 00 00 00 00 00 00 00 00 00 00 19 00 00 00 00 00 00 00"
                                          "05 00 00 00 ff ff ff ff 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                                          "de ad be ef"));
}

TEST(WriteRequest, RefusesDataFarBehind) {
  const Bytes data(8, 0x11);
  WriteRequest request;
  request.data = data;
  Bytes message = EncodeMessage(Header{}, request);
  message.resize(0x200);
  wire::StoreLe(message.data() + 64 + 2, std::uint16_t{0x100});
  EXPECT_TRUE(Decode<WriteRequest>(message).ok());
  wire::StoreLe(message.data() + 64 + 2, std::uint16_t{0x101});
  EXPECT_FALSE(Decode<WriteRequest>(message).ok());
}

TEST(WriteRequest, RefusesALengthBeyondTheMessage) {
  const Bytes data(8, 0x11);
  WriteRequest request;
  request.data = data;
  Bytes message = EncodeMessage(Header{}, request);
  wire::StoreLe(message.data() + 64 + 4, std::uint32_t{9});
  EXPECT_FALSE(Decode<WriteRequest>(message).ok());
  wire::StoreLe(message.data() + 64 + 4, std::uint32_t{0xFFFFFFFF});
  EXPECT_FALSE(Decode<WriteRequest>(message).ok());
}

TEST(WriteRequest, IgnoresChannelInformationWithoutAChannel) {
  Bytes message = EncodeMessage(Header{}, WriteRequest{});
  wire::StoreLe(message.data() + 64 + 40, std::uint16_t{0xFFF0});
  wire::StoreLe(message.data() + 64 + 42, std::uint16_t{0xFFF0});
  EXPECT_TRUE(Decode<WriteRequest>(message).ok());
  wire::StoreLe(message.data() + 64 + 32, std::uint32_t{1});  // RDMA: now it counts
  EXPECT_FALSE(Decode<WriteRequest>(message).ok());
}

TEST(WriteResponse, HasSixteenBytesAlthoughTheSizeSaysSeventeen) {
  WriteResponse response;
  response.count = 0x10000;
  EXPECT_EQ(EncodeBody(response), HexBytes("11 00 00 00 00 00 01 00 00 00 00 00 00 00 00 00"));
}

TEST(ReadResponse, PutsDataAtEighty) {
  const Bytes data = HexBytes("aa bb");
  ReadResponse response;
  response.data = data;
  EXPECT_EQ(EncodeBody(response), HexBytes("11 00 50 00 02 00 00 00 00 00 00 00 00 00 00 00 aa bb"));
}

// Some clients refuse an OutputOffset outside of the message even when there is no output.
TEST(IoctlResponse, PutsNoOutputInsideOfTheMessage) {
  const Bytes body = EncodeBody(IoctlResponse{});
  const auto output_offset = wire::LoadLe<std::uint32_t>(body.data() + 32);
  EXPECT_EQ(output_offset, 112u);
  EXPECT_LT(output_offset, kHeaderSize + body.size());
}

TEST(IoctlResponse, PutsOutputBehindInputAtAMultipleOfEight) {
  const Bytes input = HexBytes("01 02 03");
  const Bytes output = HexBytes("0a 0b");
  IoctlResponse response;
  response.input = input;
  response.output = output;
  const Bytes body = EncodeBody(response);
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(body.data() + 24), 112u);
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(body.data() + 32), 120u);
  EXPECT_EQ(Bytes(body.begin() + 48, body.end()), HexBytes("01 02 03 00 00 00 00 00 0a 0b"));
}

TEST(TreeConnectRequest, FindsThePathBehindAnExtension) {
  TreeConnectExtendedRequest extended;
  extended.path = u"\\\\server\\share";
  const Bytes message = EncodeMessage(Header{}, extended);
  const Result<TreeConnectRequest> plain = Decode<TreeConnectRequest>(message);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->path, extended.path);
  EXPECT_EQ(plain->flags, tree_connect_flag::kExtensionPresent);
}

TEST(LockRequest, SplitsTheSequence) {
  LockRequest request;
  request.lock_sequence = 0x000003F5;
  EXPECT_EQ(request.lock_sequence_number(), 5);
  EXPECT_EQ(request.lock_sequence_index(), 0x3Fu);
}

TEST(OplockBreak, IsToldFromALeaseBreakByItsSize) {
  EXPECT_EQ(PeekStructureSize(EncodeMessage(Header{}, OplockBreakAcknowledgment{})),
            OplockBreakAcknowledgment::kStructureSize);
  const Bytes lease = EncodeMessage(Header{}, LeaseBreakAcknowledgment{});
  EXPECT_EQ(PeekStructureSize(lease), LeaseBreakAcknowledgment::kStructureSize);
  EXPECT_FALSE(Decode<OplockBreakAcknowledgment>(lease).ok());
  EXPECT_EQ(PeekStructureSize(ByteView(lease).first(65)), 0);
}

TEST(ErrorResponse, HasOneByteOfFillerWithoutData) {
  EXPECT_EQ(EncodeBody(ErrorResponse{}), HexBytes("09 00 00 00 00 00 00 00 00"));
}

TEST(ErrorResponse, CarriesContextsIn311) {
  const Bytes required = wire::Encode(BufferTooSmallError{.required_buffer_length = 0x1234});
  const Bytes data = EncodeErrorContext(ErrorContext::kDefault, required);
  const ErrorResponse response{.error_context_count = 1, .error_data = data};
  EXPECT_EQ(EncodeBody(response), HexBytes("09 00 01 00 0c 00 00 00 04 00 00 00 00 00 00 00 34 12 00 00"));
}

// [MS-SMB2] 2.2.2.2.1.1: a link to ..\DonHall\Documents\PDocs, and "\DailyDocs\[MS-SMB].doc" behind it.
TEST(SymbolicLinkError, MatchesTheExampleOfTheSpecification) {
  SymbolicLinkError error;
  error.unparsed_path_length = 0x2E;
  error.substitute_name = u"..\\DonHall\\Documents\\PDocs";
  error.print_name = error.substitute_name;
  error.flags = SymbolicLinkError::kFlagRelative;
  const Bytes bytes = error.Encode();
  ASSERT_EQ(bytes.size(), 28u + 2 * 0x34);
  EXPECT_EQ(Bytes(bytes.begin(), bytes.begin() + 28), HexBytes("80 00 00 00 53 59 4d 4c 0c 00 00 a0 74 00 2e 00"
                                                              "00 00 34 00 34 00 34 00 01 00 00 00"));
  const Result<SymbolicLinkError> again = SymbolicLinkError::Decode(bytes);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->substitute_name, error.substitute_name);
  EXPECT_EQ(again->print_name, error.print_name);
  EXPECT_EQ(again->flags, error.flags);
}

TEST(SymbolicLinkError, RefusesNamesOutsideOfThePath) {
  SymbolicLinkError error;
  error.substitute_name = u"target";
  Bytes bytes = error.Encode();
  bytes[18] = 13;  // SubstituteNameLength: half a character, and one byte too many
  EXPECT_FALSE(SymbolicLinkError::Decode(bytes).ok());
  bytes[18] = 12;
  bytes[16] = 2;  // SubstituteNameOffset
  EXPECT_FALSE(SymbolicLinkError::Decode(bytes).ok());
}

TEST(CompoundMessage, CountsOffsetsFromItsOwnHeader) {
  const Bytes data = HexBytes("01 02 03 04");
  QueryInfoResponse response;
  response.output_buffer = data;
  Bytes chain = EncodeMessage(Header{}, response);
  wire::PadTo(chain, 8);
  const std::size_t second = chain.size();
  Header{}.AppendTo(chain);
  AppendBody(chain, response);
  const Result<QueryInfoResponse> again = Decode<QueryInfoResponse>(ByteView(chain).subspan(second));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(Bytes(again->output_buffer.begin(), again->output_buffer.end()), data);
}

TEST(NetworkInterfaceInfo, LinksInterfacesByNext) {
  NetworkInterfaceInfoResponse response;
  response.interfaces.resize(2);
  response.interfaces[0].if_index = 1;
  response.interfaces[1].if_index = 2;
  response.interfaces[1].sockaddr_storage.family = SockaddrStorage::kInterNetworkV6;
  const Bytes bytes = wire::Encode(response);
  ASSERT_EQ(bytes.size(), 2u * 152);
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(bytes.data()), 152u);
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(bytes.data() + 152), 0u);
}

TEST(Printer, KeepsAPeersNameFromForgingLines) {
  CreateRequest request;
  request.name = u"a\n\"b\\\xD83D\xDE00\xD800";
  EXPECT_NE(Print(request).find("name=\"a\\x0a\\\"b\\\\\xF0\x9F\x98\x80\xEF\xBF\xBD\""), std::string::npos)
      << Print(request);
}

}  // namespace
}  // namespace holdfast::smb2
