// CHANGE_NOTIFY inside: one watch per directory open, and the watches of whole trees.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/files/files.h"

namespace holdfast {

// A CHANGE_NOTIFY that waits for its answer.
struct NotifyRequest {
  std::uint32_t max_bytes = 0;
  OneShot<NtStatus> done;
  std::vector<NotifyEvent> events;  // with kSuccess
};

// ChangeNotifyEntry, [MS-FSA] 2.1.1.8: filter, reach and the room for events are those of the first request on the
// open and stay so until it is closed.
struct NotifyWatch {
  const Open* open = nullptr;
  FileNumber directory = 0;
  std::uint32_t filter = 0;
  bool tree = false;
  std::size_t limit = 0;  // bytes of FILE_NOTIFY_INFORMATION kept between requests

  std::deque<NotifyEvent> events;
  std::size_t bytes = 0;
  bool overflowed = false;  // more happened than was kept
  std::deque<std::shared_ptr<NotifyRequest>> requests;  // in order of asking

  // Takes the event when the watch's filter has one of these bits.
  void Offer(std::uint32_t filter_match, NotifyEvent event);
  // Answers requests with what there is.
  void Deliver();
  // Answers all requests with an error.
  void Fail(NtStatus status);
};

inline bool IsWatchOf(const NotifyWatch& watch, const Open& open) { return watch.open == &open; }

// Which trees are watched, and where directories lie in them. Events go out in the order they were reported: one that
// has to wait for a directory's place in the tree holds back those behind it.
class NotifyHub : public std::enable_shared_from_this<NotifyHub> {
 public:
  explicit NotifyHub(Files& files) : files_(files) {}
  void AddTree(std::weak_ptr<NotifyWatch> watch) { trees_.push_back(std::move(watch)); }
  // `name` in `parent` changed, for the trees that hold it.
  void Report(FileNumber parent, NotifyEvent event, std::uint32_t filter);
  // The files are going: nothing more is looked up.
  void Stop() { stopped_ = true; }

 private:
  struct Pending {
    FileNumber parent;
    NotifyEvent event;
    std::uint32_t filter;
  };
  // Tells the trees; false when a directory on the way up is not known.
  bool TryReport(const Pending& pending, FileNumber& unknown);
  Task<void> Resolve();
  const LinkFacts* FindLink(FileNumber directory);

  Files& files_;
  std::vector<std::weak_ptr<NotifyWatch>> trees_;
  std::unordered_map<FileNumber, LinkFacts> places_;  // of directories not loaded; 0 as parent: unknown for good
  std::deque<Pending> queue_;
  bool resolving_ = false;
  bool stopped_ = false;
};

}  // namespace holdfast
