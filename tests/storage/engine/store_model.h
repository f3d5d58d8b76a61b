// What a store may hold of one object after its process or its machine died: everything acknowledged as durable, and
// of what came later any state the promises of engine.h allow.
#pragma once

#include <cstdint>
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/engine/engine.h"
#include "storage/engine/limits.h"

namespace holdfast {

class ObjectModel {
 public:
  static constexpr std::uint64_t kPages = 8;
  using Keys = std::map<std::string, std::string>;
  struct State {
    std::uint64_t version = 0;
    Keys keys;
  };

  const State& now() const { return states_.back(); }

  // A write was asked for: afterwards the object may be in this state.
  void BeginKeys(State next) { states_.push_back(std::move(next)); }
  // It was acknowledged so that it survives; with it all before it.
  void KeysDurable() { states_.erase(states_.begin(), states_.end() - 1); }

  // Pages from … to-1 are being filled with `fill` (0: zeroed).
  void BeginFill(std::uint64_t from, std::uint64_t to, std::uint8_t fill) {
    for (std::uint64_t page = from; page < to; ++page) pages_[page].push_back(fill);
    if (fill != 0) BeginSize(std::max(size_, to));
  }
  void BeginTruncate(std::uint64_t to) {
    for (std::uint64_t page = to; page < kPages; ++page) pages_[page].push_back(0);
    BeginSize(std::min(size_, to));
  }
  void DataDurable() {
    for (auto& page : pages_) page.erase(page.begin(), page.end() - 1);
    sizes_ = {size_};
  }
  std::uint64_t size() const { return size_; }
  // As it was last asked for.
  std::uint8_t fill(std::uint64_t page) const { return pages_[page].back(); }

  // One step, all or nothing: the whole object or its bytes are being removed.
  void BeginRemoval(bool with_keys) {
    before_removal_ = std::make_shared<ObjectModel>(*this);
    if (with_keys) states_ = {State{}};
    RemoveBytes();
  }
  void RemovalDurable() { before_removal_.reset(); }

  // What the model does not allow, in words; empty when it allows this.
  std::string Objection(const State& keys, const std::vector<std::uint8_t>& fills, std::uint64_t size) const {
    std::string objection = OwnObjection(keys, fills, size);
    if (!objection.empty() && before_removal_) {
      const std::string other = before_removal_->OwnObjection(keys, fills, size);
      objection = other.empty() ? "" : objection + "; before the removal: " + other;
    }
    return objection;
  }
  void Adopt(State keys, const std::vector<std::uint8_t>& fills, std::uint64_t size) {
    *this = ObjectModel();
    states_ = {std::move(keys)};
    for (std::uint64_t page = 0; page < kPages; ++page) pages_[page] = {fills[page]};
    size_ = size;
    sizes_ = {size};
  }

 private:
  void BeginSize(std::uint64_t size) {
    size_ = size;
    sizes_.insert(size);
  }
  void RemoveBytes() {
    for (auto& page : pages_) page = {0};
    size_ = 0;
    sizes_ = {0};
  }
  std::string OwnObjection(const State& keys, const std::vector<std::uint8_t>& fills, std::uint64_t size) const {
    bool known = false;
    for (const State& state : states_) known = known || (state.version == keys.version && state.keys == keys.keys);
    if (!known) {
      return "keys of version " + std::to_string(keys.version) + " (" + std::to_string(keys.keys.size()) +
             " keys), expected one of versions " + std::to_string(states_.front().version) + " to " +
             std::to_string(states_.back().version);
    }
    if (!sizes_.contains(size)) return "a size of " + std::to_string(size) + " pages";
    for (std::uint64_t page = 0; page < kPages; ++page) {
      bool allowed = page >= size && fills[page] == 0;
      for (const std::uint8_t fill : pages_[page]) allowed = allowed || fill == fills[page];
      if (!allowed) return "page " + std::to_string(page) + " filled with " + std::to_string(fills[page]);
    }
    return {};
  }

  std::vector<State> states_ = {State{}};
  std::vector<std::vector<std::uint8_t>> pages_ = std::vector<std::vector<std::uint8_t>>(kPages, {0});
  std::uint64_t size_ = 0;  // in pages
  std::set<std::uint64_t> sizes_ = {0};
  std::shared_ptr<ObjectModel> before_removal_;
};

}  // namespace holdfast
