// One instance of every registered structure, with a different value in every byte: fields that change places or
// widths then show in the golden bytes.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "protocol/smb2/registry.h"

namespace holdfast::smb2 {

// A visitor that fills a structure. Lists get three elements, buffers a size that is not a multiple of 8.
class Filler {
 public:
  static constexpr bool kReads = false;

  void StructureSize(std::uint16_t) {}
  template <class T>
  void Constant(T, const char*) {}
  void Reserved(std::size_t, const char*) {}
  void Align(std::size_t) {}
  void AtLeastOneByte() {}
  void LimitOffset(const auto&, std::uint64_t, const char*) {}

  template <class T>
  void Field(T& value, const char* name) {
    if constexpr (wire::Scalar<T>) {
      std::uint8_t bytes[sizeof(T)];
      for (std::uint8_t& b : bytes) b = Next();
      value = wire::LoadLe<T>(bytes);
    } else if constexpr (wire::kIsByteArray<T>) {
      for (std::uint8_t& b : value) b = Next();
    } else if constexpr (std::same_as<T, Guid>) {
      Field(value.bytes, name);
    } else {
      T::Fields(value, *this);
    }
  }

  void Offset8(const auto&, const char*) {}
  void Offset16(const auto&, const char*) {}
  void Offset32(const auto&, const char*) {}
  void Length8(const auto&, const char*) {}
  void Length16(const auto&, const char*) {}
  void Length32(const auto&, const char*) {}
  void Count8(const auto&, const char*) {}
  void Count16(const auto&, const char*) {}
  void Count32(const auto&, const char*) {}

  template <wire::BufferType T>
  void Buffer(T& value, const char*) {
    if constexpr (std::same_as<T, ByteView>) {
      Bytes& bytes = Storage().emplace_back(5);
      for (std::uint8_t& b : bytes) b = Next();
      value = bytes;
    } else if constexpr (std::same_as<T, std::string>) {
      value = "Nam";
      value += static_cast<char>('0' + Next() % 10);
    } else {
      value = u"n\u00E4m\u20AC\xD83D";  // ends with a lone surrogate: legal in names
    }
  }
  template <wire::BufferType T>
  void OptionalBuffer(T& value, const char* name) { Buffer(value, name); }
  template <wire::BufferType T>
  void AlignedBuffer(T& value, const char* name) { Buffer(value, name); }
  template <wire::BufferType T>
  void Inline(T& value, const char* name) { Buffer(value, name); }
  template <wire::BufferType T>
  void Rest(T& value, const char* name) { Buffer(value, name); }

  template <class T>
  void Array(std::vector<T>& elements, const char* name) {
    if (!elements.empty()) return;
    for (int i = 0; i < 3; ++i) Field(elements.emplace_back(), name);
  }
  template <class T>
  void AlignedArray(std::vector<T>& elements, const char* name) { Array(elements, name); }
  template <class T>
  void RestArray(std::vector<T>& elements, const char* name) { Array(elements, name); }
  template <class T>
  void Chain(std::vector<T>& elements, const char* name) { Array(elements, name); }
  template <class T>
  void ChainBuffer(std::vector<T>& elements, const char* name) { Array(elements, name); }

 private:
  // Never 0, and 0xFF only late: zero is what a forgotten field looks like.
  std::uint8_t Next() { return next_ = static_cast<std::uint8_t>(next_ == 0xFF ? 1 : next_ + 1); }
  // Borrowed buffers must outlive the sample.
  static std::deque<Bytes>& Storage() {
    static std::deque<Bytes> storage;
    return storage;
  }

  std::uint8_t next_ = 0;
};

// Structures whose layout depends on a value get that value here.
template <class M>
void Settle(M&) {}
inline void Settle(NegotiateResponse& m) {
  m.dialect_revision = Dialect::k311;
  Filler().Array(m.negotiate_contexts, "");
}
inline void Settle(DfsReferralExRequest& m) {
  m.request_flags = DfsReferralExRequest::kSiteName;
  m.site_name = u"Site";
}
inline void Settle(NetworkInterfaceInfoResponse& m) {
  m.interfaces[1].sockaddr_storage.family = SockaddrStorage::kInterNetworkV6;
  Filler().Field(m.interfaces[1].sockaddr_storage.ipv6_address, "");
}

template <class M>
M Sample() {
  M m{};
  if constexpr (std::same_as<M, NegotiateRequest>) m.dialects = {Dialect::k210, Dialect::k302, Dialect::k311};
  Filler filler;
  M::Fields(m, filler);
  Settle(m);
  return m;
}

// As on the wire; the body alone for a message.
template <class M, Framing framing>
Bytes EncodeAs(const Registered<M, framing>&, const M& m) {
  if constexpr (framing == Framing::kMessage) {
    return EncodeBody(m);
  } else {
    return wire::Encode(m);
  }
}

// What DecodeAs takes: for a message, 64 bytes before the body.
template <class M, Framing framing>
Bytes Framed(const Registered<M, framing>&, ByteView encoded) {
  Bytes bytes(framing == Framing::kMessage ? kHeaderSize : 0);
  bytes.insert(bytes.end(), encoded.begin(), encoded.end());
  return bytes;
}

}  // namespace holdfast::smb2
