// The path of a CREATE as clients send it, [MS-SMB2] 2.2.13 and 3.3.5.9.
#pragma once

#include <string>
#include <string_view>

#include "protocol/erref/result.h"

namespace holdfast {

class Server;

// The path with backslashes only and without components "." and ".."; the names themselves are judged by storage/files.
// Behaviour notes 303 and 304: STATUS_INVALID_PARAMETER for a leading separator and for one that begins in the form
// "x\..\"; STATUS_OBJECT_PATH_SYNTAX_BAD when ".." leads out of the share; STATUS_ACCESS_DENIED for names of DOS
// devices; STATUS_OBJECT_NAME_INVALID for a zero.
Result<std::u16string> NormalizePath(std::u16string_view path);

// The path behind "server\share\" when SMB2_FLAGS_DFS_OPERATIONS is set and the first two components are this server
// and this share; else the path as it is. Shares here are no DFS shares, yet some clients send such paths.
std::u16string_view WithoutDfsPrefix(const Server& server, std::u16string_view share, std::u16string_view path);

}  // namespace holdfast
