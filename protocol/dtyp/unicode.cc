#include "protocol/dtyp/unicode.h"

#include "protocol/wire/endian.h"

namespace holdfast {
namespace {

bool IsHighSurrogate(char32_t c) { return c >= 0xD800 && c <= 0xDBFF; }
bool IsLowSurrogate(char32_t c) { return c >= 0xDC00 && c <= 0xDFFF; }

// Reads one code point at `at`; 0 bytes used when malformed. Surrogate code points are let through.
std::size_t ReadCodePoint(std::string_view text, std::size_t at, char32_t& out) {
  const auto byte = [&](std::size_t i) -> unsigned { return static_cast<unsigned char>(text[at + i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) {
    out = lead;
    return 1;
  }
  std::size_t size;
  char32_t least;
  if (lead >= 0xC2 && lead <= 0xDF)
    size = 2, least = 0x80, out = lead & 0x1F;
  else if (lead >= 0xE0 && lead <= 0xEF)
    size = 3, least = 0x800, out = lead & 0x0F;
  else if (lead >= 0xF0 && lead <= 0xF4)
    size = 4, least = 0x10000, out = lead & 0x07;
  else
    return 0;
  if (text.size() - at < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    out = out << 6 | (byte(i) & 0x3F);
  }
  return out < least || out > 0x10FFFF ? 0 : size;
}

void AppendUtf16(std::u16string& out, char32_t c) {
  if (c < 0x10000) {
    out.push_back(static_cast<char16_t>(c));
  } else {
    c -= 0x10000;
    out.push_back(static_cast<char16_t>(0xD800 + (c >> 10)));
    out.push_back(static_cast<char16_t>(0xDC00 + (c & 0x3FF)));
  }
}

}  // namespace

std::string Utf16ToUtf8(std::u16string_view text) {
  std::string out;
  out.reserve(text.size());
  const auto append = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    char32_t c = text[i];
    if (IsHighSurrogate(c) && i + 1 < text.size() && IsLowSurrogate(text[i + 1]))
      c = 0x10000 + ((c - 0xD800) << 10) + (text[++i] - 0xDC00u);
    if (c < 0x80) {
      append(c);
    } else if (c < 0x800) {
      append(0xC0 | c >> 6), append(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      append(0xE0 | c >> 12), append(0x80 | (c >> 6 & 0x3F)), append(0x80 | (c & 0x3F));
    } else {
      append(0xF0 | c >> 18), append(0x80 | (c >> 12 & 0x3F)), append(0x80 | (c >> 6 & 0x3F)),
          append(0x80 | (c & 0x3F));
    }
  }
  return out;
}

std::optional<std::u16string> Utf8ToUtf16(std::string_view text) {
  std::u16string out;
  out.reserve(text.size());
  bool after_high = false;  // the last code point was a high surrogate of its own
  for (std::size_t at = 0; at < text.size();) {
    char32_t c = 0;
    const std::size_t used = ReadCodePoint(text, at, c);
    // Two surrogates in a row would come back as one code point, hence as other bytes.
    if (used == 0 || (after_high && IsLowSurrogate(c))) return std::nullopt;
    after_high = IsHighSurrogate(c);
    AppendUtf16(out, c);
    at += used;
  }
  return out;
}

std::u16string Utf8ToUtf16Lossy(std::string_view text) {
  std::u16string out;
  for (std::size_t at = 0; at < text.size();) {
    char32_t c = 0;
    const std::size_t used = ReadCodePoint(text, at, c);
    AppendUtf16(out, used == 0 ? 0xFFFD : c);
    at += used == 0 ? 1 : used;
  }
  return out;
}

std::optional<std::u16string> Utf16FromLe(ByteView bytes) {
  if (bytes.size() % 2 != 0) return std::nullopt;
  std::u16string out(bytes.size() / 2, u'\0');
  if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

void AppendUtf16Le(Bytes& out, std::u16string_view text) {
  const auto at = out.size();
  out.resize(at + text.size() * 2);
  if (!text.empty()) std::memcpy(out.data() + at, text.data(), text.size() * 2);
}

Bytes Utf16ToLe(std::u16string_view text) {
  Bytes out;
  AppendUtf16Le(out, text);
  return out;
}

}  // namespace holdfast
