// GET /metrics in Prometheus' text form, over HTTP/1.1 by Boost.Beast.
#pragma once

#include <memory>
#include <string>

#include "storage/async/task.h"

namespace holdfast {

class Server;

class MetricsEndpoint {
 public:
  virtual ~MetricsEndpoint() = default;
  static std::unique_ptr<MetricsEndpoint> Open(Executor executor, const std::string& address_and_port, Server& server,
                                               std::string* error);
};

}  // namespace holdfast
