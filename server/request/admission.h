// The Admit stage: what a request may do is decided here, from its row, before a handler sees it.
#pragma once

#include <optional>

#include "server/commands/registry.h"
#include "server/request/request.h"

namespace holdfast {

// What related requests of a chain inherit from the one before, [MS-SMB2] 3.3.5.2.7.2.
struct ChainState {
  bool broken = true;                     // nothing to inherit: no request before, or one that had no session
  std::uint64_t session_id = 0;
  std::uint32_t tree_id = 0;
  HandlePtr handle;                       // of the last CREATE or FileId used
  NtStatus handle_status = NtStatus::kInvalidParameter;  // what related requests get while there is no handle
};

// Finds session, tree and handle, checks signature, encryption, expiry and credit charge. nullopt: go on to the
// handler; else the answer.
std::optional<Reply> Admit(Request& request, const ChainState& chain);

}  // namespace holdfast
