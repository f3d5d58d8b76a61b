// The shape of the registry of control codes: what a function gets and gives.
#pragma once

#include "protocol/smb2/messages/ioctl.h"
#include "server/commands/handler.h"

namespace holdfast {

// What a control code works on.
enum class ControlTarget : std::uint8_t {
  kConnection,  // nothing that is open: the FileId is all ones
  kFile,        // an open file or directory
  kPipe,        // an open named pipe
};

// An IOCTL whose lengths and target have been checked.
struct ControlCall {
  RequestPtr request;
  smb2::IoctlRequest message;

  OpenPtr open() const { return request->handle->open; }
  NamedPipe& pipe() const { return *request->handle->pipe; }
  Files& files() const { return FilesOf(*request); }
  ByteView input() const { return message.input; }
  std::size_t max_output() const { return message.max_output_response; }
};

// An error without `answers` becomes an ERROR response; with it, and for every success, an IOCTL response.
struct ControlResult {
  NtStatus status = NtStatus::kSuccess;
  Bytes output;
  bool answers = false;
  bool disconnect = false;  // the connection ends without an answer
  std::uint8_t padding = 0;  // bytes before the output, a multiple of 8

  ControlResult(NtStatus s) : status(s) {}  // NOLINT
  ControlResult(Bytes data) : output(std::move(data)) {}  // NOLINT
  ControlResult(NtStatus s, Bytes data) : status(s), output(std::move(data)), answers(true) {}
};

using ControlFunction = Task<ControlResult> (*)(ControlCall call);

struct ControlRow {
  std::uint32_t code;
  ControlTarget target;
  ControlFunction run;
};

}  // namespace holdfast
