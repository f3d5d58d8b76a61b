// [MS-FSCC] 2.4.5, 2.4.35, 2.4.49 and 2.4.42, 2.4.28: names of a file and of its streams.
#pragma once

#include "server/info/info_class.h"

namespace holdfast::info {

Task<QueryResult> QueryAlternateName(InfoQuery query);
Task<QueryResult> QueryNormalizedName(InfoQuery query);
Task<QueryResult> QueryStreams(InfoQuery query);

Task<NtStatus> SetRename(InfoSet set);
Task<NtStatus> SetRenameEx(InfoSet set);
Task<NtStatus> SetLink(InfoSet set);

}  // namespace holdfast::info
