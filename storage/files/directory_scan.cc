// QUERY_DIRECTORY, [MS-SMB2] 3.3.5.18, [MS-FSA] 2.1.5.6.3: which entries, in which order, with which facts.
#include <algorithm>

#include "protocol/dtyp/access_check.h"
#include "protocol/dtyp/upcase.h"
#include "protocol/fscc/attributes.h"
#include "storage/files/files.h"
#include "storage/files/operation.h"
#include "storage/files/wildcard.h"

namespace holdfast {
namespace {

constexpr std::size_t kLeastPage = 32;
constexpr std::size_t kLargestPage = 1024;

NtStatus CheckPattern(std::u16string_view pattern) {
  if (pattern.size() > kMaxNameUnits) return NtStatus::kObjectNameInvalid;
  for (const char16_t unit : pattern) {
    if (unit < 0x20 || unit == u'\\' || unit == u'/' || unit == u':' || unit == u'|') {
      return NtStatus::kObjectNameInvalid;
    }
  }
  return NtStatus::kSuccess;
}

// What every name that matches begins with.
std::u16string_view LiteralPrefix(std::u16string_view pattern) {
  std::size_t units = 0;
  while (units < pattern.size() && !HasWildcards(pattern.substr(units, 1))) ++units;
  return pattern.substr(0, units);
}

bool IsHiddenFrom(const SecurityToken& token, const Bytes& stored) {
  if (stored.empty()) return false;
  const auto descriptor = SecurityDescriptor::Parse(stored);
  if (!descriptor.ok()) return true;
  const std::uint32_t wanted = access::kFileGenericRead | access::kListDirectory;
  return AccessCheck(*descriptor, token, wanted).status != NtStatus::kSuccess;
}

DirectoryEntry EntryOf(const Inode& inode, std::u16string name) {
  DirectoryEntry entry;
  entry.name = std::move(name);
  entry.number = inode.number;
  entry.directory = inode.directory;
  entry.file_attributes = inode.file_attributes;
  entry.creation_time = inode.creation_time;
  entry.last_access_time = inode.last_access_time;
  entry.last_write_time = inode.last_write_time;
  entry.change_time = inode.change_time;
  entry.ea_bytes = inode.ea_bytes;
  entry.reparse_tag = inode.reparse_tag;
  return entry;
}

// The entry as the file is now, where it is in memory, and as a client sees it.
void Complete(DirectoryEntry& entry, FileState* live) {
  bool sparse = (entry.file_attributes & file_attribute::kSparseFile) != 0;
  if (live) {
    const std::uint64_t allocated = entry.allocation_size;
    entry = EntryOf(live->inode, std::move(entry.name));
    entry.allocation_size = allocated;
    if (const StreamState* stream = live->Stream(kUnnamedStream); stream && !entry.directory) {
      sparse = stream->facts.sparse;
      entry.size = stream->facts.size;
      if (!sparse) entry.allocation_size = FullAllocation(stream->facts);
    }
  }
  if (!entry.directory && !sparse) {
    entry.allocation_size = std::max(entry.allocation_size, RoundUpToCluster(entry.size));
  }
  Inode shown;
  shown.directory = entry.directory;
  shown.file_attributes = entry.file_attributes;
  shown.reparse_tag = entry.reparse_tag;
  entry.file_attributes = ShownAttributes(shown, sparse);
}

}  // namespace

Task<NtStatus> Files::FillScan(OpenPtr open, std::u16string pattern, bool restart, bool reopen, std::size_t want) {
  const OpenUse use(open);
  if (open->closed) co_return NtStatus::kFileClosed;
  if (!open->is_directory) co_return NtStatus::kInvalidParameter;
  if (!HasAny(*open, access::kListDirectory)) co_return NtStatus::kAccessDenied;
  const FileStatePtr directory = open->file;
  const auto turn = co_await open->scan_mutex.Lock();
  if (open->closed) co_return NtStatus::kFileClosed;

  DirectoryScan& scan = open->scan;
  restart = restart || reopen;
  if (!scan.started || (restart && !pattern.empty())) {
    if (pattern.empty()) pattern = u"*";
    const NtStatus valid = CheckPattern(pattern);
    if (valid != NtStatus::kSuccess) co_return valid;
    scan.pattern = std::move(pattern);
  }
  if (!scan.started || restart) {
    scan.started = true;
    scan.after.clear();
    scan.volume_exhausted = false;
    scan.returned_any = false;
    scan.ahead.clear();
    const NtStatus begun = co_await BeginScan(open);
    if (begun != NtStatus::kSuccess) {
      scan.started = false;
      co_return begun;
    }
  }
  want = std::max<std::size_t>(want, 1);
  const std::u16string prefix = UpcaseName(LiteralPrefix(scan.pattern));
  while (scan.ahead.size() < want && !scan.volume_exhausted) {
    // A pattern may pass over most names: then larger pages, lest a large directory takes a read for each few.
    const bool all = scan.pattern == u"*";
    const std::size_t limit = all ? std::clamp(want, kLeastPage, kLargestPage) : kLargestPage;
    auto page = co_await volume_.List(directory->number, scan.after, limit);
    if (!page.ok()) {
      if (!scan.ahead.empty()) break;
      co_return page.status();
    }
    scan.volume_exhausted = !page->more || page->entries.empty();
    if (!page->entries.empty()) scan.after = page->entries.back().name;
    for (DirectoryEntry& entry : page->entries) {
      if (!prefix.empty()) {
        const std::u16string upcased = UpcaseName(entry.name);
        if (!upcased.starts_with(prefix) && upcased > prefix) {
          // Names come in order: nothing behind can begin with it either.
          scan.volume_exhausted = true;
          break;
        }
      }
      if (MatchesPattern(scan.pattern, entry.name)) co_await AddToScan(open, std::move(entry));
    }
    if (open->closed) co_return NtStatus::kFileClosed;
  }
  if (!scan.ahead.empty()) {
    scan.returned_any = true;
    co_return NtStatus::kSuccess;
  }
  co_return scan.returned_any ? NtStatus::kNoMoreFiles : NtStatus::kNoSuchFile;
}

Task<NtStatus> Files::BeginScan(OpenPtr open) {
  DirectoryScan& scan = open->scan;
  const FileStatePtr directory = open->file;
  if (MatchesPattern(scan.pattern, u".")) {
    DirectoryEntry self = EntryOf(directory->inode, u".");
    Complete(self, nullptr);
    scan.ahead.push_back(std::move(self));
  }
  if (MatchesPattern(scan.pattern, u"..")) {
    // Above the root of the share there is nothing to be told.
    DirectoryEntry above = EntryOf(directory->inode, u"..");
    if (directory->number != open->share->root && !directory->inode.links.empty()) {
      const FileNumber parent = directory->inode.links.front().parent;
      if (const FileStatePtr loaded = FindLoaded(parent)) {
        above = EntryOf(loaded->inode, u"..");
      } else {
        auto inode = co_await volume_.Load(parent);
        if (inode.ok()) above = EntryOf(*inode, u"..");
      }
    }
    Complete(above, nullptr);
    scan.ahead.push_back(std::move(above));
  }

  const std::u16string prefix(LiteralPrefix(scan.pattern));
  if (prefix.empty()) co_return NtStatus::kSuccess;
  // The directory is ordered by name: only names that begin like the pattern are listed, that very name first.
  scan.after = prefix;
  scan.volume_exhausted = prefix == scan.pattern;
  if (prefix == u"." || prefix == u"..") co_return NtStatus::kSuccess;
  auto entry = co_await volume_.Lookup(directory->number, prefix);
  if (entry.ok()) {
    if (MatchesPattern(scan.pattern, entry->name)) co_await AddToScan(open, std::move(*entry));
  } else if (entry.status() != NtStatus::kObjectNameNotFound) {
    co_return entry.status();
  }
  co_return NtStatus::kSuccess;
}

Task<void> Files::AddToScan(OpenPtr open, DirectoryEntry entry) {
  const FileStatePtr live = FindLoaded(entry.number);
  if (live && live->unlinked) co_return;
  if (open->share->access_based_enumeration && open->token) {
    if (live) {
      if (IsHiddenFrom(*open->token, live->inode.security_descriptor)) co_return;
    } else {
      const auto inode = co_await volume_.Load(entry.number);
      if (!inode.ok() || IsHiddenFrom(*open->token, inode->security_descriptor)) co_return;
    }
  }
  Complete(entry, live.get());
  open->scan.ahead.push_back(std::move(entry));
}

}  // namespace holdfast
