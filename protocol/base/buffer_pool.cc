#include "protocol/base/buffer_pool.h"

#include <utility>
#include <vector>

namespace holdfast {
namespace {

constexpr std::size_t kLeastBytes = std::size_t{32} << 10;
constexpr std::size_t kMostIdleBytes = std::size_t{64} << 20;
// A buffer may be so many times larger than what is asked for.
constexpr std::size_t kMostSlack = 4;

struct Pool {
  std::vector<Bytes> idle;  // the newest last
  std::size_t bytes = 0;
};

Pool& ThePool() {
  thread_local Pool pool;
  return pool;
}

}  // namespace

Bytes TakeBuffer(std::size_t size) {
  if (size < kLeastBytes) return Bytes(size);
  Pool& pool = ThePool();
  for (std::size_t i = pool.idle.size(); i-- > 0;) {
    const std::size_t capacity = pool.idle[i].capacity();
    if (capacity < size || capacity / kMostSlack > size) continue;
    Bytes found = std::move(pool.idle[i]);
    pool.idle.erase(pool.idle.begin() + static_cast<std::ptrdiff_t>(i));
    pool.bytes -= capacity;
    found.resize(size);
    return found;
  }
  return Bytes(size);
}

void GiveBuffer(Bytes buffer) {
  if (buffer.capacity() < kLeastBytes) return;
  Pool& pool = ThePool();
  if (pool.bytes + buffer.capacity() > kMostIdleBytes) return;
  pool.bytes += buffer.capacity();
  pool.idle.push_back(std::move(buffer));
}

std::shared_ptr<Bytes> ShareBuffer(Bytes buffer) {
  if (buffer.capacity() < kLeastBytes) return std::make_shared<Bytes>(std::move(buffer));
  return {new Bytes(std::move(buffer)), [](Bytes* shared) {
            GiveBuffer(std::move(*shared));
            delete shared;
          }};
}

}  // namespace holdfast
