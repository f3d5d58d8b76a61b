// [MS-SMB2] 2.2.32.5: the answer to FSCTL_QUERY_NETWORK_INTERFACE_INFO.
#pragma once

#include <array>
#include <vector>

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.32.5.1: 128 bytes; addresses in network order.
struct SockaddrStorage {
  static constexpr std::uint16_t kInterNetwork = 0x0002;
  static constexpr std::uint16_t kInterNetworkV6 = 0x0017;

  std::uint16_t family = kInterNetwork;
  std::array<std::uint8_t, 4> ipv4_address{};   // with kInterNetwork
  std::array<std::uint8_t, 16> ipv6_address{};  // with kInterNetworkV6

  static void Fields(auto& m, auto& c) {
    c.Field(m.family, "family");
    c.Reserved(2, "port");
    if (m.family == kInterNetworkV6) {
      c.Reserved(4, "flow_info");
      c.Field(m.ipv6_address, "ipv6_address");
      c.Reserved(104, "scope_id, reserved");
    } else {
      c.Field(m.ipv4_address, "ipv4_address");
      c.Reserved(120, "reserved");
    }
  }
};

struct NetworkInterfaceInfo {
  static constexpr std::uint32_t kRssCapable = 0x00000001;
  static constexpr std::uint32_t kRdmaCapable = 0x00000002;

  std::uint32_t if_index = 0;
  std::uint32_t capability = 0;
  std::uint64_t link_speed = 0;  // bits per second
  SockaddrStorage sockaddr_storage{};

  static void Fields(auto& m, auto& c) {
    // Next belongs to the chain.
    c.Field(m.if_index, "if_index");
    c.Field(m.capability, "capability");
    c.Reserved(4, "reserved");
    c.Field(m.link_speed, "link_speed");
    c.Field(m.sockaddr_storage, "sockaddr_storage");
  }
};

struct NetworkInterfaceInfoResponse {
  std::vector<NetworkInterfaceInfo> interfaces{};

  static void Fields(auto& m, auto& c) { c.Chain(m.interfaces, "interfaces"); }
};

}  // namespace holdfast::smb2
