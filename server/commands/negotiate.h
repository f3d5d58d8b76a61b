#pragma once

#include "protocol/base/bytes.h"

namespace holdfast {

class Connection;

// [MS-SMB2] 3.3.5.3: the SMB1 multi-protocol negotiate is answered with an SMB2 NEGOTIATE response. False: the
// connection must end (not a negotiate, no SMB2 dialect offered, or not the first message).
bool AnswerSmb1Negotiate(Connection& connection, ByteView frame);

}  // namespace holdfast
