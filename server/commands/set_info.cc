// [MS-SMB2] 3.3.5.21: SET_INFO. What each class does stands in server/info; the rules common to all stand here.
#include "protocol/smb2/messages/set_info.h"

#include "protocol/dtyp/security_descriptor.h"
#include "server/commands/handler.h"
#include "server/commands/registry.h"
#include "server/info/registry.h"

namespace holdfast {
namespace {

Task<NtStatus> SetFile(RequestPtr request, smb2::SetInfoRequest set) {
  const auto id = static_cast<fscc::FileInformationClass>(set.file_info_class);
  const FileInfoRow* row = request->handle->pipe ? FindPipeInfo(id) : FindFileInfo(id);
  const auto* rules = fscc::FindFileInformationClass(set.file_info_class);
  if (!row || !row->set || !rules) co_return FileSetRefusal(set.file_info_class);
  if (set.buffer.size() < rules->minimum_set) co_return NtStatus::kInfoLengthMismatch;
  const OpenPtr open = request->open();
  if (open && (open->granted_access & rules->set_access) != rules->set_access) co_return NtStatus::kAccessDenied;
  InfoSet info_set{request, set};
  co_return co_await row->set(std::move(info_set));
}

Task<NtStatus> SetSecurity(RequestPtr request, smb2::SetInfoRequest set) {
  const OpenPtr open = request->open();
  if (!open) co_return NtStatus::kNotSupported;
  constexpr std::uint32_t kKnown = security_information::kOwner | security_information::kGroup |
                                   security_information::kDacl | security_information::kSacl |
                                   security_information::kLabel | security_information::kAttribute |
                                   security_information::kScope | security_information::kBackup;
  const std::uint32_t parts = set.additional_information & kKnown;
  const std::uint32_t needed = AccessToSetSecurity(parts);
  if ((open->granted_access & needed) != needed) co_return NtStatus::kAccessDenied;
  Bytes descriptor(set.buffer.begin(), set.buffer.end());
  co_return co_await FilesOf(*request).SetSecurity(open, parts, std::move(descriptor), request->wait);
}

Task<NtStatus> Set(RequestPtr request, smb2::SetInfoRequest set) {
  switch (set.info_type) {
    case smb2::InfoType::kFile: co_return co_await SetFile(request, set);
    case smb2::InfoType::kFilesystem:
      // As Windows (behaviour note 423): nothing of a volume is set over the network.
      co_return fscc::FindFsInformationClass(set.file_info_class) ? NtStatus::kAccessDenied
                                                                  : NtStatus::kInvalidInfoClass;
    case smb2::InfoType::kSecurity: co_return co_await SetSecurity(request, set);
    case smb2::InfoType::kQuota: co_return NtStatus::kNotSupported;  // 3.3.5.21.4
  }
  co_return NtStatus::kInvalidParameter;
}

}  // namespace

Task<Reply> HandleSetInfo(RequestPtr request) {
  HOLDFAST_DECODE(smb2::SetInfoRequest, set, request);
  if (set.buffer.size() > MaxTransactBytes(*request)) co_return NtStatus::kInvalidParameter;
  if (set.buffer.empty()) co_return NtStatus::kInvalidParameter;
  const NtStatus status = co_await Set(request, set);
  if (status != NtStatus::kSuccess) co_return status;
  co_return Answer(smb2::SetInfoResponse{});
}

}  // namespace holdfast
