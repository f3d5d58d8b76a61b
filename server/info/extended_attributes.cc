#include "server/info/extended_attributes.h"

#include <algorithm>
#include <cctype>

namespace holdfast {

std::vector<ExtendedAttribute> FromWire(std::vector<fscc::ExtendedAttribute> list) {
  std::vector<ExtendedAttribute> out;
  for (auto& ea : list) out.push_back({.name = std::move(ea.name), .value = std::move(ea.value), .flags = ea.flags});
  return out;
}

std::vector<fscc::ExtendedAttribute> ToWire(std::vector<ExtendedAttribute> list) {
  std::vector<fscc::ExtendedAttribute> out;
  for (auto& ea : list) out.push_back({.flags = ea.flags, .name = std::move(ea.name), .value = std::move(ea.value)});
  return out;
}

namespace info {
namespace {

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::toupper(x) == std::toupper(y);
  });
}

// The attributes called `names`, in that order; one that is not there comes with an empty value.
std::vector<fscc::ExtendedAttribute> Named(const std::vector<fscc::ExtendedAttribute>& list,
                                           const std::vector<std::string>& names) {
  std::vector<fscc::ExtendedAttribute> out;
  for (const std::string& name : names) {
    const auto found = std::find_if(list.begin(), list.end(), [&](const auto& ea) { return SameName(ea.name, name); });
    out.push_back(found != list.end() ? *found : fscc::ExtendedAttribute{.flags = 0, .name = name, .value = {}});
  }
  return out;
}

// How many entries of `list` stand whole in a buffer of `size` bytes.
std::uint32_t CountEntries(const std::vector<fscc::ExtendedAttribute>& list, std::size_t size) {
  std::uint32_t count = 0;
  std::size_t used = 0;
  for (const auto& ea : list) {
    used = (used + 3) / 4 * 4 + 8 + ea.name.size() + 1 + ea.value.size();
    if (used > size) break;
    ++count;
  }
  return count;
}

}  // namespace

// [MS-SMB2] 3.3.5.20.1, [MS-FSA] 2.1.5.12.14: by name, from an index, or on from where the last query stopped.
Task<QueryResult> QueryFullEa(InfoQuery query) {
  auto stored = co_await query.files().QueryEas(query.open());
  if (!stored.ok()) co_return stored.status();
  std::vector<fscc::ExtendedAttribute> list = ToWire(std::move(*stored));
  const std::uint32_t flags = query.message.flags;
  Handle& handle = *query.request->handle;

  bool by_name = false;
  if (!query.message.input_buffer.empty()) {
    auto names = fscc::DecodeEaNames(query.message.input_buffer);
    if (!names.ok()) co_return names.status();
    list = Named(list, *names);
    by_name = true;
  } else {
    if (list.empty()) co_return NtStatus::kNoEasOnFile;
    std::uint32_t index = handle.current_ea_index;
    if (flags & smb2::query_ea_flag::kIndexSpecified) {
      index = query.message.additional_information;
      if (index == 0 || index > list.size()) co_return NtStatus::kNonexistentEaEntry;
    } else if (flags & smb2::query_ea_flag::kRestartScan) {
      index = 1;
    }
    if (index > list.size()) co_return NtStatus::kNoMoreEas;
    list.erase(list.begin(), list.begin() + (index - 1));
    handle.current_ea_index = index;
  }
  if ((flags & smb2::query_ea_flag::kReturnSingleEntry) != 0 && list.size() > 1) list.resize(1);

  fscc::QueryOutput output = fscc::EncodeEaList(list, query.limit());
  if (!by_name) handle.current_ea_index += CountEntries(list, output.data.size());
  co_return output;
}

Task<NtStatus> SetFullEa(InfoSet set) {
  auto list = fscc::DecodeEaList(set.message.buffer);
  if (!list.ok()) co_return list.status();
  std::vector<ExtendedAttribute> eas = FromWire(std::move(*list));
  co_return co_await set.files().SetEas(set.open(), std::move(eas));
}

}  // namespace info
}  // namespace holdfast
