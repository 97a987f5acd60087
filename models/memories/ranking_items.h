#pragma once
// What the cascade's top-k unit compares: importances of tokens, or of heads, one list a choice.
//
// In:   cascade writes them in order as it makes them.
// Out:  the cascade's top-k unit, P items a cycle, of those that are there.
// State: the items, 48 bits each, and how many are there.
// Banks and ports: one list a bank, one writer and one reader.
// Paper: III.A, III.B.
#include <cstdint>
#include <vector>

#include "golden/formats.h"
#include "models/prim/fifo.h"
#include "models/prim/memory.h"
#include "models/prim/places.h"
#include "models/prim/refs.h"

namespace winnow {

class RankingItems : public MemoryBase {
 public:
  explicit RankingItems(int slots)
      : MemoryBase({"ranking_items", "ranking items", "cascade", "cascade_topk"}),
        slots_(static_cast<std::uint64_t>(slots)) {}

  ItemsRef take() {
    const ItemsRef place = places_.take(kMost, "ranking items");
    if (place >= lists_.size()) lists_.resize(place + std::size_t{1});
    lists_[place] = {};
    return place;
  }
  // Shape-only: the items stand there already, and are revealed in place of being written.
  ItemsRef take(std::vector<std::uint64_t> items) {
    const ItemsRef place = take();
    lists_[place].words = std::move(items);
    return place;
  }
  // The next item; it may be read from the cycle after `when` on.
  void write(ItemsRef place, std::uint64_t item, Cycle when) {
    lists_[place].words.push_back(item);
    reveal(place, when);
  }
  void reveal(ItemsRef place, Cycle when) { ++words_written_, lists_[place].since.push_back(when); }
  // Without a port: for tests.
  std::size_t written(ItemsRef place) const { return lists_[place].since.size(); }
  // Item `at`, which may be read or not; null where there is none. Without a port.
  const std::uint64_t* peek(ItemsRef place, std::size_t at) const {
    return place < lists_.size() && at < lists_[place].words.size() ? &lists_[place].words[at] : nullptr;
  }
  // An item in place of the one there, readable or not. For tests.
  void poke(ItemsRef place, std::size_t at, std::uint64_t item, bool readable) {
    lists_[place].words[at] = item, lists_[place].since[at] = readable ? 0 : ~Cycle{0};
  }
  // As if nothing were there, until it is let go.
  void hold_reader(bool on) { held_ = on; }
  // The first `n` items are there.
  bool there(ItemsRef place, std::size_t n, Cycle now) const {
    if (held_) return false;
    const List& list = lists_[place];
    return list.since.size() >= n && (n == 0 || list.since[n - 1] < now);
  }
  void give_back(ItemsRef place) { places_.give_back(place, "ranking items"); }
  const std::uint64_t* read(ItemsRef place, std::size_t from, std::size_t n) const {
    words_read_ += n;
    return lists_[place].words.data() + from;
  }

  MemoryShape shape() const override {
    const auto banks = static_cast<int>(places_.most() ? places_.most() : 1);
    return {static_cast<std::uint64_t>(banks) * slots_, golden::kImportanceBits, banks, 1, 1};
  }
  bool drained() const override { return places_.held() == 0; }

 private:
  static constexpr std::size_t kMost = 0xffff;
  struct List {
    std::vector<std::uint64_t> words;
    std::vector<Cycle> since;
  };
  std::uint64_t slots_;
  Places places_;
  std::vector<List> lists_;
  bool held_ = false;
};

}  // namespace winnow
