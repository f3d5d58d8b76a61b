// [MS-FSCC] 2.4: what can be asked of and set on a file. Encode with fscc::Encode, decode with fscc::Decode<T>.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/base/clock.h"
#include "protocol/fscc/codec.h"

namespace holdfast::fscc {

// 2.4.7. In a set: 0 leaves a time as it is, kNoUpdate stops and kResumeUpdate resumes its implicit updates.
struct FileBasicInformation {
  static constexpr std::uint64_t kNoUpdate = 0xFFFFFFFFFFFFFFFF;
  static constexpr std::uint64_t kResumeUpdate = 0xFFFFFFFFFFFFFFFE;
  FileTime creation_time = 0;
  FileTime last_access_time = 0;
  FileTime last_write_time = 0;
  FileTime change_time = 0;
  std::uint32_t file_attributes = 0;  // 0 in a set: leave as they are
  static void Fields(auto& m, auto& f) {
    f(m.creation_time), f(m.last_access_time), f(m.last_write_time), f(m.change_time), f(m.file_attributes);
    f.Reserved(4);
  }
  NtStatus Check() const;  // times below 0 other than -1 and -2: kInvalidParameter
};

// 2.4.47
struct FileStandardInformation {
  std::uint64_t allocation_size = 0;
  std::uint64_t end_of_file = 0;
  std::uint32_t number_of_links = 1;
  bool delete_pending = false;
  bool directory = false;
  static void Fields(auto& m, auto& f) {
    f(m.allocation_size), f(m.end_of_file), f(m.number_of_links), f(m.delete_pending), f(m.directory);
    f.Reserved(2);
  }
};

// 2.4.27
struct FileInternalInformation {
  std::uint64_t index_number = 0;
  static void Fields(auto& m, auto& f) { f(m.index_number); }
};

// 2.4.13
struct FileEaInformation {
  std::uint32_t ea_size = 0;
  static void Fields(auto& m, auto& f) { f(m.ea_size); }
};

// 2.4.1
struct FileAccessInformation {
  std::uint32_t access_flags = 0;
  static void Fields(auto& m, auto& f) { f(m.access_flags); }
};

// 2.4.40
struct FilePositionInformation {
  std::uint64_t current_byte_offset = 0;
  static void Fields(auto& m, auto& f) { f(m.current_byte_offset); }
  NtStatus Check() const;
};

// 2.4.31
struct FileModeInformation {
  static constexpr std::uint32_t kSettable = 0x0000103E;  // the bits a set may hold
  std::uint32_t mode = 0;
  static void Fields(auto& m, auto& f) { f(m.mode); }
};

// 2.4.3
struct FileAlignmentInformation {
  std::uint32_t alignment_requirement = 0;
  static void Fields(auto& m, auto& f) { f(m.alignment_requirement); }
};

// 2.1.7, and with it 2.4.5 (8.3 name), 2.4.32 and 2.4.35 (relative to the share, real case).
struct FileNameInformation {
  std::u16string file_name;
  static void Fields(auto& m, auto& f) { f.Name32(m.file_name); }
};

// 2.4.2
struct FileAllInformation {
  FileBasicInformation basic;
  FileStandardInformation standard;
  FileInternalInformation internal;
  FileEaInformation ea;
  FileAccessInformation access;
  FilePositionInformation position;
  FileModeInformation mode;
  FileAlignmentInformation alignment;
  FileNameInformation name;
  static void Fields(auto& m, auto& f) {
    f(m.basic), f(m.standard), f(m.internal), f(m.ea), f(m.access), f(m.position), f(m.mode), f(m.alignment), f(m.name);
  }
};

// 2.4.9
struct FileCompressionInformation {
  std::uint64_t compressed_file_size = 0;
  std::uint16_t compression_format = 0;
  std::uint8_t compression_unit_shift = 0;
  std::uint8_t chunk_shift = 0;
  std::uint8_t cluster_shift = 0;
  static void Fields(auto& m, auto& f) {
    f(m.compressed_file_size), f(m.compression_format), f(m.compression_unit_shift), f(m.chunk_shift);
    f(m.cluster_shift);
    f.Reserved(3);
  }
};

// 2.4.34
struct FileNetworkOpenInformation {
  FileTime creation_time = 0;
  FileTime last_access_time = 0;
  FileTime last_write_time = 0;
  FileTime change_time = 0;
  std::uint64_t allocation_size = 0;
  std::uint64_t end_of_file = 0;
  std::uint32_t file_attributes = 0;
  static void Fields(auto& m, auto& f) {
    f(m.creation_time), f(m.last_access_time), f(m.last_write_time), f(m.change_time);
    f(m.allocation_size), f(m.end_of_file), f(m.file_attributes);
    f.Reserved(4);
  }
};

// 2.4.6
struct FileAttributeTagInformation {
  std::uint32_t file_attributes = 0;
  std::uint32_t reparse_tag = 0;
  static void Fields(auto& m, auto& f) { f(m.file_attributes), f(m.reparse_tag); }
};

// 2.4.26
struct FileIdInformation {
  std::uint64_t volume_serial_number = 0;
  std::array<std::uint8_t, 16> file_id{};
  static void Fields(auto& m, auto& f) { f(m.volume_serial_number), f(m.file_id); }
};

// 2.4.37-2.4.39, for opens of named pipes.
struct FilePipeInformation {
  std::uint32_t read_mode = 0;        // 0 byte stream, 1 messages
  std::uint32_t completion_mode = 0;  // 0 blocking
  static void Fields(auto& m, auto& f) { f(m.read_mode), f(m.completion_mode); }
};
struct FilePipeLocalInformation {
  std::uint32_t named_pipe_type = 1;           // message
  std::uint32_t named_pipe_configuration = 2;  // full duplex
  std::uint32_t maximum_instances = 0xFFFFFFFF;
  std::uint32_t current_instances = 1;
  std::uint32_t inbound_quota = 4096;
  std::uint32_t read_data_available = 0;
  std::uint32_t outbound_quota = 4096;
  std::uint32_t write_quota_available = 4096;
  std::uint32_t named_pipe_state = 3;  // connected
  std::uint32_t named_pipe_end = 1;    // server; the client's end is 0
  static void Fields(auto& m, auto& f) {
    f(m.named_pipe_type), f(m.named_pipe_configuration), f(m.maximum_instances), f(m.current_instances);
    f(m.inbound_quota), f(m.read_data_available), f(m.outbound_quota), f(m.write_quota_available);
    f(m.named_pipe_state), f(m.named_pipe_end);
  }
};

// 2.4.42.2 (SMB2 form). Also 2.4.28.2, the link, which has the same layout.
struct FileRenameInformation {
  bool replace_if_exists = false;
  std::uint64_t root_directory = 0;
  std::u16string file_name;  // relative to the share, backslashes
  static void Fields(auto& m, auto& f) {
    f(m.replace_if_exists);
    f.Reserved(7);
    f(m.root_directory);
    f.Name32(m.file_name);
  }
  NtStatus Check() const;  // root directory other than 0, or an empty name: kInvalidParameter
};
using FileLinkInformation = FileRenameInformation;

// 2.4.43
struct FileRenameInformationEx {
  static constexpr std::uint32_t kReplaceIfExists = 0x00000001;
  static constexpr std::uint32_t kPosixSemantics = 0x00000002;
  static constexpr std::uint32_t kIgnoreReadonlyAttribute = 0x00000040;
  // With those of pin states and storage reserves, of which there are none here.
  static constexpr std::uint32_t kDefined = 0x000001FF;
  std::uint32_t flags = 0;
  std::uint64_t root_directory = 0;
  std::u16string file_name;
  static void Fields(auto& m, auto& f) {
    f(m.flags);
    f.Reserved(4);
    f(m.root_directory);
    f.Name32(m.file_name);
  }
  NtStatus Check() const;
};

// 2.4.11
struct FileDispositionInformation {
  bool delete_pending = false;
  static void Fields(auto& m, auto& f) { f(m.delete_pending); }
};

// 2.4.12
struct FileDispositionInformationEx {
  static constexpr std::uint32_t kDelete = 0x00000001;
  static constexpr std::uint32_t kPosixSemantics = 0x00000002;
  static constexpr std::uint32_t kForceImageSectionCheck = 0x00000004;
  static constexpr std::uint32_t kOnClose = 0x00000008;
  static constexpr std::uint32_t kIgnoreReadonlyAttribute = 0x00000010;
  static constexpr std::uint32_t kDefined = 0x0000001F;
  std::uint32_t flags = 0;
  static void Fields(auto& m, auto& f) { f(m.flags); }
};

// 2.4.4, 2.4.14, 2.4.50: sizes in bytes; negative ones are kInvalidParameter.
struct FileAllocationInformation {
  std::uint64_t allocation_size = 0;
  static void Fields(auto& m, auto& f) { f(m.allocation_size); }
  NtStatus Check() const;
};
struct FileEndOfFileInformation {
  std::uint64_t end_of_file = 0;
  static void Fields(auto& m, auto& f) { f(m.end_of_file); }
  NtStatus Check() const;
};
struct FileValidDataLengthInformation {
  std::uint64_t valid_data_length = 0;
  static void Fields(auto& m, auto& f) { f(m.valid_data_length); }
  NtStatus Check() const;
};

// 2.4.46
struct FileShortNameInformation {
  std::u16string file_name;
  static void Fields(auto& m, auto& f) { f.Name32(m.file_name); }
};

// 2.4.49: one stream, with its name as shown: "::$DATA", ":name:$DATA".
struct FileStreamInformation {
  std::u16string stream_name;
  std::uint64_t stream_size = 0;
  std::uint64_t stream_allocation_size = 0;
};
// Whole entries only, each 8-byte aligned; kBufferOverflow when some did not fit.
QueryOutput EncodeStreams(const std::vector<FileStreamInformation>& streams, std::size_t limit);
Result<std::vector<FileStreamInformation>> DecodeStreams(ByteView bytes);

}  // namespace holdfast::fscc
