#include "server/info/file_changes.h"

#include "protocol/fscc/file_information.h"

namespace holdfast::info {

Task<NtStatus> SetBasic(InfoSet set) {
  auto basic = fscc::Decode<fscc::FileBasicInformation>(set.message.buffer);
  if (!basic.ok()) co_return basic.status();
  const SetTimesAndAttributes change{.creation_time = static_cast<std::int64_t>(basic->creation_time),
                                     .last_access_time = static_cast<std::int64_t>(basic->last_access_time),
                                     .last_write_time = static_cast<std::int64_t>(basic->last_write_time),
                                     .change_time = static_cast<std::int64_t>(basic->change_time),
                                     .file_attributes = basic->file_attributes};
  co_return co_await set.files().SetBasic(set.open(), change);
}

Task<NtStatus> SetDisposition(InfoSet set) {
  auto disposition = fscc::Decode<fscc::FileDispositionInformation>(set.message.buffer);
  if (!disposition.ok()) co_return disposition.status();
  co_return co_await set.files().SetDisposition(set.open(), disposition->delete_pending, false, false,
                                                set.request->wait);
}

// [MS-FSA] 2.1.5.15.4. There are no image sections to be looked for.
Task<NtStatus> SetDispositionEx(InfoSet set) {
  using Ex = fscc::FileDispositionInformationEx;
  auto disposition = fscc::Decode<Ex>(set.message.buffer);
  if (!disposition.ok()) co_return disposition.status();
  const std::uint32_t flags = disposition->flags;
  if ((flags & ~Ex::kDefined) != 0) co_return NtStatus::kNotSupported;
  const bool opened_for_it = (set.open()->create_options & smb2::create_option::kDeleteOnClose) != 0;
  if ((flags & Ex::kOnClose) != 0 && !opened_for_it) co_return NtStatus::kNotSupported;
  co_return co_await set.files().SetDisposition(set.open(), (flags & Ex::kDelete) != 0,
                                                (flags & Ex::kPosixSemantics) != 0,
                                                (flags & Ex::kIgnoreReadonlyAttribute) != 0, set.request->wait);
}

Task<NtStatus> SetAllocation(InfoSet set) {
  auto allocation = fscc::Decode<fscc::FileAllocationInformation>(set.message.buffer);
  if (!allocation.ok()) co_return allocation.status();
  co_return co_await set.files().SetAllocation(set.open(), allocation->allocation_size);
}

Task<NtStatus> SetEndOfFile(InfoSet set) {
  auto end = fscc::Decode<fscc::FileEndOfFileInformation>(set.message.buffer);
  if (!end.ok()) co_return end.status();
  co_return co_await set.files().SetEndOfFile(set.open(), end->end_of_file);
}

Task<NtStatus> SetValidDataLength(InfoSet set) {
  auto valid = fscc::Decode<fscc::FileValidDataLengthInformation>(set.message.buffer);
  if (!valid.ok()) co_return valid.status();
  co_return co_await set.files().SetValidDataLength(set.open(), valid->valid_data_length);
}

// [MS-FSA] 2.1.5.15.10: without buffering only whole sectors.
Task<NtStatus> SetPosition(InfoSet set) {
  auto position = fscc::Decode<fscc::FilePositionInformation>(set.message.buffer);
  if (!position.ok()) co_return position.status();
  const OpenPtr open = set.open();
  constexpr std::uint64_t kSectorBytes = 512;
  if ((open->create_options & smb2::create_option::kNoIntermediateBuffering) != 0 &&
      position->current_byte_offset % kSectorBytes != 0) {
    co_return NtStatus::kInvalidParameter;
  }
  open->current_byte_offset = position->current_byte_offset;
  co_return NtStatus::kSuccess;
}

// [MS-FSA] 2.1.5.15.8
Task<NtStatus> SetMode(InfoSet set) {
  auto mode = fscc::Decode<fscc::FileModeInformation>(set.message.buffer);
  if (!mode.ok()) co_return mode.status();
  if ((mode->mode & ~fscc::FileModeInformation::kSettable) != 0) co_return NtStatus::kInvalidParameter;
  set.open()->mode = mode->mode;
  co_return NtStatus::kSuccess;
}

}  // namespace holdfast::info
