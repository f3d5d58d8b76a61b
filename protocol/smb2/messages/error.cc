#include "protocol/smb2/messages/error.h"

#include <cstring>

namespace holdfast::smb2 {

namespace {

constexpr std::size_t kFixedSize = 28;        // up to the path buffer
constexpr std::size_t kReparseFixedSize = 12;  // what ReparseDataLength counts of it

bool TakeName(ByteView path_buffer, std::size_t offset, std::size_t length, std::u16string& out) {
  if (length % 2 != 0 || offset + length > path_buffer.size()) return false;
  out.resize(length / 2);
  if (length != 0) std::memcpy(out.data(), path_buffer.data() + offset, length);
  return true;
}

}  // namespace

Bytes SymbolicLinkError::Encode() const {
  const std::u16string path = substitute_name + print_name;
  const std::size_t path_size = wire::WireSize(path);
  HOLDFAST_CHECK(kReparseFixedSize + path_size <= 0xFFFF);
  SymbolicLinkErrorLayout layout;
  layout.sym_link_length = static_cast<std::uint32_t>(kFixedSize - 4 + path_size);
  layout.reparse_data_length = static_cast<std::uint16_t>(kReparseFixedSize + path_size);
  layout.unparsed_path_length = unparsed_path_length;
  layout.substitute_name_length = static_cast<std::uint16_t>(wire::WireSize(substitute_name));
  layout.print_name_offset = layout.substitute_name_length;
  layout.print_name_length = static_cast<std::uint16_t>(wire::WireSize(print_name));
  layout.flags = flags;
  layout.path_buffer = ByteView(reinterpret_cast<const std::uint8_t*>(path.data()), path_size);
  return wire::Encode(layout);
}

Result<SymbolicLinkError> SymbolicLinkError::Decode(ByteView data) {
  const Result<SymbolicLinkErrorLayout> layout = wire::Decode<SymbolicLinkErrorLayout>(data);
  if (!layout.ok()) return layout.status();
  SymbolicLinkError error;
  error.unparsed_path_length = layout->unparsed_path_length;
  error.flags = layout->flags;
  if (!TakeName(layout->path_buffer, layout->substitute_name_offset, layout->substitute_name_length,
                error.substitute_name) ||
      !TakeName(layout->path_buffer, layout->print_name_offset, layout->print_name_length, error.print_name)) {
    return NtStatus::kInvalidParameter;
  }
  return error;
}

}  // namespace holdfast::smb2
