// The path of a CREATE as clients send it, [MS-SMB2] 2.2.13 and 3.3.5.9.
#pragma once

#include <string>
#include <string_view>

#include "protocol/erref/result.h"

namespace holdfast {

class Server;

// Checks what has to do with the protocol; the names themselves are judged by storage/files.
// STATUS_INVALID_PARAMETER for a leading backslash; STATUS_OBJECT_PATH_SYNTAX_BAD for components "." and "..";
// STATUS_ACCESS_DENIED for names of DOS devices, as Windows; STATUS_OBJECT_NAME_INVALID for a zero.
NtStatus CheckPath(std::u16string_view path);

// The path behind "server\share\" when SMB2_FLAGS_DFS_OPERATIONS is set and the first two components are this server
// and this share; else the path as it is. Shares here are no DFS shares, yet some clients send such paths.
std::u16string_view WithoutDfsPrefix(const Server& server, std::u16string_view share, std::u16string_view path);

}  // namespace holdfast
