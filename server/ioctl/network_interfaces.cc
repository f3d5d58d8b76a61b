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
#include <set>
#include <string>

#include "server/transport/tcp_transport.h"

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

// What the server listens on, of one family: the addresses themselves, or all of the machine.
struct Listening {
  bool everywhere = false;
  std::set<std::string> addresses;
};

Listening WhereWeListen(const ServerConfig& config) {
  Listening listening;
  for (const std::string& text : config.listen) {
    std::string host;
    std::uint16_t port = 0;
    if (!SplitAddress(text, &host, &port)) continue;
    if (host == "0.0.0.0" || host == "::") listening.everywhere = true;
    listening.addresses.insert(host);
  }
  return listening;
}

bool IsLoopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

void Add(const ifaddrs& entry, const smb2::SockaddrStorage& address, smb2::NetworkInterfaceInfoResponse& response) {
  smb2::NetworkInterfaceInfo info;
  info.if_index = if_nametoindex(entry.ifa_name);
  if (info.if_index == 0) return;
  info.sockaddr_storage = address;
  info.link_speed = LinkSpeed(entry.ifa_name);
  response.interfaces.push_back(info);
}

// All of 127.0.0.0/8 is local, and only 127.0.0.1 is listed by the system.
void AddLoopback(const ifaddrs& entry, const Listening& listening, const std::string& arrived_at,
                 smb2::NetworkInterfaceInfoResponse& response) {
  std::set<std::string> addresses = listening.addresses;
  addresses.insert(arrived_at);
  for (const std::string& text : addresses) {
    smb2::SockaddrStorage address;
    address.family = smb2::SockaddrStorage::kInterNetwork;
    if (!text.starts_with("127.") || inet_pton(AF_INET, text.c_str(), address.ipv4_address.data()) != 1) continue;
    Add(entry, address, response);
  }
}

// The addresses of this node that are up and served; a client may come by any of them. Loopback only when the client
// itself came by it, and then nothing else. Without RSS_CAPABLE a client opens one connection for each pair of
// addresses: all of them would be served by the same thread.
smb2::NetworkInterfaceInfoResponse Interfaces(const ServerConfig& config, const std::string& arrived_at) {
  smb2::NetworkInterfaceInfoResponse response;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return response;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  const Listening listening = WhereWeListen(config);
  const bool by_loopback = IsLoopback(arrived_at);
  for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
    if (!entry->ifa_addr || (entry->ifa_flags & IFF_UP) == 0) continue;
    smb2::SockaddrStorage address;
    std::string text;
    if (!Fill(entry->ifa_addr, address, text)) continue;
    if (((entry->ifa_flags & IFF_LOOPBACK) != 0) != by_loopback) continue;
    if (by_loopback && entry->ifa_addr->sa_family == AF_INET) {
      AddLoopback(*entry, listening, arrived_at, response);
    } else if (listening.everywhere || listening.addresses.contains(text)) {
      Add(*entry, address, response);
    }
  }
  return response;
}

}  // namespace

Task<ControlResult> QueryNetworkInterfaceInfo(ControlCall call) {
  // Answered whether or not MULTI_CHANNEL was announced, which the specification leaves to the server: who asks
  // without it only wants to know.
  const Connection& connection = *call.request->connection;
  if (!connection.smb3()) co_return NtStatus::kNotSupported;
  // A listener on [::] sees clients of IPv4 by mapped addresses.
  std::string arrived_at = connection.transport->local();
  if (arrived_at.starts_with("::ffff:")) arrived_at.erase(0, 7);
  Bytes output = wire::Encode(Interfaces(call.request->server->config(), arrived_at));
  if (output.size() > call.max_output()) co_return NtStatus::kBufferTooSmall;
  co_return output;
}

}  // namespace holdfast::ioctl
