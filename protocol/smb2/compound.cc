#include "protocol/smb2/compound.h"

#include "protocol/smb2/header.h"
#include "protocol/wire/endian.h"

namespace holdfast::smb2 {

std::optional<std::vector<ByteView>> SplitCompound(ByteView frame) {
  constexpr std::size_t kNextCommandOffset = 20;
  std::vector<ByteView> messages;
  for (;;) {
    if (frame.size() < kHeaderSize) return std::nullopt;
    const auto next = wire::LoadLe<std::uint32_t>(frame.data() + kNextCommandOffset);
    if (next == 0) {
      messages.push_back(frame);
      return messages;
    }
    if (next % 8 != 0 || next < kHeaderSize || next > frame.size()) return std::nullopt;
    messages.push_back(frame.first(next));
    frame = frame.subspan(next);
  }
}

}  // namespace holdfast::smb2
