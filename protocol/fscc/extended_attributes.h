// [MS-FSCC] 2.4.16: extended attributes, in FileFullEaInformation and in SMB2_CREATE_EA_BUFFER.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/erref/result.h"
#include "protocol/fscc/codec.h"

namespace holdfast::fscc {

struct ExtendedAttribute {
  static constexpr std::uint8_t kNeedEa = 0x80;
  std::uint8_t flags = 0;
  std::string name;  // 1-254 ASCII characters; compared without case, kept upper-case as NTFS does
  Bytes value;       // in a set: empty deletes the attribute
  bool operator==(const ExtendedAttribute&) const = default;
};

// A list as a client sends it. kEaListInconsistent when an entry or its offset leads outside, is not 4-byte aligned or
// the name lacks its zero byte; kInvalidEaName for a name or flags that 2.4.16 forbids. `error_offset` then gets the
// offset of the offending entry (EaErrorOffset). An empty buffer is an empty list.
Result<std::vector<ExtendedAttribute>> DecodeEaList(ByteView bytes, std::uint32_t* error_offset = nullptr);

// 2.4.16.1: the names a query asks for; errors as above.
Result<std::vector<std::string>> DecodeEaNames(ByteView bytes, std::uint32_t* error_offset = nullptr);

// Whole entries only. kBufferTooSmall when not even the first fits, kBufferOverflow when only some do.
QueryOutput EncodeEaList(const std::vector<ExtendedAttribute>& list, std::size_t limit);
Bytes EncodeEaNames(const std::vector<std::string>& names);

// The combined length of a file's attributes ([MS-FSA] ExtendedAttributesLength), as directory entries show it.
std::uint32_t EaLength(const std::vector<ExtendedAttribute>& list);
// FileEaInformation.EaSize of such a file: four more for the list's header, 0 without attributes
// ([MS-FSA] 2.1.5.12.10).
std::uint32_t EaSize(const std::vector<ExtendedAttribute>& list);

bool IsValidEaName(std::string_view name);

}  // namespace holdfast::fscc
