// Where a path leads, [MS-FSA] 2.1.5.1 phase 6: every directory of it must be there, only the last name may be new.
#include "protocol/fscc/reparse.h"
#include "storage/files/creation.h"

namespace holdfast {

Task<Result<Creation::Place>> Creation::Walk() {
  Place place;
  place.number = p_.share->root;
  place.directory = true;
  const auto& components = path_.components;
  for (std::size_t i = 0; i < components.size(); ++i) {
    const bool last = i + 1 == components.size();
    place.parent = place.number;
    place.name = components[i];
    const auto entry = co_await files_.volume_.Lookup(place.parent, place.name);
    if (!entry.ok()) {
      // Only "there is none" is an answer about the name; whatever else failed says nothing of it.
      if (entry.status() != NtStatus::kObjectNameNotFound) co_return entry.status();
      if (!last) co_return NtStatus::kObjectPathNotFound;
      place.number = 0;
      co_return place;
    }
    place.number = entry->number;
    place.name = entry->name;
    place.directory = entry->directory;
    if (last) break;
    const FileStatePtr loaded = files_.FindLoaded(place.number);
    if (loaded && loaded->delete_pending) co_return NtStatus::kDeletePending;
    const std::uint32_t tag = loaded ? loaded->inode.reparse_tag : entry->reparse_tag;
    if (fscc::reparse_tag::IsNameSurrogate(tag)) {
      if (p_.stopped) {
        const auto target = co_await files_.Acquire(place.number);
        if (!target.ok()) co_return target.status();
        p_.stopped->reparse_data = (*target)->inode.reparse_data;
        std::size_t unparsed = 0;
        for (std::size_t rest = i + 1; rest < components.size(); ++rest) unparsed += components[rest].size() + 1;
        p_.stopped->unparsed_path_bytes = static_cast<std::uint16_t>(2 * unparsed);
      }
      co_return NtStatus::kStoppedOnSymlink;
    }
    if (!place.directory) co_return NtStatus::kObjectPathNotFound;
  }
  co_return place;
}

}  // namespace holdfast
