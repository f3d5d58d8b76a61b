// Peers that break the protocol: they lose their connection, and nobody else notices. [MS-SMB2] 3.3.5.2.
#include "conformance/cases/bed.h"
#include "conformance/cases/raw_socket.h"

#include "protocol/smb2/messages/echo.h"
#include "protocol/smb2/messages/session_setup.h"
#include "protocol/smb2/messages/tree_connect.h"
#include "protocol/smb2/transform_header.h"
#include "protocol/wire/endian.h"

namespace holdfast::client {
namespace {

using smb2::Command;

Bytes Echo(std::uint64_t message_id) {
  return smb2::EncodeMessage(RawHeader(Command::kEcho, message_id), smb2::EchoRequest{});
}

struct Malformed {
  const char* what;
  Bytes frame;
};

std::vector<Malformed> MalformedFrames() {
  std::vector<Malformed> list;
  const auto add = [&list](const char* what, Bytes frame) { list.push_back({what, std::move(frame)}); };
  const Bytes good = Echo(1);
  add("one byte", {0xFE});
  add("half a header", Bytes(good.begin(), good.begin() + 30));
  Bytes frame = good;
  frame[0] = 0xFA;
  add("unknown protocol id", frame);
  frame = good;
  wire::StoreLe(frame.data() + 4, std::uint16_t{65});
  add("StructureSize of the header", frame);
  frame = good;
  wire::StoreLe(frame.data() + 20, std::uint32_t{4});
  add("NextCommand inside the header", frame);
  frame = good;
  wire::StoreLe(frame.data() + 20, std::uint32_t{1 << 20});
  add("NextCommand outside of the frame", frame);
  frame = good;
  frame.insert(frame.end(), good.begin(), good.end());
  wire::StoreLe(frame.data() + 20, static_cast<std::uint32_t>(good.size() + 1));
  add("NextCommand at an odd place", frame);
  frame = good;
  wire::StoreLe(frame.data() + 16, smb2::kFlagServerToRedir);
  add("a response", frame);
  frame = Bytes(60, 0);
  std::copy(smb2::kTransformProtocolId.begin(), smb2::kTransformProtocolId.end(), frame.begin());
  add("encryption without a session", frame);
  frame = Bytes(60, 0);
  std::copy(smb2::kCompressionProtocolId.begin(), smb2::kCompressionProtocolId.end(), frame.begin());
  add("compression, which was not negotiated", frame);
  add("SMB1 after SMB2", Bytes{0xFF, 'S', 'M', 'B', 0x72, 0, 0, 0, 0, 0});
  add("message id used before", Echo(0));
  add("message id far ahead", Echo(1'000'000));
  add("message id of no request", Echo(~0ULL));
  smb2::Header greedy = RawHeader(Command::kEcho, 1);
  greedy.credit_charge = 200;
  add("more credits than granted", smb2::EncodeMessage(greedy, smb2::EchoRequest{}));
  add("a second NEGOTIATE", NegotiateMessage(0x0302, 1));
  return list;
}

}  // namespace

CASE(Hostile, MalformedFramesEndTheConnection) {
  for (const Malformed& malformed : MalformedFrames()) {
    RawSocket socket;
    (void)socket.Negotiate(0x0302);
    socket.SendFrame(malformed.frame);
    EXPECT_TRUE(socket.IsClosedByServer()) << malformed.what;
  }
  co_await bed.ExpectServerLives();
}

CASE(Hostile, CommandThatDoesNotExistIsRefused) {
  const SessionPtr session = co_await bed.SignIn();
  CallOptions options;
  options.session = session->security();
  const auto command = static_cast<Command>(smb2::kCommandCount);
  const auto answer = co_await session->connection()->CallEncoded(command, Bytes(24), options);
  const NtStatus status = answer.ok() ? answer->status() : answer.status();
  EXPECT_TRUE(status == NtStatus::kInvalidParameter || IsTransportLoss(status)) << NtStatusName(status);
  co_await bed.ExpectServerLives();
}

CASE(Hostile, BeforeNegotiationOnlyNegotiateIsHeard) {
  const std::vector<Command> commands = {Command::kEcho, Command::kSessionSetup, Command::kLogoff, Command::kCreate,
                                         Command::kTreeConnect};
  for (const Command command : commands) {
    RawSocket socket;
    const smb2::Header header = RawHeader(command, 0);
    Bytes frame = smb2::EncodeMessage(header, smb2::EchoRequest{});
    socket.SendFrame(frame);
    EXPECT_TRUE(socket.IsClosedByServer()) << smb2::CommandName(command);
  }
  co_await bed.ExpectServerLives();
}

CASE(Hostile, OversizedFramesEndTheConnection) {
  {
    RawSocket socket;
    socket.Send(Bytes{0, 0xFF, 0xFF, 0xFF});  // 16 MiB announced before a sign-in
    EXPECT_TRUE(socket.IsClosedByServer());
  }
  {
    RawSocket socket;
    socket.Send(Bytes{0x81, 0, 0, 0x44});  // a NetBIOS session request
    EXPECT_TRUE(socket.IsClosedByServer());
  }
  const SessionPtr session = co_await bed.SignIn();
  session->connection()->SendRaw(Bytes((8u << 20) + (1u << 20), 0));
  co_await bed.UntilClosed(session->connection());
  co_await bed.ExpectServerLives();
}

// 3.3.5.2: only what carries a payload is longer than 68 KiB.
CASE(Hostile, OversizedMessagesEndTheConnection) {
  const TreePtr tree = co_await bed.Mount("scratch");
  smb2::Header header = RawHeader(Command::kCreate, 50);
  header.session_id = tree->session()->id();
  header.tree_id = tree->id();
  Bytes message;
  header.AppendTo(message);
  message.resize(68 * 1024 + 8);
  tree->session()->connection()->SendRaw(message);
  co_await bed.UntilClosed(tree->session()->connection());
  co_await bed.ExpectServerLives();
}

CASE(Hostile, HalfAFrameAndAnEnd) {
  for (std::size_t length = 0; length < 40; length += 3) {
    RawSocket socket;
    (void)socket.Negotiate(0x0210);
    const Bytes echo = Echo(1);
    Bytes bytes = {0, 0, 0, static_cast<std::uint8_t>(echo.size())};
    bytes.insert(bytes.end(), echo.begin(), echo.end());
    bytes.resize(length);
    socket.Send(bytes);
  }
  co_await bed.ExpectServerLives();
}

CASE(Hostile, EmptyFramesAreIgnored) {
  RawSocket socket;
  for (int i = 0; i < 10; ++i) socket.SendFrame({});
  EXPECT_FALSE(socket.Negotiate(0x0302).empty());
  co_await bed.ExpectServerLives();
}

// Behind the sign-in: every command with a body of random bytes is refused or ends the connection, no more.
CASE(Hostile, RandomBodiesOfEveryCommand) {
  TreePtr tree = co_await bed.Mount("scratch");
  std::uint64_t seed = 1;
  for (std::uint16_t command = 0; command < smb2::kCommandCount; ++command) {
    if (static_cast<Command>(command) == Command::kCancel) continue;  // it has no answer
    for (int round = 0; round < 12; ++round) {
      if (tree->session()->connection()->closed()) tree = co_await bed.Mount("scratch");
      Bytes body = Pattern(static_cast<std::size_t>(seed * 7 % 150), seed);
      ++seed;
      // Half of them with the right StructureSize, which gets further.
      constexpr std::uint8_t kSizes[] = {36, 25, 4, 9, 4, 57, 24, 24, 49, 49, 48, 57, 4, 4, 33, 32, 41, 33, 24};
      if (round % 2 == 0 && body.size() >= 2) {
        body[0] = kSizes[command];
        body[1] = 0;
      }
      const auto which = static_cast<Command>(command);
      (void)co_await tree->session()->connection()->CallEncoded(which, body, tree->Options());
      // These may have ended the session or the tree.
      if (which == Command::kLogoff || which == Command::kTreeDisconnect || which == Command::kSessionSetup) {
        tree->session()->connection()->Close();
      }
    }
  }
  co_await bed.ExpectServerLives();
}

CASE(Hostile, MessageIdsOfASignedInConnection) {
  const SessionPtr session = co_await bed.SignIn();
  smb2::Header header = RawHeader(Command::kEcho, 0);
  header.session_id = session->id();
  header.flags |= smb2::kFlagSigned;
  Bytes echo = smb2::EncodeMessage(header, smb2::EchoRequest{});
  session->security()->signer->Sign(echo);
  session->connection()->SendRaw(echo);  // id 0 was NEGOTIATE's
  co_await bed.UntilClosed(session->connection());
  co_await bed.ExpectServerLives();
}

CASE(Hostile, ConnectionsThatSayNothing) {
  std::vector<std::unique_ptr<RawSocket>> silent;
  for (int i = 0; i < 50; ++i) silent.push_back(std::make_unique<RawSocket>());
  co_await bed.ExpectServerLives();
}

}  // namespace holdfast::client
