// What a CREATE asks for, gathered from its fixed fields and its contexts, [MS-SMB2] 2.2.13.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/smb2/contexts/durable_handle.h"
#include "protocol/smb2/messages/create.h"
#include "storage/files/files.h"

namespace holdfast {

struct CreateIntent {
  std::u16string path;  // share-relative, see path.h

  std::vector<ExtendedAttribute> eas;             // ExtA
  std::optional<Bytes> security_descriptor;       // SecD
  std::uint64_t allocation_size = 0;              // AlSi
  std::optional<FileTime> snapshot;               // TWrp
  CachingRequest caching;                         // oplock level, RqLs
  std::optional<AppInstance> app_instance;        // AppInstanceId, AppInstanceVersion
  std::optional<std::pair<std::uint64_t, std::uint64_t>> app_version;

  bool durable_v1 = false;                                          // DHnQ
  std::optional<smb2::DurableHandleReconnect> reconnect_v1;         // DHnC
  std::optional<smb2::DurableHandleRequestV2> durable_v2;           // DH2Q
  std::optional<smb2::DurableHandleReconnectV2> reconnect_v2;       // DH2C

  bool maximal_access_wanted = false;             // MxAc
  std::optional<FileTime> maximal_access_since;   // its timestamp
  bool on_disk_id_wanted = false;                 // QFid

  bool reconnects() const { return reconnect_v1 || reconnect_v2; }
};

}  // namespace holdfast
