// Latency of a client beside one that floods, stalls or never reads. One connection must not take the server from the others:
// it is served in turn, its queue is bounded, and it waits alone.
#include <atomic>
#include <cinttypes>
#include <thread>

#include <boost/asio/io_context.hpp>

#include "conformance/cases/bed.h"
#include "conformance/cases/raw_socket.h"

#include "protocol/smb2/messages/echo.h"
#include "protocol/wire/endian.h"
#include "storage/async/asio_clock.h"

namespace holdfast::client {
namespace {

constexpr Duration kMeasured = std::chrono::milliseconds(1500);
constexpr std::size_t kBlock = 4096;

struct Latency {
  std::size_t operations = 0;
  double p50_ms = 0, p99_ms = 0, worst_ms = 0;
};

// One 4 KiB WRITE or READ after the other, of a file that only this client has.
Task<Latency> Measure(Bed& bed) {
  const TreePtr tree = co_await bed.Mount("scratch");
  const smb2::FileId file = co_await Opened(tree, FileRequest(Bed::Fresh("calm"), smb2::CreateDisposition::kCreate));
  const Bytes data = Pattern(kBlock, 1);
  co_await WriteAll(tree, file, 0, data);
  std::vector<double> times;
  const SteadyTime end = bed.clock().Now() + kMeasured;
  for (bool write = true; bed.clock().Now() < end; write = !write) {
    const SteadyTime begun = bed.clock().Now();
    if (write) {
      Need((co_await tree->Write(file, 0, data)).status(), "WRITE");
    } else {
      Need((co_await tree->Read(file, 0, kBlock)).status(), "READ");
    }
    times.push_back(std::chrono::duration<double, std::milli>(bed.clock().Now() - begun).count());
  }
  Need(co_await tree->Close(file), "CLOSE");
  std::sort(times.begin(), times.end());
  const auto at = [&](double part) { return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))]; };
  co_return Latency{.operations = times.size(), .p50_ms = at(0.5), .p99_ms = at(0.99), .worst_ms = times.back()};
}

// The bad neighbour, on a thread of its own so that only the server is shared.
class Neighbour {
 public:
  using Body = Task<void> (*)(Bed& bed, std::atomic<bool>& at_work, std::atomic<bool>& stop);

  explicit Neighbour(Body body) : thread_([this, body] { Run(body); }) {
    while (!at_work_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~Neighbour() {
    stop_ = true;
    thread_.join();
  }

 private:
  void Run(Body body) {
    boost::asio::io_context io(1);
    const auto clock = MakeAsioClock(io.get_executor());
    Bed bed(io.get_executor(), *clock);
    bool done = false;
    Spawn(io.get_executor(), [](Body what, Bed& its, Neighbour& self, bool& ended) -> Task<void> {
      try {
        co_await what(its, self.at_work_, self.stop_);
      } catch (const CannotGoOn& reason) {
        ADD_FAILURE() << "the neighbour: " << reason.what();
      }
      ended = true;
    }(body, bed, *this, done));
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(40);
    while (!done && std::chrono::steady_clock::now() < end) io.run_one_for(std::chrono::milliseconds(100));
    at_work_ = true;
  }

  std::atomic<bool> at_work_ = false, stop_ = false;
  std::thread thread_;
};

// As many requests in flight as there are credits, over and over.
Task<void> Flood(Bed& bed, std::atomic<bool>& at_work, std::atomic<bool>& stop, std::size_t bytes, std::size_t depth) {
  ConnectOptions options = bed.To();
  options.credits = 8192;
  const SessionPtr session = co_await bed.SignIn(co_await bed.Connect(options), Bed::Bob());
  const TreePtr tree = co_await bed.Mount(session, "scratch");
  const smb2::FileId file = co_await Opened(tree, FileRequest(Bed::Fresh("flood"), smb2::CreateDisposition::kCreate));
  const auto data = std::make_shared<Bytes>(Pattern(std::max<std::size_t>(bytes, 1), 2));
  std::size_t running = depth;
  OneShot<int> all_done;
  const auto one = [](SessionPtr s, TreePtr t, smb2::FileId f, std::shared_ptr<Bytes> d, bool writes,
                      std::atomic<bool>& end, std::size_t& left, OneShot<int>& done) -> Task<void> {
    while (!end) {
      if (writes) {
        if (!(co_await t->Write(f, 0, *d)).ok()) break;
      } else if (co_await StatusOfEcho(s) != NtStatus::kSuccess) {
        break;
      }
    }
    if (--left == 0) done.Set(0);
  };
  for (std::size_t i = 0; i < depth; ++i) {
    Spawn(bed.executor(), one(session, tree, file, data, bytes != 0, stop, running, all_done));
  }
  at_work = true;
  co_await all_done.Wait();
}

Task<void> FloodOfEchos(Bed& bed, std::atomic<bool>& at_work, std::atomic<bool>& stop) {
  co_await Flood(bed, at_work, stop, 0, 2048);
}

Task<void> FloodOfWrites(Bed& bed, std::atomic<bool>& at_work, std::atomic<bool>& stop) {
  co_await Flood(bed, at_work, stop, 1 << 20, 32);
}

// Half a frame, before and after signing in, and never the rest.
Task<void> Stall(Bed& bed, std::atomic<bool>& at_work, std::atomic<bool>& stop) {
  std::vector<std::unique_ptr<RawSocket>> sockets;
  for (int i = 0; i < 50; ++i) {
    sockets.push_back(std::make_unique<RawSocket>());
    Bytes half = {0, 0, 0x02, 0};
    half.resize(100);
    sockets.back()->Send(half);
  }
  at_work = true;
  while (!stop) co_await bed.Pause(std::chrono::milliseconds(5));
}

// Asks for more than any queue holds and takes nothing of it.
Task<void> NeverRead(Bed& bed, std::atomic<bool>& at_work, std::atomic<bool>& stop) {
  ConnectOptions options = bed.To();
  options.credits = 8192;
  const SessionPtr session = co_await bed.SignIn(co_await bed.Connect(options), Bed::Bob());
  const ConnectionPtr connection = session->connection();
  for (int i = 0; i < 100 && connection->credits() < 4096; ++i) Need(co_await StatusOfEcho(session), "ECHO");
  const TreePtr tree = co_await bed.Mount(session, "scratch");
  const smb2::FileId file = co_await Opened(tree, FileRequest(Bed::Fresh("deaf"), smb2::CreateDisposition::kCreate));
  constexpr std::uint32_t kLength = 1 << 20;
  const Bytes data = Pattern(kLength, 3);
  co_await WriteAll(tree, file, 0, data);
  connection->StopReading();
  const auto ask = [](TreePtr t, smb2::FileId f) -> Task<void> { (void)co_await t->Read(f, 0, kLength); };
  for (int i = 0; i < 200; ++i) Spawn(bed.executor(), ask(tree, file));
  co_await bed.Pause(std::chrono::milliseconds(200));
  at_work = true;
  while (!stop) co_await bed.Pause(std::chrono::milliseconds(5));
  connection->Close();
}

void Print(const char* what, const Latency& latency) {
  std::printf("%-18s p50 %7.2f ms, p99 %7.2f ms, worst %7.2f ms, %zu operations\n", what, latency.p50_ms,
              latency.p99_ms, latency.worst_ms, latency.operations);
}

// What a user would notice: far above what a busy machine adds to a sanitized build, far
// below what waiting behind a queue of a thousand requests costs.
constexpr double kNoticed_ms = 100;

Task<void> Compare(Bed& bed, const char* what, Neighbour::Body body) {
  const Latency alone = co_await Measure(bed);
  Latency beside;
  {
    const Neighbour neighbour(body);
    beside = co_await Measure(bed);
  }
  const Latency after = co_await Measure(bed);
  Print("alone", alone);
  Print(what, beside);
  Print("alone again", after);
  EXPECT_LT(beside.p50_ms, std::max(kNoticed_ms / 2, 10 * alone.p50_ms));
  EXPECT_LT(beside.p99_ms, std::max(kNoticed_ms * 2, 10 * alone.p99_ms));
}

}  // namespace

CASE(Neighbour, FloodOfSmallRequests) { co_await Compare(bed, "flood of ECHO", FloodOfEchos); }
CASE(Neighbour, FloodOfLargeWrites) { co_await Compare(bed, "flood of WRITE", FloodOfWrites); }
CASE(Neighbour, StalledFrames) { co_await Compare(bed, "stalled frames", Stall); }
CASE(Neighbour, OneThatNeverReads) { co_await Compare(bed, "never reads", NeverRead); }

}  // namespace holdfast::client
