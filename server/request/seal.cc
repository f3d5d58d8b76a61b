#include "server/request/seal.h"

#include "protocol/base/buffer_pool.h"
#include "protocol/wire/endian.h"
#include "server/server.h"

namespace holdfast {

ResponseChain::ResponseChain(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

void ResponseChain::Append(const smb2::Header& header, Bytes body, std::size_t room,
                           std::shared_ptr<crypto::Signer> signer, const SessionPtr& encrypt_for) {
  if (encrypt_for && encrypt_for->encryptor) encrypt_for_ = encrypt_for;
  if (parts_.empty() && room == kReplyRoom) {
    out_ = std::move(body);
    parts_.push_back({kRoom, std::move(signer), nullptr});
    Bytes encoded;
    header.AppendTo(encoded);
    std::copy(encoded.begin(), encoded.end(), out_.begin() + kRoom);
    return;
  }
  if (parts_.empty()) {
    out_.reserve(kRoom + smb2::kHeaderSize + body.size() + 16);
    out_.resize(kRoom);
  } else {
    out_.resize(kRoom + (out_.size() - kRoom + 7) / 8 * 8);
    constexpr std::size_t kNextCommandOffset = 20;
    const std::size_t previous = parts_.back().begin;
    wire::StoreLe(out_.data() + previous + kNextCommandOffset, static_cast<std::uint32_t>(out_.size() - previous));
  }
  parts_.push_back({out_.size(), std::move(signer), nullptr});
  header.AppendTo(out_);
  out_.insert(out_.end(), body.begin() + static_cast<std::ptrdiff_t>(room), body.end());
  GiveBuffer(std::move(body));
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
    GiveBuffer(std::move(out_));
  } else {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const std::size_t end = i + 1 < parts_.size() ? parts_[i + 1].begin : out_.size();
      const auto message = std::span(out_).subspan(parts_[i].begin, end - parts_[i].begin);
      if (parts_[i].signer) parts_[i].signer->Sign(message);
      if (parts_[i].sign_in) parts_[i].sign_in->preauth.Update(message);
    }
    frame = std::move(out_);
  }
  connection_->server->metrics().bytes_sent += frame.size();
  connection_->transport->Send(std::move(frame));
  parts_.clear();
  out_.clear();
  encrypt_for_ = nullptr;
  // Letting go may send more on this connection.
  const auto held = std::exchange(held_, {});
}

}  // namespace holdfast
