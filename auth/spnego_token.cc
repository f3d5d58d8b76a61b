#include "auth/spnego_token.h"

#include <algorithm>
#include <optional>

#include "protocol/dtyp/unicode.h"

namespace holdfast {
namespace {

constexpr std::uint8_t kSignature[8] = {'N', 'T', 'L', 'M', 'S', 'S', 'P', 0};

struct Element {
  std::uint8_t tag = 0;
  ByteView content;
  ByteView rest;
};

// One DER element with a definite, minimal length of at most two bytes' worth.
std::optional<Element> ReadElement(ByteView in) {
  if (in.size() < 2) return std::nullopt;
  std::size_t length = in[1];
  std::size_t header = 2;
  if (length == 0x81) {
    if (in.size() < 3 || in[2] < 0x80) return std::nullopt;
    length = in[2];
    header = 3;
  } else if (length == 0x82) {
    if (in.size() < 4 || in[2] == 0) return std::nullopt;
    length = static_cast<std::size_t>(in[2]) << 8 | in[3];
    header = 4;
  } else if (length >= 0x80) {
    return std::nullopt;
  }
  if (in.size() - header < length) return std::nullopt;
  return Element{in[0], in.subspan(header, length), in.subspan(header + length)};
}

// The OCTET STRING behind [2] of the SEQUENCE that NegTokenInit and NegTokenResp are; the context tags must ascend.
std::optional<ByteView> ReadMechanismToken(ByteView sequence) {
  const auto body = ReadElement(sequence);
  if (!body || body->tag != 0x30) return std::nullopt;
  ByteView token;
  int previous = -1;
  for (ByteView rest = body->content; !rest.empty();) {
    const auto field = ReadElement(rest);
    if (!field || field->tag < 0xA0 || field->tag > 0xA3 || field->tag <= previous) return std::nullopt;
    previous = field->tag;
    rest = field->rest;
    if (field->tag != 0xA2) continue;
    const auto octets = ReadElement(field->content);
    if (!octets || octets->tag != 0x04) return std::nullopt;
    token = octets->content;
  }
  return token;
}

// Written out here, so that this file needs no library and is fuzzed without one: [RFC 4178] and [RFC 4121].
constexpr std::uint8_t kSpnegoOid[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x02};
constexpr std::uint8_t kKerberosOid[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02};

bool Is(ByteView oid, ByteView mechanism) { return std::equal(oid.begin(), oid.end(), mechanism.begin(), mechanism.end()); }

std::uint16_t U16(ByteView b, std::size_t at) { return static_cast<std::uint16_t>(b[at] | b[at + 1] << 8); }
std::uint32_t U32(ByteView b, std::size_t at) { return U16(b, at) | static_cast<std::uint32_t>(U16(b, at + 2)) << 16; }

// Behind the proof and the fixed part of the client's challenge, [MS-NLMP] 2.2.2.7.
constexpr std::size_t kAvPairsAt = 16 + 28;

// [MS-NLMP] 2.2.2.1: a list of AV_PAIRs that ends with MsvAvEOL; what follows it is padding.
bool HasAvPairs(ByteView in) {
  while (in.size() >= 4) {
    const std::uint16_t id = U16(in, 0);
    const std::size_t length = U16(in, 2);
    if (id == 0) return length == 0;
    if (in.size() - 4 < length) return false;
    in = in.subspan(4 + length);
  }
  return false;
}

}  // namespace

TokenView ParseToken(ByteView token) {
  if (IsNtlmMessage(token)) return {TokenForm::kNtlm, token};
  const auto outer = ReadElement(token);
  if (!outer) return {};
  if (outer->tag == 0xA1) {
    const auto inner = ReadMechanismToken(outer->content);
    if (inner) return {TokenForm::kSpnegoResponse, *inner};
    return {};
  }
  if (outer->tag != 0x60) return {};  // [RFC 2743] 3.1
  const auto oid = ReadElement(outer->content);
  if (!oid || oid->tag != 0x06) return {};
  if (Is(oid->content, kKerberosOid)) return {TokenForm::kKerberos, token};
  if (!Is(oid->content, kSpnegoOid)) return {};
  const auto init = ReadElement(oid->rest);
  if (!init || init->tag != 0xA0) return {};
  const auto inner = ReadMechanismToken(init->content);
  if (inner) return {TokenForm::kSpnegoInit, *inner};
  return {};
}

bool IsNtlmMessage(ByteView token) {
  return token.size() >= 12 && std::equal(std::begin(kSignature), std::end(kSignature), token.begin());
}

std::uint32_t NtlmMessageType(ByteView token) { return IsNtlmMessage(token) ? U32(token, 8) : 0; }

std::uint32_t NtlmChallengeFlags(ByteView token) {
  return NtlmMessageType(token) == 2 && token.size() >= 24 ? U32(token, 20) : 0;
}

NtStatus CheckNtlmAuthenticate(ByteView message, std::uint32_t challenge_flags) {
  // Signature, type, six length/offset fields, flags, version and MIC: the form of every client since NTLMv2 has a MIC.
  constexpr std::size_t kFixedSize = 88;
  if (NtlmMessageType(message) != 3 || message.size() < kFixedSize) return NtStatus::kInvalidParameter;

  struct Field {
    std::uint16_t length;
    std::uint32_t offset;
  };
  const auto field = [message](std::size_t at) { return Field{U16(message, at), U32(message, at + 4)}; };
  const Field lm = field(12), nt = field(20), domain = field(28), user = field(36), workstation = field(44), key = field(52);
  for (const Field& f : {lm, nt, domain, user, workstation, key}) {
    if (f.length != 0 && (f.offset < 64 || f.offset > message.size() || message.size() - f.offset < f.length))
      return NtStatus::kInvalidParameter;
  }
  if (challenge_flags & kNtlmNegotiateUnicode) {
    for (const Field& f : {domain, user, workstation})
      if (f.length % 2 != 0) return NtStatus::kInvalidParameter;
  }
  if (user.length == 0) return NtStatus::kAccessDenied;
  // NTLMv2_RESPONSE, 2.2.2.8: a proof of 16 bytes and the client's challenge of at least 28. LM and NTLMv1 have 24.
  if (nt.length < kAvPairsAt) return NtStatus::kLogonFailure;
  if (!HasAvPairs(message.subspan(nt.offset + kAvPairsAt, nt.length - kAvPairsAt))) return NtStatus::kInvalidParameter;
  if (challenge_flags & kNtlmNegotiateKeyExchange) {
    if (key.length != 16) return NtStatus::kInvalidParameter;
  } else if (key.length != 0 && key.length != 16) {
    return NtStatus::kInvalidParameter;
  }
  return NtStatus::kSuccess;
}

std::string NtlmClaimedName(ByteView message, std::uint32_t challenge_flags) {
  const auto text = [&](std::size_t at) {
    const ByteView bytes = message.subspan(U32(message, at + 4), U16(message, at));
    if (challenge_flags & kNtlmNegotiateUnicode) return Utf16ToUtf8(Utf16FromLe(bytes).value_or(u""));
    return std::string(bytes.begin(), bytes.end());
  };
  return (U16(message, 28) != 0 ? text(28) : "") + '\\' + text(36);
}

}  // namespace holdfast
