// Names between UTF-8 (configuration, logs, storage keys) and UTF-16LE (the wire).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/bytes.h"

namespace holdfast {

// Lone surrogates, which NTFS and SMB allow in names, are written as their three-byte form (WTF-8), so that every
// UTF-16 string comes back unchanged.
std::string Utf16ToUtf8(std::u16string_view text);
// nullopt when `text` is not WTF-8: overlong forms, bytes out of place, code points above U+10FFFF, a surrogate pair
// written as two three-byte forms.
std::optional<std::u16string> Utf8ToUtf16(std::string_view text);
// For text of ours (literals, configuration already checked): each malformed byte becomes U+FFFD.
std::u16string Utf8ToUtf16Lossy(std::string_view text);

// UTF-16LE as on the wire. nullopt for an odd number of bytes.
std::optional<std::u16string> Utf16FromLe(ByteView bytes);
void AppendUtf16Le(Bytes& out, std::u16string_view text);
Bytes Utf16ToLe(std::u16string_view text);

}  // namespace holdfast
