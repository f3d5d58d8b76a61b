// Formatting and opening a volume.
#include <algorithm>

#include "protocol/base/clock.h"
#include "protocol/base/fault_point.h"
#include "protocol/dtyp/unicode.h"
#include "protocol/dtyp/upcase.h"
#include "storage/volume/engine_volume.h"
#include "storage/volume/keys.h"

namespace holdfast {
namespace {

void Tell(const VolumeOptions& options, std::string text) {
  if (options.problem) *options.problem = std::move(text);
}

// The super comes last: a format that was cut short is simply done again.
Task<Result<pb::Super>> Format(Engine& engine, Clock& clock, Random& random, const VolumeOptions& options) {
  auto inodes = co_await engine.List("i/", "", 2);
  auto streams = co_await engine.List("s/", "", 1);
  if (!inodes.ok() || !streams.ok()) {
    const EngineError error = inodes.ok() ? streams.error() : inodes.error();
    Tell(options, "the engine cannot list its objects: " + std::string(EngineErrorName(error)));
    co_return ToNtStatus(error);
  }
  const bool only_root = inodes->empty() || (inodes->size() == 1 &&
                                             inodes->front() == keys::InodeObject(kRootFileNumber));
  if (!only_root || !streams->empty()) {
    Tell(options, "object \"super\" is missing, but there are files: the volume is damaged and is not formatted anew");
    co_return NtStatus::kFileCorruptError;
  }

  InodeStore store(engine);
  DirectoryStore directories(engine, random, store, options.shard_split_entries, options.incarnation);
  EngineError error = co_await store.Remove(kRootFileNumber);
  if (error == EngineError::kNone) error = co_await directories.Create(kRootFileNumber, Durability::kStable);
  const FileTime now = clock.NowFileTime();
  if (error == EngineError::kNone) {
    Inode root;
    root.number = kRootFileNumber;
    root.directory = true;
    root.creation_time = root.last_access_time = root.last_write_time = root.change_time = now;
    error = co_await store.Create(root, {}, Durability::kStable);
  }
  FAULT_POINT("volume.format.root_written");
  pb::Super super;
  if (error == EngineError::kNone) {
    super.set_format_level(kVolumeFormatLevel);
    const Guid guid = Guid::Generate(random);
    super.set_guid(codec::ToString(guid.bytes));
    super.set_serial(static_cast<std::uint32_t>(random.Next64() | 1));
    super.set_creation_time(now);
    super.set_upcase_version(kUpcaseVersion);
    super.set_label(options.label);
    super.set_stripe_bytes(options.stripe_bytes != 0 ? options.stripe_bytes : engine.stripe_bytes());
    const std::string key(keys::kSuperKey);
    std::vector<Guard> guards{Guard::KeyAbsent(key)};
    std::vector<Mutation> mutations{Mutation::Set(key, codec::Serialise(super))};
    auto written = co_await engine.Write(std::string(keys::kSuperObject), std::move(guards), std::move(mutations));
    if (!written.ok()) error = written.error();
  }
  if (error != EngineError::kNone) {
    Tell(options, "the volume cannot be formatted: " + std::string(EngineErrorName(error)));
    co_return ToNtStatus(error);
  }
  co_return super;
}

// What keeps us from using a volume with this super; empty when nothing does.
std::string Objection(const pb::Super& super, const Engine& engine) {
  if (super.guid().size() != 16) return "object \"super\" has no valid identity: the volume is damaged";
  if (super.format_level() == 0 || super.format_level() > kVolumeFormatLevel) {
    return "the volume has format level " + std::to_string(super.format_level()) + ", this version writes level " +
           std::to_string(kVolumeFormatLevel);
  }
  if (super.upcase_version() != static_cast<std::uint32_t>(kUpcaseVersion)) {
    return "the volume's names are ordered by upper case table " + std::to_string(super.upcase_version()) +
           ", this version has table " + std::to_string(kUpcaseVersion);
  }
  if (super.stripe_bytes() == 0 || super.stripe_bytes() > engine.stripe_bytes()) {
    return "the volume is striped over objects of " + std::to_string(super.stripe_bytes()) +
           " bytes, the engine holds at most " + std::to_string(engine.stripe_bytes());
  }
  return {};
}

}  // namespace

EngineVolume::EngineVolume(Engine& engine, Random& random, const VolumeOptions& options, const pb::Super& super)
    : engine_(engine),
      random_(random),
      incarnation_(options.incarnation),
      inodes_(engine),
      directories_(engine, random, inodes_, std::max<std::size_t>(options.shard_split_entries, 2),
                   options.incarnation),
      data_(engine, super.stripe_bytes()),
      allocator_(engine, super.id_bits()),
      index_(engine, keys::IndexObject(options.incarnation)),
      orphans_(engine, std::string(keys::kOrphansObject)),
      most_loose_(options.most_loose_inodes) {
  std::copy(super.guid().begin(), super.guid().end(), facts_.guid.bytes.begin());
  facts_.serial = super.serial();
  facts_.creation_time = super.creation_time();
  facts_.label = Utf8ToUtf16Lossy(super.label());
}

Task<Result<std::unique_ptr<Volume>>> Volume::Mount(Engine& engine, Clock& clock, Random& random,
                                                    VolumeOptions options) {
  std::vector<std::string> wanted{std::string(keys::kSuperKey)};
  auto values = co_await engine.ReadKeysExact(std::string(keys::kSuperObject), std::move(wanted));
  if (!values.ok() && values.error() != EngineError::kNotFound) {
    Tell(options, "object \"super\" cannot be read: " + std::string(EngineErrorName(values.error())));
    co_return ToNtStatus(values.error());
  }
  pb::Super super;
  if (values.ok() && values->front()) {
    auto parsed = codec::Parse<pb::Super>(*values->front());
    if (!parsed) {
      Tell(options, "key \"super\" of object \"super\" cannot be parsed: the volume is damaged");
      co_return NtStatus::kFileCorruptError;
    }
    super = std::move(*parsed);
  } else if (options.create) {
    auto formatted = co_await Format(engine, clock, random, options);
    if (!formatted.ok()) co_return formatted.status();
    super = std::move(*formatted);
  } else {
    Tell(options, "the engine holds no volume: object \"super\" is missing");
    co_return NtStatus::kObjectNameNotFound;
  }
  if (std::string objection = Objection(super, engine); !objection.empty()) {
    const bool damaged = super.guid().size() != 16;
    Tell(options, std::move(objection));
    co_return damaged ? NtStatus::kFileCorruptError : NtStatus::kNotSupported;
  }
  InodeStore inodes(engine);
  auto root = co_await inodes.ReadAttributes(kRootFileNumber);
  if (!root.ok() || !root->message.directory()) {
    const NtStatus status = root.ok() ? NtStatus::kFileCorruptError : ToNtStatus(root.error());
    Tell(options, "object \"" + keys::InodeObject(kRootFileNumber) +
                      "\" is not a root directory: the volume is damaged");
    co_return status == NtStatus::kObjectNameNotFound ? NtStatus::kFileCorruptError : status;
  }
  std::unique_ptr<Volume> volume = std::make_unique<EngineVolume>(engine, random, options, super);
  co_return volume;
}

Task<Result<EngineUsage>> EngineVolume::Usage() {
  auto usage = co_await engine_.Usage();
  if (!usage.ok()) co_return ToNtStatus(usage.error());
  co_return *usage;
}

}  // namespace holdfast
