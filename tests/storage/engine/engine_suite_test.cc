#include "tests/storage/engine/engine_suite.h"

#include "storage/engine/memory_engine.h"

namespace holdfast {
namespace {

class MemoryUnderTest final : public EngineUnderTest {
 public:
  explicit MemoryUnderTest(Executor executor) : executor_(std::move(executor)) { Reopen(); }
  Engine& engine() override { return *engine_; }
  void Reopen() override { engine_ = std::make_unique<MemoryEngine>(store_, executor_); }

 private:
  Executor executor_;
  std::shared_ptr<MemoryStore> store_ = MemoryStore::Make();
  std::unique_ptr<MemoryEngine> engine_;
};

template <class T>
EngineKind Kind(const char* name) {
  return {name, [](Executor executor) { return std::make_unique<T>(std::move(executor)); }};
}

INSTANTIATE_TEST_SUITE_P(Engines, EngineSuite, ::testing::Values(Kind<MemoryUnderTest>("memory")),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace holdfast
