// [MS-SMB2] 3.3.5.3 and [MS-CIFS] 2.2.4.52.1: the one SMB1 message that is understood, the multi-protocol negotiate
// with which older clients ask whether the server speaks SMB2.
#pragma once

#include <string>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/erref/result.h"

namespace holdfast::smb2 {

struct Smb1Negotiate {
  std::vector<std::string> dialects;

  bool Offers(std::string_view dialect) const;
  bool offers_202() const { return Offers("SMB 2.002"); }
  bool offers_wildcard() const { return Offers("SMB 2.???"); }  // 2.1 or later, to be settled by a second negotiate

  // `frame` begins with 0xFF 'S' 'M' 'B'. STATUS_INVALID_PARAMETER when it is not a well-formed SMB_COM_NEGOTIATE
  // request.
  static Result<Smb1Negotiate> Decode(ByteView frame);
};

// The request with these dialect strings, as a client or a test sends it.
Bytes EncodeSmb1Negotiate(const std::vector<std::string>& dialects);

}  // namespace holdfast::smb2
