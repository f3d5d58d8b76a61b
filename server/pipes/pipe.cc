#include "server/pipes/pipe.h"

#include <algorithm>

#include "protocol/dtyp/upcase.h"
#include "protocol/rpc/server_connection.h"
#include "server/pipes/service.h"

namespace holdfast {
namespace {

// The only list of pipes: name, interface, factory.
struct PipeRow {
  std::u16string_view name;
  std::string_view uuid;
  std::uint16_t major;
  std::string_view secondary_address;
  std::unique_ptr<PipeService> (*make)(const PipeEnvironment&);
};
constexpr PipeRow kPipes[] = {
    {u"srvsvc", "4b324fc8-1670-01d3-1278-5a47bf6ee188", 3, "\\PIPE\\srvsvc", NewSrvsvc},
    {u"wkssvc", "6bffd098-a112-3610-9833-46c3f87e345a", 1, "\\PIPE\\wkssvc", NewWkssvc},
    {u"lsarpc", "12345778-1234-abcd-ef00-0123456789ab", 0, "\\pipe\\lsass", NewLsarpc},
};

const PipeRow* FindPipe(std::u16string_view name) {
  while (!name.empty() && name.front() == u'\\') name.remove_prefix(1);
  for (const PipeRow& row : kPipes)
    if (EqualsIgnoringCase(row.name, name)) return &row;
  return nullptr;
}

class RpcPipe final : public NamedPipe {
 public:
  RpcPipe(const PipeRow& row, PipeEnvironment environment)
      : environment_(std::move(environment)),
        service_(row.make(environment_)),
        connection_({rpc::MakeSyntax(row.uuid, row.major, 0), std::string(row.secondary_address),
                     [this](std::uint16_t opnum, ByteView stub) { return service_->Call(opnum, stub); }}) {}

  Result<std::size_t> Write(ByteView bytes) override {
    const NtStatus status = connection_.Receive(bytes);
    if (status == NtStatus::kSuccess) return bytes.size();
    // The fault that tells the client why is still to be read: only a further write meets the closed pipe.
    if (available() != 0) return bytes.size();
    return status;
  }

  Result<Output> Read(std::size_t max) override {
    auto& messages = connection_.output();
    if (messages.empty()) {
      return connection_.disconnected() ? NtStatus::kPipeDisconnected : NtStatus::kPipeEmpty;
    }
    Bytes& message = messages.front();
    Output output;
    const std::size_t rest = message.size() - read_;
    if (read_ == 0 && rest <= max) {
      output.data = std::move(message);
    } else {
      const auto from = message.begin() + static_cast<std::ptrdiff_t>(read_);
      output.data.assign(from, from + static_cast<std::ptrdiff_t>(std::min(rest, max)));
    }
    output.more = rest > max;
    read_ += output.data.size();
    if (!output.more) {
      messages.pop_front();
      read_ = 0;
    }
    return output;
  }

  Result<Output> Transceive(ByteView bytes, std::size_t max) override {
    if (available() != 0) return NtStatus::kPipeBusy;
    const auto written = Write(bytes);
    if (!written.ok()) return written.status();
    return Read(max);
  }

  std::size_t available() const override {
    std::size_t size = 0;
    for (const Bytes& message : connection_.output()) size += message.size();
    return size - read_;
  }

 private:
  PipeEnvironment environment_;
  std::unique_ptr<PipeService> service_;
  rpc::ServerConnection connection_;
  std::size_t read_ = 0;  // of the first message
};

}  // namespace

std::unique_ptr<NamedPipe> OpenPipe(std::u16string_view name, PipeEnvironment environment) {
  const PipeRow* row = FindPipe(name);
  if (row == nullptr) return nullptr;
  return std::make_unique<RpcPipe>(*row, std::move(environment));
}

bool PipeExists(std::u16string_view name) { return FindPipe(name) != nullptr; }

}  // namespace holdfast
