#include "server/commands/payload.h"

#include <gtest/gtest.h>

#include "protocol/smb2/header.h"
#include "protocol/smb2/messages/ioctl.h"
#include "protocol/smb2/messages/query_directory.h"
#include "protocol/smb2/messages/query_info.h"
#include "protocol/smb2/messages/read.h"
#include "protocol/smb2/messages/set_info.h"
#include "protocol/smb2/messages/write.h"
#include "protocol/smb2/messages/change_notify.h"
#include "protocol/smb2/messages/echo.h"

namespace holdfast {
namespace {

template <class M>
std::uint32_t Payload(smb2::Command command, const M& body) {
  smb2::Header header;
  header.command = command;
  return PayloadBytes(command, smb2::EncodeMessage(header, body));
}

TEST(PayloadBytes, IsWhatReadWillAnswer) {
  EXPECT_EQ(Payload(smb2::Command::kRead, smb2::ReadRequest{.length = 1u << 20}), 1u << 20);
}

TEST(PayloadBytes, IsWhatWriteAndSetInfoSend) {
  const Bytes data(70'000);
  EXPECT_EQ(Payload(smb2::Command::kWrite, smb2::WriteRequest{.data = data}), 70'000u);
  EXPECT_EQ(Payload(smb2::Command::kSetInfo, smb2::SetInfoRequest{.buffer = data}), 70'000u);
}

TEST(PayloadBytes, OfQueriesIsTheirOutputBuffer) {
  EXPECT_EQ(Payload(smb2::Command::kQueryDirectory, smb2::QueryDirectoryRequest{.output_buffer_length = 65'537}), 65'537u);
  EXPECT_EQ(Payload(smb2::Command::kChangeNotify, smb2::ChangeNotifyRequest{.output_buffer_length = 4096}), 4096u);
  EXPECT_EQ(Payload(smb2::Command::kQueryInfo, smb2::QueryInfoRequest{.output_buffer_length = 131'072}), 131'072u);
}

TEST(PayloadBytes, OfQueryInfoCountsTheInputWhenItIsLonger) {
  const Bytes input(500);
  EXPECT_EQ(Payload(smb2::Command::kQueryInfo,
                    smb2::QueryInfoRequest{.output_buffer_length = 100, .input_buffer = input}),
            500u);
}

TEST(PayloadBytes, OfIoctlIsTheLargerOfBothSums) {
  const Bytes input(1000);
  EXPECT_EQ(Payload(smb2::Command::kIoctl, smb2::IoctlRequest{.max_input_response = 300,
                                                              .max_output_response = 600,
                                                              .input = input}),
            1000u);
  EXPECT_EQ(Payload(smb2::Command::kIoctl, smb2::IoctlRequest{.max_input_response = 300,
                                                              .max_output_response = 800,
                                                              .input = input}),
            1100u);
}

TEST(PayloadBytes, IsSentByFewCommandsOnly) {
  for (const auto command : {smb2::Command::kWrite, smb2::Command::kSetInfo, smb2::Command::kIoctl,
                             smb2::Command::kQueryInfo}) {
    EXPECT_TRUE(SendsPayload(command)) << smb2::CommandName(command);
  }
  for (const auto command : {smb2::Command::kRead, smb2::Command::kCreate, smb2::Command::kLock,
                             smb2::Command::kChangeNotify, smb2::Command::kSessionSetup}) {
    EXPECT_FALSE(SendsPayload(command)) << smb2::CommandName(command);
  }
}

TEST(PayloadBytes, DoesNotWrapWhenLengthsLie) {
  EXPECT_EQ(Payload(smb2::Command::kIoctl, smb2::IoctlRequest{.max_input_response = 0xFFFFFFFF,
                                                              .max_output_response = 0xFFFFFFFF}),
            0xFFFFFFFFu);
}

TEST(PayloadBytes, IsZeroForCommandsWithoutPayloadAndForStumps) {
  EXPECT_EQ(Payload(smb2::Command::kEcho, smb2::EchoRequest{}), 0u);
  smb2::Header header;
  header.command = smb2::Command::kRead;
  const Bytes message = smb2::EncodeMessage(header, smb2::ReadRequest{.length = 4096});
  EXPECT_EQ(PayloadBytes(smb2::Command::kRead, ByteView(message).first(smb2::kHeaderSize + 7)), 0u);
  EXPECT_EQ(PayloadBytes(smb2::Command::kRead, ByteView(message).first(smb2::kHeaderSize + 8)), 4096u);
  EXPECT_EQ(PayloadBytes(smb2::Command::kRead, ByteView()), 0u);
}

}  // namespace
}  // namespace holdfast
