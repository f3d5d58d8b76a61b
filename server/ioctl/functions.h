// The control codes that are carried out, by the file that holds them.
#pragma once

#include "server/ioctl/control_call.h"

namespace holdfast::ioctl {

// connection.cc
Task<ControlResult> ValidateNegotiateInfo(ControlCall call);
Task<ControlResult> DfsGetReferrals(ControlCall call);

// network_interfaces.cc
Task<ControlResult> QueryNetworkInterfaceInfo(ControlCall call);

// pipes.cc
Task<ControlResult> PipeWait(ControlCall call);
Task<ControlResult> PipePeek(ControlCall call);
Task<ControlResult> PipeTransceive(ControlCall call);

// copy.cc
Task<ControlResult> SrvRequestResumeKey(ControlCall call);
Task<ControlResult> SrvCopychunk(ControlCall call);

// duplicate_extents.cc
Task<ControlResult> DuplicateExtentsToFile(ControlCall call);
Task<ControlResult> DuplicateExtentsToFileEx(ControlCall call);

// ranges.cc
Task<ControlResult> SetSparse(ControlCall call);
Task<ControlResult> SetZeroData(ControlCall call);
Task<ControlResult> QueryAllocatedRanges(ControlCall call);
Task<ControlResult> FileLevelTrim(ControlCall call);
Task<ControlResult> QueryFileRegions(ControlCall call);

// reparse.cc
Task<ControlResult> GetReparsePoint(ControlCall call);
Task<ControlResult> SetReparsePoint(ControlCall call);
Task<ControlResult> DeleteReparsePoint(ControlCall call);

// file.cc
Task<ControlResult> CreateOrGetObjectId(ControlCall call);
Task<ControlResult> GetObjectId(ControlCall call);
Task<ControlResult> DeleteObjectId(ControlCall call);
Task<ControlResult> GetCompression(ControlCall call);
Task<ControlResult> SetCompression(ControlCall call);
Task<ControlResult> IsPathnameValid(ControlCall call);
Task<ControlResult> MarkHandle(ControlCall call);
Task<ControlResult> LmrRequestResiliency(ControlCall call);
Task<ControlResult> SrvEnumerateSnapshots(ControlCall call);
Task<ControlResult> SrvReadHash(ControlCall call);

#if HOLDFAST_FAULT_POINTS
// smbtorture.cc
Task<ControlResult> IoctlResponseBodyPadding8(ControlCall call);
Task<ControlResult> ReadResponseBodyPadding8(ControlCall call);
Task<ControlResult> FspAsyncSleep(ControlCall call);
#endif

}  // namespace holdfast::ioctl
