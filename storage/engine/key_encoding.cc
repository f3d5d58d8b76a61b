#include "storage/engine/key_encoding.h"

namespace holdfast {
namespace {

void AppendLittleEndian(std::string& out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::uint64_t LittleEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

}  // namespace

std::string EncodeObject(std::string_view object) {
  std::string encoded;
  encoded.reserve(object.size() + 8);
  for (const char c : object) {
    encoded.push_back(c);
    if (c == '\0') encoded.push_back('\xff');
  }
  encoded.push_back('\0');
  encoded.push_back('\x01');
  return encoded;
}

std::optional<DecodedKey> DecodeKey(std::string_view encoded) {
  DecodedKey decoded;
  std::size_t i = 0;
  for (;; ++i) {
    if (i + 2 >= encoded.size()) return std::nullopt;
    if (encoded[i] != '\0') {
      decoded.object.push_back(encoded[i]);
      continue;
    }
    ++i;
    if (encoded[i] == '\x01') break;
    if (encoded[i] != '\xff') return std::nullopt;
    decoded.object.push_back('\0');
  }
  const char tag = encoded[++i];
  decoded.is_meta = tag == '\x01';
  decoded.key = encoded.substr(i + 1);
  if (decoded.is_meta ? !decoded.key.empty() : tag != '\x02') return std::nullopt;
  return decoded;
}

std::string EncodeMeta(const ObjectMeta& meta) {
  std::string value;
  AppendLittleEndian(value, meta.version);
  value.push_back(static_cast<char>(meta.file));
  if (meta.file == DataFileState::kDead) AppendLittleEndian(value, meta.removal);
  return value;
}

std::optional<ObjectMeta> DecodeMeta(std::string_view value) {
  if (value.size() != 9 && value.size() != 17) return std::nullopt;
  ObjectMeta meta;
  meta.version = LittleEndian(value);
  meta.file = static_cast<DataFileState>(value[8]);
  if (meta.file > DataFileState::kDead) return std::nullopt;
  if ((meta.file == DataFileState::kDead) != (value.size() == 17)) return std::nullopt;
  if (meta.file == DataFileState::kDead) meta.removal = LittleEndian(value.substr(9));
  return meta;
}

}  // namespace holdfast
