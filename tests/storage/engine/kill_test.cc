// A process that dies by SIGKILL loses nothing it acknowledged, not even what was acknowledged as kProcess.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "storage/engine/embedded_engine.h"
#include "storage/engine/limits.h"
#include "tests/storage/engine/temp_directory.h"
#include "tests/storage/run.h"

namespace holdfast {
namespace {

constexpr std::uint64_t kPage = kEnginePageBytes;
constexpr int kWriters = 6;

EmbeddedOptions Options(const std::string& directory) {
  EmbeddedOptions options;
  options.directory = directory;
  options.io_threads = 4;
  options.reserve_percent = 0;
  options.reserve_bytes = 0;
  options.write_buffer_bytes = 256 << 10;
  return options;
}

// What the child tells through the pipe after each acknowledgement. One write(), hence whole.
struct Acknowledgement {
  int writer;
  int sequence;
};

// Writer i: keys of its object when even, pages of its file when odd; every value is the sequence number. Odd
// sequence numbers are kStable, even ones kProcess.
Task<void> WriteForever(Engine& engine, int writer, int start, int pipe) {
  const std::string object = "o" + std::to_string(writer);
  for (int sequence = start;; ++sequence) {
    const Durability durability = sequence % 2 != 0 ? Durability::kStable : Durability::kProcess;
    const std::string text = std::to_string(sequence);
    if (writer % 2 == 0) {
      // Two keys in one group: they must always agree.
      std::vector<Mutation> mutations = {Mutation::Set("a", text + std::string(500, ' ')), Mutation::Set("b", text)};
      auto result = co_await engine.Write(object, {}, std::move(mutations), durability);
      if (!result.ok()) ::_exit(3);
    } else {
      Bytes page(kPage, ' ');
      std::memcpy(page.data(), text.data(), text.size());
      const std::uint64_t offset = static_cast<std::uint64_t>(sequence % 4) * kPage;
      if (co_await engine.WriteData(object, offset, page, durability) != EngineError::kNone) ::_exit(3);
    }
    const Acknowledgement acknowledgement{writer, sequence};
    if (::write(pipe, &acknowledgement, sizeof acknowledgement) != sizeof acknowledgement) ::_exit(4);
  }
}

[[noreturn]] void RunChild(const std::string& directory, int start, int pipe) {
  boost::asio::io_context context;
  auto opened = EmbeddedEngine::Open(Options(directory), context.get_executor());
  if (!opened.engine) ::_exit(2);
  for (int i = 0; i < kWriters; ++i) Spawn(context.get_executor(), WriteForever(*opened.engine, i, start, pipe));
  context.run();
  ::_exit(5);
}

class KillTest : public CoreTest {};

TEST_F(KillTest, WhatWasAcknowledgedSurvivesTheProcess) {
  TempDirectory directory;
  int start = 1;
  for (int round = 0; round < 4; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      RunChild(directory.path(), start, pipe[1]);
    }
    ::close(pipe[1]);
    std::map<int, int> acknowledged;
    Acknowledgement one{};
    int count = 0;
    bool killed = false;
    while (::read(pipe[0], &one, sizeof one) == sizeof one) {
      acknowledged[one.writer] = one.sequence;
      if (++count >= 150 + 77 * round && !killed) {
        ::kill(child, SIGKILL);  // in the middle of whatever it does; the pipe is read to its end
        killed = true;
      }
    }
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);

    auto opened = EmbeddedEngine::Open(Options(directory.path()), executor());
    ASSERT_TRUE(opened.engine) << opened.error;
    Engine& engine = *opened.engine;
    int last = start;
    for (const auto& [writer, sequence] : acknowledged) {
      const std::string object = "o" + std::to_string(writer);
      int found = 0;
      if (writer % 2 == 0) {
        auto page = Run(engine.ReadKeys(object, {}));
        ASSERT_TRUE(page.ok());
        ASSERT_EQ(page->entries.size(), 2u);
        found = std::stoi(page->entries[1].value);
        EXPECT_EQ(std::stoi(page->entries[0].value), found) << "half of a group";
      } else {
        Bytes page(kPage);
        ASSERT_TRUE(Run(engine.ReadData(object, static_cast<std::uint64_t>(sequence % 4) * kPage, page)).ok());
        found = std::stoi(std::string(page.begin(), page.begin() + 12));
        if (found != sequence) found -= 3;  // the page's next turn may have come, four on, unacknowledged
      }
      EXPECT_GE(found, sequence) << object;
      EXPECT_LE(found, sequence + 1) << object;
      last = std::max(last, sequence);
    }
    EXPECT_EQ(acknowledged.size(), static_cast<std::size_t>(kWriters));
    EXPECT_TRUE(Run(engine.Check(false)).empty());
    start = last + 10;
    opened.engine.reset();
  }
}

}  // namespace
}  // namespace holdfast
