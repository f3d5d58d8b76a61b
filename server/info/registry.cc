#include "server/info/registry.h"

#include <algorithm>
#include <iterator>

#include "server/info/extended_attributes.h"
#include "server/info/file_changes.h"
#include "server/info/file_facts.h"
#include "server/info/file_names.h"
#include "server/info/fs_classes.h"
#include "server/info/pipe_classes.h"

namespace holdfast {
namespace {

using FileClass = fscc::FileInformationClass;
using FsClass = fscc::FsInformationClass;

// clang-format off
// The classes of [MS-SMB2] 2.2.37 and 2.2.39, and the "Ex" forms of rename and disposition: [MS-FSCC] 2.4 has them for
// remote use.
constexpr FileInfoRow kFileInfo[] = {
  // class                        query                         set                        from dialect
  {FileClass::kBasic,             FromFacts<info::Basic>,       info::SetBasic},
  {FileClass::kStandard,          FromFacts<info::Standard>},
  {FileClass::kInternal,          FromFacts<info::Internal>},
  {FileClass::kEa,                FromFacts<info::Ea>},
  {FileClass::kAccess,            FromFacts<info::Access>},
  {FileClass::kRename,            nullptr,                      info::SetRename},
  {FileClass::kLink,              nullptr,                      info::SetLink},
  {FileClass::kDisposition,       nullptr,                      info::SetDisposition},
  {FileClass::kPosition,          FromFacts<info::Position>,    info::SetPosition},
  {FileClass::kFullEa,            info::QueryFullEa,            info::SetFullEa},
  {FileClass::kMode,              FromFacts<info::Mode>,        info::SetMode},
  {FileClass::kAlignment,         FromFacts<info::Alignment>},
  {FileClass::kAll,               FromFacts<info::All>},
  {FileClass::kAllocation,        nullptr,                      info::SetAllocation},
  {FileClass::kEndOfFile,         nullptr,                      info::SetEndOfFile},
  {FileClass::kAlternateName,     info::QueryAlternateName},
  {FileClass::kStream,            info::QueryStreams},
  {FileClass::kCompression,       FromFacts<info::Compression>},
  {FileClass::kNetworkOpen,       FromFacts<info::NetworkOpen>},
  {FileClass::kAttributeTag,      FromFacts<info::AttributeTag>},
  {FileClass::kValidDataLength,   nullptr,                      info::SetValidDataLength},
  {FileClass::kNormalizedName,    info::QueryNormalizedName,    nullptr,                   0x0311},
  {FileClass::kId,                FromFacts<info::Id>,          nullptr,                   0x0300},
  {FileClass::kDispositionEx,     nullptr,                      info::SetDispositionEx},
  {FileClass::kRenameEx,          nullptr,                      info::SetRenameEx},
};

constexpr FileInfoRow kPipeInfo[] = {
  {FileClass::kBasic,             info::QueryPipeBasic},
  {FileClass::kStandard,          info::QueryPipeStandard},
  {FileClass::kPipe,              info::QueryPipe,              info::SetPipe},
  {FileClass::kPipeLocal,         info::QueryPipeLocal},
};

constexpr FsInfoRow kFsInfo[] = {
  {FsClass::kVolume,              info::QueryFsVolume},
  {FsClass::kSize,                info::QueryFsSize},
  {FsClass::kDevice,              info::QueryFsDevice},
  {FsClass::kAttribute,           info::QueryFsAttribute},
  {FsClass::kControl,             info::QueryFsControl},
  {FsClass::kFullSize,            info::QueryFsFullSize},
  {FsClass::kObjectId,            info::QueryFsObjectId},
  {FsClass::kSectorSize,          info::QueryFsSectorSize},
};
// clang-format on

template <class Row, std::size_t kCount, class Id>
const Row* Find(const Row (&rows)[kCount], Id id) {
  const auto found = std::find_if(std::begin(rows), std::end(rows), [id](const Row& row) { return row.id == id; });
  return found == std::end(rows) ? nullptr : found;
}

template <std::size_t kCount>
bool Contains(const std::uint8_t (&list)[kCount], std::uint8_t id) {
  return std::find(std::begin(list), std::end(list), id) != std::end(list);
}

// Where Windows differs from the rule "documented: NOT_SUPPORTED, else INVALID_INFO_CLASS" (behaviour notes 415, 416
// and 428).
constexpr std::uint8_t kQueryInvalidThoughKnown[] = {1, 2, 3, 10, 11, 12, 13, 19, 20, 27, 31, 36, 37, 38, 39, 40, 50};
constexpr std::uint8_t kQueryNotSupportedThoughUnknown[] = {41, 43, 47, 49, 51, 53};
constexpr std::uint8_t kQueryLengthMismatch = 52;
constexpr std::uint8_t kSetNotSupportedThoughUnknown[] = {30, 41, 42, 43};

}  // namespace

const FileInfoRow* FindFileInfo(FileClass id) { return Find(kFileInfo, id); }
const FileInfoRow* FindPipeInfo(FileClass id) { return Find(kPipeInfo, id); }
const FsInfoRow* FindFsInfo(FsClass id) { return Find(kFsInfo, id); }

NtStatus FileQueryRefusal(std::uint8_t id) {
  if (id == kQueryLengthMismatch) return NtStatus::kInfoLengthMismatch;
  if (Contains(kQueryInvalidThoughKnown, id)) return NtStatus::kInvalidInfoClass;
  if (Contains(kQueryNotSupportedThoughUnknown, id)) return NtStatus::kNotSupported;
  return fscc::FindFileInformationClass(id) ? NtStatus::kNotSupported : NtStatus::kInvalidInfoClass;
}

NtStatus FileSetRefusal(std::uint8_t id) {
  if (Contains(kSetNotSupportedThoughUnknown, id)) return NtStatus::kNotSupported;
  const auto* known = fscc::FindFileInformationClass(id);
  return known && known->minimum_set != 0 ? NtStatus::kNotSupported : NtStatus::kInvalidInfoClass;
}

NtStatus FsQueryRefusal(std::uint8_t id) {
  return fscc::FindFsInformationClass(id) ? NtStatus::kNotSupported : NtStatus::kInvalidInfoClass;
}

}  // namespace holdfast
