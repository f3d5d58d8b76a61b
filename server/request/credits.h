// [MS-SMB2] 3.3.1.1, 3.3.1.2: which message ids a client may use, and how many more it gets.
#pragma once

#include <cstdint>
#include <deque>

namespace holdfast {

class CreditWindow {
 public:
  // Starts with one credit: message id 0.
  explicit CreditWindow(std::uint16_t max_credits = 8192) : max_credits_(max_credits) {}

  // Takes ids [message_id, message_id + charge) out of the window; false when one is outside or used: the
  // connection must end (3.3.5.2.3). charge 0 counts as 1.
  bool Consume(std::uint64_t message_id, std::uint16_t charge);
  // How many credits the response carries; widens the window. `requested` 0 still gives 1 when the client would be
  // left with none.
  std::uint16_t Grant(std::uint16_t requested, std::uint16_t charge);
  // Ids that the client may still use.
  std::uint32_t available() const { return available_; }
  void set_max(std::uint16_t max_credits) { max_credits_ = max_credits; }

 private:
  std::uint16_t max_credits_;
  std::uint64_t low_ = 0;             // first id of used_
  std::deque<bool> used_{false};      // ids low_ … low_ + size - 1 have been granted
  std::uint32_t available_ = 1;
};

}  // namespace holdfast
