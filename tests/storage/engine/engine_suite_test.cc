#include "tests/storage/engine/engine_suite.h"

#include "storage/engine/embedded_engine.h"
#include "storage/engine/memory_engine.h"
#include "tests/storage/engine/temp_directory.h"

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

class EmbeddedUnderTest final : public EngineUnderTest {
 public:
  explicit EmbeddedUnderTest(Executor executor) : executor_(std::move(executor)) { Reopen(); }
  Engine& engine() override { return *engine_; }
  void Reopen() override {
    engine_.reset();
    EmbeddedOptions options;
    options.directory = directory_.path();
    options.io_threads = 4;
    options.reserve_percent = 0;
    options.reserve_bytes = 0;
    options.write_buffer_bytes = 1 << 20;
    auto opened = EmbeddedEngine::Open(options, executor_);
    HOLDFAST_CHECK(opened.engine != nullptr);
    engine_ = std::move(opened.engine);
  }

 private:
  TempDirectory directory_;
  Executor executor_;
  std::unique_ptr<EmbeddedEngine> engine_;
};

template <class T>
EngineKind Kind(const char* name) {
  return {name, [](Executor executor) { return std::make_unique<T>(std::move(executor)); }};
}

INSTANTIATE_TEST_SUITE_P(Engines, EngineSuite, 
                         ::testing::Values(Kind<MemoryUnderTest>("memory"), Kind<EmbeddedUnderTest>("embedded")),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace holdfast
