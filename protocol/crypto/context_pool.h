// Keyed OpenSSL contexts kept for the next message: making one costs a key schedule and several allocations.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

namespace holdfast::crypto {

template <class Context, void (*Free)(Context*)>
class ContextPool {
 public:
  struct Deleter {
    void operator()(Context* context) const { Free(context); }
  };
  using Pointer = std::unique_ptr<Context, Deleter>;

  // A context of one caller; goes back into the pool at the end of its scope.
  class Lease {
   public:
    Lease(ContextPool& pool, Pointer context) : pool_(pool), context_(std::move(context)) {}
    ~Lease() { pool_.Return(std::move(context_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Context* get() const { return context_.get(); }

   private:
    ContextPool& pool_;
    Pointer context_;
  };

  // `make` keys a new context; it runs only when all are in use.
  template <class Make>
  Lease Take(Make&& make) {
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Pointer context = std::move(idle_.back());
        idle_.pop_back();
        return Lease(*this, std::move(context));
      }
    }
    return Lease(*this, Pointer(make()));
  }

 private:
  void Return(Pointer context) {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(context));
  }

  std::mutex mutex_;
  std::vector<Pointer> idle_;
};

}  // namespace holdfast::crypto
