#include "storage/volume/keys.h"

#include <charconv>
#include <cstdio>

#include "protocol/dtyp/upcase.h"

namespace holdfast::keys {
namespace {

// 44 bits of file number are 11 digits; shards and streams count in 32 bits, stripes too (64 TiB of 4 MiB are 24).
constexpr std::size_t kNumberDigits = 11;
constexpr std::size_t kSmallDigits = 8;

std::string Hex(std::uint64_t value, std::size_t digits) {
  char text[24];
  std::snprintf(text, sizeof text, "%0*llx", static_cast<int>(digits), static_cast<unsigned long long>(value));
  return text;
}

// Takes `digits` hexadecimal digits off the front of `text`.
std::optional<std::uint64_t> TakeHex(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value, 16);
  if (error != std::errc() || end != text.data() + digits) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool TakeText(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::string BigEndian(std::uint64_t value, std::size_t bytes) {
  std::string out(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>(value >> (8 * (bytes - 1 - i)));
  return out;
}

std::uint64_t FromBigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

}  // namespace

std::string InodeObject(FileNumber number) { return "i/" + Hex(number, kNumberDigits); }
std::string DirectoryPrefix(FileNumber number) { return "d/" + Hex(number, kNumberDigits) + "/"; }
std::string ShardObject(FileNumber number, std::uint32_t shard) {
  return DirectoryPrefix(number) + Hex(shard, kSmallDigits);
}
std::string StreamsPrefix(FileNumber number) { return "s/" + Hex(number, kNumberDigits) + "/"; }
std::string StreamPrefix(FileNumber number, StreamId stream) {
  return StreamsPrefix(number) + Hex(stream, kSmallDigits) + "/";
}
std::string StripeObject(FileNumber number, StreamId stream, std::uint64_t stripe) {
  return StreamPrefix(number, stream) + Hex(stripe, kSmallDigits);
}
std::string IndexObject(std::uint64_t incarnation) { return "x/" + Hex(incarnation, 16); }

std::optional<FileNumber> ParseInodeObject(std::string_view object) {
  if (!TakeText(object, "i/")) return std::nullopt;
  const auto number = TakeHex(object, kNumberDigits);
  return object.empty() ? number : std::nullopt;
}

std::optional<ShardName> ParseShardObject(std::string_view object) {
  if (!TakeText(object, "d/")) return std::nullopt;
  const auto number = TakeHex(object, kNumberDigits);
  if (!number || !TakeText(object, "/")) return std::nullopt;
  const auto shard = TakeHex(object, kSmallDigits);
  if (!shard || !object.empty()) return std::nullopt;
  return ShardName{*number, static_cast<std::uint32_t>(*shard)};
}

std::optional<StripeName> ParseStripeObject(std::string_view object) {
  if (!TakeText(object, "s/")) return std::nullopt;
  const auto number = TakeHex(object, kNumberDigits);
  if (!number || !TakeText(object, "/")) return std::nullopt;
  const auto stream = TakeHex(object, kSmallDigits);
  if (!stream || !TakeText(object, "/")) return std::nullopt;
  const auto stripe = TakeHex(object, kSmallDigits);
  if (!stripe || !object.empty()) return std::nullopt;
  return StripeName{*number, static_cast<StreamId>(*stream), *stripe};
}

std::string StreamKey(StreamId stream) { return std::string(kStreamPrefix) + BigEndian(stream, 4); }

std::string LinkKey(FileNumber parent, std::string_view encoded_name) {
  std::string key(kLinkPrefix);
  key += BigEndian(parent, 8);
  key += '/';
  key += encoded_name;
  return key;
}

std::string EaKey(std::string_view name) {
  std::string key(kEaPrefix);
  for (const char c : name) key += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return key;
}

bool IsRecordKey(std::string_view key) {
  return key.starts_with("o/") || key.starts_with("z/") || key.starts_with("b/") || key.starts_with("h");
}

std::optional<StreamId> ParseStreamKey(std::string_view key) {
  if (!TakeText(key, kStreamPrefix) || key.size() != 4) return std::nullopt;
  return static_cast<StreamId>(FromBigEndian(key));
}

std::optional<LinkName> ParseLinkKey(std::string_view key) {
  if (!TakeText(key, kLinkPrefix) || key.size() < 9 || key[8] != '/') return std::nullopt;
  return LinkName{FromBigEndian(key.substr(0, 8)), std::string(key.substr(9))};
}

std::string DirentKey(std::string_view encoded_name) {
  std::string key(kDirentPrefix);
  key += encoded_name;
  return key;
}

std::string NumberKey(FileNumber number) { return "n/" + BigEndian(number, 8); }

std::optional<FileNumber> ParseNumberKey(std::string_view key) {
  if (!TakeText(key, "n/") || key.size() != 8) return std::nullopt;
  return FromBigEndian(key);
}

std::string EncodeUnits(std::u16string_view units) {
  std::string out;
  out.reserve(units.size() * 2);
  for (const char16_t unit : units) {
    out += static_cast<char>(unit >> 8);
    out += static_cast<char>(unit & 0xFF);
  }
  return out;
}

std::optional<std::u16string> DecodeUnits(std::string_view bytes) {
  if (bytes.size() % 2 != 0) return std::nullopt;
  std::u16string units;
  units.reserve(bytes.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    units += static_cast<char16_t>(static_cast<std::uint8_t>(bytes[i]) << 8 | static_cast<std::uint8_t>(bytes[i + 1]));
  }
  return units;
}

std::string EncodeName(std::u16string_view name) { return EncodeUnits(UpcaseName(name)); }

std::string EndOfPrefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty()) {
    const auto last = static_cast<std::uint8_t>(end.back());
    if (last != 0xFF) {
      end.back() = static_cast<char>(last + 1);
      return end;
    }
    end.pop_back();
  }
  return end;
}

std::string After(std::string_view key) {
  std::string after(key);
  after += '\0';
  return after;
}

}  // namespace holdfast::keys
