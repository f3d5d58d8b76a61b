#include "conformance/bench/process_time.h"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace holdfast::bench {
namespace {

struct Row {
  int parent = 0;
  double seconds = 0;         // its own
  double reaped_seconds = 0;  // of children that have ended
};

bool Read(const std::filesystem::path& directory, Row& row) {
  std::ifstream file(directory / "stat");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  // The name of the program stands in brackets and may hold anything.
  const auto end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return false;
  std::istringstream fields(text.substr(end_of_name + 1));
  std::vector<std::string> values;
  for (std::string value; values.size() < 15 && fields >> value;) values.push_back(value);
  if (values.size() < 15) return false;
  static const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  row.parent = std::stoi(values[1]);
  row.seconds = (std::stod(values[11]) + std::stod(values[12])) / ticks;
  row.reaped_seconds = (std::stod(values[13]) + std::stod(values[14])) / ticks;
  return true;
}

double Seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; }

}  // namespace

double ServerSeconds(int pid) {
  std::map<int, Row> rows;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename().string();
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    Row row;
    if (error == std::errc() && end == name.data() + name.size() && Read(entry.path(), row)) rows[number] = row;
  }
  double sum = 0;
  for (const auto& [number, row] : rows) {
    int ancestor = number;
    for (int depth = 0; depth < 8 && ancestor != pid; ++depth) {
      const auto found = rows.find(ancestor);
      if (found == rows.end()) break;
      ancestor = found->second.parent;
    }
    if (ancestor == pid) sum += row.seconds + row.reaped_seconds;
  }
  return sum;
}

double OwnSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

}  // namespace holdfast::bench
