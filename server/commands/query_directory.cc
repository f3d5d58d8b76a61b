// [MS-SMB2] 3.3.5.18: QUERY_DIRECTORY.
#include "protocol/smb2/messages/query_directory.h"

#include <algorithm>

#include "protocol/dtyp/access_mask.h"
#include "protocol/fscc/directory_information.h"
#include "server/commands/handler.h"
#include "server/commands/registry.h"
#include "server/info/file_identity.h"

namespace holdfast {
namespace {

// How many entries one look into the volume fetches at most.
constexpr std::size_t kMaxEntriesAhead = 1024;

fscc::DirectoryEntry ToWire(const DirectoryEntry& from) {
  fscc::DirectoryEntry entry;
  entry.creation_time = from.creation_time;
  entry.last_access_time = from.last_access_time;
  entry.last_write_time = from.last_write_time;
  entry.change_time = from.change_time;
  entry.end_of_file = from.size;
  entry.allocation_size = from.allocation_size;
  entry.file_attributes = from.file_attributes;
  entry.ea_size = from.ea_bytes;
  entry.reparse_tag = from.reparse_tag;
  entry.file_id = from.number;
  entry.file_id_128 = FileId128(from.number);
  entry.file_name = from.name;
  return entry;
}

}  // namespace

Task<Reply> HandleQueryDirectory(RequestPtr request) {
  HOLDFAST_DECODE(smb2::QueryDirectoryRequest, query, request);
  const OpenPtr open = request->open();
  const bool reopen = (query.flags & smb2::query_directory_flag::kReopen) != 0;
  if (!open || !open->directory()) co_return reopen ? NtStatus::kNotSupported : NtStatus::kInvalidParameter;
  if (query.output_buffer_length > MaxTransactBytes(*request)) co_return NtStatus::kInvalidParameter;
  if ((open->granted_access & access::kListDirectory) == 0) co_return NtStatus::kAccessDenied;
  const auto info_class = static_cast<fscc::FileInformationClass>(query.file_information_class);
  if (!fscc::DirectoryWriter::IsDirectoryClass(info_class)) co_return NtStatus::kInvalidInfoClass;
  // [MS-FSA] 2.1.5.6.3: not even the fixed part of one entry fits.
  const std::size_t fixed_size = fscc::DirectoryWriter::EntrySize(info_class, 0);
  if (query.output_buffer_length < fixed_size) co_return NtStatus::kInfoLengthMismatch;

  const bool single = (query.flags & smb2::query_directory_flag::kReturnSingleEntry) != 0;
  bool restart = (query.flags & smb2::query_directory_flag::kRestartScans) != 0;
  bool reopen_once = reopen;

  fscc::DirectoryWriter writer(info_class, query.output_buffer_length);
  Files& files = FilesOf(*request);
  for (;;) {
    const std::size_t want = single ? 1 : std::clamp<std::size_t>(writer.room() / (fixed_size + 16), 1, kMaxEntriesAhead);
    const NtStatus status = co_await files.FillScan(open, query.file_name, restart, reopen_once, want);
    restart = reopen_once = false;
    if (status != NtStatus::kSuccess) {
      // An end or an error behind entries that did fit shows with the next request.
      if (writer.empty()) co_return status;
      break;
    }
    // Another request on this open may have taken the entries between FillScan and here: then once more.
    std::deque<DirectoryEntry>& ahead = open->scan.ahead;
    bool full = false;
    while (!ahead.empty() && !full) {
      if (!writer.Append(ToWire(ahead.front()))) {
        full = true;
        break;
      }
      ahead.pop_front();
      full = single;
    }
    if (full) break;
  }
  // The first entry does not fit: Windows has no answer with a cut name either.
  if (writer.empty()) co_return NtStatus::kInfoLengthMismatch;
  const Bytes buffer = writer.Finish();
  co_return Answer(smb2::QueryDirectoryResponse{.output_buffer = buffer});
}

}  // namespace holdfast
