#include <algorithm>

#include "storage/engine/memory_engine.h"

namespace holdfast {

std::shared_ptr<MemoryStore> MemoryStore::Make(MemoryOptions options) {
  HOLDFAST_CHECK(options.clock != nullptr || options.max_delay == Duration::zero());
  HOLDFAST_CHECK(options.min_delay <= options.max_delay);
  return std::shared_ptr<MemoryStore>(new MemoryStore(std::move(options)));
}

void MemoryStore::PowerCut() {
  ++power_cuts_;
  used_bytes_ = 0;
  for (auto it = objects_.begin(); it != objects_.end();) {
    it->second.PowerCut(random_);
    used_bytes_ += it->second.key_bytes() + it->second.data_bytes();
    it = it->second.forgotten() ? objects_.erase(it) : std::next(it);
  }
}

void MemoryStore::SetCapacity(std::uint64_t capacity_bytes, std::uint64_t reserve_bytes) {
  options_.capacity_bytes = capacity_bytes;
  options_.reserve_bytes = reserve_bytes;
}

std::uint64_t MemoryStore::Fence(ClientId client, std::optional<Duration> expiry) {
  HOLDFAST_CHECK(!expiry || options_.clock != nullptr);
  FenceState state{++epoch_, std::nullopt};
  if (expiry) state.until = options_.clock->Now() + *expiry;
  fences_.insert_or_assign(client, state);
  return epoch_;
}

bool MemoryStore::IsFenced(const Client& client, const std::string& object) {
  if (fences_.empty()) return false;
  std::uint64_t& learnt = learnt_[object];
  learnt = std::max(learnt, client.epoch);
  if (learnt < epoch_ && options_.learn_one_in != 0 && random_.Below(options_.learn_one_in) == 0) learnt = epoch_;
  const auto fence = fences_.find(client.id);
  if (fence == fences_.end()) return false;
  if (fence->second.until && options_.clock->Now() >= *fence->second.until) {
    fences_.erase(fence);
    return false;
  }
  return fence->second.epoch <= learnt;
}

const MemoryFault* MemoryStore::MatchFault(EngineOp op, const std::string& object) {
  const MemoryFault* match = nullptr;
  for (PendingFault& pending : faults_) {
    const MemoryFault& fault = pending.fault;
    if (fault.op && *fault.op != op) continue;
    if (!object.starts_with(fault.object_prefix)) continue;
    const std::uint64_t count = ++pending.seen;
    if (!match && count >= fault.nth && count - fault.nth < fault.times) match = &fault;
  }
  return match;
}

Duration MemoryStore::DrawDelay() {
  const auto spread = static_cast<std::uint64_t>((options_.max_delay - options_.min_delay).count());
  return options_.min_delay + Duration(static_cast<Duration::rep>(random_.Below(spread + 1)));
}

void MemoryStore::After(const Executor& executor, Duration delay, std::function<void()> next) {
  if (delay > Duration::zero()) {
    HOLDFAST_CHECK(options_.clock != nullptr);
    options_.clock->Schedule(options_.clock->Now() + delay, std::move(next));
  } else {
    boost::asio::post(executor, std::move(next));
  }
}

void MemoryStore::Submit(const std::shared_ptr<Client>& client, EngineOp op, const std::string& object,
                         std::function<void(EngineError verdict)> apply, std::function<void()> complete) {
  // Faults are counted in the order of asking, so that "the n-th" does not depend on the delays.
  const MemoryFault* match = MatchFault(op, object);
  MemoryFault fault;
  fault.error = EngineError::kNone;
  if (match) fault = *match;
  auto arrive = [self = shared_from_this(), client, op, object, fault, cut = power_cuts_, apply = std::move(apply),
                 complete = std::move(complete)] {
    ++self->operations_;
    ++self->per_op_[static_cast<std::size_t>(op)];
    if (cut != self->power_cuts_) {
      apply(EngineError::kIo);
    } else if (self->IsFenced(*client, object)) {
      apply(EngineError::kFenced);
    } else {
      if (fault.error == EngineError::kNone || fault.applied) apply(EngineError::kNone);
      if (fault.error != EngineError::kNone) apply(fault.error);
    }
    self->After(client->executor, self->DrawDelay(), complete);
  };
  After(client->executor, DrawDelay() + fault.delay, std::move(arrive));
}

bool MemoryStore::Fits(std::uint64_t growth, WriteClass write_class) const {
  if (growth == 0) return true;
  const std::uint64_t reserve = write_class == WriteClass::kRecord ? 0 : options_.reserve_bytes;
  const std::uint64_t limit = options_.capacity_bytes - std::min(reserve, options_.capacity_bytes);
  return used_bytes_ <= limit && growth <= limit - used_bytes_;
}

const MemoryObject* MemoryStore::Find(const std::string& object) const {
  const auto it = objects_.find(object);
  return it == objects_.end() ? nullptr : &it->second;
}

void MemoryStore::Change(const std::string& object, const std::function<void(MemoryObject&)>& change) {
  const auto it = objects_.try_emplace(object).first;
  used_bytes_ -= it->second.key_bytes() + it->second.data_bytes();
  change(it->second);
  used_bytes_ += it->second.key_bytes() + it->second.data_bytes();
  if (it->second.forgotten()) objects_.erase(it);
}

}  // namespace holdfast
