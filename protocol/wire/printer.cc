#include "protocol/wire/printer.h"

#include <cstdio>

namespace holdfast::wire {

namespace {

void AppendUtf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

}  // namespace

void Printer::PrintInteger(std::uint64_t value) {
  char digits[24];
  std::snprintf(digits, sizeof digits, value < 10 ? "%llu" : "0x%llx", static_cast<unsigned long long>(value));
  text_ += digits;
}

void Printer::PrintHex(ByteView bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const std::uint8_t b : bytes) {
    text_ += kDigits[b >> 4];
    text_ += kDigits[b & 15];
  }
}

void Printer::PrintText(std::u16string_view text) {
  text_ += '"';
  for (std::size_t i = 0; i < text.size(); ++i) {
    char32_t c = text[i];
    if (c >= 0xD800 && c < 0xDC00 && i + 1 < text.size() && text[i + 1] >= 0xDC00 && text[i + 1] < 0xE000) {
      c = 0x10000 + ((c - 0xD800) << 10) + (text[++i] - 0xDC00u);
    } else if (c >= 0xD800 && c < 0xE000) {
      c = 0xFFFD;  // A lone surrogate is legal in a file name but not in UTF-8.
    }
    // A peer's name must not be able to forge log lines.
    if (c < 0x20 || c == 0x7F) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(c));
      text_ += escape;
    } else {
      if (c == '"' || c == '\\') text_ += '\\';
      AppendUtf8(text_, c);
    }
  }
  text_ += '"';
}

void Printer::PrintName(std::string_view name) {
  for (const char c : name) {
    if (c < 0x20 || c > 0x7E) {
      return PrintHex(ByteView(reinterpret_cast<const std::uint8_t*>(name.data()), name.size()));
    }
  }
  text_ += '"';
  text_ += name;
  text_ += '"';
}

}  // namespace holdfast::wire
