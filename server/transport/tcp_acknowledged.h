// What the kernel knows of the other side's TCP.
#pragma once

#include <cstdint>
#include <optional>

namespace holdfast {

// Bytes written to this TCP socket that the peer has acknowledged since the connection began; nullopt when the kernel
// does not tell (Linux before 4.1, no TCP socket).
std::optional<std::uint64_t> TcpAcknowledgedBytes(int socket);

}  // namespace holdfast
