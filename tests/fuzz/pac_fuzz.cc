// LOGON_INFO of a PAC, and the token of the user it speaks of.
#include "auth/identity_policy.h"
#include "auth/pac.h"
#include "protocol/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  const auto info = DecodeLogonInfo({data, size});
  if (!info.ok()) return 0;
  // Each group came from at least eight bytes of the input.
  HOLDFAST_CHECK((info->groups.size() + info->extra_sids.size() + info->resource_groups.size()) * 8 <= size);
  const auto token = TokenFromPac(*info, {});
  if (token) HOLDFAST_CHECK(!token->is_administrator() && !token->backup && !token->Contains(well_known::LocalSystem()));
  return 0;
}
