#pragma once
// The physical banks of the score memories, and how groups share them. A machine has as many as its file says
// (heads_in_flight, score_store_entries, the width of softmax); what differs from trace to trace is which group lies
// where.
#include <algorithm>
#include <cstdint>

#include "models/prim/banking.h"
#include "models/prim/sizes.h"

namespace winnow {

// Banks of scores, exponentials and probabilities for each head in flight: so many query heads move in a compaction at
// once.
inline constexpr int kScoreBanks = 4;
// Areas of selection scores and origins for each head in flight.
inline constexpr int kSlotAreas = 8;

// Words that a group takes of a score memory: a row goes round the banks, so it takes as much of each.
constexpr std::int64_t score_words(std::int64_t group, std::int64_t tokens, int word) {
  const std::int64_t round = std::int64_t{kScoreBanks} * word;
  return group * ((tokens + round - 1) / round * round);
}

class ScoreBanks {
 public:
  explicit ScoreBanks(const Sizes& s)
      : stores_(s.stores),
        group_(s.group),
        halves_(s.halves),
        word_(s.score_width),
        a_row_(static_cast<int>(score_words(1, s.longest, word_) / kScoreBanks)),
        bank_(s.score_entries / (kScoreBanks * word_) * word_),
        area_((s.score_entries + kSlotAreas * word_ - 1) / (kSlotAreas * word_) * word_),
        areas_a_store_((s.longest + area_ - 1) / area_) {}

  // Groups that find room at once, at most.
  int most_stores() const {
    const int in_rows = halves_ * (bank_ / std::max(1, group_ * a_row_)),
              in_areas = halves_ * kSlotAreas / areas_a_store_;
    return std::min(in_rows, in_areas);
  }
  // Of a store: which head's banks its rows lie in. Decode has a store a head, which are apart.
  int half(int store) const { return store % halves_; }

  // Scores, exponentials, probabilities. Words of a row go round the four banks, and each row begins in the bank before
  // that of the last one, so that the same word of four query heads lies in four banks. (In the bank behind it, the
  // stage that adds to a row and the next one, which is seven or eight words behind in the row before, would meet in
  // each word.)
  Banking rows() const {
    Banking b = banking(halves_ * kScoreBanks, bank_, kScoreBanks);
    for (int store = 0; store < stores_; ++store)
      for (int row = 0; row < group_; ++row)
        b.places.push_back({static_cast<std::uint32_t>(half(store) * kScoreBanks),
                            static_cast<std::uint32_t>(row * (kScoreBanks - 1))});
    return b;
  }
  // What a group has once: selection scores, kept flags, origins. `parts` banks an area, words in turn.
  Banking slots(int parts) const {
    Banking b = banking(halves_ * kSlotAreas * parts, (area_ / word_ + parts - 1) / parts * word_, parts);
    b.area_slots = static_cast<std::uint32_t>(area_);
    for (int store = 0; store < stores_; ++store)
      b.places.push_back({static_cast<std::uint32_t>(store * areas_a_store_ * parts), 0});
    return b;
  }

 private:
  Banking banking(int banks, int slots, int turns) const {
    Banking b;
    b.banks = banks, b.slots = static_cast<std::uint64_t>(banks) * static_cast<std::uint64_t>(slots);
    b.word = static_cast<std::uint32_t>(word_), b.turns = static_cast<std::uint32_t>(turns);
    return b;
  }
  int stores_, group_, halves_, word_;
  int a_row_;  // slots of a row in each of its banks
  int bank_;   // slots of a bank
  int area_, areas_a_store_;
};

}  // namespace winnow
