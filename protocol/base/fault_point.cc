#include "protocol/base/fault_point.h"

#include <charconv>
#include <csignal>
#include <mutex>
#include <string>

namespace holdfast {
namespace {
std::mutex g_mutex;
std::string g_name;
int g_passes_left = 0;
}  // namespace

void ArmFaultPoint(std::string_view text) {
  std::lock_guard lock(g_mutex);
  const auto colon = text.rfind(':');
  g_passes_left = 1;
  if (colon != std::string_view::npos) {
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), g_passes_left);
    text = text.substr(0, colon);
  }
  g_name = text;
  g_fault_point_armed = !g_name.empty();
}

void ReachFaultPoint(std::string_view name) {
  std::lock_guard lock(g_mutex);
  if (name == g_name && --g_passes_left == 0) std::raise(SIGKILL);
}

}  // namespace holdfast
