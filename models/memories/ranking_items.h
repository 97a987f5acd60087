#pragma once
// What the cascade's top-k unit compares: importances of tokens, or of heads, one list a choice.
//
// In:   the controller, when a choice is due. Out: the cascade's top-k unit, P items a cycle.
// State: the items, 48 bits each. Banks and ports: one list a bank, one writer and one reader.
// Paper: III.A, III.B. That the items are made from the importance memory in no time is this model's, not the paper's.
#include <cstdint>
#include <vector>

#include "golden/formats.h"
#include "models/prim/memory.h"
#include "models/prim/places.h"
#include "models/prim/refs.h"

namespace winnow {

class RankingItems : public MemoryBase {
 public:
  explicit RankingItems(int slots)
      : MemoryBase({"ranking_items", "ranking items", "controller", "cascade_topk"}),
        slots_(static_cast<std::uint64_t>(slots)) {}

  ItemsRef take(std::vector<std::uint64_t> items) {
    const ItemsRef place = places_.take(kMost, "ranking items");
    if (place >= lists_.size()) lists_.resize(place + std::size_t{1});
    words_written_ += items.size();
    lists_[place] = std::move(items);
    return place;
  }
  void give_back(ItemsRef place) { places_.give_back(place, "ranking items"); }
  const std::uint64_t* read(ItemsRef place, std::size_t from, std::size_t n) const {
    words_read_ += n;
    return lists_[place].data() + from;
  }

  MemoryShape shape() const override {
    const auto banks = static_cast<int>(places_.most() ? places_.most() : 1);
    return {static_cast<std::uint64_t>(banks) * slots_, golden::kImportanceBits, banks, 1, 1};
  }
  bool drained() const override { return places_.held() == 0; }

 private:
  static constexpr std::size_t kMost = 0xffff;
  std::uint64_t slots_;
  Places places_;
  std::vector<std::vector<std::uint64_t>> lists_;
};

}  // namespace winnow
