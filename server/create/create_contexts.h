// The registry of create contexts, [MS-SMB2] 2.2.13.2: what each may look like, what it asks for, what it is answered.
#pragma once

#include "server/create/create_intent.h"

namespace holdfast {

// What the connection allows, as far as contexts depend on it.
struct CreateContextRules {
  std::uint16_t dialect = 0;
  bool leasing = false;  // Connection.ServerCapabilities has LEASING
};

// Reads the contexts of `message` into `intent`. Unknown ones, and those of a later dialect, are ignored. The first of
// several equal ones counts. Errors: those of the contexts' own sections, and STATUS_INVALID_PARAMETER for malformed
// data or a combination that 3.3.5.9.6-12 forbids.
NtStatus ParseCreateContexts(const smb2::CreateRequest& message, const CreateContextRules& rules,
                             CreateIntent& intent);

// What the contexts of the response say.
struct CreateAnswer {
  const Open* open = nullptr;
  const FileFacts* facts = nullptr;
  std::uint64_t volume_id = 0;
  bool durable_response = false;
};
std::vector<smb2::CreateContext> AnswerCreateContexts(const CreateIntent& intent, const CreateAnswer& answer);

}  // namespace holdfast
