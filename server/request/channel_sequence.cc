#include "server/request/channel_sequence.h"

namespace holdfast {

bool EnterChannelSequence(Open& open, const smb2::Header& header, bool row_is_subject, bool* counted) {
  const std::uint16_t sequence = header.channel_sequence();
  const auto ahead = static_cast<std::uint16_t>(sequence - open.channel_sequence);
  *counted = false;
  if (ahead > 0x7FFF) {
    // Older than what the open has seen. Commands that change nothing may still run.
    return !row_is_subject;
  }
  const bool replay = header.is_replay();
  if (ahead != 0) {
    open.outstanding_pre_request_count += open.outstanding_request_count;
    open.outstanding_request_count = 0;
    open.channel_sequence = sequence;
  }
  if (replay && open.outstanding_pre_request_count != 0 && row_is_subject) return false;
  ++open.outstanding_request_count;
  *counted = true;
  return true;
}

void LeaveChannelSequence(Open& open, std::uint16_t request_sequence) {
  if (request_sequence == open.channel_sequence) {
    if (open.outstanding_request_count != 0) --open.outstanding_request_count;
  } else if (open.outstanding_pre_request_count != 0) {
    --open.outstanding_pre_request_count;
  }
}

}  // namespace holdfast
