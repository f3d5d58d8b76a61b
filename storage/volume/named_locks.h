// Mutexes by name, made when somebody asks and forgotten when nobody does.
//
// They order the operations of this process, so that none waits for itself and a half-done change can be told from one
// under way. What a crash leaves is never decided by them: guards in the engine and the inode's link set do that.
#pragma once

#include <string>
#include <unordered_map>
#include <utility>

#include "storage/async/task.h"

namespace holdfast {

class NamedLocks {
 public:
  class Guard {
   public:
    Guard() = default;
    Guard(Guard&& other) noexcept { *this = std::move(other); }
    Guard& operator=(Guard&& other) noexcept {
      if (this != &other) {
        Release();
        locks_ = std::exchange(other.locks_, nullptr);
        name_ = std::move(other.name_);
        held_ = std::move(other.held_);
      }
      return *this;
    }
    ~Guard() { Release(); }
    void Release() {
      if (!locks_) return;
      held_.Release();
      std::exchange(locks_, nullptr)->Forget(name_);
    }

   private:
    friend class NamedLocks;
    NamedLocks* locks_ = nullptr;
    std::string name_;
    AsyncMutex::Guard held_;
  };

  Task<Guard> Lock(std::string name) {
    Entry& entry = entries_[name];
    ++entry.users;
    Guard guard;
    guard.held_ = co_await entry.mutex.Lock();
    guard.locks_ = this;
    guard.name_ = std::move(name);
    co_return guard;
  }
  bool IsLocked(const std::string& name) const {
    const auto it = entries_.find(name);
    return it != entries_.end() && it->second.mutex.locked();
  }

 private:
  struct Entry {
    AsyncMutex mutex;
    std::size_t users = 0;
  };
  void Forget(const std::string& name) {
    const auto it = entries_.find(name);
    if (--it->second.users == 0) entries_.erase(it);
  }
  std::unordered_map<std::string, Entry> entries_;  // references to entries stay valid while others come and go
};

}  // namespace holdfast
