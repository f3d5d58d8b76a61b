// The break notifications of storage/files on their way to clients, [MS-SMB2] 3.3.4.6 and 3.3.4.7.
#pragma once

#include <functional>

#include "storage/files/caching.h"

namespace holdfast {

class Server;

// Starts to send it over the connections that may carry it. `done`: false when none could.
void CarryBreak(Server& server, CachingBreak notice, std::function<void(bool sent)> done);

}  // namespace holdfast
