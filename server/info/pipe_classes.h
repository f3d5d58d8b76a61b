// [MS-FSCC] 2.4.37-2.4.39 and the common classes, for opens of named pipes.
#pragma once

#include "server/info/info_class.h"

namespace holdfast::info {

Task<QueryResult> QueryPipeBasic(InfoQuery query);
Task<QueryResult> QueryPipeStandard(InfoQuery query);
Task<QueryResult> QueryPipe(InfoQuery query);
Task<QueryResult> QueryPipeLocal(InfoQuery query);

Task<NtStatus> SetPipe(InfoSet set);

}  // namespace holdfast::info
