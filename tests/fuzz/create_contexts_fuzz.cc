// The chain of create contexts alone, and what each name says of its data.
#include "protocol/base/check.h"
#include "protocol/smb2/registry.h"

namespace holdfast::smb2 {
namespace {

struct ContextChain {
  std::vector<CreateContext> contexts;

  static void Fields(auto& m, auto& c) { c.Chain(m.contexts, "contexts"); }
};

template <class M>
void Try(ByteView data) {
  const Result<M> m = wire::Decode<M>(data);
  if (m.ok()) static_cast<void>(wire::Print(*m).size());
}

void Contexts(ByteView bytes) {
  const Result<ContextChain> chain = wire::Decode<ContextChain>(bytes);
  if (!chain.ok()) return;
  for (const CreateContext& context : chain->contexts) {
    HOLDFAST_CHECK(context.name.size() >= CreateContext::kMinNameLength);
    HOLDFAST_CHECK(context.data.empty() ||
                   (context.data.data() >= bytes.data() &&
                    context.data.data() + context.data.size() <= bytes.data() + bytes.size()));
    if (context.name == create_context::kDurableHandleReconnect) Try<DurableHandleReconnect>(context.data);
    if (context.name == create_context::kDurableHandleRequestV2) Try<DurableHandleRequestV2>(context.data);
    if (context.name == create_context::kDurableHandleReconnectV2) Try<DurableHandleReconnectV2>(context.data);
    if (context.name == create_context::kQueryMaximalAccess) Try<QueryMaximalAccessRequest>(context.data);
    if (context.name == create_context::kAllocationSize) Try<AllocationSize>(context.data);
    if (context.name == create_context::kTimewarpToken) Try<TimewarpToken>(context.data);
    if (context.name == create_context::kRequestLease) Try<LeaseContext>(context.data);
    if (context.name == create_context::kRequestLease) Try<LeaseContextV2>(context.data);
    if (context.name == create_context::kAppInstanceId) Try<AppInstanceId>(context.data);
    if (context.name == create_context::kAppInstanceVersion) Try<AppInstanceVersion>(context.data);
  }
  const Bytes again = wire::Encode(*chain);
  const Result<ContextChain> second = wire::Decode<ContextChain>(again);
  HOLDFAST_CHECK(second.ok());
  HOLDFAST_CHECK(wire::Print(*second) == wire::Print(*chain));
}

}  // namespace
}  // namespace holdfast::smb2

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= 16384) holdfast::smb2::Contexts(holdfast::ByteView(data, size));
  return 0;
}
