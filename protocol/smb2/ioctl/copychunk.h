// [MS-SMB2] 2.2.31.1, 2.2.32.1 and 2.2.32.3: server-side copy.
#pragma once

#include <array>
#include <vector>

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 24 opaque bytes that name the source open.
using ResumeKey = std::array<std::uint8_t, 24>;

// 2.2.31.1.1
struct SrvCopychunk {
  std::uint64_t source_offset = 0;
  std::uint64_t target_offset = 0;
  std::uint32_t length = 0;  // bytes

  static void Fields(auto& m, auto& c) {
    c.Field(m.source_offset, "source_offset");
    c.Field(m.target_offset, "target_offset");
    c.Field(m.length, "length");
    c.Reserved(4, "reserved");
  }
};

// 2.2.31.1
struct SrvCopychunkCopy {
  ResumeKey source_key{};
  std::vector<SrvCopychunk> chunks{};

  static void Fields(auto& m, auto& c) {
    c.Field(m.source_key, "source_key");
    c.Count32(m.chunks, "chunk_count");
    c.Reserved(4, "reserved");
    c.Array(m.chunks, "chunks");
  }
};

// 2.2.32.1: what was written; with STATUS_INVALID_PARAMETER the server's limits instead.
struct SrvCopychunkResponse {
  std::uint32_t chunks_written = 0;       // or the most chunks of one request
  std::uint32_t chunk_bytes_written = 0;  // or the most bytes of one chunk
  std::uint32_t total_bytes_written = 0;  // or the most bytes of one request

  static void Fields(auto& m, auto& c) {
    c.Field(m.chunks_written, "chunks_written");
    c.Field(m.chunk_bytes_written, "chunk_bytes_written");
    c.Field(m.total_bytes_written, "total_bytes_written");
  }
};

// 2.2.32.3: the answer to FSCTL_SRV_REQUEST_RESUME_KEY. The 4 bytes of (unused) context that Windows appends are
// written too, because some clients count on 32 bytes.
struct SrvRequestResumeKeyResponse {
  ResumeKey resume_key{};

  static void Fields(auto& m, auto& c) {
    c.Field(m.resume_key, "resume_key");
    c.Reserved(4, "context_length");
    c.Reserved(4, "context");
  }
};

}  // namespace holdfast::smb2
