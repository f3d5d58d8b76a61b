// Two clients and more on one file, and CREATEs that wait while the test does something else.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/storage/files/files_fixture.h"

namespace holdfast {

class CachingTest : public FilesTest {
 protected:
  static constexpr std::uint32_t kR = caching::kRead, kH = caching::kHandle, kW = caching::kWrite;
  static constexpr std::uint32_t kRH = kR | kH, kRW = kR | kW, kRWH = kR | kW | kH;

  // A CREATE under way.
  struct Asked {
    std::optional<Result<CreateOutcome>> outcome;
    PendingWaitPtr wait = std::make_shared<PendingWait>();
    bool pending = false;  // the interim response would have left
    bool done() const { return outcome.has_value(); }
    NtStatus status() const { return outcome ? outcome->status() : NtStatus::kPending; }
    OpenPtr open() const { return outcome && outcome->ok() ? (*outcome)->open : nullptr; }
  };
  using AskedPtr = std::shared_ptr<Asked>;

  static Task<void> CreateInto(Files* files, CreateParameters p, AskedPtr asked) {
    auto outcome = co_await files->Create(std::move(p));
    if (outcome.ok()) outcome->open->answer_pending = nullptr;
    asked->outcome = std::move(outcome);
  }
  AskedPtr Ask(CreateParameters p) {
    auto asked = std::make_shared<Asked>();
    asked->wait->on_pending = [raw = asked.get()] { raw->pending = true; };
    p.wait = asked->wait;
    Spawn(executor(), CreateInto(files_.get(), std::move(p), asked));
    Settle();
    return asked;
  }

  CreateParameters WithOplock(CreateParameters p, std::uint8_t level) {
    p.caching.oplock_level = level;
    return p;
  }
  CreateParameters WithLease(CreateParameters p, std::uint8_t key, std::uint32_t state, std::uint8_t version = 2) {
    p.caching.oplock_level = oplock::kLease;
    p.caching.lease_key = MakeGuid(key);
    p.caching.lease_state = state;
    p.caching.lease_version = version;
    return p;
  }
  CreateParameters OfClient(CreateParameters p, std::uint8_t client) {
    p.requester.client_guid = MakeGuid(client);
    p.requester.session = client;
    return p;
  }
  // On `path`: a lease of client 1 with key 1, an open of client 2.
  CreateParameters First(std::u16string path, std::uint32_t state) {
    return WithLease(Parameters(std::move(path)), 1, state);
  }
  CreateParameters Second(std::u16string path) { return OfClient(Parameters(std::move(path), disposition::kOpen), 2); }

  Result<std::uint32_t> Acknowledge(std::uint8_t key, std::uint32_t state, std::uint8_t client = 1) {
    std::shared_ptr<void> until_answered;
    auto held = Run(files_->AcknowledgeLease(MakeGuid(client), MakeGuid(key), state, &until_answered));
    until_answered = nullptr;
    Settle();
    return held;
  }
  Result<std::uint8_t> AcknowledgeOplock(const OpenPtr& open, std::uint8_t level) {
    auto held = Run(files_->AcknowledgeOplock(open, level));
    Settle();
    return held;
  }
  // The breaks sent since the last call, as "RWH>RH" or "RWH>RH!" when an acknowledgment is asked for.
  std::vector<std::string> Breaks() {
    Settle();
    std::vector<std::string> told;
    for (const CachingBreak& notice : std::exchange(breaks_, {})) {
      told.push_back(Letters(notice.current_state) + ">" + Letters(notice.new_state) + (notice.acknowledge ? "!" : ""));
    }
    return told;
  }
  static std::string Letters(std::uint32_t state) {
    return std::string(state & kR ? "R" : "") + (state & kW ? "W" : "") + (state & kH ? "H" : "");
  }
  std::uint32_t StateOf(const OpenPtr& open) { return open->caching ? open->caching->state : 0xFF; }
  void Wait(Duration duration) {
    clock().Advance(duration);
    Settle();
  }
};

}  // namespace holdfast
