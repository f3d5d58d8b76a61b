#include "conformance/client/session.h"

#include "protocol/dtyp/unicode.h"
#include "protocol/smb2/messages/flush.h"
#include "protocol/smb2/messages/ioctl.h"
#include "protocol/smb2/messages/query_directory.h"
#include "protocol/smb2/messages/query_info.h"
#include "protocol/smb2/messages/read.h"
#include "protocol/smb2/messages/set_info.h"
#include "protocol/smb2/messages/tree_connect.h"
#include "protocol/smb2/messages/tree_disconnect.h"
#include "protocol/smb2/messages/write.h"

namespace holdfast::client {

Task<Result<std::shared_ptr<Tree>>> Tree::Connect(std::shared_ptr<Session> session, std::string unc) {
  smb2::TreeConnectRequest request;
  request.path = Utf8ToUtf16Lossy(unc);
  CallOptions options;
  options.session = session->security();
  auto answer = co_await session->connection()->Call(smb2::Command::kTreeConnect, request, options);
  if (!answer.ok()) co_return answer.status();
  if (answer->status() != NtStatus::kSuccess) co_return answer->status();
  const auto response = answer->As<smb2::TreeConnectResponse>();
  if (!response.ok()) co_return NtStatus::kInvalidNetworkResponse;
  auto tree = std::make_shared<Tree>();
  tree->session_ = std::move(session);
  tree->tree_id_ = answer->header.tree_id;
  tree->capabilities_ = response->capabilities;
  tree->encrypt_ = (response->share_flags & smb2::share_flag::kEncryptData) != 0;
  co_return tree;
}

std::shared_ptr<Tree> Tree::On(std::shared_ptr<Session> channel) const {
  auto tree = std::make_shared<Tree>(*this);
  tree->session_ = std::move(channel);
  return tree;
}

CallOptions Tree::Options(Replay replay, std::uint32_t payload) const {
  CallOptions options;
  options.tree_id = tree_id_;
  options.flags = replay.flags();
  options.channel_sequence = replay.channel_sequence;
  options.payload_bytes = payload;
  options.session = session_->security();
  options.encrypt = encrypt_;
  return options;
}

template <class M>
Task<NtStatus> Tree::Simple(smb2::Command command, M body, Replay replay, std::uint32_t payload) {
  auto answer = co_await session_->connection()->Call(command, body, Options(replay, payload));
  co_return answer.ok() ? answer->status() : answer.status();
}

Task<NtStatus> Tree::Disconnect() {
  return Simple(smb2::Command::kTreeDisconnect, smb2::TreeDisconnectRequest{}, Replay{});
}

Task<Result<CreateResult>> Tree::Create(smb2::CreateRequest request, Replay replay) {
  auto answer = co_await session_->connection()->Call(smb2::Command::kCreate, request, Options(replay));
  if (!answer.ok()) co_return answer.status();
  if (answer->status() != NtStatus::kSuccess) co_return answer->status();
  auto response = answer->As<smb2::CreateResponse>();
  if (!response.ok()) co_return NtStatus::kInvalidNetworkResponse;
  co_return CreateResult{std::move(*response), std::move(*answer)};
}

Task<NtStatus> Tree::Close(smb2::FileId file, Replay replay) {
  smb2::CloseRequest request;
  request.file_id = file;
  return Simple(smb2::Command::kClose, request, replay);
}

Task<Result<Response>> Tree::Read(smb2::FileId file, std::uint64_t offset, std::uint32_t length, Replay replay) {
  smb2::ReadRequest request;
  request.file_id = file;
  request.offset = offset;
  request.length = length;
  auto answer = co_await session_->connection()->Call(smb2::Command::kRead, request, Options(replay, length));
  if (!answer.ok()) co_return answer.status();
  if (answer->status() != NtStatus::kSuccess) co_return answer->status();
  co_return std::move(*answer);
}

Task<Result<std::uint32_t>> Tree::Write(smb2::FileId file, std::uint64_t offset, ByteView data, Replay replay) {
  smb2::WriteRequest request;
  request.file_id = file;
  request.offset = offset;
  request.data = data;
  auto answer = co_await session_->connection()->Call(smb2::Command::kWrite, request,
                                                      Options(replay, static_cast<std::uint32_t>(data.size())));
  if (!answer.ok()) co_return answer.status();
  if (answer->status() != NtStatus::kSuccess) co_return answer->status();
  const auto response = answer->As<smb2::WriteResponse>();
  if (!response.ok()) co_return NtStatus::kInvalidNetworkResponse;
  co_return response->count;
}

Task<NtStatus> Tree::Flush(smb2::FileId file, Replay replay) {
  smb2::FlushRequest request;
  request.file_id = file;
  return Simple(smb2::Command::kFlush, request, replay);
}

Task<NtStatus> Tree::Lock(smb2::FileId file, std::vector<smb2::LockElement> locks, std::uint32_t lock_sequence,
                          Replay replay, std::uint64_t* message_id) {
  smb2::LockRequest request;
  request.file_id = file;
  request.lock_sequence = lock_sequence;
  request.locks = std::move(locks);
  CallOptions options = Options(replay);
  options.message_id = message_id;
  auto answer = co_await session_->connection()->Call(smb2::Command::kLock, request, options);
  co_return answer.ok() ? answer->status() : answer.status();
}

Task<NtStatus> Tree::SetInfo(smb2::FileId file, std::uint8_t file_info_class, Bytes buffer, Replay replay) {
  smb2::SetInfoRequest request;
  request.file_id = file;
  request.file_info_class = file_info_class;
  request.buffer = buffer;
  // Not handed on as a coroutine of its own: the request borrows from `buffer`.
  co_return co_await Simple(smb2::Command::kSetInfo, request, replay, static_cast<std::uint32_t>(buffer.size()));
}

Task<NtStatus> Tree::SetSecurity(smb2::FileId file, std::uint32_t security_information, Bytes descriptor) {
  smb2::SetInfoRequest request;
  request.info_type = smb2::InfoType::kSecurity;
  request.additional_information = security_information;
  request.file_id = file;
  request.buffer = descriptor;
  co_return co_await Simple(smb2::Command::kSetInfo, request, Replay{}, static_cast<std::uint32_t>(descriptor.size()));
}

Task<Result<Bytes>> Tree::QueryInfo(smb2::FileId file, smb2::InfoType type, std::uint8_t info_class,
                                    std::uint32_t output_length, std::uint32_t additional) {
  smb2::QueryInfoRequest request;
  request.file_id = file;
  request.info_type = type;
  request.file_info_class = info_class;
  request.output_buffer_length = output_length;
  request.additional_information = additional;
  auto answer = co_await session_->connection()->Call(smb2::Command::kQueryInfo, request, Options({}, output_length));
  if (!answer.ok()) co_return answer.status();
  if (answer->status() != NtStatus::kSuccess) co_return answer->status();
  const auto response = answer->As<smb2::QueryInfoResponse>();
  if (!response.ok()) co_return NtStatus::kInvalidNetworkResponse;
  co_return Bytes(response->output_buffer.begin(), response->output_buffer.end());
}

Task<Result<Bytes>> Tree::QueryDirectory(smb2::FileId file, std::uint8_t info_class, std::u16string pattern,
                                         std::uint8_t flags, std::uint32_t output_length) {
  smb2::QueryDirectoryRequest request;
  request.file_id = file;
  request.file_information_class = info_class;
  request.file_name = std::move(pattern);
  request.flags = flags;
  request.output_buffer_length = output_length;
  auto answer =
      co_await session_->connection()->Call(smb2::Command::kQueryDirectory, request, Options({}, output_length));
  if (!answer.ok()) co_return answer.status();
  if (answer->status() != NtStatus::kSuccess) co_return answer->status();
  const auto response = answer->As<smb2::QueryDirectoryResponse>();
  if (!response.ok()) co_return NtStatus::kInvalidNetworkResponse;
  co_return Bytes(response->output_buffer.begin(), response->output_buffer.end());
}

Task<Result<Bytes>> Tree::Ioctl(smb2::FileId file, std::uint32_t code, Bytes input, std::uint32_t max_output,
                                Replay replay) {
  smb2::IoctlRequest request;
  request.file_id = file;
  request.ctl_code = code;
  request.input = input;
  request.max_output_response = max_output;
  request.flags = smb2::ioctl_flag::kIsFsctl;
  auto answer = co_await session_->connection()->Call(
      smb2::Command::kIoctl, request,
      Options(replay, std::max(max_output, static_cast<std::uint32_t>(input.size()))));
  if (!answer.ok()) co_return answer.status();
  if (answer->status() != NtStatus::kSuccess) co_return answer->status();
  const auto response = answer->As<smb2::IoctlResponse>();
  if (!response.ok()) co_return NtStatus::kInvalidNetworkResponse;
  co_return Bytes(response->output.begin(), response->output.end());
}

}  // namespace holdfast::client
