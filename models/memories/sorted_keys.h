#pragma once
// K of the heads in flight, each dimension's codes in ascending order with the slots that they are of: what the greedy
// search walks from both ends.
//
// In:   a head's columns, sorted, when its K is there: preprocessing, which A3 counts apart and so do we (its cycles
// and
//       bytes are statistics of the block, its writes are no accesses of the step).
// Out:  greedy, an element from the top and one from the bottom of each bank a cycle.
// Banks: columns in turn over greedy.columns banks a half, each with two read ports. A second access of a port in a
//       cycle throws std::logic_error.
// State: the elements; of equal codes that of the lower slot comes first.
// Paper: A3 (HPCA 2020), "sorted key matrix"; docs/rivals.md.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "golden/formats.h"
#include "models/prim/memory.h"
#include "models/prim/sizes.h"

namespace winnow {

class SortedKeys : public MemoryBase {
 public:
  enum class End : std::uint8_t { top, bottom };
  struct Element {
    std::int16_t code = 0;
    std::uint32_t slot = 0;
  };

  explicit SortedKeys(const Sizes& s)
      : MemoryBase({"sorted_keys", "sorted keys", "greedy", "greedy"}),
        banks_(static_cast<std::size_t>(s.greedy_columns)),
        halves_(static_cast<std::size_t>(s.halves)),
        columns_(static_cast<std::size_t>(s.head_dim)),
        longest_(static_cast<std::size_t>(s.longest)),
        capacity_(banks_ ? static_cast<std::uint64_t>(s.key_words) : 0),
        slot_bits_(std::bit_width(static_cast<unsigned>(s.key_words / s.head_dim))),
        elements_(banks_ ? halves_ * columns_ * longest_ : 0),
        used_(2 * halves_ * banks_, kNever) {}

  // Preprocessing: place of a column of at most `longest` elements.
  Element* column(int half, int d) { return &elements_[at(half, d)]; }
  const Element* column(int half, int d) const { return &elements_[at(half, d)]; }
  int halves() const { return static_cast<int>(halves_); }

  const Element& read(int half, int d, std::uint32_t rank, End end, Cycle now) {
    const std::size_t bank = static_cast<std::size_t>(half) * banks_ + static_cast<std::size_t>(d) % banks_;
    Cycle& last = used_[2 * bank + static_cast<std::size_t>(end)];
    if (last == now) throw std::logic_error("sorted keys: second read of a bank's port in one cycle");
    last = now;
    ++words_read_;
    return elements_[at(half, d) + rank];
  }

  bool there() const override { return banks_ > 0; }
  MemoryShape shape() const override {
    return {halves_ * capacity_, golden::kWordBits + slot_bits_, static_cast<int>(halves_ * banks_), 2, 1};
  }

 private:
  static constexpr Cycle kNever = ~Cycle{0};
  std::size_t at(int half, int d) const {
    return (static_cast<std::size_t>(half) * columns_ + static_cast<std::size_t>(d)) * longest_;
  }
  std::size_t banks_, halves_, columns_, longest_;
  std::uint64_t capacity_;  // words a half
  int slot_bits_;
  std::vector<Element> elements_;
  std::vector<Cycle> used_;  // of each bank's two ports
};

}  // namespace winnow
