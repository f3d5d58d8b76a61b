// The only list of the 19 commands. Dispatch, names in logs and metrics, and the admission rules come from it.
#pragma once

#include <array>
#include <string_view>

#include "protocol/smb2/command.h"
#include "server/request/request.h"

namespace holdfast {

enum class Needs : std::uint8_t { kNothing, kSession, kTree, kOpen };

struct CommandRow {
  smb2::Command code;
  Needs needs;
  std::uint8_t file_id_offset;     // of the FileId in the body (needs kOpen), 0: the handler finds it
  bool channel_sequence;           // 3.3.5.2.10 fails it with FILE_NOT_AVAILABLE on a stale sequence (WRITE, SET_INFO, IOCTL)
  bool runs_when_expired;          // LOGOFF, CLOSE, LOCK (3.3.5.2.9)
  bool clears_replay_eligible;     // on the open it works on
  Task<Reply> (*handle)(RequestPtr request);
};

// One function per file of commands/.
Task<Reply> HandleNegotiate(RequestPtr request);
Task<Reply> HandleSessionSetup(RequestPtr request);
Task<Reply> HandleLogoff(RequestPtr request);
Task<Reply> HandleTreeConnect(RequestPtr request);
Task<Reply> HandleTreeDisconnect(RequestPtr request);
Task<Reply> HandleCreate(RequestPtr request);
Task<Reply> HandleClose(RequestPtr request);
Task<Reply> HandleFlush(RequestPtr request);
Task<Reply> HandleRead(RequestPtr request);
Task<Reply> HandleWrite(RequestPtr request);
Task<Reply> HandleLock(RequestPtr request);
Task<Reply> HandleIoctl(RequestPtr request);
Task<Reply> HandleCancel(RequestPtr request);
Task<Reply> HandleEcho(RequestPtr request);
Task<Reply> HandleQueryDirectory(RequestPtr request);
Task<Reply> HandleChangeNotify(RequestPtr request);
Task<Reply> HandleQueryInfo(RequestPtr request);
Task<Reply> HandleSetInfo(RequestPtr request);
Task<Reply> HandleOplockBreak(RequestPtr request);

// clang-format off
inline constexpr CommandRow kCommands[] = {
  // code                          needs            FileId  sequence expired replay  handler
  {smb2::Command::kNegotiate,      Needs::kNothing,  0, false, true,  false, HandleNegotiate},
  {smb2::Command::kSessionSetup,   Needs::kNothing,  0, false, true,  false, HandleSessionSetup},
  {smb2::Command::kLogoff,         Needs::kSession,  0, false, true,  false, HandleLogoff},
  {smb2::Command::kTreeConnect,    Needs::kSession,  0, false, false, false, HandleTreeConnect},
  {smb2::Command::kTreeDisconnect, Needs::kTree,     0, false, false, false, HandleTreeDisconnect},
  {smb2::Command::kCreate,         Needs::kTree,     0, false, false, false, HandleCreate},
  {smb2::Command::kClose,          Needs::kOpen,     8, false, true,  false, HandleClose},
  {smb2::Command::kFlush,          Needs::kOpen,     8, false, false, true,  HandleFlush},
  {smb2::Command::kRead,           Needs::kOpen,    16, false, false, true,  HandleRead},
  {smb2::Command::kWrite,          Needs::kOpen,    16, true,  false, true,  HandleWrite},
  {smb2::Command::kLock,           Needs::kOpen,     8, false, true,  true,  HandleLock},
  {smb2::Command::kIoctl,          Needs::kTree,     0, true,  false, true,  HandleIoctl},
  {smb2::Command::kCancel,         Needs::kNothing,  0, false, true,  false, HandleCancel},
  {smb2::Command::kEcho,           Needs::kNothing,  0, false, true,  false, HandleEcho},
  {smb2::Command::kQueryDirectory, Needs::kOpen,     8, false, false, true,  HandleQueryDirectory},
  {smb2::Command::kChangeNotify,   Needs::kOpen,     8, false, false, true,  HandleChangeNotify},
  {smb2::Command::kQueryInfo,      Needs::kOpen,    24, false, false, true,  HandleQueryInfo},
  {smb2::Command::kSetInfo,        Needs::kOpen,    16, true,  false, true,  HandleSetInfo},
  {smb2::Command::kOplockBreak,    Needs::kTree,     0, false, false, false, HandleOplockBreak},
};
// clang-format on

static_assert(std::size(kCommands) == smb2::kCommandCount);
static_assert([] {
  for (std::size_t i = 0; i < std::size(kCommands); ++i)
    if (static_cast<std::size_t>(kCommands[i].code) != i) return false;
  return true;
}());

inline const CommandRow& RowOf(smb2::Command command) { return kCommands[static_cast<std::size_t>(command)]; }

}  // namespace holdfast
