#include "conformance/client/connection.h"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include "protocol/smb2/compound.h"
#include "protocol/smb2/messages/cancel.h"
#include "protocol/smb2/messages/negotiate.h"
#include "protocol/smb2/transform_header.h"

namespace holdfast::client {
namespace {

using boost::asio::ip::tcp;
constexpr auto kValue = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::size_t kRoom = 4;

}  // namespace

Connection::Connection(ConnectOptions options, tcp::socket socket)
    : options_(std::move(options)), socket_(std::move(socket)) {}

Connection::~Connection() { Close(); }

Task<Result<std::shared_ptr<Connection>>> Connection::Open(ConnectOptions options) {
  const auto executor = co_await boost::asio::this_coro::executor;
  tcp::socket socket(executor);
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(options.address, ec);
  if (ec) co_return NtStatus::kInvalidParameter;
  auto [error] = co_await socket.async_connect(tcp::endpoint(address, options.port), kValue);
  if (error) co_return NtStatus::kConnectionRefused;
  socket.set_option(tcp::no_delay(true), ec);
  std::shared_ptr<Connection> connection(new Connection(std::move(options), std::move(socket)));
  Spawn(executor, ReceiveLoop(connection));
  const NtStatus status = co_await connection->Negotiate();
  if (status != NtStatus::kSuccess) {
    connection->Close();
    co_return status;
  }
  co_return connection;
}

// [MS-SMB2] 3.2.4.2.2.2
Task<NtStatus> Connection::Negotiate() {
  smb2::NegotiateRequest request;
  request.security_mode = smb2::security_mode::kSigningEnabled;
  request.capabilities = smb2::capability::kLargeMtu | smb2::capability::kPersistentHandles |
                         smb2::capability::kEncryption | smb2::capability::kLeasing;
  if (options_.multichannel) request.capabilities |= smb2::capability::kMultiChannel;
  request.client_guid = options_.client_guid;
  request.dialects = options_.dialects;
  Bytes salt(32);
  if (request.Offers(smb2::Dialect::k311)) {
    SystemRandom().Fill(salt);
    smb2::PreauthIntegrityCapabilities preauth;
    preauth.hash_algorithms = {smb2::PreauthIntegrityCapabilities::kSha512};
    preauth.salt = salt;
    request.negotiate_contexts.push_back(smb2::NegotiateContext::From(preauth));
    if (!options_.ciphers.empty()) {
      smb2::EncryptionCapabilities encryption;
      encryption.ciphers = options_.ciphers;
      request.negotiate_contexts.push_back(smb2::NegotiateContext::From(encryption));
    }
    if (!options_.signing_algorithms.empty()) {
      smb2::SigningCapabilities signing;
      signing.signing_algorithms = options_.signing_algorithms;
      request.negotiate_contexts.push_back(smb2::NegotiateContext::From(signing));
    }
  }
  CallOptions options;
  options.preauth = &preauth_;
  auto answer = co_await Call(smb2::Command::kNegotiate, request, options);
  if (!answer.ok()) co_return answer.status();
  if (answer->status() != NtStatus::kSuccess) co_return answer->status();
  const auto response = answer->As<smb2::NegotiateResponse>();
  if (!response.ok()) co_return NtStatus::kInvalidNetworkResponse;
  dialect_ = response->dialect_revision;
  server_capabilities_ = response->capabilities;
  server_guid_ = response->server_guid;
  max_read_ = response->max_read_size;
  max_write_ = response->max_write_size;
  signing_algorithm_ = crypto::DefaultSigningAlgorithm(static_cast<std::uint16_t>(dialect_));
  if (dialect_ == smb2::Dialect::k311) {
    for (const auto& context : response->negotiate_contexts) {
      if (context.context_type == smb2::NegotiateContextType::kEncryptionCapabilities) {
        const auto chosen = wire::Decode<smb2::EncryptionCapabilities>(context.data);
        if (!chosen.ok() || chosen->ciphers.size() != 1) co_return NtStatus::kInvalidNetworkResponse;
        cipher_ = static_cast<crypto::Cipher>(chosen->ciphers[0]);
      } else if (context.context_type == smb2::NegotiateContextType::kSigningCapabilities) {
        const auto chosen = wire::Decode<smb2::SigningCapabilities>(context.data);
        if (!chosen.ok() || chosen->signing_algorithms.size() != 1) co_return NtStatus::kInvalidNetworkResponse;
        signing_algorithm_ = static_cast<crypto::SigningAlgorithm>(chosen->signing_algorithms[0]);
      }
    }
  } else if (smb2::IsSmb3(dialect_) && (server_capabilities_ & smb2::capability::kEncryption)) {
    cipher_ = crypto::Cipher::kAes128Ccm;
  }
  co_return NtStatus::kSuccess;
}

Task<bool> Connection::TakeCredits(std::uint16_t charge) {
  if (!closed_ && (credits_ < charge || !credit_waiters_.empty())) {
    co_await Await<int>([this, charge](std::function<void(int)> resume) {
      credit_waiters_.emplace_back(charge, std::move(resume));
    });
    co_return !closed_;  // the credits were taken on our behalf
  }
  if (closed_) co_return false;
  credits_ -= charge;
  co_return true;
}

std::uint16_t Connection::ChargeOf(const CallOptions& options) const {
  const bool multi_credit = dialect_ >= smb2::Dialect::k210;
  return static_cast<std::uint16_t>(
      multi_credit && options.payload_bytes != 0 ? (options.payload_bytes - 1) / 65536 + 1 : 1);
}

// Takes the message ids; the credits have been taken.
smb2::Header Connection::MakeHeader(smb2::Command command, std::uint16_t charge, const CallOptions& options) {
  smb2::Header header;
  header.command = command;
  header.credit_charge = dialect_ >= smb2::Dialect::k210 ? charge : std::uint16_t{0};
  header.credits = static_cast<std::uint16_t>(
      std::min<std::uint32_t>(charge + (credits_ < options_.credits ? options_.credits - credits_ : 0), 0xFFFF));
  header.flags = options.flags;
  header.set_channel_sequence(options.channel_sequence);
  header.message_id = next_message_id_;
  header.tree_id = options.tree_id;
  header.session_id = options.session ? options.session->session_id : 0;
  next_message_id_ += charge;
  if (options.message_id) *options.message_id = header.message_id;
  return header;
}

std::shared_ptr<Connection::Waiting> Connection::Expect(const smb2::Header& header, const CallOptions& options) {
  auto waiting = std::make_shared<Waiting>();
  waiting->session = options.session;
  waiting->was_signed = options.session && options.session->signer && header.is_signed() && !options.unverified;
  waiting->preauth = options.preauth;
  waiting_[header.message_id] = waiting;
  return waiting;
}

Task<Result<Response>> Connection::CallEncoded(smb2::Command command, Bytes body, CallOptions options) {
  Bytes message(kBodyOffset);
  message.insert(message.end(), body.begin(), body.end());
  return CallMessage(command, std::move(message), options);
}

Task<Result<Response>> Connection::CallMessage(smb2::Command command, Bytes out, CallOptions options) {
  const auto self = shared_from_this();
  const std::uint16_t charge = ChargeOf(options);
  if (!co_await TakeCredits(charge)) co_return NtStatus::kConnectionDisconnected;

  smb2::Header header = MakeHeader(command, charge, options);
  const bool encrypt = options.session && options.session->encryptor && (options.session->encrypt || options.encrypt);
  const bool sign = options.session && options.session->signer && !encrypt;
  if (sign) header.flags |= smb2::kFlagSigned;

  Bytes encoded;
  header.AppendTo(encoded);
  std::copy(encoded.begin(), encoded.end(), out.begin() + kRoom);
  out = Seal(std::move(out), options.session.get(), encrypt, sign);
  // With its signature: the messages that bind a channel have one.
  if (options.preauth) options.preauth->Update(ByteView(out).subspan(kRoom));

  const auto waiting = Expect(header, options);
  Queue(std::move(out));
  const NtStatus status = co_await waiting->done.Wait();
  if (status != NtStatus::kSuccess) co_return status;
  co_return std::move(waiting->response);
}

Task<std::vector<Result<Response>>> Connection::CallChain(std::vector<ChainElement> elements) {
  const auto self = shared_from_this();
  std::vector<Result<Response>> answers;
  std::uint32_t total = 0;
  for (const ChainElement& element : elements) total += ChargeOf(element.options);
  if (!co_await TakeCredits(static_cast<std::uint16_t>(total))) {
    answers.assign(elements.size(), NtStatus::kConnectionDisconnected);
    co_return answers;
  }

  const auto session = elements.front().options.session;
  const bool encrypt = session && session->encryptor && (session->encrypt || elements.front().options.encrypt);
  std::vector<std::shared_ptr<Waiting>> waits;
  Bytes out(kRoom);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const CallOptions& options = elements[i].options;
    smb2::Header header = MakeHeader(elements[i].command, ChargeOf(options), options);
    const bool sign = options.session && options.session->signer && !encrypt;
    if (sign) header.flags |= smb2::kFlagSigned;
    const bool last = i + 1 == elements.size();
    const std::size_t begin = out.size();
    const std::size_t length = smb2::kHeaderSize + elements[i].body.size();
    if (!last) header.next_command = static_cast<std::uint32_t>((length + 7) / 8 * 8);
    header.AppendTo(out);
    out.insert(out.end(), elements[i].body.begin(), elements[i].body.end());
    if (!last) out.resize(begin + header.next_command);
    if (sign) options.session->signer->Sign(std::span(out).subspan(begin));
    waits.push_back(Expect(header, options));
  }
  Queue(Seal(std::move(out), session.get(), encrypt, false));
  for (const auto& waiting : waits) {
    const NtStatus status = co_await waiting->done.Wait();
    if (status != NtStatus::kSuccess) {
      answers.emplace_back(status);
    } else {
      answers.emplace_back(std::move(waiting->response));
    }
  }
  co_return answers;
}

Bytes Connection::Seal(Bytes message, SessionSecurity* session, bool encrypt, bool sign) {
  if (encrypt) {
    Bytes sealed = session->encryptor->Encrypt(session->session_id, (*session->next_nonce)++,
                                               ByteView(message).subspan(kRoom), kRoom);
    GiveBuffer(std::move(message));
    return sealed;
  }
  if (sign) session->signer->Sign(std::span(message).subspan(kRoom));
  return message;
}

void Connection::Cancel(std::uint64_t message_id, const std::shared_ptr<SessionSecurity>& session) {
  smb2::Header header;
  header.command = smb2::Command::kCancel;
  header.message_id = message_id;
  const auto target = waiting_.find(message_id);
  if (target != waiting_.end() && target->second->async_id != 0) {
    header.flags |= smb2::kFlagAsyncCommand;
    header.async_id = target->second->async_id;
  }
  header.session_id = session ? session->session_id : 0;
  const bool encrypt = session && session->encryptor && session->encrypt;
  const bool sign = session && session->signer && !encrypt;
  if (sign) header.flags |= smb2::kFlagSigned;
  Bytes out(kRoom);
  header.AppendTo(out);
  smb2::AppendBody(out, smb2::CancelRequest{});
  // The offsets of CANCEL's body do not matter: it has none.
  Queue(Seal(std::move(out), session.get(), encrypt, sign));
}

bool Connection::IsPending(std::uint64_t message_id) const {
  const auto found = waiting_.find(message_id);
  return found != waiting_.end() && found->second->async_id != 0;
}

void Connection::SendRaw(Bytes frame) {
  Bytes out(kRoom);
  out.insert(out.end(), frame.begin(), frame.end());
  Queue(std::move(out));
}

void Connection::Queue(Bytes frame) {
  if (closed_) return;
  const std::size_t length = frame.size() - kRoom;
  frame[0] = 0;
  frame[1] = static_cast<std::uint8_t>(length >> 16);
  frame[2] = static_cast<std::uint8_t>(length >> 8);
  frame[3] = static_cast<std::uint8_t>(length);
  out_.push_back(std::move(frame));
  if (sending_) return;
  sending_ = true;
  Spawn(socket_.get_executor(), SendLoop(shared_from_this()));
}

Task<void> Connection::SendLoop(std::shared_ptr<Connection> self) {
  std::deque<Bytes> batch;
  while (!self->out_.empty() && !self->closed_) {
    batch.swap(self->out_);
    std::vector<boost::asio::const_buffer> pieces;
    for (const Bytes& b : batch) pieces.push_back(boost::asio::buffer(b));
    auto [error, n] = co_await boost::asio::async_write(self->socket_, pieces, kValue);
    for (Bytes& b : batch) GiveBuffer(std::move(b));
    batch.clear();
    if (error) self->Close();
  }
  self->sending_ = false;
}

Task<void> Connection::ReceiveLoop(std::shared_ptr<Connection> self) {
  while (!self->closed_) {
    if (self->deaf_) {
      co_await self->ended_.Wait();
      break;
    }
    std::uint8_t head[4];
    auto [error, n] = co_await boost::asio::async_read(self->socket_, boost::asio::buffer(head), kValue);
    if (error) break;
    const std::size_t length =
        static_cast<std::size_t>(head[1]) << 16 | static_cast<std::size_t>(head[2]) << 8 | head[3];
    auto frame = ShareBuffer(TakeBuffer(length));
    if (!co_await self->ReceiveInto(*frame)) break;
    if (!self->Deliver(std::move(frame))) break;
  }
  self->Close();
}

// Is not woken before a good part of a large answer is there: each wake-up costs as much as receiving dozens of KiB.
Task<bool> Connection::ReceiveInto(std::span<std::uint8_t> frame) {
  constexpr std::size_t kMost = 128 * 1024;
  const auto wait_for_at_least = [this](std::size_t bytes) {
    const int value = static_cast<int>(bytes);
    (void)setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
  };
  const bool large = frame.size() > kMost;
  for (std::size_t got = 0; got < frame.size();) {
    if (large) wait_for_at_least(std::min(frame.size() - got, kMost));
    const auto rest = boost::asio::buffer(frame.data() + got, frame.size() - got);
    auto [error, n] = co_await socket_.async_read_some(rest, kValue);
    if (error) co_return false;
    got += n;
  }
  if (large) wait_for_at_least(1);
  co_return true;
}

bool Connection::TakeIn(const smb2::Header& header, ByteView message, bool encrypted) {
  if (header.command != smb2::Command::kOplockBreak) return true;  // another notification, which nobody here asks for
  BreakNotification notification{.header = header, .encrypted = encrypted, .oplock = {}, .lease = {}};
  if (smb2::PeekStructureSize(message) == smb2::LeaseBreakNotification::kStructureSize) {
    auto lease = smb2::Decode<smb2::LeaseBreakNotification>(message);
    if (!lease.ok()) return false;
    notification.lease = *lease;
  } else {
    auto oplock = smb2::Decode<smb2::OplockBreakNotification>(message);
    if (!oplock.ok()) return false;
    notification.oplock = *oplock;
  }
  breaks_.push_back(std::move(notification));
  return true;
}

bool Connection::Deliver(std::shared_ptr<Bytes> frame) {
  ByteView plain = *frame;
  bool encrypted = false;
  if (smb2::ClassifyFrame(*frame) == smb2::FrameKind::kEncrypted) {
    const auto id = crypto::TransformSessionId(*frame);
    const auto found = id ? sessions_.find(*id) : sessions_.end();
    const auto session = found == sessions_.end() ? nullptr : found->second.lock();
    if (!session || !session->decryptor) return false;
    const auto opened = session->decryptor->Decrypt(*frame);
    if (!opened.ok()) return false;
    plain = *opened;
    encrypted = true;
  }
  const auto messages = smb2::SplitCompound(plain);
  if (!messages) return false;
  for (ByteView message : *messages) {
    const auto header = smb2::Header::Decode(message);
    if (!header.ok() || !header->is_response()) return false;
    credits_ += header->credits;
    while (!credit_waiters_.empty() && credits_ >= credit_waiters_.front().first) {
      credits_ -= credit_waiters_.front().first;
      auto resume = std::move(credit_waiters_.front().second);
      credit_waiters_.pop_front();
      resume(0);
    }
    if (header->message_id == smb2::kUnsolicitedMessageId) {
      if (!TakeIn(*header, message, encrypted)) return false;
      continue;
    }
    const auto found = waiting_.find(header->message_id);
    if (found == waiting_.end()) continue;
    const auto waiting = found->second;
    if (header->status() == NtStatus::kPending && header->is_async()) {
      waiting->async_id = header->async_id;
      continue;
    }
    if (waiting->was_signed && !encrypted) {
      // 3.2.5.1.3: what was asked with a signature is answered with one. But a server that has lost the session has no
      // key any more: its refusal is unsigned, or has a signature of zeros, and harms nobody who could not also cut the connection.
      const bool keyless = header->status() == NtStatus::kUserSessionDeleted ||
                           (header->command == smb2::Command::kSessionSetup && IsError(header->status()));
      const bool verified = header->is_signed() && waiting->session->signer->Verify(message);
      const bool without_key = !header->is_signed() || header->signature == decltype(header->signature){};
      if (!verified && !(keyless && without_key)) return false;
    }
    waiting_.erase(found);
    if (waiting->preauth && (header->command == smb2::Command::kNegotiate ||
                             header->status() == NtStatus::kMoreProcessingRequired)) {
      waiting->preauth->Update(message);
    }
    waiting->response = {*header, frame, message};
    waiting->done.Set(NtStatus::kSuccess);
  }
  return true;
}

void Connection::Close() {
  if (closed_) return;
  closed_ = true;
  if (deaf_) ended_.Set(0);
  boost::system::error_code ignored;
  socket_.close(ignored);
  for (auto& [id, waiting] : std::exchange(waiting_, {})) waiting->done.Set(NtStatus::kConnectionDisconnected);
  for (auto& [charge, resume] : std::exchange(credit_waiters_, {})) resume(0);
}

}  // namespace holdfast::client
