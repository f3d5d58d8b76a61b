#include "storage/volume/check.h"

#include "storage/volume/keys.h"

namespace holdfast {
namespace {

std::string Text(std::uint64_t value) { return std::to_string(value); }

}  // namespace

Task<Result<Volume::CheckReport>> EngineVolume::Check(bool repair) {
  VolumeCheck check(*this, repair);
  co_return co_await check.Run();
}

Task<Result<Volume::CheckReport>> VolumeCheck::Run() {
  EngineError error = co_await CheckInodes();
  if (error == EngineError::kNone) error = co_await CheckAllocation();
  if (error == EngineError::kNone) error = co_await CheckDirectories();
  if (error == EngineError::kNone) error = co_await CheckNames();
  if (error == EngineError::kNone) error = co_await CheckPaths();
  if (error == EngineError::kNone) error = co_await CheckUnlinked();
  if (error == EngineError::kNone) error = co_await CheckSets();
  if (error == EngineError::kNone) error = co_await CheckStreams();
  if (error == EngineError::kNone) error = co_await CheckShardObjects();
  if (error != EngineError::kNone) co_return ToNtStatus(error);
  co_return std::move(report_);
}

Task<EngineResult<std::vector<std::string>>> VolumeCheck::Names(std::string prefix, std::string after) {
  return volume_.engine_.List(std::move(prefix), std::move(after), 1024);
}

VolumeCheck::File* VolumeCheck::Get(FileNumber number) {
  const auto it = files_.find(number);
  return it == files_.end() ? nullptr : &it->second;
}

Task<bool> VolumeCheck::RemoveObject(std::string object) {
  std::vector<Mutation> mutations{Mutation::RemoveObject()};
  auto written = co_await volume_.engine_.Write(object, {}, std::move(mutations), Durability::kStable,
                                                WriteClass::kRecord);
  co_return written.ok() || written.error() == EngineError::kNotFound;
}

Task<EngineError> VolumeCheck::CheckInodes() {
  std::string after;
  for (;;) {
    auto objects = co_await Names("i/", after);
    if (!objects.ok()) co_return objects.error();
    if (objects->empty()) co_return EngineError::kNone;
    after = objects->back();
    for (std::size_t i = 0; i < objects->size(); ++i) {
      const auto number = keys::ParseInodeObject((*objects)[i]);
      if (!number) {
        Find("object \"" + (*objects)[i] + "\" is called like an inode, but has no file number");
        continue;
      }
      const EngineError error = co_await CheckInode(*number);
      if (error != EngineError::kNone) co_return error;
    }
  }
}

Task<EngineError> VolumeCheck::CheckInode(FileNumber number) {
  const std::string object = keys::InodeObject(number);
  auto inode = co_await volume_.inodes_.Read(number);
  if (!inode.ok() && inode.error() == EngineError::kNotFound) co_return EngineError::kNone;  // gone by now
  if (!inode.ok() && inode.error() != EngineError::kCorrupt) co_return inode.error();
  File& file = files_[number];
  if (!inode.ok()) {
    file.readable = false;
    Find("key \"a\" of object \"" + object + "\" is missing or does not parse: the file cannot be opened");
    co_return EngineError::kNone;
  }
  for (const std::string& key : inode->bad_keys) {
    Find("key \"" + key.substr(0, 2) + "\"… of object \"" + object + "\" does not parse or contradicts its name");
    file.readable = false;
  }
  file.directory = inode->attributes.message.directory();
  file.unlinking = inode->attributes.message.unlinking();
  file.has_opens = inode->has_opens;
  for (const StoredLink& link : inode->links) file.names.push_back({link.parent, link.encoded_name});
  bool has_unnamed = false;
  for (std::size_t i = 0; i < inode->streams.size(); ++i) {
    const pb::StreamAttributes& stream = inode->streams[i].message;
    has_unnamed |= stream.id() == kUnnamedStream;
    file.ends[stream.id()] = std::max(stream.size(), stream.may_extend_to());
    report_.bytes += stream.size();
    if (stream.size() > kMaxFileSize) {
      Find("stream " + Text(stream.id()) + " of object \"" + object + "\" has the impossible size " +
           Text(stream.size()));
    }
    if (!stream.has_trunc_pending()) continue;
    Find("stream " + Text(stream.id()) + " of object \"" + object + "\" has a truncation to " +
         Text(stream.trunc_pending()) + " bytes that was not finished");
    if (repair_) {
      CountRepair(co_await volume_.FinishTruncation(number, stream.id()) == NtStatus::kSuccess);
    }
  }
  if (!file.directory && !has_unnamed) Find("object \"" + object + "\" is a file without an unnamed stream");
  (file.directory ? report_.directories : report_.files) += 1;
  co_return EngineError::kNone;
}

Task<EngineError> VolumeCheck::CheckAllocation() {
  auto next = co_await volume_.allocator_.ReadNextSlab();
  if (!next.ok() && next.error() != EngineError::kCorrupt) co_return next.error();
  if (!next.ok()) {
    Find("key \"alloc\" of object \"super\" does not parse: no file can be created");
    co_return EngineError::kNone;
  }
  if (files_.empty()) co_return EngineError::kNone;
  const FileNumber highest = files_.rbegin()->first;
  if (highest < kFirstFileNumber || highest < *next) co_return EngineError::kNone;
  Find("key \"alloc\" of object \"super\" would give out file number " + Text(*next) + " again, which object \"" +
       keys::InodeObject(highest) + "\" has passed");
  if (repair_) CountRepair(co_await volume_.allocator_.SkipTo(highest + 1) == EngineError::kNone);
  co_return EngineError::kNone;
}

Task<EngineError> VolumeCheck::CheckUnlinked() {
  auto noted = co_await volume_.orphans_.ReadAll();
  if (!noted.ok()) co_return noted.error();
  const std::set<FileNumber> orphans(noted->begin(), noted->end());
  std::vector<FileNumber> doubtful;
  for (const auto& [number, file] : files_) {
    if (file.readable && file.unlinking && !orphans.contains(number)) doubtful.push_back(number);
  }
  for (const FileNumber number : doubtful) {
    auto inode = co_await volume_.inodes_.Read(number);
    if (!inode.ok()) continue;
    Find("object \"" + keys::InodeObject(number) + "\" has been unlinked, but key \"n/" + Text(number) +
         "\" of object \"x/orphans\" that would have it purged is missing");
    if (!repair_) continue;
    if (inode->has_opens) {
      CountRepair(co_await volume_.orphans_.Add(number, Durability::kStable) == EngineError::kNone);
    } else {
      CountRepair(co_await volume_.Purge(number) == NtStatus::kSuccess);
    }
  }
  co_return EngineError::kNone;
}

Task<EngineError> VolumeCheck::CheckSets() {
  std::string after;
  for (;;) {
    auto objects = co_await Names("x/", after);
    if (!objects.ok()) co_return objects.error();
    if (objects->empty()) co_return EngineError::kNone;
    after = objects->back();
    for (std::size_t i = 0; i < objects->size(); ++i) {
      const EngineError error = co_await CheckSet((*objects)[i], (*objects)[i] == keys::kOrphansObject);
      if (error != EngineError::kNone) co_return error;
    }
  }
}

Task<EngineError> VolumeCheck::CheckSet(std::string object, bool orphans) {
  NumberSet set(volume_.engine_, object);
  auto numbers = co_await set.ReadAll();
  if (!numbers.ok()) co_return numbers.error();
  for (std::size_t i = 0; i < numbers->size(); ++i) {
    const FileNumber number = (*numbers)[i];
    auto attributes = co_await volume_.inodes_.ReadAttributes(number);
    if (!attributes.ok() && attributes.error() != EngineError::kNotFound) continue;  // reported with the inode
    const bool absent = !attributes.ok();
    if (!absent && (!orphans || attributes->message.unlinking())) continue;
    Find("key \"n/" + Text(number) + "\" of object \"" + object + "\" names a file that " +
         (absent ? "does not exist" : "still has its name"));
    if (repair_) CountRepair(co_await set.Remove(number) == EngineError::kNone);
  }
  co_return EngineError::kNone;
}

Task<EngineError> VolumeCheck::CheckStreams() {
  std::string after;
  for (;;) {
    auto objects = co_await Names("s/", after);
    if (!objects.ok()) co_return objects.error();
    if (objects->empty()) co_return EngineError::kNone;
    after = objects->back();
    for (std::size_t i = 0; i < objects->size(); ++i) {
      const EngineError error = co_await CheckStripe((*objects)[i]);
      if (error != EngineError::kNone) co_return error;
    }
  }
}

Task<EngineError> VolumeCheck::CheckStripe(std::string object) {
  const auto name = keys::ParseStripeObject(object);
  if (!name) {
    Find("object \"" + object + "\" is called like a stripe, but has no file number, stream and stripe");
    co_return EngineError::kNone;
  }
  const File* file = Get(name->number);
  if (file && !file->readable) co_return EngineError::kNone;
  auto stream = co_await volume_.inodes_.ReadStream(name->number, name->stream);
  if (!stream.ok() && stream.error() != EngineError::kNotFound) co_return EngineError::kNone;
  if (!stream.ok() || !*stream) {
    Find("object \"" + object + "\" holds bytes of a stream that " +
         (stream.ok() ? "object \"" + keys::InodeObject(name->number) + "\" does not have" : "belongs to no inode"));
    if (repair_) CountRepair(co_await RemoveObject(object));
    co_return EngineError::kNone;
  }
  const pb::StreamAttributes& facts = (*stream)->message;
  auto end = co_await volume_.data_.StripeEnd(object, name->stripe);
  if (!end.ok()) co_return end.error();
  const std::uint64_t limit = std::max(facts.size(), facts.may_extend_to());
  if (*end <= limit || facts.has_trunc_pending()) co_return EngineError::kNone;
  Find("object \"" + object + "\" holds bytes up to " + Text(*end) + ", behind the end of its stream at " +
       Text(limit));
  if (repair_) {
    const EngineError cut =
        co_await volume_.data_.Truncate(name->number, name->stream, limit, Durability::kStable);
    CountRepair(cut == EngineError::kNone);
  }
  co_return EngineError::kNone;
}

}  // namespace holdfast
