#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/dtyp/inheritance.h"
#include "protocol/rpc/ndr.h"
#include "protocol/rpc/pdu.h"
#include "protocol/wire/endian.h"
#include "server/pipes/pipe.h"
#include "server/pipes/well_known_accounts.h"

namespace holdfast {
namespace {

using rpc::NdrReader;
using rpc::NdrWriter;

const Sid kMachine(5, {21, 1, 2, 3});

class Pipes : public testing::Test {
 protected:
  Pipes() {
    caller_.user = kMachine.WithRid(1001);
    environment_.server_name = u"HOLDFAST";
    environment_.domain_name = u"WORKGROUP";
    environment_.server_comment = u"files";
    environment_.machine_sid = kMachine;
    environment_.caller = &caller_;
    environment_.shares = [this] { return shares_; };
    environment_.find_sid = [](const Sid& sid, AccountName* found) {
      if (sid != kMachine.WithRid(1001)) return false;
      *found = {u"HOLDFAST", u"alice", kMachine, sid_use::kUser};
      return true;
    };
    shares_ = {{u"IPC$", 0x80000003, u"IPC", u"", 0xFFFFFFFF, 1, 0, {}},
               {u"profiles", 0, u"Profiles", u"C:\\shares\\profiles", 10, 2, 0x4000, ShareRootDescriptor().Encode()}};
  }

  std::unique_ptr<NamedPipe> Open(std::u16string_view name, std::string_view uuid, std::uint16_t major) {
    auto pipe = OpenPipe(name, environment_);
    rpc::Bind bind;
    bind.contexts = {{0, rpc::MakeSyntax(uuid, major, 0), {rpc::Ndr20()}}};
    const auto answer = pipe->Transceive(bind.Encode(1), 4096);
    EXPECT_TRUE(answer.ok() && answer->data[2] == static_cast<std::uint8_t>(rpc::PduType::kBindAck));
    return pipe;
  }
  std::unique_ptr<NamedPipe> OpenSrvsvc() { return Open(u"srvsvc", "4b324fc8-1670-01d3-1278-5a47bf6ee188", 3); }
  std::unique_ptr<NamedPipe> OpenLsarpc() { return Open(u"\\LSARPC", "12345778-1234-abcd-ef00-0123456789ab", 0); }

  // The stub of the answer; of a fault its four bytes of status.
  static Bytes Call(NamedPipe& pipe, std::uint16_t opnum, ByteView stub) {
    for (const Bytes& pdu : rpc::EncodeRequest(7, 0, opnum, stub, 4280)) EXPECT_TRUE(pipe.Write(pdu).ok());
    Bytes answer;
    while (pipe.available() != 0) {
      auto part = pipe.Read(65536);
      EXPECT_TRUE(part.ok());
      answer.insert(answer.end(), part->data.begin() + 24, part->data.end());
    }
    return answer;
  }

  static void ServerName(NdrWriter& out) {
    out.StringPointer(u"\\\\holdfast");
    out.Complete();
  }

  static Bytes ShareEnumRequest(std::uint32_t level) {
    NdrWriter out;
    ServerName(out);
    out.U32(level);
    out.U32(level);
    out.Pointer(true, [&] {
      out.U32(0);
      out.NullPointer();
    });
    out.Complete();
    out.U32(0xFFFFFFFF);
    out.NullPointer();
    return out.Take();
  }

  static std::uint32_t LastWord(const Bytes& stub) {
    return stub.size() < 4 ? 0xDEAD : wire::LoadLe<std::uint32_t>(stub.data() + stub.size() - 4);
  }

  static bool Holds(const Bytes& stub, std::u16string_view text) {
    Bytes needle(text.size() * 2);
    std::memcpy(needle.data(), text.data(), needle.size());
    return std::search(stub.begin(), stub.end(), needle.begin(), needle.end()) != stub.end();
  }

  SecurityToken caller_;
  PipeEnvironment environment_;
  std::vector<ShareFacts> shares_;
};

TEST_F(Pipes, UnknownOnesAreNotThere) {
  EXPECT_EQ(OpenPipe(u"spoolss", environment_), nullptr);
  EXPECT_EQ(OpenPipe(u"", environment_), nullptr);
  EXPECT_TRUE(PipeExists(u"WKSSVC"));
  EXPECT_FALSE(PipeExists(u"MsFteWds"));
}

TEST_F(Pipes, ShareEnumHasTheLayoutOfTheSpecification) {
  shares_.resize(1);
  auto pipe = OpenSrvsvc();
  const Bytes stub = Call(*pipe, 15, ShareEnumRequest(1));
  NdrReader in(stub);
  EXPECT_EQ(in.U32(), 1u);
  EXPECT_EQ(in.U32(), 1u);
  EXPECT_TRUE(in.Pointer());
  EXPECT_EQ(in.U32(), 1u);  // EntriesRead
  EXPECT_TRUE(in.Pointer());
  EXPECT_EQ(in.U32(), 1u);  // the array's size
  EXPECT_TRUE(in.Pointer());
  EXPECT_EQ(in.U32(), 0x80000003);
  EXPECT_TRUE(in.Pointer());
  EXPECT_EQ(in.WideString(), u"IPC$");
  EXPECT_EQ(in.WideString(), u"IPC");
  EXPECT_EQ(in.U32(), 1u);  // TotalEntries
  EXPECT_FALSE(in.Pointer());
  EXPECT_EQ(in.U32(), 0u);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.remaining(), 0u);
}

TEST_F(Pipes, PathsAndDescriptorsAreForAdministrators) {
  for (const std::uint32_t level : {2u, 502u}) {
    auto pipe = OpenSrvsvc();
    EXPECT_FALSE(Holds(Call(*pipe, 15, ShareEnumRequest(level)), u"C:\\shares"));
  }
  caller_.groups.push_back(well_known::Administrators());
  for (const std::uint32_t level : {2u, 502u}) {
    auto pipe = OpenSrvsvc();
    const Bytes stub = Call(*pipe, 15, ShareEnumRequest(level));
    EXPECT_TRUE(Holds(stub, u"C:\\shares\\profiles"));
    EXPECT_EQ(LastWord(stub), 0u);
  }
}

TEST_F(Pipes, LongListsComeInFragmentsAndSmallReads) {
  for (int i = 0; i < 500; ++i) shares_.push_back({u"share-with-a-long-name", 0, u"", u"", 1, 0, 0, {}});
  auto pipe = OpenSrvsvc();
  const Bytes whole = Call(*pipe, 15, ShareEnumRequest(1));
  EXPECT_GT(whole.size(), 3 * 4280u);

  ASSERT_TRUE(pipe->Write(rpc::EncodeRequest(7, 0, 15, ShareEnumRequest(1), 4280)[0]).ok());
  Bytes answer, message;
  while (pipe->available() != 0) {
    const auto part = pipe->Read(1000);
    ASSERT_TRUE(part.ok());
    message.insert(message.end(), part->data.begin(), part->data.end());
    if (part->more) {
      EXPECT_EQ(part->data.size(), 1000u);
      continue;
    }
    EXPECT_EQ(wire::LoadLe<std::uint16_t>(message.data() + 8), message.size()) << "reads end where a fragment ends";
    answer.insert(answer.end(), message.begin() + 24, message.end());
    message.clear();
  }
  EXPECT_EQ(answer, whole);
  EXPECT_EQ(pipe->Read(1000).status(), NtStatus::kPipeEmpty);
}

TEST_F(Pipes, TransceiveIsRefusedWhileAnAnswerIsUnread) {
  auto pipe = OpenSrvsvc();
  const Bytes request = rpc::EncodeRequest(7, 0, 15, ShareEnumRequest(1), 4280)[0];
  const auto first = pipe->Transceive(request, 50);
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(first->more);
  EXPECT_EQ(pipe->Transceive(request, 50).status(), NtStatus::kPipeBusy);
  EXPECT_FALSE(pipe->Read(65536)->more);
  EXPECT_TRUE(pipe->Transceive(request, 65536).ok());
}

TEST_F(Pipes, ShareGetInfoKnowsNamesWithoutCase) {
  auto pipe = OpenSrvsvc();
  const auto request = [](std::u16string_view name, std::uint32_t level) {
    NdrWriter out;
    ServerName(out);
    const auto count = static_cast<std::uint32_t>(name.size() + 1);
    out.U32(count), out.U32(0), out.U32(count);
    for (const char16_t unit : name) out.U16(unit);
    out.U16(0);
    out.U32(level);
    return out.Take();
  };
  EXPECT_TRUE(Holds(Call(*pipe, 16, request(u"PROFILES", 1)), u"Profiles"));
  EXPECT_EQ(LastWord(Call(*pipe, 16, request(u"nothing", 1))), 2310u);
  EXPECT_EQ(LastWord(Call(*pipe, 16, request(u"profiles", 77))), 124u);
  const Bytes flags = Call(*pipe, 16, request(u"profiles", 1005));
  ASSERT_EQ(flags.size(), 16u);
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(flags.data() + 8), 0x4000u);
}

TEST_F(Pipes, EveryTruncatedRequestIsAFault) {
  const Bytes request = ShareEnumRequest(1);
  for (std::size_t size = 0; size < request.size(); ++size) {
    auto pipe = OpenSrvsvc();
    const Bytes stub = Call(*pipe, 15, ByteView(request).first(size));
    ASSERT_GE(stub.size(), 4u);
    EXPECT_EQ(wire::LoadLe<std::uint32_t>(stub.data()), rpc::fault::kBadStubData) << size;
  }
}

TEST_F(Pipes, OperationsWeDoNotHaveAreFaults) {
  for (const int opnum : {0, 14, 34, 999}) {
    auto pipe = OpenSrvsvc();
    const Bytes stub = Call(*pipe, static_cast<std::uint16_t>(opnum), Bytes(4));
    EXPECT_EQ(wire::LoadLe<std::uint32_t>(stub.data()), rpc::fault::kOperationRange) << opnum;
  }
}

TEST_F(Pipes, WkssvcTellsNameAndDomain) {
  auto pipe = Open(u"wkssvc", "6bffd098-a112-3610-9833-46c3f87e345a", 1);
  NdrWriter out;
  ServerName(out);
  out.U32(100);
  const Bytes stub = Call(*pipe, 0, out.Take());
  EXPECT_TRUE(Holds(stub, u"HOLDFAST"));
  EXPECT_TRUE(Holds(stub, u"WORKGROUP"));
  EXPECT_EQ(LastWord(stub), 0u);
}

class Lsarpc : public Pipes {
 protected:
  Lsarpc() : pipe_(OpenLsarpc()) {
    const Bytes answer = Call(*pipe_, 44, Bytes(4));
    EXPECT_EQ(answer.size(), 24u);
    handle_.assign(answer.begin(), answer.begin() + 20);
  }

  Bytes LookupSids(const std::vector<Sid>& sids) {
    NdrWriter out;
    out.Raw(handle_);
    const auto count = static_cast<std::uint32_t>(sids.size());
    out.U32(count);
    out.Pointer(true, [&] {
      out.U32(count);
      for (const Sid& sid : sids) out.SidPointer(sid);
    });
    out.Complete();
    out.U32(0), out.NullPointer();  // TranslatedNames
    out.U16(1), out.U32(0);         // level, mapped count
    out.U32(0), out.U32(2);         // options, revision
    return Call(*pipe_, 57, out.Take());
  }

  std::unique_ptr<NamedPipe> pipe_;
  Bytes handle_;
};

TEST_F(Lsarpc, NamesWellKnownAndConfiguredAccounts) {
  const Bytes stub = LookupSids({well_known::Administrators(), kMachine.WithRid(1001)});
  EXPECT_TRUE(Holds(stub, u"BUILTIN"));
  EXPECT_TRUE(Holds(stub, u"Administrators"));
  EXPECT_TRUE(Holds(stub, u"alice"));
  EXPECT_EQ(LastWord(stub), 0u);
}

TEST_F(Lsarpc, ShowsTheTextOfUnknownSids) {
  const Bytes some = LookupSids({well_known::Everyone(), Sid(5, {21, 9, 9, 9, 500})});
  EXPECT_TRUE(Holds(some, u"S-1-5-21-9-9-9-500"));
  EXPECT_EQ(LastWord(some), static_cast<std::uint32_t>(NtStatus::kSomeNotMapped));
  EXPECT_EQ(LastWord(LookupSids({Sid(5, {21, 9, 9, 9, 500})})), static_cast<std::uint32_t>(NtStatus::kNoneMapped));
}

TEST_F(Lsarpc, HandlesEndWithClose) {
  const Bytes closed = Call(*pipe_, 0, handle_);
  EXPECT_EQ(closed, Bytes(24));
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(Call(*pipe_, 0, handle_).data()), rpc::fault::kContextMismatch);
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(LookupSids({well_known::Everyone()}).data()), rpc::fault::kContextMismatch);
}

TEST_F(Lsarpc, HandlesAreLimited) {
  NtStatus status = NtStatus::kSuccess;
  int opened = 0;
  while (status == NtStatus::kSuccess && opened < 1000) {
    status = static_cast<NtStatus>(LastWord(Call(*pipe_, 44, Bytes(4))));
    ++opened;
  }
  EXPECT_EQ(status, NtStatus::kInsufficientResources);
  EXPECT_EQ(opened, 64);
}

TEST_F(Lsarpc, ForgedCountsAreFaults) {
  NdrWriter out;
  out.Raw(handle_);
  out.U32(20000);
  out.U32(1);
  out.U32(20000);
  const Bytes stub = Call(*pipe_, 57, out.Take());
  EXPECT_EQ(wire::LoadLe<std::uint32_t>(stub.data()), rpc::fault::kBadStubData);
}

}  // namespace
}  // namespace holdfast
