#include "server/request/credits.h"

#include <algorithm>

namespace holdfast {

bool CreditWindow::Consume(std::uint64_t message_id, std::uint16_t charge) {
  const std::uint64_t count = std::max<std::uint16_t>(charge, 1);
  if (message_id < low_) return false;
  const std::uint64_t first = message_id - low_;
  if (first >= used_.size() || used_.size() - first < count) return false;
  const auto begin = used_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = begin + static_cast<std::ptrdiff_t>(count);
  if (std::find(begin, end, true) != end) return false;
  std::fill(begin, end, true);
  available_ -= static_cast<std::uint32_t>(count);
  while (!used_.empty() && used_.front()) {
    used_.pop_front();
    ++low_;
  }
  return true;
}

std::uint16_t CreditWindow::Grant(std::uint16_t requested, std::uint16_t) {
  // An id that is never used would let the window grow without end: its span is bounded, not only the free ids.
  const std::uint64_t span_left = used_.size() < 2ull * max_credits_ ? 2ull * max_credits_ - used_.size() : 0;
  const std::uint32_t room = max_credits_ > available_ ? max_credits_ - available_ : 0;
  std::uint32_t grant = std::min({static_cast<std::uint32_t>(requested), room, static_cast<std::uint32_t>(span_left)});
  if (grant == 0 && available_ == 0) grant = 1;
  used_.insert(used_.end(), grant, false);
  available_ += grant;
  return static_cast<std::uint16_t>(grant);
}

}  // namespace holdfast
