// [MS-FSCC] 2.1.3 and 2.3: FSCTLs about the file as a whole: object id, integrity, compression.
#pragma once

#include "protocol/dtyp/guid.h"
#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// [MS-FSCC] 2.1.3.1: the answer to FSCTL_CREATE_OR_GET_OBJECT_ID and FSCTL_GET_OBJECT_ID, the input of
// FSCTL_SET_OBJECT_ID. The three birth ids are, as type 2, one buffer of extended information.
struct FileObjectIdBuffer {
  Guid object_id{};
  Guid birth_volume_id{};
  Guid birth_object_id{};
  Guid domain_id{};

  static void Fields(auto& m, auto& c) {
    c.Field(m.object_id, "object_id");
    c.Field(m.birth_volume_id, "birth_volume_id");
    c.Field(m.birth_object_id, "birth_object_id");
    c.Field(m.domain_id, "domain_id");
  }
};

// [MS-FSCC] 2.3.20
struct GetIntegrityInformationBuffer {
  std::uint16_t checksum_algorithm = 0;
  std::uint32_t flags = 0;
  std::uint32_t checksum_chunk_size_in_bytes = 0;
  std::uint32_t cluster_size_in_bytes = 0;

  static void Fields(auto& m, auto& c) {
    c.Field(m.checksum_algorithm, "checksum_algorithm");
    c.Reserved(2, "reserved");
    c.Field(m.flags, "flags");
    c.Field(m.checksum_chunk_size_in_bytes, "checksum_chunk_size_in_bytes");
    c.Field(m.cluster_size_in_bytes, "cluster_size_in_bytes");
  }
};

// [MS-FSCC] 2.3.73
struct SetIntegrityInformationBuffer {
  std::uint16_t checksum_algorithm = 0;
  std::uint32_t flags = 0;

  static void Fields(auto& m, auto& c) {
    c.Field(m.checksum_algorithm, "checksum_algorithm");
    c.Reserved(2, "reserved");
    c.Field(m.flags, "flags");
  }
};

// [MS-FSCC] 2.3.18 and 2.3.67: the answer to FSCTL_GET_COMPRESSION, the input of FSCTL_SET_COMPRESSION.
struct CompressionState {
  static constexpr std::uint16_t kFormatNone = 0x0000;
  static constexpr std::uint16_t kFormatDefault = 0x0001;
  static constexpr std::uint16_t kFormatLznt1 = 0x0002;

  std::uint16_t compression_state = kFormatNone;

  static void Fields(auto& m, auto& c) { c.Field(m.compression_state, "compression_state"); }
};

}  // namespace holdfast::smb2
