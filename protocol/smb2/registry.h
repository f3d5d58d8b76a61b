// Every structure that a peer can send, with its name. The round-trip, truncation and golden tests and the fuzz target
// are generated from this list: what is not in it is not tested.
#pragma once

#include <string_view>

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

// Calls f(entry) for every entry; `typename decltype(entry)::Type` is the structure. Plain calls rather than a tuple:
// compilers and their messages stay quick.
template <class F>
constexpr void ForEachStructure(F&& f) {
  // clang-format off
  f(Message<NegotiateRequest>{"negotiate_request"});
  f(Message<NegotiateResponse>{"negotiate_response"});
  f(Message<SessionSetupRequest>{"session_setup_request"});
  f(Message<SessionSetupResponse>{"session_setup_response"});
  f(Message<LogoffRequest>{"logoff_request"});
  f(Message<LogoffResponse>{"logoff_response"});
  f(Message<TreeConnectRequest>{"tree_connect_request"});
  f(Message<TreeConnectExtendedRequest>{"tree_connect_extended_request"});
  f(Message<TreeConnectResponse>{"tree_connect_response"});
  f(Message<TreeDisconnectRequest>{"tree_disconnect_request"});
  f(Message<TreeDisconnectResponse>{"tree_disconnect_response"});
  f(Message<CreateRequest>{"create_request"});
  f(Message<CreateResponse>{"create_response"});
  f(Message<CloseRequest>{"close_request"});
  f(Message<CloseResponse>{"close_response"});
  f(Message<FlushRequest>{"flush_request"});
  f(Message<FlushResponse>{"flush_response"});
  f(Message<ReadRequest>{"read_request"});
  f(Message<ReadResponse>{"read_response"});
  f(Message<WriteRequest>{"write_request"});
  f(Message<WriteResponse>{"write_response"});
  f(Message<LockRequest>{"lock_request"});
  f(Message<LockResponse>{"lock_response"});
  f(Message<IoctlRequest>{"ioctl_request"});
  f(Message<IoctlResponse>{"ioctl_response"});
  f(Message<CancelRequest>{"cancel_request"});
  f(Message<EchoRequest>{"echo_request"});
  f(Message<EchoResponse>{"echo_response"});
  f(Message<QueryDirectoryRequest>{"query_directory_request"});
  f(Message<QueryDirectoryResponse>{"query_directory_response"});
  f(Message<ChangeNotifyRequest>{"change_notify_request"});
  f(Message<ChangeNotifyResponse>{"change_notify_response"});
  f(Message<QueryInfoRequest>{"query_info_request"});
  f(Message<QueryInfoResponse>{"query_info_response"});
  f(Message<SetInfoRequest>{"set_info_request"});
  f(Message<SetInfoResponse>{"set_info_response"});
  f(Message<OplockBreakNotification>{"oplock_break"});
  f(Message<LeaseBreakNotification>{"lease_break_notification"});
  f(Message<LeaseBreakAcknowledgment>{"lease_break_acknowledgment"});
  f(Message<ErrorResponse>{"error_response"});

  f(Data<Header>{"header"});
  f(Data<TransformHeader>{"transform_header"});
  f(Data<CompressionTransformHeader>{"compression_transform_header"});
  f(Data<ErrorContext>{"error_context"});
  f(Data<BufferTooSmallError>{"error_buffer_too_small"});
  f(Data<SymbolicLinkErrorLayout>{"error_symbolic_link"});
  f(Data<ShareRedirectError>{"error_share_redirect"});

  f(Data<PreauthIntegrityCapabilities>{"context_preauth_integrity_capabilities"});
  f(Data<EncryptionCapabilities>{"context_encryption_capabilities"});
  f(Data<CompressionCapabilities>{"context_compression_capabilities"});
  f(Data<NetnameNegotiateContextId>{"context_netname_negotiate_context_id"});
  f(Data<TransportCapabilities>{"context_transport_capabilities"});
  f(Data<RdmaTransformCapabilities>{"context_rdma_transform_capabilities"});
  f(Data<SigningCapabilities>{"context_signing_capabilities"});

  f(Data<DurableHandleRequest>{"context_durable_handle_request"});
  f(Data<DurableHandleResponse>{"context_durable_handle_response"});
  f(Data<DurableHandleReconnect>{"context_durable_handle_reconnect"});
  f(Data<DurableHandleRequestV2>{"context_durable_handle_request_v2"});
  f(Data<DurableHandleResponseV2>{"context_durable_handle_response_v2"});
  f(Data<DurableHandleReconnectV2>{"context_durable_handle_reconnect_v2"});
  f(Data<LeaseContext>{"context_lease"});
  f(Data<LeaseContextV2>{"context_lease_v2"});
  f(Data<AppInstanceId>{"context_app_instance_id"});
  f(Data<AppInstanceVersion>{"context_app_instance_version"});
  f(Data<QueryMaximalAccessRequest>{"context_query_maximal_access_request"});
  f(Data<QueryMaximalAccessResponse>{"context_query_maximal_access_response"});
  f(Data<AllocationSize>{"context_allocation_size"});
  f(Data<TimewarpToken>{"context_timewarp_token"});
  f(Data<QueryOnDiskIdResponse>{"context_query_on_disk_id_response"});

  f(Data<QueryQuotaInfo>{"query_quota_info"});
  f(Data<ValidateNegotiateInfoRequest>{"ioctl_validate_negotiate_info_request"});
  f(Data<ValidateNegotiateInfoResponse>{"ioctl_validate_negotiate_info_response"});
  f(Data<NetworkInterfaceInfoResponse>{"ioctl_network_interface_info_response"});
  f(Data<SrvCopychunkCopy>{"ioctl_srv_copychunk_copy"});
  f(Data<SrvCopychunkResponse>{"ioctl_srv_copychunk_response"});
  f(Data<SrvRequestResumeKeyResponse>{"ioctl_srv_request_resume_key_response"});
  f(Data<NetworkResiliencyRequest>{"ioctl_network_resiliency_request"});
  f(Data<SrvSnapshotArray>{"ioctl_srv_snapshot_array"});
  f(Data<SrvReadHashRequest>{"ioctl_srv_read_hash_request"});
  f(Data<PipeWaitRequest>{"ioctl_pipe_wait_request"});
  f(Data<PipePeekResponse>{"ioctl_pipe_peek_response"});
  f(Data<FileSetSparseBuffer>{"ioctl_set_sparse"});
  f(Data<FileZeroDataInformation>{"ioctl_file_zero_data_information"});
  f(Data<FileAllocatedRangeBuffer>{"ioctl_file_allocated_range_buffer"});
  f(Data<FileAllocatedRanges>{"ioctl_file_allocated_ranges"});
  f(Data<FileLevelTrim>{"ioctl_file_level_trim"});
  f(Data<FileLevelTrimOutput>{"ioctl_file_level_trim_output"});
  f(Data<FileRegionInput>{"ioctl_file_region_input"});
  f(Data<FileRegionOutput>{"ioctl_file_region_output"});
  f(Data<DuplicateExtentsData>{"ioctl_duplicate_extents_data"});
  f(Data<DuplicateExtentsDataEx>{"ioctl_duplicate_extents_data_ex"});
  f(Data<FileObjectIdBuffer>{"ioctl_file_object_id_buffer"});
  f(Data<GetIntegrityInformationBuffer>{"ioctl_get_integrity_information"});
  f(Data<SetIntegrityInformationBuffer>{"ioctl_set_integrity_information"});
  f(Data<CompressionState>{"ioctl_compression_state"});
  f(Data<DfsReferralRequest>{"ioctl_dfs_referral_request"});
  f(Data<DfsReferralExRequest>{"ioctl_dfs_referral_ex_request"});
  // clang-format on
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
