// One node put together from its configuration: engine, volume, files, sign-in, server, listeners. The only place
// that names concrete classes.
#pragma once

#include <memory>
#include <string>

#include "server/config.h"

namespace holdfast {

class Node {
 public:
  Node();
  ~Node();

  // Exit status of holdfastd: 0 after SIGTERM or SIGINT, 1 when it failed at work, 2 when configuration or environment
  // do not let it start (the message, printed to stderr, names the cause).
  int Run(const ServerConfig& config);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace holdfast
