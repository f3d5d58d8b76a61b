// Every structure that a peer can send, with its name. The round-trip, truncation and golden tests and the fuzz target
// are generated from this list: what is not in it is not tested.
#pragma once

#include <string_view>
#include <tuple>

#include "protocol/smb2/contexts/app_instance.h"
#include "protocol/smb2/contexts/create_context.h"
#include "protocol/smb2/contexts/durable_handle.h"
#include "protocol/smb2/contexts/file_contexts.h"
#include "protocol/smb2/contexts/lease.h"
#include "protocol/smb2/contexts/negotiate_context.h"
#include "protocol/smb2/header.h"
#include "protocol/smb2/ioctl/copychunk.h"
#include "protocol/smb2/ioctl/dfs_referral.h"
#include "protocol/smb2/ioctl/file_control.h"
#include "protocol/smb2/ioctl/file_ranges.h"
#include "protocol/smb2/ioctl/network_interface_info.h"
#include "protocol/smb2/ioctl/open_control.h"
#include "protocol/smb2/ioctl/pipe.h"
#include "protocol/smb2/ioctl/validate_negotiate_info.h"
#include "protocol/smb2/messages/cancel.h"
#include "protocol/smb2/messages/change_notify.h"
#include "protocol/smb2/messages/close.h"
#include "protocol/smb2/messages/create.h"
#include "protocol/smb2/messages/echo.h"
#include "protocol/smb2/messages/error.h"
#include "protocol/smb2/messages/flush.h"
#include "protocol/smb2/messages/ioctl.h"
#include "protocol/smb2/messages/lock.h"
#include "protocol/smb2/messages/logoff.h"
#include "protocol/smb2/messages/negotiate.h"
#include "protocol/smb2/messages/oplock_break.h"
#include "protocol/smb2/messages/query_directory.h"
#include "protocol/smb2/messages/query_info.h"
#include "protocol/smb2/messages/read.h"
#include "protocol/smb2/messages/session_setup.h"
#include "protocol/smb2/messages/set_info.h"
#include "protocol/smb2/messages/tree_connect.h"
#include "protocol/smb2/messages/tree_disconnect.h"
#include "protocol/smb2/messages/write.h"
#include "protocol/smb2/transform_header.h"

namespace holdfast::smb2 {

// kMessage: a body behind the 64-byte header, from which its offsets count. kData: stands alone.
enum class Framing { kMessage, kData };

template <class M, Framing framing>
struct Registered {
  using Type = M;
  static constexpr Framing kFraming = framing;
  std::string_view name;
};
template <class M>
using Message = Registered<M, Framing::kMessage>;
template <class M>
using Data = Registered<M, Framing::kData>;

// clang-format off
inline constexpr auto kRegistry = std::tuple{
    Message<NegotiateRequest>{"negotiate_request"},
    Message<NegotiateResponse>{"negotiate_response"},
    Message<SessionSetupRequest>{"session_setup_request"},
    Message<SessionSetupResponse>{"session_setup_response"},
    Message<LogoffRequest>{"logoff_request"},
    Message<LogoffResponse>{"logoff_response"},
    Message<TreeConnectRequest>{"tree_connect_request"},
    Message<TreeConnectExtendedRequest>{"tree_connect_extended_request"},
    Message<TreeConnectResponse>{"tree_connect_response"},
    Message<TreeDisconnectRequest>{"tree_disconnect_request"},
    Message<TreeDisconnectResponse>{"tree_disconnect_response"},
    Message<CreateRequest>{"create_request"},
    Message<CreateResponse>{"create_response"},
    Message<CloseRequest>{"close_request"},
    Message<CloseResponse>{"close_response"},
    Message<FlushRequest>{"flush_request"},
    Message<FlushResponse>{"flush_response"},
    Message<ReadRequest>{"read_request"},
    Message<ReadResponse>{"read_response"},
    Message<WriteRequest>{"write_request"},
    Message<WriteResponse>{"write_response"},
    Message<LockRequest>{"lock_request"},
    Message<LockResponse>{"lock_response"},
    Message<IoctlRequest>{"ioctl_request"},
    Message<IoctlResponse>{"ioctl_response"},
    Message<CancelRequest>{"cancel_request"},
    Message<EchoRequest>{"echo_request"},
    Message<EchoResponse>{"echo_response"},
    Message<QueryDirectoryRequest>{"query_directory_request"},
    Message<QueryDirectoryResponse>{"query_directory_response"},
    Message<ChangeNotifyRequest>{"change_notify_request"},
    Message<ChangeNotifyResponse>{"change_notify_response"},
    Message<QueryInfoRequest>{"query_info_request"},
    Message<QueryInfoResponse>{"query_info_response"},
    Message<SetInfoRequest>{"set_info_request"},
    Message<SetInfoResponse>{"set_info_response"},
    Message<OplockBreakNotification>{"oplock_break"},
    Message<LeaseBreakNotification>{"lease_break_notification"},
    Message<LeaseBreakAcknowledgment>{"lease_break_acknowledgment"},
    Message<ErrorResponse>{"error_response"},

    Data<Header>{"header"},
    Data<TransformHeader>{"transform_header"},
    Data<CompressionTransformHeader>{"compression_transform_header"},
    Data<ErrorContext>{"error_context"},
    Data<BufferTooSmallError>{"error_buffer_too_small"},
    Data<SymbolicLinkErrorLayout>{"error_symbolic_link"},
    Data<ShareRedirectError>{"error_share_redirect"},

    Data<PreauthIntegrityCapabilities>{"context_preauth_integrity_capabilities"},
    Data<EncryptionCapabilities>{"context_encryption_capabilities"},
    Data<CompressionCapabilities>{"context_compression_capabilities"},
    Data<NetnameNegotiateContextId>{"context_netname_negotiate_context_id"},
    Data<TransportCapabilities>{"context_transport_capabilities"},
    Data<RdmaTransformCapabilities>{"context_rdma_transform_capabilities"},
    Data<SigningCapabilities>{"context_signing_capabilities"},

    Data<DurableHandleRequest>{"context_durable_handle_request"},
    Data<DurableHandleResponse>{"context_durable_handle_response"},
    Data<DurableHandleReconnect>{"context_durable_handle_reconnect"},
    Data<DurableHandleRequestV2>{"context_durable_handle_request_v2"},
    Data<DurableHandleResponseV2>{"context_durable_handle_response_v2"},
    Data<DurableHandleReconnectV2>{"context_durable_handle_reconnect_v2"},
    Data<LeaseContext>{"context_lease"},
    Data<LeaseContextV2>{"context_lease_v2"},
    Data<AppInstanceId>{"context_app_instance_id"},
    Data<AppInstanceVersion>{"context_app_instance_version"},
    Data<QueryMaximalAccessRequest>{"context_query_maximal_access_request"},
    Data<QueryMaximalAccessResponse>{"context_query_maximal_access_response"},
    Data<AllocationSize>{"context_allocation_size"},
    Data<TimewarpToken>{"context_timewarp_token"},
    Data<QueryOnDiskIdResponse>{"context_query_on_disk_id_response"},

    Data<QueryQuotaInfo>{"query_quota_info"},
    Data<ValidateNegotiateInfoRequest>{"ioctl_validate_negotiate_info_request"},
    Data<ValidateNegotiateInfoResponse>{"ioctl_validate_negotiate_info_response"},
    Data<NetworkInterfaceInfoResponse>{"ioctl_network_interface_info_response"},
    Data<SrvCopychunkCopy>{"ioctl_srv_copychunk_copy"},
    Data<SrvCopychunkResponse>{"ioctl_srv_copychunk_response"},
    Data<SrvRequestResumeKeyResponse>{"ioctl_srv_request_resume_key_response"},
    Data<NetworkResiliencyRequest>{"ioctl_network_resiliency_request"},
    Data<SrvSnapshotArray>{"ioctl_srv_snapshot_array"},
    Data<SrvReadHashRequest>{"ioctl_srv_read_hash_request"},
    Data<PipeWaitRequest>{"ioctl_pipe_wait_request"},
    Data<PipePeekResponse>{"ioctl_pipe_peek_response"},
    Data<FileSetSparseBuffer>{"ioctl_set_sparse"},
    Data<FileZeroDataInformation>{"ioctl_file_zero_data_information"},
    Data<FileAllocatedRangeBuffer>{"ioctl_file_allocated_range_buffer"},
    Data<FileAllocatedRanges>{"ioctl_file_allocated_ranges"},
    Data<FileLevelTrim>{"ioctl_file_level_trim"},
    Data<FileLevelTrimOutput>{"ioctl_file_level_trim_output"},
    Data<FileRegionInput>{"ioctl_file_region_input"},
    Data<FileRegionOutput>{"ioctl_file_region_output"},
    Data<DuplicateExtentsData>{"ioctl_duplicate_extents_data"},
    Data<DuplicateExtentsDataEx>{"ioctl_duplicate_extents_data_ex"},
    Data<FileObjectIdBuffer>{"ioctl_file_object_id_buffer"},
    Data<GetIntegrityInformationBuffer>{"ioctl_get_integrity_information"},
    Data<SetIntegrityInformationBuffer>{"ioctl_set_integrity_information"},
    Data<CompressionState>{"ioctl_compression_state"},
    Data<DfsReferralRequest>{"ioctl_dfs_referral_request"},
    Data<DfsReferralExRequest>{"ioctl_dfs_referral_ex_request"},
};
// clang-format on

inline constexpr std::size_t kRegistrySize = std::tuple_size_v<decltype(kRegistry)>;

// Calls f(entry) for every entry; `typename decltype(entry)::Type` is the structure.
template <class F>
constexpr void ForEachStructure(F&& f) {
  std::apply([&](const auto&... entry) { (f(entry), ...); }, kRegistry);
}

// Decodes as the entry's framing wants.
template <class M, Framing framing>
Result<M> DecodeAs(const Registered<M, framing>&, ByteView bytes, const char** failed_field = nullptr) {
  if constexpr (framing == Framing::kMessage) {
    return Decode<M>(bytes, failed_field);
  } else {
    return wire::Decode<M>(bytes, failed_field);
  }
}

}  // namespace holdfast::smb2
