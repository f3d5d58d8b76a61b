// [MS-SMB2] 2.2.2: the ERROR response and what its data can be.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.2
struct ErrorResponse {
  std::uint8_t error_context_count = 0;  // nonzero in 3.1.1 only: then the data is an array of ErrorContext
  ByteView error_data{};

  static void Fields(auto& m, auto& c) {
    c.StructureSize(9);
    c.Field(m.error_context_count, "error_context_count");
    c.Reserved(1, "reserved");
    c.Length32(m.error_data, "byte_count");
    c.Inline(m.error_data, "error_data");
    c.AtLeastOneByte();
  }
};

// 2.2.2.1
struct ErrorContext {
  static constexpr std::uint32_t kDefault = 0x00000000;
  static constexpr std::uint32_t kShareRedirect = 0x72645253;

  std::uint32_t error_id = kDefault;
  ByteView error_context_data{};

  static void Fields(auto& m, auto& c) {
    c.Length32(m.error_context_data, "error_data_length");
    c.Field(m.error_id, "error_id");
    c.Inline(m.error_context_data, "error_context_data");
  }
};

// The error_data of an ErrorResponse whose context count is one, as 3.1.1 wants every error with data.
inline Bytes EncodeErrorContext(std::uint32_t error_id, ByteView data) {
  return wire::Encode(ErrorContext{.error_id = error_id, .error_context_data = data});
}

// 2.2.2.2: with STATUS_BUFFER_TOO_SMALL, the buffer length that would have been enough, in bytes.
struct BufferTooSmallError {
  std::uint32_t required_buffer_length = 0;

  static void Fields(auto& m, auto& c) { c.Field(m.required_buffer_length, "required_buffer_length"); }
};

// 2.2.2.2.1: with STATUS_STOPPED_ON_SYMLINK.
struct SymbolicLinkError {
  static constexpr std::uint32_t kFlagRelative = 0x00000001;

  std::uint16_t unparsed_path_length = 0;  // bytes of the requested name behind the link
  std::u16string substitute_name{};
  std::u16string print_name{};
  std::uint32_t flags = 0;

  Bytes Encode() const;
  // STATUS_INVALID_PARAMETER when a name lies outside of the path buffer.
  static Result<SymbolicLinkError> Decode(ByteView data);
};

// Its bytes: several lengths are redundant, and the names may stand in either order.
struct SymbolicLinkErrorLayout {
  static constexpr std::uint32_t kErrorTag = 0x4C4D5953;
  static constexpr std::uint32_t kReparseTagSymlink = 0xA000000C;

  std::uint32_t sym_link_length = 0;  // of all that follows this field
  std::uint16_t reparse_data_length = 0;
  std::uint16_t unparsed_path_length = 0;
  std::uint16_t substitute_name_offset = 0;  // in path_buffer
  std::uint16_t substitute_name_length = 0;
  std::uint16_t print_name_offset = 0;
  std::uint16_t print_name_length = 0;
  std::uint32_t flags = 0;
  ByteView path_buffer{};

  static void Fields(auto& m, auto& c) {
    c.Field(m.sym_link_length, "sym_link_length");
    c.Constant(kErrorTag, "sym_link_error_tag");
    c.Constant(kReparseTagSymlink, "reparse_tag");
    c.Field(m.reparse_data_length, "reparse_data_length");
    c.Field(m.unparsed_path_length, "unparsed_path_length");
    c.Field(m.substitute_name_offset, "substitute_name_offset");
    c.Field(m.substitute_name_length, "substitute_name_length");
    c.Field(m.print_name_offset, "print_name_offset");
    c.Field(m.print_name_length, "print_name_length");
    c.Field(m.flags, "flags");
    c.Rest(m.path_buffer, "path_buffer");
  }
};

// 2.2.2.2.2.1
struct MoveDstIpaddr {
  static constexpr std::uint32_t kV4 = 1;
  static constexpr std::uint32_t kV6 = 2;

  std::uint32_t type = kV4;
  std::array<std::uint8_t, 16> address{};  // network order; an IPv4 address in the first 4 bytes

  static void Fields(auto& m, auto& c) {
    c.Field(m.type, "type");
    c.Reserved(4, "reserved");
    c.Field(m.address, "address");
  }
};

// 2.2.2.2.2: with STATUS_BAD_NETWORK_NAME and ErrorContext::kShareRedirect.
struct ShareRedirectError {
  std::vector<MoveDstIpaddr> ip_addr_move_list{};
  std::u16string resource_name{};

  static void Fields(auto& m, auto& c) {
    c.Constant(std::uint32_t{48}, "structure_size");
    c.Constant(std::uint32_t{3}, "notification_type");  // SHARE_MOVE_NOTIFICATION, [MS-SWN] 2.2.2.4
    c.Offset32(m.resource_name, "resource_name_offset");
    c.Length32(m.resource_name, "resource_name_length");
    c.Reserved(2, "reserved");
    c.Reserved(2, "target_type");
    c.Count32(m.ip_addr_move_list, "ip_addr_count");
    c.Array(m.ip_addr_move_list, "ip_addr_move_list");
    c.Buffer(m.resource_name, "resource_name");
  }
};

}  // namespace holdfast::smb2
