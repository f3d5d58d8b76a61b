// The only lists of the information classes that are answered. Adding one is a function and a line in registry.cc.
#pragma once

#include "server/info/info_class.h"

namespace holdfast {

// Null when there is no row: FileQueryRefusal and FileSetRefusal then say why.
const FileInfoRow* FindFileInfo(fscc::FileInformationClass id);
const FileInfoRow* FindPipeInfo(fscc::FileInformationClass id);  // for opens of named pipes
const FsInfoRow* FindFsInfo(fscc::FsInformationClass id);

// The status for a class that is not answered, [MS-SMB2] 3.3.5.20.1 and 3.3.5.21.1 with the lists of Windows.
NtStatus FileQueryRefusal(std::uint8_t id);
NtStatus FileSetRefusal(std::uint8_t id);
// 3.3.5.20.2
NtStatus FsQueryRefusal(std::uint8_t id);

}  // namespace holdfast
