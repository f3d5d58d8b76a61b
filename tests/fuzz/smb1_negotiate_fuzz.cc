// The SMB1 multi-protocol negotiate: what is read, written again, reads the same.
#include "protocol/base/check.h"
#include "protocol/smb2/smb1_negotiate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using holdfast::smb2::Smb1Negotiate;
  const auto first = Smb1Negotiate::Decode(holdfast::ByteView(data, size));
  if (!first.ok()) return 0;
  const auto second = Smb1Negotiate::Decode(holdfast::smb2::EncodeSmb1Negotiate(first->dialects));
  HOLDFAST_CHECK(second.ok());
  HOLDFAST_CHECK(second->dialects == first->dialects);
  return 0;
}
