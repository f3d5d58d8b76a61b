// Self-relative security descriptors: what is read, written again, reads the same; and the checks that walk over them.
#include "protocol/base/check.h"
#include "protocol/dtyp/access_check.h"
#include "protocol/dtyp/access_mask.h"
#include "protocol/dtyp/inheritance.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  const auto first = SecurityDescriptor::Parse(ByteView(data, size));
  if (!first.ok()) return 0;
  const auto second = SecurityDescriptor::Parse(first->Encode());
  HOLDFAST_CHECK(second.ok() && *second == *first);

  SecurityToken token;
  token.user = first->owner.value_or(well_known::Everyone());
  token.primary_group = well_known::Users();
  token.security = token.restore = true;
  const std::uint32_t maximal = MaximalAccess(*first, token);
  HOLDFAST_CHECK((maximal & ~access::kFileAllAccess) == 0);
  if (maximal != 0) HOLDFAST_CHECK(AccessCheck(*first, token, maximal).status == NtStatus::kSuccess);

  const SecurityDescriptor root = ShareRootDescriptor();
  for (const bool is_container : {true, false}) {
    if (const auto child = CreateSecurityDescriptor(&*first, nullptr, is_container, token); child.ok())
      HOLDFAST_CHECK(SecurityDescriptor::Parse(child->Encode()).ok());
    if (const auto given = CreateSecurityDescriptor(&root, &*first, is_container, token); given.ok())
      HOLDFAST_CHECK(SecurityDescriptor::Parse(given->Encode()).ok());
  }
  for (std::uint32_t info = 1; info < 0x40; ++info) {
    SecurityDescriptor merged = root;
    if (merged.Merge(*first, info) == NtStatus::kSuccess)
      HOLDFAST_CHECK(SecurityDescriptor::Parse(merged.Select(info).Encode()).ok());
  }
  return 0;
}
