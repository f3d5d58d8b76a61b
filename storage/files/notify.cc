// CHANGE_NOTIFY, [MS-SMB2] 3.3.5.19, [MS-FSA] 2.1.4.1 and 2.1.5.11.
#include "storage/files/notify.h"

#include <algorithm>

#include "storage/files/notify_watch.h"
#include "storage/files/operation.h"

namespace holdfast {
namespace {

// Room for one event: FILE_NOTIFY_INFORMATION, [MS-FSCC] 2.7.1, aligned to 4.
std::size_t EventBytes(const NotifyEvent& event) { return (12 + 2 * event.name.size() + 3) & ~std::size_t{3}; }

// Places of directories that are kept at most; they are looked up again when forgotten.
constexpr std::size_t kMaxPlaces = 65536;
constexpr int kMaxDepth = 1024;

}  // namespace

void NotifyWatch::Offer(std::uint32_t filter_match, NotifyEvent event) {
  const std::uint32_t matched = filter & filter_match;
  if (matched == 0 || overflowed) return;
  // A file's new name comes with new attributes: to a watch that does not listen to names that is all it says.
  const bool new_name = event.action == file_action::kRenamedNewName || event.action == file_action::kAdded;
  if (new_name && (matched & (notify_filter::kFileName | notify_filter::kDirectoryName)) == 0) {
    event.action = file_action::kModified;
  }
  // Writes one after the other are one change to somebody who has not looked yet.
  const bool repeats = event.action == file_action::kModified && !events.empty() &&
                       events.back().action == event.action && events.back().name == event.name;
  if (repeats) return;
  bytes += EventBytes(event);
  events.push_back(std::move(event));
  // A request that waits takes what it has room for, however little the first one had.
  const std::size_t room = std::min<std::size_t>(limit, requests.empty() ? limit : requests.front()->max_bytes);
  if (bytes > room) {
    overflowed = true;
    events.clear();
    bytes = 0;
  }
}

void NotifyWatch::Deliver() {
  while (!requests.empty()) {
    if (requests.front()->done.is_set()) {  // cancelled, and on its way out
      requests.pop_front();
      continue;
    }
    if (!overflowed && events.empty()) return;
    // The two names of a rename belong into one answer.
    if (!overflowed && events.back().action == file_action::kRenamedOldName) return;
    const auto request = requests.front();
    requests.pop_front();
    const bool fits = !overflowed && bytes <= request->max_bytes;
    if (fits) request->events.assign(std::make_move_iterator(events.begin()), std::make_move_iterator(events.end()));
    events.clear();
    bytes = 0;
    overflowed = false;
    request->done.Set(fits ? NtStatus::kSuccess : NtStatus::kNotifyEnumDir);
  }
}

void NotifyWatch::Fail(NtStatus status) {
  for (const auto& request : std::exchange(requests, {})) request->done.Set(status);
}

const LinkFacts* NotifyHub::FindLink(FileNumber directory) {
  if (const FileStatePtr loaded = files_.FindLoaded(directory); loaded && !loaded->inode.links.empty()) {
    return &(places_[directory] = loaded->inode.links.front());
  }
  const auto known = places_.find(directory);
  return known == places_.end() ? nullptr : &known->second;
}

bool NotifyHub::TryReport(const Pending& pending, FileNumber& unknown) {
  std::erase_if(trees_, [](const auto& tree) { return tree.expired(); });
  if (trees_.empty()) return true;
  // From the directory of the change upwards; what lies above it is told a path.
  std::vector<std::pair<FileNumber, std::u16string>> above;
  std::u16string path = pending.event.name;
  FileNumber at = pending.parent;
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    above.emplace_back(at, path);
    if (at == kRootFileNumber || at == 0) break;
    const LinkFacts* link = FindLink(at);
    if (!link) {
      unknown = at;
      return false;
    }
    path = link->name + u"\\" + path;
    at = link->parent;
  }
  for (const auto& weak : trees_) {
    const auto watch = weak.lock();
    if (!watch) continue;
    const auto found = std::find_if(above.begin(), above.end(), [&](const auto& a) { return a.first == watch->directory; });
    if (found == above.end()) continue;
    watch->Offer(pending.filter, {pending.event.action, found->second});
    watch->Deliver();
  }
  return true;
}

void NotifyHub::Report(FileNumber parent, NotifyEvent event, std::uint32_t filter) {
  std::erase_if(trees_, [](const auto& tree) { return tree.expired(); });
  if (trees_.empty()) {
    places_.clear();
    return;
  }
  const bool moves_directory = (filter & notify_filter::kDirectoryName) != 0 &&
                               (event.action == file_action::kRenamedOldName || event.action == file_action::kRemoved);
  Pending pending{parent, std::move(event), filter};
  FileNumber unknown = 0;
  if (!queue_.empty() || !TryReport(pending, unknown)) {
    queue_.push_back(std::move(pending));
    if (!resolving_ && !stopped_) {
      resolving_ = true;
      Spawn(files_.executor(), Resolve());
    }
    return;
  }
  // Some directory lies elsewhere from now on; the places of those in memory are always looked up there.
  if (moves_directory || places_.size() > kMaxPlaces) places_.clear();
}

Task<void> NotifyHub::Resolve() {
  const auto self = shared_from_this();
  while (!queue_.empty() && !stopped_) {
    FileNumber unknown = 0;
    if (TryReport(queue_.front(), unknown)) {
      queue_.pop_front();
      continue;
    }
    auto inode = co_await files_.volume().Load(unknown);
    if (stopped_) break;
    // A directory that is gone has no place: nobody above it hears of what happened in it.
    places_[unknown] = inode.ok() && !inode->links.empty() ? inode->links.front() : LinkFacts{};
  }
  queue_.clear();
  resolving_ = false;
}

void Files::ReportChange(FileNumber parent, const std::u16string& name, std::uint32_t action, std::uint32_t filter) {
  if (const FileStatePtr directory = FindLoaded(parent)) {
    for (const auto& watch : directory->watches) {
      if (watch->tree) continue;
      watch->Offer(filter, {action, name});
      watch->Deliver();
    }
  }
  if (notify_hub_) notify_hub_->Report(parent, {action, name}, filter);
}

void Files::EndNotify(FileState& directory) {
  for (const auto& watch : directory.watches) watch->Fail(NtStatus::kDeletePending);
}

Task<Result<std::vector<NotifyEvent>>> Files::Notify(OpenPtr open, std::uint32_t completion_filter, bool watch_tree,
                                                     std::uint32_t max_bytes, PendingWaitPtr wait) {
  if (open->closed) co_return NtStatus::kFileClosed;
  if (!open->is_directory) co_return NtStatus::kInvalidParameter;
  if (!HasAny(*open, access::kListDirectory)) co_return NtStatus::kAccessDenied;
  const FileStatePtr directory = open->file;
  auto& watches = directory->watches;
  const auto found = std::find_if(watches.begin(), watches.end(), [&](const auto& w) { return IsWatchOf(*w, *open); });
  std::shared_ptr<NotifyWatch> watch = found == watches.end() ? nullptr : *found;
  if (!watch) {
    watch = std::make_shared<NotifyWatch>();
    watch->open = open.get();
    watch->directory = directory->number;
    watch->filter = completion_filter;
    watch->tree = watch_tree;
    watch->limit = max_bytes;
    watches.push_back(watch);
    if (watch_tree) {
      if (!notify_hub_) {
        // Its lookups may still be under way when the files are gone.
        auto hub = std::make_shared<NotifyHub>(*this);
        notify_hub_ = std::shared_ptr<NotifyHub>(hub.get(), [hub](NotifyHub*) { hub->Stop(); });
      }
      notify_hub_->AddTree(watch);
    }
  }
  if (directory->delete_pending || directory->unlinked) co_return NtStatus::kDeletePending;
  if (wait && wait->cancelled()) co_return *wait->cancelled();

  auto request = std::make_shared<NotifyRequest>();
  request->max_bytes = max_bytes;
  watch->requests.push_back(request);
  watch->Deliver();
  if (!request->done.is_set()) {
    if (!wait) wait = std::make_shared<PendingWait>();
    open->waits.push_back(wait);
    wait->SetWake([request, waited = wait.get()] {
      request->done.Set(waited->cancelled().value_or(NtStatus::kCancelled));
    });
    if (wait->on_pending) wait->on_pending();
  }
  const NtStatus status = co_await request->done.Wait();
  if (wait) {
    wait->SetWake(nullptr);
    std::erase(open->waits, wait);
  }
  std::erase(watch->requests, request);
  if (status != NtStatus::kSuccess) co_return status;
  co_return std::move(request->events);
}

}  // namespace holdfast
