#include "protocol/rpc/pdu.h"

#include <algorithm>
#include <cstdio>

#include "protocol/base/check.h"
#include "protocol/wire/endian.h"

namespace holdfast::rpc {
namespace {

using wire::AppendLe;
using wire::LoadLe;

constexpr std::size_t kFragmentHeader = PduHeader::kSize + 8;  // allocation hint, context, opnum or cancel count
constexpr std::uint32_t kLittleEndianAsciiIeee = 0x00000010;

Bytes Begin(PduType type, std::uint8_t flags, std::uint32_t call_id) {
  Bytes out = {5, 0, static_cast<std::uint8_t>(type), flags};
  AppendLe(out, kLittleEndianAsciiIeee);
  AppendLe(out, std::uint32_t{0});  // fragment and authentication length
  AppendLe(out, call_id);
  return out;
}

void End(Bytes& out) {
  HOLDFAST_CHECK(out.size() <= 0xFFFF);
  wire::StoreLe(out.data() + 8, static_cast<std::uint16_t>(out.size()));
}

void AppendSyntax(Bytes& out, const SyntaxId& syntax) {
  wire::AppendBytes(out, syntax.uuid.bytes);
  AppendLe(out, syntax.major);
  AppendLe(out, syntax.minor);
}

// Reads fixed-size values from a PDU body; a short read makes `ok` false for good.
struct Cursor {
  ByteView rest;
  bool ok = true;

  template <class T>
  T Take() {
    if (rest.size() < sizeof(T)) ok = false;
    if (!ok) return T{};
    const T value = LoadLe<T>(rest.data());
    rest = rest.subspan(sizeof(T));
    return value;
  }
  SyntaxId Syntax() {
    SyntaxId syntax;
    syntax.uuid.bytes = Take<std::array<std::uint8_t, 16>>();
    syntax.major = Take<std::uint16_t>();
    syntax.minor = Take<std::uint16_t>();
    return syntax;
  }
};

std::vector<Bytes> EncodeCall(PduType type, std::uint32_t call_id, std::uint16_t context_id, std::uint16_t opnum,
                              ByteView stub, std::size_t max_fragment) {
  // Stub data of every fragment but the last is a multiple of eight, [C706] 12.6.
  const std::size_t room = (max_fragment - kFragmentHeader) / 8 * 8;
  std::vector<Bytes> fragments;
  std::size_t at = 0;
  do {
    const std::size_t size = std::min(room, stub.size() - at);
    std::uint8_t flags = 0;
    if (at == 0) flags |= pfc::kFirstFragment;
    if (at + size == stub.size()) flags |= pfc::kLastFragment;
    Bytes out = Begin(type, flags, call_id);
    AppendLe(out, static_cast<std::uint32_t>(stub.size() - at));
    AppendLe(out, context_id);
    AppendLe(out, opnum);
    wire::AppendBytes(out, stub.subspan(at, size));
    End(out);
    fragments.push_back(std::move(out));
    at += size;
  } while (at < stub.size());
  return fragments;
}

}  // namespace

SyntaxId MakeSyntax(std::string_view uuid, std::uint16_t major, std::uint16_t minor) {
  unsigned a = 0, b = 0, c = 0, d[8] = {};
  const int count = std::sscanf(std::string(uuid).c_str(), "%8x-%4x-%4x-%2x%2x-%2x%2x%2x%2x%2x%2x", &a, &b, &c, &d[0],
                                &d[1], &d[2], &d[3], &d[4], &d[5], &d[6], &d[7]);
  HOLDFAST_CHECK(count == 11);
  SyntaxId syntax;
  wire::StoreLe(syntax.uuid.bytes.data(), static_cast<std::uint32_t>(a));
  wire::StoreLe(syntax.uuid.bytes.data() + 4, static_cast<std::uint16_t>(b));
  wire::StoreLe(syntax.uuid.bytes.data() + 6, static_cast<std::uint16_t>(c));
  for (std::size_t i = 0; i < 8; ++i) syntax.uuid.bytes[8 + i] = static_cast<std::uint8_t>(d[i]);
  syntax.major = major;
  syntax.minor = minor;
  return syntax;
}

const SyntaxId& Ndr20() {
  static const SyntaxId syntax = MakeSyntax("8a885d04-1ceb-11c9-9fe8-08002b104860", 2, 0);
  return syntax;
}

const SyntaxId& Ndr64() {
  static const SyntaxId syntax = MakeSyntax("71710533-beba-4937-8319-b5dbef9ccc36", 1, 0);
  return syntax;
}

bool IsBindTimeFeatureNegotiation(const SyntaxId& syntax) {
  static const SyntaxId prefix = MakeSyntax("6cb71c2c-9812-4540-0000-000000000000", 1, 0);
  return std::equal(syntax.uuid.bytes.begin(), syntax.uuid.bytes.begin() + 8, prefix.uuid.bytes.begin()) &&
         syntax.major == prefix.major;
}

std::optional<PduHeader> PduHeader::Parse(ByteView bytes) {
  if (bytes.size() < kSize || bytes[0] != 5 || bytes[1] > 1) return std::nullopt;
  if ((LoadLe<std::uint32_t>(bytes.data() + 4) & 0xFFFF) != kLittleEndianAsciiIeee) return std::nullopt;
  PduHeader header;
  header.type = static_cast<PduType>(bytes[2]);
  header.flags = bytes[3];
  header.fragment_length = LoadLe<std::uint16_t>(bytes.data() + 8);
  header.auth_length = LoadLe<std::uint16_t>(bytes.data() + 10);
  header.call_id = LoadLe<std::uint32_t>(bytes.data() + 12);
  if (header.fragment_length < kSize) return std::nullopt;
  return header;
}

std::optional<Bind> Bind::Parse(ByteView body) {
  Cursor in{body};
  Bind bind;
  bind.max_transmit_fragment = in.Take<std::uint16_t>();
  bind.max_receive_fragment = in.Take<std::uint16_t>();
  bind.association_group = in.Take<std::uint32_t>();
  const unsigned count = in.Take<std::uint32_t>() & 0xFF;
  for (unsigned i = 0; i < count && in.ok; ++i) {
    PresentationContext context;
    context.id = in.Take<std::uint16_t>();
    const unsigned syntaxes = in.Take<std::uint16_t>() & 0xFF;
    context.abstract_syntax = in.Syntax();
    for (unsigned s = 0; s < syntaxes && in.ok; ++s) context.transfer_syntaxes.push_back(in.Syntax());
    bind.contexts.push_back(std::move(context));
  }
  if (!in.ok || bind.contexts.empty()) return std::nullopt;
  return bind;
}

Bytes Bind::Encode(std::uint32_t call_id, PduType type) const {
  Bytes out = Begin(type, pfc::kFirstFragment | pfc::kLastFragment, call_id);
  AppendLe(out, max_transmit_fragment);
  AppendLe(out, max_receive_fragment);
  AppendLe(out, association_group);
  AppendLe(out, static_cast<std::uint32_t>(contexts.size()));
  for (const auto& context : contexts) {
    AppendLe(out, context.id);
    AppendLe(out, static_cast<std::uint16_t>(context.transfer_syntaxes.size()));
    AppendSyntax(out, context.abstract_syntax);
    for (const auto& syntax : context.transfer_syntaxes) AppendSyntax(out, syntax);
  }
  End(out);
  return out;
}

Bytes BindAck::Encode(std::uint32_t call_id, PduType type) const {
  Bytes out = Begin(type, pfc::kFirstFragment | pfc::kLastFragment, call_id);
  AppendLe(out, max_transmit_fragment);
  AppendLe(out, max_receive_fragment);
  AppendLe(out, association_group);
  if (secondary_address.empty()) {
    AppendLe(out, std::uint16_t{0});
  } else {
    AppendLe(out, static_cast<std::uint16_t>(secondary_address.size() + 1));
    out.insert(out.end(), secondary_address.begin(), secondary_address.end());
    out.push_back(0);
  }
  wire::PadTo(out, 4);
  AppendLe(out, static_cast<std::uint32_t>(results.size()));
  for (const auto& result : results) {
    AppendLe(out, result.result);
    AppendLe(out, result.reason);
    AppendSyntax(out, result.transfer_syntax);
  }
  End(out);
  return out;
}

Bytes EncodeBindNak(std::uint32_t call_id, std::uint16_t reason) {
  Bytes out = Begin(PduType::kBindNak, pfc::kFirstFragment | pfc::kLastFragment, call_id);
  AppendLe(out, reason);
  wire::AppendBytes(out, Bytes{1, 5, 0, 0});  // one protocol version: 5.0, and padding
  End(out);
  return out;
}

Bytes EncodeFault(std::uint32_t call_id, std::uint16_t context_id, std::uint32_t status) {
  constexpr std::uint8_t kDidNotExecute = 0x20;
  Bytes out = Begin(PduType::kFault, pfc::kFirstFragment | pfc::kLastFragment | kDidNotExecute, call_id);
  AppendLe(out, std::uint32_t{32});  // allocation hint
  AppendLe(out, context_id);
  AppendLe(out, std::uint16_t{0});
  AppendLe(out, status);
  AppendLe(out, std::uint32_t{0});
  End(out);
  return out;
}

std::optional<Fragment> Fragment::ParseRequest(const PduHeader& header, ByteView body) {
  Cursor in{body};
  Fragment fragment;
  in.Take<std::uint32_t>();  // allocation hint
  fragment.context_id = in.Take<std::uint16_t>();
  fragment.opnum = in.Take<std::uint16_t>();
  if (header.flags & pfc::kObjectUuid) in.Take<std::array<std::uint8_t, 16>>();
  if (!in.ok) return std::nullopt;
  fragment.stub = in.rest;
  return fragment;
}

std::vector<Bytes> EncodeResponse(std::uint32_t call_id, std::uint16_t context_id, ByteView stub,
                                  std::size_t max_fragment) {
  return EncodeCall(PduType::kResponse, call_id, context_id, 0, stub, max_fragment);
}

std::vector<Bytes> EncodeRequest(std::uint32_t call_id, std::uint16_t context_id, std::uint16_t opnum, ByteView stub,
                                 std::size_t max_fragment) {
  return EncodeCall(PduType::kRequest, call_id, context_id, opnum, stub, max_fragment);
}

}  // namespace holdfast::rpc
