// [MS-SMB2] 3.3.1.9: a share as one session uses it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "storage/files/files.h"

namespace holdfast {

// A share as configured, with the engine behind it. IPC$ has no files.
struct Share {
  std::u16string name;
  std::string comment;
  bool is_ipc = false;
  bool encrypt_data = false;             // encryption required
  bool access_based_enumeration = false;
  std::uint32_t share_capabilities = 0;  // SMB2_SHARE_CAP_*, dialect 3.x
  std::shared_ptr<const ShareContext> context;  // null for IPC$
  Files* files = nullptr;                // null for IPC$
};
using SharePtr = std::shared_ptr<const Share>;

struct Session;

struct TreeConnect {
  std::uint32_t tree_id = 0;             // unique in the session
  std::weak_ptr<Session> session;
  SharePtr share;
  std::uint32_t maximal_access = 0;      // what the share permission leaves this user
  bool disconnected = false;
};
using TreeConnectPtr = std::shared_ptr<TreeConnect>;

}  // namespace holdfast
