#include "server/commands/payload.h"

#include <algorithm>
#include <iterator>

#include "protocol/smb2/header.h"
#include "protocol/wire/endian.h"

namespace holdfast {
namespace {

// Where a length stands in the body; both zero: there is none.
struct LengthField {
  std::uint8_t offset = 0;
  std::uint8_t width = 4;
};

// Send = sum of the first two, receive = sum of the last two.
struct PayloadRow {
  smb2::Command command;
  LengthField send[2];
  LengthField receive[2];
};

constexpr PayloadRow kRows[] = {
    {smb2::Command::kRead, {}, {{4}, {}}},
    {smb2::Command::kWrite, {{4}, {}}, {}},
    {smb2::Command::kIoctl, {{28}, {40}}, {{32}, {44}}},
    {smb2::Command::kQueryDirectory, {}, {{28}, {}}},
    {smb2::Command::kChangeNotify, {}, {{4}, {}}},
    {smb2::Command::kQueryInfo, {{12}, {}}, {{4}, {}}},
    {smb2::Command::kSetInfo, {{4}, {}}, {}},
};

std::uint64_t Sum(const LengthField (&fields)[2], ByteView body) {
  std::uint64_t sum = 0;
  for (const LengthField& field : fields) {
    if (field.offset == 0 || body.size() < std::size_t{field.offset} + field.width) continue;
    sum += wire::LoadLe<std::uint32_t>(body.data() + field.offset);
  }
  return sum;
}

}  // namespace

std::uint32_t PayloadBytes(smb2::Command command, ByteView message) {
  if (message.size() <= smb2::kHeaderSize) return 0;
  const ByteView body = message.subspan(smb2::kHeaderSize);
  for (const PayloadRow& row : kRows) {
    if (row.command != command) continue;
    const std::uint64_t bytes = std::max(Sum(row.send, body), Sum(row.receive, body));
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, 0xFFFFFFFF));
  }
  return 0;
}

bool SendsPayload(smb2::Command command) {
  return std::any_of(std::begin(kRows), std::end(kRows),
                     [&](const PayloadRow& row) { return row.command == command && row.send[0].offset != 0; });
}

}  // namespace holdfast
