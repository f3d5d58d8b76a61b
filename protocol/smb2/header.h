// [MS-SMB2] 2.2.1: the packet header, in its SYNC and its ASYNC form.
#pragma once

#include <array>
#include <cstdint>

#include "protocol/base/bytes.h"
#include "protocol/erref/result.h"
#include "protocol/smb2/command.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

inline constexpr std::uint32_t kFlagServerToRedir = 0x00000001;  // a response
inline constexpr std::uint32_t kFlagAsyncCommand = 0x00000002;
inline constexpr std::uint32_t kFlagRelatedOperations = 0x00000004;
inline constexpr std::uint32_t kFlagSigned = 0x00000008;
inline constexpr std::uint32_t kFlagPriorityMask = 0x00000070;
inline constexpr std::uint32_t kFlagDfsOperations = 0x10000000;
inline constexpr std::uint32_t kFlagReplayOperation = 0x20000000;

inline constexpr std::array<std::uint8_t, 4> kProtocolId = {0xFE, 'S', 'M', 'B'};
inline constexpr std::uint64_t kUnsolicitedMessageId = ~0ULL;  // of oplock and lease breaks

struct Header {
  std::uint16_t credit_charge = 0;
  std::uint32_t status_or_channel_sequence = 0;  // a status in responses, a channel sequence in SMB 3.x requests
  Command command = Command::kNegotiate;
  std::uint16_t credits = 0;  // CreditRequest or CreditResponse
  std::uint32_t flags = 0;
  std::uint32_t next_command = 0;
  std::uint64_t message_id = 0;
  std::uint64_t async_id = 0;    // only with kFlagAsyncCommand ...
  std::uint32_t process_id = 0;  // ... and these two only without ("Reserved" in the specification)
  std::uint32_t tree_id = 0;
  std::uint64_t session_id = 0;
  std::array<std::uint8_t, 16> signature{};

  bool is_response() const { return (flags & kFlagServerToRedir) != 0; }
  bool is_async() const { return (flags & kFlagAsyncCommand) != 0; }
  bool is_related() const { return (flags & kFlagRelatedOperations) != 0; }
  bool is_signed() const { return (flags & kFlagSigned) != 0; }
  bool is_replay() const { return (flags & kFlagReplayOperation) != 0; }

  NtStatus status() const { return static_cast<NtStatus>(status_or_channel_sequence); }
  void set_status(NtStatus status) { status_or_channel_sequence = static_cast<std::uint32_t>(status); }
  std::uint16_t channel_sequence() const { return static_cast<std::uint16_t>(status_or_channel_sequence); }
  void set_channel_sequence(std::uint16_t sequence) { status_or_channel_sequence = sequence; }

  // STATUS_INVALID_PARAMETER when shorter than 64 bytes, of another protocol, or with another StructureSize.
  static Result<Header> Decode(ByteView message) { return wire::Decode<Header>(message); }
  void AppendTo(Bytes& out) const { wire::AppendTo(out, *this); }

  static void Fields(auto& m, auto& c) {
    c.Constant(kProtocolId, "protocol_id");
    c.StructureSize(64);
    c.Field(m.credit_charge, "credit_charge");
    c.Field(m.status_or_channel_sequence, "status");
    c.Field(m.command, "command");
    c.Field(m.credits, "credits");
    c.Field(m.flags, "flags");
    c.Field(m.next_command, "next_command");
    c.Field(m.message_id, "message_id");
    if (m.is_async()) {
      c.Field(m.async_id, "async_id");
    } else {
      c.Field(m.process_id, "process_id");
      c.Field(m.tree_id, "tree_id");
    }
    c.Field(m.session_id, "session_id");
    c.Field(m.signature, "signature");
  }
};

// A whole message: header, then body.
template <class M>
Bytes EncodeMessage(const Header& header, const M& body) {
  Bytes out;
  header.AppendTo(out);
  AppendBody(out, body);
  return out;
}

}  // namespace holdfast::smb2
