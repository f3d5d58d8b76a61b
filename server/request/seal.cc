#include "server/request/seal.h"

#include "protocol/wire/endian.h"
#include "server/server.h"

namespace holdfast {

ResponseChain::ResponseChain(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

void ResponseChain::Append(const smb2::Header& header, ByteView body, const SessionPtr& session, bool sign,
                           bool encrypt) {
  if (parts_.empty()) {
    out_.reserve(kRoom + smb2::kHeaderSize + body.size() + 16);
    out_.resize(kRoom);
  } else {
    out_.resize(kRoom + (out_.size() - kRoom + 7) / 8 * 8);
    constexpr std::size_t kNextCommandOffset = 20;
    const std::size_t previous = parts_.back().begin;
    wire::StoreLe(out_.data() + previous + kNextCommandOffset, static_cast<std::uint32_t>(out_.size() - previous));
  }
  parts_.push_back({out_.size(), session, sign && session && session->signer});
  header.AppendTo(out_);
  out_.insert(out_.end(), body.begin(), body.end());
  if (encrypt && session && session->encryptor) encrypt_for_ = session;
}

ByteView ResponseChain::last() const { return ByteView(out_).subspan(parts_.back().begin); }

void ResponseChain::Send() {
  if (parts_.empty()) return;
  // The last one of several is padded as the others are; clients of Windows' age expect it.
  if (parts_.size() > 1) out_.resize(kRoom + (out_.size() - kRoom + 7) / 8 * 8);
  Bytes frame;
  if (encrypt_for_) {
    frame = encrypt_for_->encryptor->Encrypt(encrypt_for_->session_id, encrypt_for_->next_nonce++,
                                             ByteView(out_).subspan(kRoom), kRoom);
  } else {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (!parts_[i].sign) continue;
      const std::size_t end = i + 1 < parts_.size() ? parts_[i + 1].begin : out_.size();
      parts_[i].session->signer->Sign(std::span(out_).subspan(parts_[i].begin, end - parts_[i].begin));
    }
    frame = std::move(out_);
  }
  connection_->server->metrics().bytes_sent += frame.size();
  connection_->transport->Send(std::move(frame));
  parts_.clear();
  out_.clear();
  encrypt_for_ = nullptr;
}

}  // namespace holdfast
