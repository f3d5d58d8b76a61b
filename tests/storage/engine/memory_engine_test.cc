#include "storage/engine/memory_engine.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/storage/run.h"

namespace holdfast {
namespace {

constexpr std::uint64_t kPage = kEnginePageBytes;

// g++ 12 cannot compile a braced list inside a co_await expression.
std::vector<Mutation> SetK() { return {Mutation::Set("k", "v")}; }

class MemoryEngineTest : public CoreTest {
 protected:
  static ByteView View(const std::string& s) { return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()}; }
  static std::string Read(boost::asio::io_context& context, Engine& engine, std::uint64_t offset, std::size_t length) {
    Bytes out(length);
    EXPECT_TRUE(holdfast::Run(context, engine.ReadData("o", offset, out)).ok());
    return {out.begin(), out.end()};
  }
  std::shared_ptr<MemoryStore> store_ = MemoryStore::Make();
  MemoryEngine engine_{store_, executor()};
};

TEST_F(MemoryEngineTest, NothingCompletesInsideTheCall) {
  bool done = false;
  Start([](Engine& e, bool& finished) -> Task<void> {
    co_await e.Write("o", {}, SetK());
    finished = true;
  }(engine_, done));
  context().poll_one();  // the coroutine starts and asks
  EXPECT_FALSE(done);
  EXPECT_EQ(store_->operations(), 0u);
  Settle();
  EXPECT_TRUE(done);
}

TEST_F(MemoryEngineTest, APowerCutLosesExactlyWhatWasNotFlushed) {
  ASSERT_TRUE(Run(engine_.Write("o", {}, {Mutation::Set("a", "1"), Mutation::Set("b", "1")})).ok());
  ASSERT_TRUE(
      Run(engine_.Write("o", {}, {Mutation::Set("a", "2"), Mutation::Remove("b")}, Durability::kProcess)).ok());
  ASSERT_TRUE(Run(engine_.Write("p", {}, {Mutation::Set("a", "1")}, Durability::kProcess)).ok());
  ASSERT_TRUE(Run(engine_.Write("q", {}, {Mutation::Set("a", "1")}, Durability::kProcess)).ok());
  ASSERT_EQ(Run(engine_.Flush("q")), EngineError::kNone);
  store_->PowerCut();
  auto page = Run(engine_.ReadKeys("o", {}));
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->entries.size(), 2u);
  EXPECT_EQ(page->entries[0].value, "1");
  EXPECT_EQ(page->version, 1u);
  EXPECT_EQ(Run(engine_.ReadKeys("p", {})).error(), EngineError::kNotFound);
  EXPECT_TRUE(Run(engine_.ReadKeys("q", {})).ok());
  EXPECT_THAT(Run(engine_.Check(false)), ::testing::IsEmpty());
}

TEST_F(MemoryEngineTest, APowerCutLeavesWholePagesOldOrNew) {
  bool seen_old = false, seen_new = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto store = MemoryStore::Make({.seed = seed});
    MemoryEngine engine(store, executor());
    const std::string old(4 * kPage, 'o'), fresh(4 * kPage, 'n');
    ASSERT_EQ(Run(engine.WriteData("o", 0, View(old), Durability::kStable)), EngineError::kNone);
    ASSERT_EQ(Run(engine.WriteData("o", 0, View(fresh), Durability::kProcess)), EngineError::kNone);
    store->PowerCut();
    for (std::uint64_t page = 0; page < 4; ++page) {
      const std::string now = Read(context(), engine, page * kPage, kPage);
      if (now == std::string(kPage, 'o')) seen_old = true;
      else if (now == std::string(kPage, 'n')) seen_new = true;
      else ADD_FAILURE() << "a torn page, seed " << seed;
    }
  }
  EXPECT_TRUE(seen_old && seen_new);
}

TEST_F(MemoryEngineTest, StableBytesSurviveAnyCut) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto store = MemoryStore::Make({.seed = seed});
    MemoryEngine engine(store, executor());
    ASSERT_EQ(Run(engine.WriteData("o", 0, View("process"), Durability::kProcess)), EngineError::kNone);
    ASSERT_EQ(Run(engine.WriteData("o", 3 * kPage, View("stable"), Durability::kStable)), EngineError::kNone);
    ASSERT_EQ(Run(engine.TruncateData("o", 2, Durability::kProcess)), EngineError::kNone);
    store->PowerCut();
    EXPECT_EQ(Read(context(), engine, 0, 2), "pr");
    auto size = Run(engine.DataSize("o"));
    ASSERT_TRUE(size.ok());
    EXPECT_TRUE(*size == 2 || *size == 3 * kPage + 6);
  }
}

TEST_F(MemoryEngineTest, AnOperationUnderWayAtTheCutTakesNoEffect) {
  EngineError error = EngineError::kNone;
  Start([](Engine& e, EngineError& out) -> Task<void> {
    out = (co_await e.Write("o", {}, SetK())).error();
  }(engine_, error));
  context().poll_one();
  store_->PowerCut();
  Settle();
  EXPECT_EQ(error, EngineError::kIo);
  EXPECT_EQ(Run(engine_.ReadKeys("o", {})).error(), EngineError::kNotFound);
}

TEST_F(MemoryEngineTest, TheNthMatchingOperationFails) {
  store_->Inject({.op = EngineOp::kWrite, .object_prefix = "i/", .nth = 2, .times = 1, .error = EngineError::kIo});
  const std::vector<Mutation> set = {Mutation::Set("k", "v")};
  EXPECT_TRUE(Run(engine_.Write("other", {}, set)).ok());
  EXPECT_TRUE(Run(engine_.Write("i/1", {}, set)).ok());
  EXPECT_TRUE(Run(engine_.ReadKeys("i/1", {})).ok());
  EXPECT_EQ(Run(engine_.Write("i/2", {}, set)).error(), EngineError::kIo);
  EXPECT_EQ(Run(engine_.ReadKeys("i/2", {})).error(), EngineError::kNotFound);
  EXPECT_TRUE(Run(engine_.Write("i/2", {}, set)).ok());
}

TEST_F(MemoryEngineTest, AFailedOperationMayHaveTakenEffect) {
  store_->Inject({.op = EngineOp::kWrite, .object_prefix = "", .error = EngineError::kIo, .applied = true});
  EXPECT_EQ(Run(engine_.Write("o", {}, {Mutation::Set("k", "v")})).error(), EngineError::kIo);
  EXPECT_TRUE(Run(engine_.ReadKeys("o", {})).ok());
}

TEST_F(MemoryEngineTest, AFullStoreStillTakesRecordsAndDeletes) {
  store_->SetCapacity(10 * kPage, kPage);
  const std::string bytes(9 * kPage, 'x');
  ASSERT_EQ(Run(engine_.WriteData("o", 0, View(bytes), Durability::kStable)), EngineError::kNone);
  EXPECT_EQ(Run(engine_.WriteData("o", 9 * kPage, View("x"), Durability::kStable)), EngineError::kNoSpace);
  EXPECT_EQ(Run(engine_.WriteData("o", 0, View("over"), Durability::kStable)), EngineError::kNone);
  EXPECT_EQ(Run(engine_.Write("o", {}, {Mutation::Set("k", "v")})).error(), EngineError::kNoSpace);
  EXPECT_TRUE(Run(engine_.Write("o", {}, {Mutation::Set("k", "v")}, Durability::kStable, WriteClass::kRecord)).ok());
  const std::vector<Mutation> big = {Mutation::Set("big", std::string(kPage, 'v'))};
  EXPECT_EQ(Run(engine_.Write("o", {}, big, Durability::kStable, WriteClass::kRecord)).error(), EngineError::kNoSpace);
  EXPECT_EQ(Run(engine_.Usage())->free_bytes, 0u);
  EXPECT_TRUE(Run(engine_.Write("o", {}, {Mutation::RemoveObject()})).ok());
  EXPECT_EQ(store_->used_bytes(), 0u);
}

TEST_F(MemoryEngineTest, DelaysReorderOperationsPerSeedAndReplay) {
  auto run = [&](std::uint64_t seed) {
    auto store = MemoryStore::Make({.seed = seed,
                                    .clock = &clock(),
                                    .min_delay = std::chrono::milliseconds(1),
                                    .max_delay = std::chrono::milliseconds(20)});
    MemoryEngine engine(store, executor());
    std::vector<int> order;
    for (int i = 0; i < 6; ++i) {
      Start([](Engine& e, int n, std::vector<int>& out) -> Task<void> {
        co_await e.Write("o", {}, SetK());
        out.push_back(n);
      }(engine, i, order));
    }
    RunStepping(SleepFor(clock(), std::chrono::seconds(1)));
    EXPECT_EQ(order.size(), 6u);
    return order;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_FALSE(std::is_sorted(run(7).begin(), run(7).end()) && std::is_sorted(run(8).begin(), run(8).end()));
}

TEST_F(MemoryEngineTest, AFenceReachesEachObjectLazily) {
  auto store = MemoryStore::Make({.learn_one_in = 0});
  MemoryEngine old_node(store, executor()), new_node(store, executor());
  const std::vector<Mutation> set = {Mutation::Set("k", "v")};
  const std::uint64_t epoch = store->Fence(old_node.client_id());
  // Nobody told this object: the late write lands, as on a storage daemon with an old map.
  EXPECT_TRUE(Run(old_node.Write("a", {}, set)).ok());
  EXPECT_TRUE(Run(new_node.Write("a", {}, set)).ok());
  EXPECT_TRUE(Run(old_node.Write("a", {}, set)).ok());
  new_node.AdoptEpoch(epoch);
  EXPECT_TRUE(Run(new_node.Write("a", {}, set)).ok());
  EXPECT_EQ(Run(old_node.Write("a", {}, set)).error(), EngineError::kFenced);
  EXPECT_EQ(Run(old_node.ReadKeys("a", {})).error(), EngineError::kFenced);
  EXPECT_TRUE(Run(old_node.Write("b", {}, set)).ok());
}

TEST_F(MemoryEngineTest, AFenceThatExpiresIsNone) {
  auto store = MemoryStore::Make({.clock = &clock(), .learn_one_in = 1});
  MemoryEngine engine(store, executor());
  store->Fence(engine.client_id(), std::chrono::seconds(4));
  EXPECT_EQ(Run(engine.ReadKeys("a", {})).error(), EngineError::kFenced);
  clock().Advance(std::chrono::seconds(4));
  EXPECT_EQ(Run(engine.ReadKeys("a", {})).error(), EngineError::kNotFound);
}

TEST_F(MemoryEngineTest, AnOperationOutlivesItsClient) {
  auto store = MemoryStore::Make({.clock = &clock(), .max_delay = std::chrono::milliseconds(9)});
  auto engine = std::make_unique<MemoryEngine>(store, executor());
  Start([](Engine& e) -> Task<void> { co_await e.Write("o", {}, SetK()); }(*engine));
  Settle();
  engine.reset();
  RunStepping(SleepFor(clock(), std::chrono::seconds(1)));
  MemoryEngine other(store, executor());
  EXPECT_TRUE(RunStepping(other.ReadKeys("o", {})).ok());
}

}  // namespace
}  // namespace holdfast
