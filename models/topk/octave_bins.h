#pragma once
// Octave bins: how many items of a list are as large as each quarter of each octave, counted while the list is loaded.
//
// in   rows of P items, one a cycle
// out  at_least(): of each edge (4 + q) / 4 x 2^e, octaves e from 5 on, how many items reach it; the same of 1; sum of
//      the items below 32, and of all
// An item's bin is its leading one and the two bits behind it. Below 32 a pass tells every value apart by itself. A row
// is counted the cycle after it came, and its sums are added in the one after that. RTL: rtl/topk/topk_octave_bins.sv,
// where each edge has a counter of its own.
#include <bit>
#include <vector>

#include "models/topk/types.h"

namespace winnow::topk {

class OctaveBins {
 public:
  static constexpr unsigned kQuarters = 4;
  static constexpr unsigned kFirst = 5;  // octave
  static constexpr std::uint64_t kSmall = std::uint64_t{1} << kFirst;

  explicit OctaveBins(unsigned item_bits) : in_bin_(item_bits > kFirst ? (item_bits - kFirst) * kQuarters : 0) {}

  unsigned nonzero() const { return nonzero_; }
  std::uint64_t small() const { return small_; }
  std::uint64_t total() const { return total_; }

  void clear() {
    in_bin_.assign(in_bin_.size(), 0);
    nonzero_ = 0;
    small_ = total_ = 0;
    row_count_ = 0;
    row_small_ = row_sum_ = 0;
  }

  // A cycle: `row` is what came in it, or null.
  void tick(const Row* row, unsigned count) {
    total_ += row_sum_;
    small_ += row_small_;
    row_sum_ = row_small_ = 0;
    for (unsigned i = 0; i < row_count_; ++i) {
      row_sum_ += row_[i];
      nonzero_ += row_[i] != 0;
      if (row_[i] < kSmall)
        row_small_ += row_[i];
      else
        ++in_bin_[bin(row_[i])];
    }
    row_count_ = row ? count : 0;
    for (unsigned i = 0; i < row_count_; ++i) row_[i] = (*row)[i];
  }

  // Of every edge, from the lowest on.
  std::vector<unsigned> at_least() const {
    std::vector<unsigned> sums(in_bin_.size());
    unsigned sum = 0;
    for (std::size_t i = in_bin_.size(); i-- > 0;) sums[i] = sum += in_bin_[i];
    return sums;
  }

 private:
  // The uppermost edge that the item reaches.
  static unsigned bin(std::uint64_t item) {
    const unsigned octave = static_cast<unsigned>(std::bit_width(item)) - 1;
    return (octave - kFirst) * kQuarters + (static_cast<unsigned>(item >> (octave - 2)) & 3);
  }

  std::vector<unsigned> in_bin_;
  unsigned nonzero_ = 0;
  std::uint64_t small_ = 0, total_ = 0;
  unsigned row_count_ = 0;
  Row row_{};
  std::uint64_t row_small_ = 0, row_sum_ = 0;
};

}  // namespace winnow::topk
