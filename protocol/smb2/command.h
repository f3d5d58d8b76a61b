// [MS-SMB2] 2.2.1: the command codes.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::smb2 {

enum class Command : std::uint16_t {
  kNegotiate = 0x00,
  kSessionSetup = 0x01,
  kLogoff = 0x02,
  kTreeConnect = 0x03,
  kTreeDisconnect = 0x04,
  kCreate = 0x05,
  kClose = 0x06,
  kFlush = 0x07,
  kRead = 0x08,
  kWrite = 0x09,
  kLock = 0x0A,
  kIoctl = 0x0B,
  kCancel = 0x0C,
  kEcho = 0x0D,
  kQueryDirectory = 0x0E,
  kChangeNotify = 0x0F,
  kQueryInfo = 0x10,
  kSetInfo = 0x11,
  kOplockBreak = 0x12,
};

// Requests of 0x00..0x12 exist; anything else is a malformed header.
inline constexpr std::uint16_t kCommandCount = 0x13;

constexpr bool IsKnown(Command command) { return static_cast<std::uint16_t>(command) < kCommandCount; }

// "CREATE"; "UNKNOWN" for a value outside of the list.
constexpr std::string_view CommandName(Command command) {
  constexpr std::string_view kNames[kCommandCount] = {
      "NEGOTIATE", "SESSION_SETUP", "LOGOFF", "TREE_CONNECT", "TREE_DISCONNECT", "CREATE",          "CLOSE",
      "FLUSH",     "READ",          "WRITE",  "LOCK",         "IOCTL",           "CANCEL",          "ECHO",
      "QUERY_DIRECTORY", "CHANGE_NOTIFY", "QUERY_INFO", "SET_INFO", "OPLOCK_BREAK"};
  return IsKnown(command) ? kNames[static_cast<std::uint16_t>(command)] : "UNKNOWN";
}

}  // namespace holdfast::smb2
