// The one message of SMB1 that is understood: [MS-SMB2] 3.3.5.3.
#include "conformance/cases/bed.h"
#include "conformance/cases/raw_socket.h"

#include "protocol/smb2/messages/negotiate.h"
#include "protocol/smb2/smb1_negotiate.h"

namespace holdfast::client {
namespace {

using smb2::Dialect;

smb2::NegotiateResponse Decoded(const Bytes& frame) {
  return Need(smb2::Decode<smb2::NegotiateResponse>(frame), "NEGOTIATE response");
}

}  // namespace

CASE(Smb1Negotiate, WildcardLeadsToASecondNegotiate) {
  RawSocket socket;
  const std::vector<std::string> dialects = {"NT LM 0.12", "SMB 2.002", "SMB 2.???"};
  socket.SendFrame(smb2::EncodeSmb1Negotiate(dialects));
  const auto first = socket.ReceiveFrame();
  if (!first) throw CannotGoOn("connection closed");
  EXPECT_EQ(Decoded(*first).dialect_revision, Dialect::k2FF);
  EXPECT_FALSE(Decoded(*first).security_buffer.empty());

  socket.SendFrame(NegotiateMessage(0x0302, 1));
  const auto second = socket.ReceiveFrame();
  if (!second) throw CannotGoOn("connection closed");
  EXPECT_EQ(Decoded(*second).dialect_revision, Dialect::k302);
  co_return;
}

CASE(Smb1Negotiate, DialectOfSmb202IsFinal) {
  RawSocket socket;
  const std::vector<std::string> dialects = {"NT LM 0.12", "SMB 2.002"};
  socket.SendFrame(smb2::EncodeSmb1Negotiate(dialects));
  const auto answer = socket.ReceiveFrame();
  if (!answer) throw CannotGoOn("connection closed");
  EXPECT_EQ(Decoded(*answer).dialect_revision, Dialect::k202);
  EXPECT_EQ(Decoded(*answer).max_read_size, 65536u);
  socket.SendFrame(NegotiateMessage(0x0202, 1));
  EXPECT_TRUE(socket.IsClosedByServer()) << "one NEGOTIATE only";
  co_return;
}

CASE(Smb1Negotiate, Smb1ItselfIsRefused) {
  {
    RawSocket socket;
    const std::vector<std::string> dialects = {"PC NETWORK PROGRAM 1.0", "NT LM 0.12"};
    socket.SendFrame(smb2::EncodeSmb1Negotiate(dialects));
    EXPECT_TRUE(socket.IsClosedByServer());
  }
  {
    RawSocket socket;
    socket.SendFrame(Bytes{0xFF, 'S', 'M', 'B', 0x73, 0, 0, 0, 0, 0, 0, 0, 0, 0});  // SESSION_SETUP_ANDX
    EXPECT_TRUE(socket.IsClosedByServer());
  }
  {
    RawSocket socket;
    const std::vector<std::string> dialects = {"SMB 2.???"};
    Bytes frame = smb2::EncodeSmb1Negotiate(dialects);
    frame.resize(frame.size() - 3);
    socket.SendFrame(frame);
    EXPECT_TRUE(socket.IsClosedByServer()) << "truncated";
  }
  {
    RawSocket socket;
    const std::vector<std::string> dialects = {"SMB 2.???"};
    const Bytes frame = smb2::EncodeSmb1Negotiate(dialects);
    socket.SendFrame(frame);
    (void)socket.ReceiveFrame();
    socket.SendFrame(frame);
    EXPECT_TRUE(socket.IsClosedByServer()) << "a second one";
  }
  co_await bed.ExpectServerLives();
}

CASE(Negotiate, DialectsAreChosenByTheServer) {
  ConnectOptions options = bed.To();
  options.dialects = {Dialect::k210, Dialect::k202};
  EXPECT_EQ((co_await bed.Connect(options))->dialect(), Dialect::k210);
  options.dialects = {Dialect::k311, Dialect::k300, static_cast<Dialect>(0x0399)};
  EXPECT_EQ((co_await bed.Connect(options))->dialect(), Dialect::k311);
  options.dialects = {static_cast<Dialect>(0x0399)};
  const auto none = co_await Connection::Open(options);
  EXPECT_EQ(none.status(), NtStatus::kNotSupported);
}

CASE(Negotiate, WithoutSigningCapabilitiesCmacSigns) {
  ConnectOptions options = bed.To(Dialect::k311);
  options.signing_algorithms.clear();
  const ConnectionPtr connection = co_await bed.Connect(options);
  EXPECT_EQ(connection->signing_algorithm(), crypto::SigningAlgorithm::kAesCmac);
  const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
  EXPECT_EQ(co_await StatusOfEcho(session), NtStatus::kSuccess);
}

CASE(Negotiate, UnknownCiphersAndAlgorithmsFallBack) {
  ConnectOptions options = bed.To(Dialect::k311);
  options.ciphers = {0x7777};
  options.signing_algorithms = {0x7777};
  const ConnectionPtr connection = co_await bed.Connect(options);
  EXPECT_EQ(connection->cipher(), crypto::Cipher::kNone);
  EXPECT_EQ(connection->signing_algorithm(), crypto::SigningAlgorithm::kAesCmac);
  const SessionPtr session = co_await bed.SignIn(connection, Bed::Alice());
  EXPECT_EQ(co_await StatusOfEcho(session), NtStatus::kSuccess);
}

}  // namespace holdfast::client
