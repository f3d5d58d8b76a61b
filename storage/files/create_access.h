// Who may open what: [MS-FSA] 2.1.5.1.2.1 and 2.1.5.1.2.2.
#pragma once

#include "storage/files/file_state.h"

namespace holdfast {

// Access that takes part in sharing at all, and its three kinds.
inline constexpr std::uint32_t kReadSharing = 0x00000021;    // READ_DATA, EXECUTE
inline constexpr std::uint32_t kWriteSharing = 0x00000006;   // WRITE_DATA, APPEND_DATA
inline constexpr std::uint32_t kDeleteSharing = 0x00010000;  // DELETE
inline constexpr std::uint32_t kAnySharing = kReadSharing | kWriteSharing | kDeleteSharing;

struct AccessRequest {
  std::uint32_t desired = 0;  // as asked: may hold generic bits and MAXIMUM_ALLOWED
  std::uint32_t implied = 0;  // what the disposition needs beyond it; checked, never granted
  std::uint32_t share_mask = 0xFFFFFFFF;
  bool backup_intent = false;
  bool delete_on_close = false;
};

struct AccessOutcome {
  NtStatus status = NtStatus::kAccessDenied;
  std::uint32_t granted = 0;
};

// `parent`: the descriptor of the directory the name stands in; null for the root of the volume.
AccessOutcome CheckExistingAccess(const Inode& file, const Bytes* parent, const SecurityToken& token,
                                  const AccessRequest& request);
// All rights the user has, MxAc.
std::uint32_t MaximalAccessOf(const Inode& file, const Bytes* parent, const SecurityToken& token,
                              std::uint32_t share_mask);
// Plain rights on a directory: to add a file, to delete a child.
bool HasAccess(const Bytes& descriptor, const SecurityToken& token, std::uint32_t access, bool backup_intent = false);

// An open about to be, against those that are.
struct SharingRequest {
  StreamId stream = kUnnamedStream;
  std::uint32_t access = 0;
  std::uint32_t share_access = 0;
};
bool SharingConflict(const SharingRequest& request, const Open& existing);
// kSharingViolation, or kFileNotAvailable when the open in the way is one whose client may yet come back.
NtStatus CheckSharing(const FileState& file, const SharingRequest& request);

}  // namespace holdfast
