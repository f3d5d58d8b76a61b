// FSCTL_SMBTORTURE, as far as it comes without a session. Test builds only.
#pragma once

#include "server/request/request.h"

namespace holdfast::ioctl {

#if HOLDFAST_FAULT_POINTS
// FSCTL_SMBTORTURE_FORCE_UNACKED_TIMEOUT, which smbtorture sends outside of any session: carried out, and answered by the
// second function. False for every other request.
bool ForceUnackedTimeout(const Request& request);
Reply ForcedUnackedTimeout();
#endif

}  // namespace holdfast::ioctl
