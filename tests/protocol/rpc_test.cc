#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/rpc/ndr.h"
#include "protocol/rpc/pdu.h"
#include "protocol/rpc/server_connection.h"
#include "protocol/wire/endian.h"
#include "tests/protocol/crypto_vectors.h"

namespace holdfast::rpc {
namespace {

using test::Hex;

const SyntaxId& Service() {
  static const SyntaxId syntax = MakeSyntax("4b324fc8-1670-01d3-1278-5a47bf6ee188", 3, 0);
  return syntax;
}

// The bind of a Windows client: one context each with NDR 2.0, NDR64 and the bind-time features.
constexpr std::string_view kWindowsBind =
    "05000b03 10000000 a0000000 02000000 b810 b810 00000000 03000000"
    "0000 0100 c84f324b7016d30112785a47bf6ee188 03000000 045d888aeb1cc9119fe808002b104860 02000000"
    "0100 0100 c84f324b7016d30112785a47bf6ee188 03000000 33057171babe37498319b5dbef9ccc36 01000000"
    "0200 0100 c84f324b7016d30112785a47bf6ee188 03000000 2c1cb76c12984045 0300000000000000 01000000";

ServerConnection Echo() {
  return ServerConnection({Service(), "\\PIPE\\srvsvc", [](std::uint16_t opnum, ByteView stub) -> CallResult {
                             if (opnum == 99) return fault::kOperationRange;
                             return Bytes(stub.begin(), stub.end());
                           }});
}

std::uint16_t U16At(const Bytes& pdu, std::size_t at) { return wire::LoadLe<std::uint16_t>(pdu.data() + at); }
std::uint32_t U32At(const Bytes& pdu, std::size_t at) { return wire::LoadLe<std::uint32_t>(pdu.data() + at); }
PduType TypeOf(const Bytes& pdu) { return static_cast<PduType>(pdu[2]); }

Bytes PlainBind() {
  Bind bind;
  bind.contexts = {{0, Service(), {Ndr20()}}};
  return bind.Encode(1);
}

// A connection on which bind has been answered.
ServerConnection Bound() {
  ServerConnection connection = Echo();
  EXPECT_EQ(connection.Receive(PlainBind()), NtStatus::kSuccess);
  EXPECT_EQ(TypeOf(connection.output().front()), PduType::kBindAck);
  connection.output().clear();
  return connection;
}

// Stub bytes of all fragments of the response in `output`.
Bytes StubOf(const std::deque<Bytes>& output) {
  Bytes stub;
  for (const Bytes& pdu : output) stub.insert(stub.end(), pdu.begin() + 24, pdu.end());
  return stub;
}

TEST(Rpc, AnswersTheBindOfWindowsContextByContext) {
  ServerConnection connection = Echo();
  ASSERT_EQ(connection.Receive(Hex(kWindowsBind)), NtStatus::kSuccess);
  ASSERT_EQ(connection.output().size(), 1u);
  const Bytes& ack = connection.output().front();
  EXPECT_EQ(TypeOf(ack), PduType::kBindAck);
  EXPECT_EQ(U16At(ack, 8), ack.size());
  EXPECT_EQ(U16At(ack, 16), 4280);  // fragments
  EXPECT_NE(U32At(ack, 20), 0u);    // association group
  EXPECT_EQ(U16At(ack, 24), 13);    // secondary address with its zero
  const std::size_t results = 40;   // 26 + 13, aligned
  EXPECT_EQ(U32At(ack, results), 3u);
  const auto result = [&](std::size_t i) {
    return std::pair(U16At(ack, results + 4 + 24 * i), U16At(ack, results + 6 + 24 * i));
  };
  EXPECT_EQ(result(0), std::pair(BindAck::kAcceptance, std::uint16_t{0}));
  EXPECT_EQ(result(1), std::pair(BindAck::kProviderRejection, BindAck::kTransferSyntaxesNotSupported));
  EXPECT_EQ(result(2), std::pair(BindAck::kNegotiateAck, std::uint16_t{2}));
}

TEST(Rpc, RejectsAnotherInterfaceButKeepsTheConnection) {
  ServerConnection connection = Echo();
  Bind bind;
  bind.contexts = {{7, MakeSyntax("12345778-1234-abcd-ef00-0123456789ab", 0, 0), {Ndr20()}}};
  ASSERT_EQ(connection.Receive(bind.Encode(1)), NtStatus::kSuccess);
  EXPECT_EQ(U16At(connection.output().front(), 44), BindAck::kProviderRejection);
  connection.output().clear();
  for (const Bytes& pdu : EncodeRequest(2, 7, 0, Bytes(4), 4280))
    ASSERT_EQ(connection.Receive(pdu), NtStatus::kSuccess);
  EXPECT_EQ(TypeOf(connection.output().front()), PduType::kFault);
  EXPECT_EQ(U32At(connection.output().front(), 24), fault::kUnknownInterface);
  connection.output().clear();
  Bind alter;
  alter.contexts = {{8, Service(), {Ndr20()}}};
  ASSERT_EQ(connection.Receive(alter.Encode(3, PduType::kAlterContext)), NtStatus::kSuccess);
  EXPECT_EQ(TypeOf(connection.output().front()), PduType::kAlterContextResponse);
  connection.output().clear();
  ASSERT_EQ(connection.Receive(EncodeRequest(4, 8, 0, Hex("01020304"), 4280)[0]), NtStatus::kSuccess);
  EXPECT_EQ(StubOf(connection.output()), Hex("01020304"));
}

TEST(Rpc, ReassemblesAndFragmentsWhateverTheSizes) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{4256}, std::size_t{4257}, std::size_t{20000}}) {
    ServerConnection connection = Bound();
    Bytes stub(size);
    for (std::size_t i = 0; i < size; ++i) stub[i] = static_cast<std::uint8_t>(i * 31);
    for (const Bytes& pdu : EncodeRequest(9, 0, 5, stub, 1500)) ASSERT_EQ(connection.Receive(pdu), NtStatus::kSuccess);
    const auto& output = connection.output();
    EXPECT_EQ(StubOf(output), stub) << size;
    for (std::size_t i = 0; i < output.size(); ++i) {
      EXPECT_LE(output[i].size(), 4280u);
      EXPECT_EQ((output[i][3] & pfc::kFirstFragment) != 0, i == 0);
      EXPECT_EQ((output[i][3] & pfc::kLastFragment) != 0, i + 1 == output.size());
      EXPECT_EQ(U32At(output[i], 12), 9u);
    }
  }
}

TEST(Rpc, TakesBytesInAnyPieces) {
  ServerConnection connection = Echo();
  Bytes all = PlainBind();
  for (const Bytes& pdu : EncodeRequest(2, 0, 1, Hex("AABBCCDD"), 4280)) all.insert(all.end(), pdu.begin(), pdu.end());
  for (const std::uint8_t byte : all) ASSERT_EQ(connection.Receive(ByteView(&byte, 1)), NtStatus::kSuccess);
  ASSERT_EQ(connection.output().size(), 2u);
  connection.output().pop_front();
  EXPECT_EQ(StubOf(connection.output()), Hex("AABBCCDD"));
}

TEST(Rpc, HonoursTheFragmentSizeOfTheClient) {
  ServerConnection connection = Echo();
  Bind bind;
  bind.max_receive_fragment = 2048;
  bind.contexts = {{0, Service(), {Ndr20()}}};
  ASSERT_EQ(connection.Receive(bind.Encode(1)), NtStatus::kSuccess);
  connection.output().clear();
  ASSERT_EQ(connection.Receive(EncodeRequest(2, 0, 1, Bytes(4000), 4280)[0]), NtStatus::kSuccess);
  ASSERT_EQ(connection.output().size(), 2u);
  EXPECT_LE(connection.output()[0].size(), 2048u);
}

TEST(Rpc, FaultOfAnOperationLeavesTheConnectionUsable) {
  ServerConnection connection = Bound();
  ASSERT_EQ(connection.Receive(EncodeRequest(2, 0, 99, {}, 4280)[0]), NtStatus::kSuccess);
  EXPECT_EQ(U32At(connection.output().front(), 24), fault::kOperationRange);
  connection.output().clear();
  ASSERT_EQ(connection.Receive(EncodeRequest(3, 0, 1, Hex("01"), 4280)[0]), NtStatus::kSuccess);
  EXPECT_EQ(StubOf(connection.output()), Hex("01"));
}

TEST(Rpc, BreaksOffWhenTheProtocolIsBroken) {
  {
    ServerConnection connection = Echo();  // a request before the bind
    EXPECT_EQ(connection.Receive(EncodeRequest(2, 0, 1, {}, 4280)[0]), NtStatus::kPipeDisconnected);
    EXPECT_EQ(U32At(connection.output().front(), 24), fault::kProtocolError);
    EXPECT_EQ(connection.Receive(PlainBind()), NtStatus::kPipeDisconnected);
  }
  {
    ServerConnection connection = Bound();  // a second bind
    EXPECT_EQ(connection.Receive(PlainBind()), NtStatus::kPipeDisconnected);
    EXPECT_EQ(TypeOf(connection.output().front()), PduType::kBindNak);
  }
  {
    ServerConnection connection = Bound();  // a fragment in the middle of nothing
    Bytes pdu = EncodeRequest(2, 0, 1, {}, 4280)[0];
    pdu[3] = pfc::kLastFragment;
    EXPECT_EQ(connection.Receive(pdu), NtStatus::kPipeDisconnected);
  }
  for (const std::size_t at : {0u, 4u}) {  // version, big-endian
    ServerConnection connection = Echo();
    Bytes pdu = PlainBind();
    pdu[at] = 0;
    EXPECT_EQ(connection.Receive(pdu), NtStatus::kPipeDisconnected) << at;
  }
  {
    ServerConnection connection = Echo();  // a length below the header's
    Bytes pdu = PlainBind();
    pdu[8] = 15, pdu[9] = 0;
    EXPECT_EQ(connection.Receive(pdu), NtStatus::kPipeDisconnected);
  }
}

TEST(Rpc, RefusesAuthenticationWithTheReasonClientsFallBackOn) {
  ServerConnection connection = Echo();
  Bytes pdu = PlainBind();
  pdu[10] = 8;
  pdu.resize(pdu.size() + 16);
  wire::StoreLe(pdu.data() + 8, static_cast<std::uint16_t>(pdu.size()));
  EXPECT_EQ(connection.Receive(pdu), NtStatus::kPipeDisconnected);
  EXPECT_EQ(TypeOf(connection.output().front()), PduType::kBindNak);
  EXPECT_EQ(U16At(connection.output().front(), 16), 8);
}

TEST(Rpc, TruncatedBindIsRefusedWithoutReadingPastIt) {
  const Bytes bind = Hex(kWindowsBind);
  for (std::size_t size = PduHeader::kSize; size < bind.size(); ++size) {
    ServerConnection connection = Echo();
    Bytes pdu(bind.begin(), bind.begin() + static_cast<std::ptrdiff_t>(size));
    wire::StoreLe(pdu.data() + 8, static_cast<std::uint16_t>(size));
    EXPECT_EQ(connection.Receive(pdu), NtStatus::kPipeDisconnected) << size;
  }
}

TEST(Rpc, RequestsDoNotGrowWithoutLimit) {
  ServerConnection connection = Bound();
  NtStatus status = NtStatus::kSuccess;
  Bytes pdu = EncodeRequest(2, 0, 1, Bytes(60000), 65000)[0];
  pdu[3] = pfc::kFirstFragment;
  std::size_t sent = 0;
  for (; status == NtStatus::kSuccess && sent < 200; ++sent) {
    status = connection.Receive(pdu);
    pdu[3] = 0;
  }
  EXPECT_EQ(status, NtStatus::kInsuffServerResources);
  EXPECT_EQ(sent, ServerConnection::kMaximumRequest / 60000 + 1);
}

TEST(Rpc, AnswersThatNobodyReadsDoNotPileUp) {
  ServerConnection connection = Bound();
  const Bytes call = EncodeRequest(2, 0, 1, Bytes(60000), 65000)[0];
  NtStatus status = NtStatus::kSuccess;
  std::size_t sent = 0;
  for (; status == NtStatus::kSuccess && sent < 1000; ++sent) {
    Bytes pdu = call;
    pdu[3] = pfc::kFirstFragment | pfc::kLastFragment;
    status = connection.Receive(pdu);
  }
  EXPECT_EQ(status, NtStatus::kInsuffServerResources);
  EXPECT_LE(sent, ServerConnection::kMaximumUnread / 60000 + 1);
  EXPECT_EQ(connection.Receive(call), NtStatus::kPipeDisconnected);
}

TEST(Ndr, WritesPointersDepthFirstAfterTheirStructure) {
  NdrWriter out;
  out.Pointer(true, [&] {
    out.U32(1);
    out.Pointer(true, [&] {
      out.U16(2);
      out.Pointer(true, [&] { out.U8(3); });
    });
    out.StringPointer(u"z");
    out.NullPointer();
  });
  out.Complete();
  out.U32(9);
  EXPECT_EQ(out.Take(), Hex("00000200"                                      // referent
                            "01000000 04000200 08000200 00000000"           // the structure
                            "0200 0000 0C000200 03 000000"                  // its first pointer, and that one's
                            "02000000 00000000 02000000 7A000000 09000000"  // the string, the next parameter
                            ));
}

TEST(Ndr, ReadsBackWhatItWrites) {
  NdrWriter out;
  out.U8(1);
  out.U64(0x1122334455667788);
  out.StringPointer(u"server");
  out.Complete();
  out.SidPointer(well_known::Administrators());
  out.Complete();
  out.UnicodeString(u"name");
  out.Complete();
  const Bytes bytes = out.Take();
  const auto read = [](ByteView from) {
    NdrReader in(from);
    EXPECT_LE(in.U8(), 1);
    in.U64();
    const auto server = in.UniqueWideString();
    const Sid sid = in.Pointer() ? in.RpcSid() : Sid();
    const std::u16string name = in.UnicodeHeader() ? in.UnicodeBuffer() : std::u16string();
    const bool right = server == u"server" && sid == well_known::Administrators() && name == u"name";
    return std::pair(in.ok(), right);
  };
  EXPECT_EQ(read(bytes), std::pair(true, true));
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(read(ByteView(bytes).first(size)).first) << size;
}

TEST(Ndr, RefusesImpossibleStrings) {
  const auto ok = [](std::string_view hex) {
    const Bytes bytes = Hex(hex);
    NdrReader in(bytes);
    in.WideString();
    return in.ok();
  };
  EXPECT_TRUE(ok("02000000 00000000 02000000 61000000"));
  EXPECT_FALSE(ok("02000000 00000000 02000000 61006200")) << "no zero unit";
  EXPECT_FALSE(ok("01000000 00000000 02000000 61000000")) << "longer than its maximum";
  EXPECT_FALSE(ok("02000000 01000000 01000000 61000000")) << "an offset";
  EXPECT_FALSE(ok("FFFFFFFF 00000000 FFFFFFFF 61000000"));
  EXPECT_FALSE(ok("00000000 00000000 00000000"));
}

}  // namespace
}  // namespace holdfast::rpc
