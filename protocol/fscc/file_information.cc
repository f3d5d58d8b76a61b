#include "protocol/fscc/file_information.h"

namespace holdfast::fscc {
namespace {

constexpr std::size_t kStreamEntrySize = 24;  // before the name

NtStatus CheckSigned(std::uint64_t value) { return value >> 63 ? NtStatus::kInvalidParameter : NtStatus::kSuccess; }

NtStatus CheckTarget(std::uint64_t root_directory, const std::u16string& name) {
  return root_directory != 0 || name.empty() ? NtStatus::kInvalidParameter : NtStatus::kSuccess;
}

}  // namespace

QueryOutput FitOutput(Bytes whole, std::size_t minimum, std::size_t limit) {
  if (limit < minimum) return {NtStatus::kInfoLengthMismatch, {}};
  if (whole.size() <= limit) return {NtStatus::kSuccess, std::move(whole)};
  whole.resize(limit);
  return {NtStatus::kBufferOverflow, std::move(whole)};
}

NtStatus FileBasicInformation::Check() const {
  for (const std::uint64_t time : {creation_time, last_access_time, last_write_time, change_time})
    if (time >> 63 && time != kNoUpdate && time != kResumeUpdate) return NtStatus::kInvalidParameter;
  return NtStatus::kSuccess;
}

NtStatus FilePositionInformation::Check() const { return CheckSigned(current_byte_offset); }
NtStatus FileAllocationInformation::Check() const { return CheckSigned(allocation_size); }
NtStatus FileEndOfFileInformation::Check() const { return CheckSigned(end_of_file); }
NtStatus FileValidDataLengthInformation::Check() const { return CheckSigned(valid_data_length); }
NtStatus FileRenameInformation::Check() const { return CheckTarget(root_directory, file_name); }
NtStatus FileRenameInformationEx::Check() const { return CheckTarget(root_directory, file_name); }

QueryOutput EncodeStreams(const std::vector<FileStreamInformation>& streams, std::size_t limit) {
  QueryOutput output;
  std::size_t last = 0;
  for (const auto& stream : streams) {
    const std::size_t start = (output.data.size() + 7) / 8 * 8;
    if (start + kStreamEntrySize + stream.stream_name.size() * 2 > limit) {
      output.status = NtStatus::kBufferOverflow;
      break;
    }
    if (start != 0) {
      wire::StoreLe(output.data.data() + last, static_cast<std::uint32_t>(start - last));
      output.data.resize(start);
    }
    last = start;
    wire::AppendLe(output.data, std::uint32_t{0});
    wire::AppendLe(output.data, static_cast<std::uint32_t>(stream.stream_name.size() * 2));
    wire::AppendLe(output.data, stream.stream_size);
    wire::AppendLe(output.data, stream.stream_allocation_size);
    AppendUtf16Le(output.data, stream.stream_name);
  }
  return output;
}

Result<std::vector<FileStreamInformation>> DecodeStreams(ByteView bytes) {
  std::vector<FileStreamInformation> streams;
  while (!bytes.empty()) {
    if (bytes.size() < kStreamEntrySize) return NtStatus::kInvalidNetworkResponse;
    const std::size_t next = wire::LoadLe<std::uint32_t>(bytes.data());
    const std::size_t length = wire::LoadLe<std::uint32_t>(bytes.data() + 4);
    if (length > bytes.size() - kStreamEntrySize || next >= bytes.size() ||
        (next != 0 && next < kStreamEntrySize + length))
      return NtStatus::kInvalidNetworkResponse;
    auto name = Utf16FromLe(bytes.subspan(kStreamEntrySize, length));
    if (!name) return NtStatus::kInvalidNetworkResponse;
    streams.push_back({std::move(*name), wire::LoadLe<std::uint64_t>(bytes.data() + 8),
                       wire::LoadLe<std::uint64_t>(bytes.data() + 16)});
    if (next == 0) break;
    bytes = bytes.subspan(next);
  }
  return streams;
}

}  // namespace holdfast::fscc
