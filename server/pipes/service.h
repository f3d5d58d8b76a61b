// What a pipe serves: one RPC interface of ours.
#pragma once

#include <memory>
#include <optional>

#include "protocol/rpc/ndr.h"
#include "protocol/rpc/server_connection.h"
#include "server/pipes/pipe.h"

namespace holdfast {

// Win32 error codes that end the NET_API_STATUS operations, [MS-ERREF] 2.2 and [MS-SRVS] 2.2.2.
namespace win32_error {
inline constexpr std::uint32_t kSuccess = 0;
inline constexpr std::uint32_t kAccessDenied = 5;
inline constexpr std::uint32_t kInvalidLevel = 124;
inline constexpr std::uint32_t kNetNameNotFound = 2310;  // NERR_NetNameNotFound
}  // namespace win32_error

// One open's instance of an interface; lives as long as the pipe.
class PipeService {
 public:
  virtual ~PipeService() = default;
  // Runs one operation on its request stub.
  virtual rpc::CallResult Call(std::uint16_t opnum, ByteView stub) = 0;
};

std::unique_ptr<PipeService> NewSrvsvc(const PipeEnvironment& environment);
std::unique_ptr<PipeService> NewWkssvc(const PipeEnvironment& environment);
std::unique_ptr<PipeService> NewLsarpc(const PipeEnvironment& environment);

inline bool CallerIsAdministrator(const PipeEnvironment& environment) {
  return environment.caller != nullptr && environment.caller->is_administrator();
}

}  // namespace holdfast
