// [MS-SMB2] 3.3.5.15.11: by which addresses a client may open further channels.
#include "protocol/smb2/ioctl/network_interface_info.h"
#include "server/ioctl/functions.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <string>

namespace holdfast::ioctl {
namespace {

// Of an interface whose driver does not say, as loopback and most virtual ones: clients refuse 0.
constexpr std::uint64_t kDefaultLinkSpeed = 1'000'000'000;

std::uint64_t LinkSpeed(const std::string& interface_name) {
  std::ifstream file("/sys/class/net/" + interface_name + "/speed");
  std::int64_t megabits = 0;
  if (!(file >> megabits) || megabits <= 0) return kDefaultLinkSpeed;
  return static_cast<std::uint64_t>(megabits) * 1'000'000;
}

// False for families other than IP.
bool Fill(const sockaddr* address, smb2::SockaddrStorage& out, std::string& text) {
  char buffer[INET6_ADDRSTRLEN] = {};
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    out.family = smb2::SockaddrStorage::kInterNetwork;
    std::memcpy(out.ipv4_address.data(), &in.sin_addr, out.ipv4_address.size());
    text = inet_ntop(AF_INET, &in.sin_addr, buffer, sizeof buffer);
    return true;
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    if (IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr)) return false;  // of no use without its scope
    out.family = smb2::SockaddrStorage::kInterNetworkV6;
    std::memcpy(out.ipv6_address.data(), &in.sin6_addr, out.ipv6_address.size());
    text = inet_ntop(AF_INET6, &in.sin6_addr, buffer, sizeof buffer);
    return true;
  }
  return false;
}

// The addresses of this machine that are up. Loopback only when the client itself came by it.
smb2::NetworkInterfaceInfoResponse Interfaces(const std::string& arrived_at) {
  smb2::NetworkInterfaceInfoResponse response;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return response;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
    if (!entry->ifa_addr || (entry->ifa_flags & IFF_UP) == 0) continue;
    smb2::NetworkInterfaceInfo info;
    std::string text;
    if (!Fill(entry->ifa_addr, info.sockaddr_storage, text)) continue;
    if ((entry->ifa_flags & IFF_LOOPBACK) != 0 && text != arrived_at) continue;
    info.if_index = if_nametoindex(entry->ifa_name);
    if (info.if_index == 0) continue;
    info.link_speed = LinkSpeed(entry->ifa_name);
    response.interfaces.push_back(info);
  }
  return response;
}

}  // namespace

Task<ControlResult> QueryNetworkInterfaceInfo(ControlCall call) {
  // Answered whether or not MULTI_CHANNEL was announced, which the specification leaves to the server: who asks
  // without it only wants to know.
  const Connection& connection = *call.request->connection;
  if (!connection.smb3()) co_return NtStatus::kNotSupported;
  // "10.0.0.1:445" or "[fe80::1]:445" without port and brackets.
  std::string arrived_at = connection.transport->local();
  arrived_at = arrived_at.substr(0, arrived_at.rfind(':'));
  if (arrived_at.size() > 1 && arrived_at.front() == '[') arrived_at = arrived_at.substr(1, arrived_at.size() - 2);
  Bytes output = wire::Encode(Interfaces(arrived_at));
  if (output.size() > call.max_output()) co_return NtStatus::kBufferTooSmall;
  co_return output;
}

}  // namespace holdfast::ioctl
