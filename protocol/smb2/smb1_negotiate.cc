#include "protocol/smb2/smb1_negotiate.h"

#include <algorithm>
#include <array>

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

namespace {

constexpr std::uint8_t kSmbComNegotiate = 0x72;
constexpr std::uint8_t kBufferFormatDialect = 0x02;
constexpr std::uint8_t kFlagsReply = 0x80;

// [MS-CIFS] 2.2.3.1, with the parameter and data counts of a NEGOTIATE behind it.
struct Smb1NegotiateLayout {
  std::uint8_t command = kSmbComNegotiate;
  std::uint32_t status = 0;
  std::uint8_t flags = 0x18;      // case-insensitive, canonicalized paths
  std::uint16_t flags2 = 0xC801;  // Unicode, NT status, extended security, long names
  std::uint16_t pid = 0xFEFF;
  std::uint8_t word_count = 0;
  ByteView data;

  static void Fields(auto& m, auto& c) {
    c.Constant(std::array<std::uint8_t, 4>{0xFF, 'S', 'M', 'B'}, "protocol");
    c.Field(m.command, "command");
    c.Field(m.status, "status");
    c.Field(m.flags, "flags");
    c.Field(m.flags2, "flags2");
    c.Reserved(14, "pid_high, security_features, tid");
    c.Field(m.pid, "pid_low");
    c.Reserved(4, "uid, mid");
    c.Field(m.word_count, "word_count");
    c.Length16(m.data, "byte_count");
    c.Inline(m.data, "dialects");
  }
};

}  // namespace

bool Smb1Negotiate::Offers(std::string_view dialect) const {
  return std::find(dialects.begin(), dialects.end(), dialect) != dialects.end();
}

Result<Smb1Negotiate> Smb1Negotiate::Decode(ByteView frame) {
  const Result<Smb1NegotiateLayout> layout = wire::Decode<Smb1NegotiateLayout>(frame);
  if (!layout.ok()) return layout.status();
  if (layout->command != kSmbComNegotiate || layout->word_count != 0 || (layout->flags & kFlagsReply) != 0) {
    return NtStatus::kInvalidParameter;
  }
  Smb1Negotiate negotiate;
  ByteView rest = layout->data;
  while (!rest.empty()) {
    if (rest[0] != kBufferFormatDialect) return NtStatus::kInvalidParameter;
    rest = rest.subspan(1);
    const auto end = std::find(rest.begin(), rest.end(), std::uint8_t{0});
    if (end == rest.end()) return NtStatus::kInvalidParameter;
    negotiate.dialects.emplace_back(rest.begin(), end);
    rest = rest.subspan(static_cast<std::size_t>(end - rest.begin()) + 1);
  }
  return negotiate;
}

Bytes EncodeSmb1Negotiate(const std::vector<std::string>& dialects) {
  Bytes data;
  for (const std::string& dialect : dialects) {
    data.push_back(kBufferFormatDialect);
    data.insert(data.end(), dialect.begin(), dialect.end());
    data.push_back(0);
  }
  Smb1NegotiateLayout layout;
  layout.data = data;
  return wire::Encode(layout);
}

}  // namespace holdfast::smb2
