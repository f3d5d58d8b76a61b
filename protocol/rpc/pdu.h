// [C706] 12.6 and [MS-RPCE] 2.2.2: the connection-oriented PDUs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/dtyp/guid.h"

namespace holdfast::rpc {

enum class PduType : std::uint8_t {
  kRequest = 0,
  kResponse = 2,
  kFault = 3,
  kBind = 11,
  kBindAck = 12,
  kBindNak = 13,
  kAlterContext = 14,
  kAlterContextResponse = 15,
  kAuth3 = 16,
  kShutdown = 17,
  kCancel = 18,
  kOrphaned = 19,
};

namespace pfc {
inline constexpr std::uint8_t kFirstFragment = 0x01;
inline constexpr std::uint8_t kLastFragment = 0x02;
inline constexpr std::uint8_t kObjectUuid = 0x80;
}  // namespace pfc

// Fault status, [C706] appendix E and [MS-RPCE] 2.2.2.
namespace fault {
inline constexpr std::uint32_t kAccessDenied = 0x00000005;
inline constexpr std::uint32_t kBadStubData = 0x000006F7;       // RPC_X_BAD_STUB_DATA
inline constexpr std::uint32_t kContextMismatch = 0x1C00001A;   // nca_s_fault_context_mismatch
inline constexpr std::uint32_t kOperationRange = 0x1C010002;    // nca_op_rng_error
inline constexpr std::uint32_t kUnknownInterface = 0x1C010003;  // nca_unk_if
inline constexpr std::uint32_t kProtocolError = 0x1C01000B;     // nca_proto_error
}  // namespace fault

struct SyntaxId {
  Guid uuid;
  std::uint16_t major = 0;
  std::uint16_t minor = 0;
  bool operator==(const SyntaxId&) const = default;
};

// "4b324fc8-1670-01d3-1278-5a47bf6ee188"; for literals of ours.
SyntaxId MakeSyntax(std::string_view uuid, std::uint16_t major, std::uint16_t minor);
const SyntaxId& Ndr20();
const SyntaxId& Ndr64();
// [MS-RPCE] 3.3.1.5.3: 6CB71C2C-9812-4540-… with the feature bits in the last eight bytes.
bool IsBindTimeFeatureNegotiation(const SyntaxId& syntax);

struct PduHeader {
  static constexpr std::size_t kSize = 16;
  PduType type{};
  std::uint8_t flags = 0;
  std::uint16_t fragment_length = 0;
  std::uint16_t auth_length = 0;
  std::uint32_t call_id = 0;

  // nullopt: not version 5.0/5.1, not little-endian, or a length below the header's.
  static std::optional<PduHeader> Parse(ByteView bytes);
};

struct PresentationContext {
  std::uint16_t id = 0;
  SyntaxId abstract_syntax;
  std::vector<SyntaxId> transfer_syntaxes;
};

// bind and alter_context.
struct Bind {
  std::uint16_t max_transmit_fragment = 4280;
  std::uint16_t max_receive_fragment = 4280;
  std::uint32_t association_group = 0;
  std::vector<PresentationContext> contexts;

  static std::optional<Bind> Parse(ByteView body);  // what follows the header
  Bytes Encode(std::uint32_t call_id, PduType type = PduType::kBind) const;
};

// bind_ack and alter_context_resp.
struct BindAck {
  static constexpr std::uint16_t kAcceptance = 0;
  static constexpr std::uint16_t kProviderRejection = 2;
  static constexpr std::uint16_t kNegotiateAck = 3;
  static constexpr std::uint16_t kAbstractSyntaxNotSupported = 1;
  static constexpr std::uint16_t kTransferSyntaxesNotSupported = 2;
  struct ContextResult {
    std::uint16_t result = kAcceptance;
    std::uint16_t reason = 0;
    SyntaxId transfer_syntax;  // zero unless accepted
  };
  std::uint16_t max_transmit_fragment = 0;
  std::uint16_t max_receive_fragment = 0;
  std::uint32_t association_group = 0;
  std::string_view secondary_address;  // "\PIPE\srvsvc"
  std::vector<ContextResult> results;

  Bytes Encode(std::uint32_t call_id, PduType type) const;
};

Bytes EncodeBindNak(std::uint32_t call_id, std::uint16_t reason);
Bytes EncodeFault(std::uint32_t call_id, std::uint16_t context_id, std::uint32_t status);

// One fragment of a request or response without authentication.
struct Fragment {
  std::uint16_t context_id = 0;
  std::uint16_t opnum = 0;  // requests only
  ByteView stub;

  static std::optional<Fragment> ParseRequest(const PduHeader& header, ByteView body);
};

// The fragments of one call, none longer than `max_fragment`.
std::vector<Bytes> EncodeResponse(std::uint32_t call_id, std::uint16_t context_id, ByteView stub,
                                  std::size_t max_fragment);
std::vector<Bytes> EncodeRequest(std::uint32_t call_id, std::uint16_t context_id, std::uint16_t opnum, ByteView stub,
                                 std::size_t max_fragment);

}  // namespace holdfast::rpc
