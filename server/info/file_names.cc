#include "server/info/file_names.h"

#include "protocol/fscc/file_information.h"
#include "server/info/short_name.h"
#include "storage/files/file_state.h"

namespace holdfast::info {
namespace {

// Some clients begin the target with a backslash although it is relative to the share.
std::u16string RelativeToShare(const std::u16string& name) {
  return !name.empty() && name.front() == u'\\' ? name.substr(1) : name;
}

}  // namespace

Task<QueryResult> QueryAlternateName(InfoQuery query) {
  auto path = co_await query.files().QueryNormalizedName(query.open());
  if (!path.ok()) co_return path.status();
  std::u16string_view name = *path;
  name = name.substr(name.rfind(u'\\') + 1);   // npos + 1 is 0
  if (const auto stream = name.find(u':'); stream != name.npos) name = name.substr(0, stream);
  // The root of the share has no name.
  if (name.empty()) co_return NtStatus::kObjectNameNotFound;
  co_return Whole(fscc::Encode(fscc::FileNameInformation{.file_name = ShortName(name)}));
}

Task<QueryResult> QueryNormalizedName(InfoQuery query) {
  const OpenPtr open = query.open();
  auto path = co_await query.files().QueryNormalizedName(open);
  if (!path.ok()) co_return path.status();
  if (const StreamState* stream = open->stream == kUnnamedStream ? nullptr : open->file->Stream(open->stream)) {
    *path += u":" + stream->facts.name;
  }
  co_return Whole(fscc::Encode(fscc::FileNameInformation{.file_name = std::move(*path)}));
}

Task<QueryResult> QueryStreams(InfoQuery query) {
  auto streams = co_await query.files().QueryStreams(query.open());
  if (!streams.ok()) co_return streams.status();
  std::vector<fscc::FileStreamInformation> list;
  for (StreamListEntry& stream : *streams) {
    list.push_back({.stream_name = std::move(stream.name),
                    .stream_size = stream.size,
                    .stream_allocation_size = stream.allocation_size});
  }
  co_return fscc::EncodeStreams(list, query.limit());
}

Task<NtStatus> SetRename(InfoSet set) {
  auto rename = fscc::Decode<fscc::FileRenameInformation>(set.message.buffer);
  if (!rename.ok()) co_return rename.status();
  std::u16string target = RelativeToShare(rename->file_name);
  co_return co_await set.files().Rename(set.open(), std::move(target), rename->replace_if_exists, false,
                                        set.request->wait);
}

// [MS-FSCC] 2.4.43
Task<NtStatus> SetRenameEx(InfoSet set) {
  using Ex = fscc::FileRenameInformationEx;
  auto rename = fscc::Decode<Ex>(set.message.buffer);
  if (!rename.ok()) co_return rename.status();
  const std::uint32_t flags = rename->flags;
  if ((flags & ~Ex::kDefined) != 0) co_return NtStatus::kInvalidParameter;
  std::u16string target = RelativeToShare(rename->file_name);
  const bool replace = (flags & Ex::kReplaceIfExists) != 0;
  co_return co_await set.files().Rename(set.open(), std::move(target), replace,
                                        replace && (flags & Ex::kPosixSemantics) != 0, set.request->wait,
                                        replace && (flags & Ex::kIgnoreReadonlyAttribute) != 0);
}

Task<NtStatus> SetLink(InfoSet set) {
  auto link = fscc::Decode<fscc::FileLinkInformation>(set.message.buffer);
  if (!link.ok()) co_return link.status();
  std::u16string target = RelativeToShare(link->file_name);
  co_return co_await set.files().Link(set.open(), std::move(target), link->replace_if_exists);
}

}  // namespace holdfast::info
