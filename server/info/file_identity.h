// The numbers by which clients recognise a file and its volume; the same from every node, for ever.
#pragma once

#include <array>
#include <cstdint>

#include "protocol/wire/endian.h"
#include "storage/volume/volume.h"

namespace holdfast {

// [MS-FSCC] 2.1.10, with the file number in the low half.
inline std::array<std::uint8_t, 16> FileId128(FileNumber number) {
  std::array<std::uint8_t, 16> id{};
  wire::StoreLe(id.data(), number);
  return id;
}

// [MS-FSCC] 2.4.26: the low half is the serial number of FileFsVolumeInformation.
inline std::uint64_t VolumeSerialNumber(const VolumeFacts& volume) {
  return std::uint64_t{wire::LoadLe<std::uint32_t>(volume.guid.bytes.data())} << 32 | volume.serial;
}

}  // namespace holdfast
