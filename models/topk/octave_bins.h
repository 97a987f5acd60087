#pragma once
// Octave bins: how many items of a list are as large as each quarter of each octave, counted while the list is loaded.
//
// in   rows of P items, one a cycle      out  at_least(e, q): items of at least (4 + q) / 4 x 2^e, and the sum of all
// An item's bin is its leading one and the two bits behind it. A row is counted the cycle after it came, and its sum is
// added in the one after that. RTL: rtl/topk/topk_octave_bins.sv, where each edge has a counter of its own.
#include <bit>
#include <vector>

#include "models/topk/types.h"

namespace winnow::topk {

class OctaveBins {
 public:
  static constexpr unsigned kQuarters = 4;

  explicit OctaveBins(unsigned octaves) : octaves_(octaves), in_bin_(std::size_t{octaves} * kQuarters) {}

  unsigned octaves() const { return octaves_; }
  std::uint64_t total() const { return total_; }

  void clear() {
    in_bin_.assign(in_bin_.size(), 0);
    total_ = 0;
    row_count_ = 0;
    row_sum_ = 0;
  }

  // A cycle: `row` is what came in it, or null.
  void tick(const Row* row, unsigned count) {
    total_ += row_sum_;
    row_sum_ = 0;
    for (unsigned i = 0; i < row_count_; ++i) {
      row_sum_ += row_[i];
      if (row_[i]) ++in_bin_[bin(row_[i])];
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
  // The uppermost edge that the item reaches. Below 4 an octave has fewer values than quarters.
  static unsigned bin(std::uint64_t item) {
    const unsigned octave = static_cast<unsigned>(std::bit_width(item)) - 1;
    const auto quarter = static_cast<unsigned>(octave >= 2 ? item >> (octave - 2) : item << (2 - octave)) & 3;
    return octave * kQuarters + quarter;
  }

  unsigned octaves_;
  std::vector<unsigned> in_bin_;
  std::uint64_t total_ = 0;
  unsigned row_count_ = 0;
  Row row_{};
  std::uint64_t row_sum_ = 0;
};

}  // namespace winnow::topk
