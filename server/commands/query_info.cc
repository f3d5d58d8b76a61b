// [MS-SMB2] 3.3.5.20: QUERY_INFO. What each class says stands in server/info; the rules common to all stand here.
#include "protocol/smb2/messages/query_info.h"

#include "protocol/dtyp/security_descriptor.h"
#include "server/commands/handler.h"
#include "server/commands/registry.h"
#include "server/info/registry.h"

namespace holdfast {
namespace {

// Cuts what is too long and makes the answer of it.
Reply Finish(const Request& request, fscc::QueryOutput output, std::size_t minimum, std::size_t limit) {
  if (output.status == NtStatus::kSuccess && output.data.size() > limit) {
    output = fscc::FitOutput(std::move(output.data), minimum, limit);
  }
  if (output.status == NtStatus::kInfoLengthMismatch) return ErrorWithData(request, output.status, {});
  if (IsError(output.status)) return output.status;
  return Answer(smb2::QueryInfoResponse{.output_buffer = output.data}, output.status);
}

Task<Reply> QueryFile(RequestPtr request, smb2::QueryInfoRequest query) {
  const auto id = static_cast<fscc::FileInformationClass>(query.file_info_class);
  const FileInfoRow* row = request->handle->pipe ? FindPipeInfo(id) : FindFileInfo(id);
  const auto* rules = fscc::FindFileInformationClass(query.file_info_class);
  if (!row || !row->query || !rules) co_return FileQueryRefusal(query.file_info_class);
  if (request->connection->dialect < row->min_dialect) co_return NtStatus::kNotSupported;
  if (query.output_buffer_length < rules->minimum_query) {
    co_return ErrorWithData(*request, NtStatus::kInfoLengthMismatch, {});
  }
  const OpenPtr open = request->open();
  if (open && (open->granted_access & rules->query_access) != rules->query_access) co_return NtStatus::kAccessDenied;
  InfoQuery info_query{request, query};
  auto output = co_await row->query(std::move(info_query));
  if (!output.ok()) co_return output.status();
  co_return Finish(*request, std::move(*output), rules->minimum_query, query.output_buffer_length);
}

Task<Reply> QueryFilesystem(RequestPtr request, smb2::QueryInfoRequest query) {
  const auto id = static_cast<fscc::FsInformationClass>(query.file_info_class);
  const FsInfoRow* row = FindFsInfo(id);
  const auto* rules = fscc::FindFsInformationClass(query.file_info_class);
  if (!row || !rules) co_return FsQueryRefusal(query.file_info_class);
  if (request->handle->pipe && id != fscc::FsInformationClass::kDevice) co_return NtStatus::kNotSupported;
  if (query.output_buffer_length < rules->minimum_query) {
    co_return ErrorWithData(*request, NtStatus::kInfoLengthMismatch, {});
  }
  InfoQuery info_query{request, query};
  auto output = co_await row->query(std::move(info_query));
  if (!output.ok()) co_return output.status();
  co_return Finish(*request, std::move(*output), rules->minimum_query, query.output_buffer_length);
}

// 3.3.5.20.3: never a part of a descriptor; the client learns how long it is.
Task<Reply> QuerySecurity(RequestPtr request, smb2::QueryInfoRequest query) {
  const OpenPtr open = request->open();
  if (!open) co_return NtStatus::kNotSupported;
  constexpr std::uint32_t kKnown = security_information::kOwner | security_information::kGroup |
                                   security_information::kDacl | security_information::kSacl |
                                   security_information::kLabel | security_information::kAttribute |
                                   security_information::kScope | security_information::kBackup;
  const std::uint32_t parts = query.additional_information & kKnown;
  const std::uint32_t needed = AccessToQuerySecurity(parts);
  if ((open->granted_access & needed) != needed) co_return NtStatus::kAccessDenied;
  auto descriptor = co_await FilesOf(*request).QuerySecurity(open, parts);
  if (!descriptor.ok()) co_return descriptor.status();
  if (descriptor->size() > query.output_buffer_length) {
    const smb2::BufferTooSmallError error{.required_buffer_length = static_cast<std::uint32_t>(descriptor->size())};
    co_return ErrorWithData(*request, NtStatus::kBufferTooSmall, wire::Encode(error));
  }
  co_return Answer(smb2::QueryInfoResponse{.output_buffer = *descriptor});
}

}  // namespace

Task<Reply> HandleQueryInfo(RequestPtr request) {
  HOLDFAST_DECODE(smb2::QueryInfoRequest, query, request);
  if (query.output_buffer_length > MaxTransactBytes(*request)) co_return NtStatus::kInvalidParameter;
  switch (query.info_type) {
    case smb2::InfoType::kFile: co_return co_await QueryFile(request, query);
    case smb2::InfoType::kFilesystem: co_return co_await QueryFilesystem(request, query);
    case smb2::InfoType::kSecurity: co_return co_await QuerySecurity(request, query);
    case smb2::InfoType::kQuota: co_return NtStatus::kNotSupported;  // 3.3.5.20.4: the store has no quotas of users
  }
  co_return NtStatus::kInvalidParameter;
}

}  // namespace holdfast
