// A named pipe against anything a client may write: raw PDUs, and request stubs of every operation after a good bind.
#include <algorithm>

#include "protocol/rpc/pdu.h"
#include "server/pipes/pipe.h"

namespace {

constexpr std::u16string_view kNames[] = {u"srvsvc", u"wkssvc", u"lsarpc"};
constexpr std::string_view kUuids[] = {"4b324fc8-1670-01d3-1278-5a47bf6ee188", "6bffd098-a112-3610-9833-46c3f87e345a",
                                       "12345778-1234-abcd-ef00-0123456789ab"};
constexpr std::uint16_t kMajor[] = {3, 1, 0};

void Drain(holdfast::NamedPipe& pipe) {
  while (pipe.available() != 0)
    if (!pipe.Read(100).ok()) return;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  if (size < 2) return 0;
  const std::size_t which = data[0] % 3;
  const bool raw = data[0] & 0x80;
  PipeEnvironment environment;
  environment.server_name = u"HOLDFAST";
  environment.shares = [] { return std::vector<ShareFacts>(2, {u"share", 0, u"comment", u"C:\\x", 1, 1, 0, {}}); };
  const auto pipe = OpenPipe(kNames[which], environment);
  const ByteView rest(data + 2, size - 2);
  if (!raw) {
    rpc::Bind bind;
    bind.contexts = {{0, rpc::MakeSyntax(kUuids[which], kMajor[which], 0), {rpc::Ndr20()}}};
    (void)pipe->Transceive(bind.Encode(1), 65536);
    // A policy handle makes the operations behind it reachable; its number is 1.
    if (which == 2) (void)pipe->Transceive(rpc::EncodeRequest(2, 0, 44, {}, 4280)[0], 65536);
    for (const Bytes& pdu : rpc::EncodeRequest(3, 0, data[1], rest, 4280)) (void)pipe->Write(pdu);
  } else {
    for (std::size_t at = 0; at < rest.size(); at += 37)
      (void)pipe->Write(rest.subspan(at, std::min<std::size_t>(37, rest.size() - at)));
  }
  Drain(*pipe);
  return 0;
}
