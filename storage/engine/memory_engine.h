// The engine of tests and of the simulation: deterministic, in this process, shared by many simulated nodes.
//
// A MemoryStore is the disks; each MemoryEngine is one client of it (one node's process). Every operation takes
// effect in one step some time after it was asked for and answers some time after that, never inside the call:
// at the next turns of the executor, or after delays drawn from the seed when a clock is given. An operation
// under way outlives its client, as on a real network. All clients run on one thread.
#pragma once

#include <array>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/engine/engine.h"
#include "storage/engine/memory_object.h"

namespace holdfast {

enum class EngineOp : std::uint8_t {
  kWrite,
  kReadKeys,
  kReadKeysExact,
  kWriteData,
  kReadData,
  kZeroData,
  kTruncateData,
  kDataSize,
  kAllocatedRanges,
  kAllocatedBytes,
  kRemoveData,
  kFlush,
  kList,
  kUsage,
  kDuplicateData,
};
inline constexpr std::size_t kEngineOps = 15;

struct MemoryOptions {
  std::uint64_t seed = 1;
  std::uint64_t capacity_bytes = std::uint64_t{1} << 40;
  std::uint64_t reserve_bytes = 0;  // of the capacity: only WriteClass::kRecord may use it
  // Each operation's way there and its way back take a time between these, if there is a clock.
  Clock* clock = nullptr;
  Duration min_delay{};
  Duration max_delay{};
  // An object learns of a fence from the operation of a client that knows it, or by chance at one in so many
  // operations (0: never by chance).
  std::uint64_t learn_one_in = 8;
};

// Fails (or delays) operations that match, counted from its injection.
struct MemoryFault {
  std::optional<EngineOp> op;  // nullopt: every kind
  std::string object_prefix;
  std::uint64_t nth = 1;  // the first one that fails
  std::uint64_t times = 1;
  EngineError error = EngineError::kIo;  // kNone: it only takes longer
  bool applied = false;                  // it takes effect all the same; only the answer is an error
  Duration delay{};                      // before it takes effect; needs a clock
};

class MemoryStore final : public std::enable_shared_from_this<MemoryStore> {
 public:
  using ClientId = std::uint64_t;

  static std::shared_ptr<MemoryStore> Make(MemoryOptions options = {});

  // What was not stable is lost, per seed; operations under way end in kIo and take no effect.
  void PowerCut();
  void Inject(MemoryFault fault) { faults_.push_back({std::move(fault), 0}); }
  void ClearFaults() { faults_.clear(); }
  void SetCapacity(std::uint64_t capacity_bytes, std::uint64_t reserve_bytes);

  // Refuses the client's operations with kFenced at every object that has learnt of it. Answers the epoch that
  // makes a client safe: once it has adopted that (MemoryEngine::AdoptEpoch) no late operation of the fenced
  // client can land on an object it has touched. With `expiry` the fence is forgotten after that time.
  std::uint64_t Fence(ClientId client, std::optional<Duration> expiry = std::nullopt);
  void Unfence(ClientId client) { fences_.erase(client); }
  std::uint64_t epoch() const { return epoch_; }

  std::uint64_t used_bytes() const { return used_bytes_; }
  // Operations that took effect or were refused so far, for tests that walk through all of them.
  std::uint64_t operations() const { return operations_; }
  std::uint64_t operations(EngineOp op) const { return per_op_[static_cast<std::size_t>(op)]; }

 private:
  friend class MemoryEngine;
  struct Client {
    ClientId id;
    Executor executor;
    std::uint64_t epoch = 0;  // the newest it has adopted
  };
  struct PendingFault {
    MemoryFault fault;
    std::uint64_t seen;
  };
  struct FenceState {
    std::uint64_t epoch;
    std::optional<SteadyTime> until;
  };

  explicit MemoryStore(MemoryOptions options) : options_(std::move(options)), random_(options_.seed) {}
  // Calls apply(verdict) when the operation arrives, then complete(), each on the client's executor.
  void Submit(const std::shared_ptr<Client>& client, EngineOp op, const std::string& object,
              std::function<void(EngineError verdict)> apply, std::function<void()> complete);
  void After(const Executor& executor, Duration delay, std::function<void()> next);
  Duration DrawDelay();
  const MemoryFault* MatchFault(EngineOp op, const std::string& object);
  bool IsFenced(const Client& client, const std::string& object);

  bool Fits(std::uint64_t growth, WriteClass write_class) const;
  const MemoryObject* Find(const std::string& object) const;
  // Changes the object by `change`, keeps the account of bytes and forgets it when nothing is left.
  void Change(const std::string& object, const std::function<void(MemoryObject&)>& change);

  MemoryOptions options_;
  SplitMix random_;
  std::map<std::string, MemoryObject> objects_;
  std::uint64_t used_bytes_ = 0;
  std::vector<PendingFault> faults_;
  std::map<ClientId, FenceState> fences_;
  std::map<std::string, std::uint64_t> learnt_;  // per object: the newest epoch it knows
  std::uint64_t epoch_ = 0;
  std::uint64_t power_cuts_ = 0;
  ClientId next_client_ = 1;
  std::uint64_t operations_ = 0;
  std::array<std::uint64_t, kEngineOps> per_op_{};
};

class MemoryEngine final : public Engine {
 public:
  MemoryEngine(std::shared_ptr<MemoryStore> store, Executor executor);

  MemoryStore::ClientId client_id() const { return client_->id; }
  MemoryStore& store() { return *store_; }
  // From now on this client's operations carry `epoch`: objects learn of older fences before they serve it.
  void AdoptEpoch(std::uint64_t epoch) { client_->epoch = std::max(client_->epoch, epoch); }

  std::string_view name() const override { return "memory"; }
  std::uint64_t stripe_bytes() const override { return std::uint64_t{1} << 46; }
  Task<EngineResult<std::uint64_t>> Write(std::string object, std::vector<Guard> guards,
                                          std::vector<Mutation> mutations, Durability durability = Durability::kStable,
                                          WriteClass write_class = WriteClass::kData) override;
  Task<EngineResult<KeyPage>> ReadKeys(std::string object, KeyRange range) override;
  Task<EngineResult<std::vector<std::optional<std::string>>>> ReadKeysExact(std::string object,
                                                                            std::vector<std::string> keys) override;
  Task<EngineError> WriteData(std::string object, std::uint64_t offset, ByteView data, Durability durability) override;
  Task<EngineResult<std::size_t>> ReadData(std::string object, std::uint64_t offset,
                                           std::span<std::uint8_t> out) override;
  Task<EngineError> ZeroData(std::string object, DataRange range, Durability durability) override;
  Task<EngineError> DuplicateData(std::string from, std::uint64_t from_offset, std::string to,
                                  std::uint64_t to_offset, std::uint64_t length, Durability durability) override;
  Task<EngineError> TruncateData(std::string object, std::uint64_t size, Durability durability) override;
  Task<EngineResult<std::uint64_t>> DataSize(std::string object) override;
  Task<EngineResult<std::vector<DataRange>>> AllocatedRanges(std::string object, DataRange within) override;
  Task<EngineResult<std::uint64_t>> AllocatedBytes(std::string object) override;
  Task<EngineError> RemoveData(std::string object) override;
  Task<EngineError> Flush(std::string object) override;
  Task<EngineResult<std::vector<std::string>>> List(std::string prefix, std::string after, std::size_t limit) override;
  Task<EngineResult<EngineUsage>> Usage() override;
  Task<std::vector<std::string>> Check(bool repair) override;

 private:
  template <class R>
  Task<R> Perform(EngineOp op, std::string object, std::function<R()> apply);
  Task<EngineError> ChangeData(EngineOp op, std::string object, Durability durability,
                               std::function<void(MemoryObject&)> change);

  std::shared_ptr<MemoryStore> store_;
  std::shared_ptr<MemoryStore::Client> client_;
};

}  // namespace holdfast
