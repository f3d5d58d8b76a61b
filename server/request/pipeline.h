// The life of a request, from the frame to the answer: Receive, Unwrap, Admit, Decode, Execute, Persist, Reply, Send.
// Decode and Persist happen inside the handler: the first when it decodes its body, the second when storage/files
// returns, which it does only when what it acknowledges is durable.
#pragma once

#include <memory>

#include "server/request/request.h"
#include "server/server.h"

namespace holdfast {

class Pipeline {
 public:
  // Serves the connection until its end, then loses its sessions.
  static Task<void> Run(std::shared_ptr<Connection> connection);
  // Sends STATUS_PENDING for requests that have been executing since before `started_before`.
  static void SendInterimForSlow(Connection& connection, SteadyTime started_before);
};

}  // namespace holdfast
