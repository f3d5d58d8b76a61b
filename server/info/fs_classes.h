// [MS-FSCC] 2.5: what is told of the volume behind a share.
#pragma once

#include "server/info/info_class.h"

namespace holdfast::info {

Task<QueryResult> QueryFsVolume(InfoQuery query);
Task<QueryResult> QueryFsSize(InfoQuery query);
Task<QueryResult> QueryFsDevice(InfoQuery query);
Task<QueryResult> QueryFsAttribute(InfoQuery query);
Task<QueryResult> QueryFsControl(InfoQuery query);
Task<QueryResult> QueryFsFullSize(InfoQuery query);
Task<QueryResult> QueryFsObjectId(InfoQuery query);
Task<QueryResult> QueryFsSectorSize(InfoQuery query);

}  // namespace holdfast::info
