#pragma once
// Window pass: a list is read once, and what lies in a window of values is counted in 32 bins.
//
// in   rows of P items, one a cycle; window: lower edge, 32 bins of 2^shift values
// out  above: items over the window, their sum; inside: items of each bin, and the window's sum
// A pass of n items takes 1 + ceil(n / P) + 3 cycles: the window and the first address; rows; compare register; counts;
// sums. RTL: rtl/topk/topk_window_pass.sv, where the counter of a bin holds the bins above it too.
#include <array>

#include "models/topk/comparator_array.h"
#include "models/topk/list_table.h"

namespace winnow::topk {

class WindowPass {
 public:
  enum class State : std::uint8_t { idle, read, drain, hand };
  static constexpr unsigned kBinBits = 5;
  static constexpr unsigned kBins = 1u << kBinBits;

  explicit WindowPass(const Config& config) : lanes_(config.parallelism) {}

  State state() const { return state_; }
  bool idle() const { return state_ == State::idle; }
  // The counts are whole.
  bool ready() const { return state_ == State::hand; }
  unsigned list() const { return list_; }
  unsigned rows_left() const { return rows_left_; }
  std::uint64_t low() const { return low_; }
  unsigned shift() const { return shift_; }
  unsigned above() const { return above_; }
  unsigned compared() const { return compared_count_; }
  Mask compared_above() const { return compared_above_; }
  Mask compared_inside() const { return compared_inside_; }
  unsigned compared_bin(unsigned lane) const { return compared_bin_[lane]; }
  std::uint64_t sum_above() const { return sum_above_; }
  std::uint64_t sum_inside() const { return sum_inside_; }
  unsigned in_bin(unsigned bin) const { return in_bin_[bin]; }
  // Items of this bin and those above it, in the window.
  unsigned at_least(unsigned bin) const {
    unsigned n = 0;
    for (unsigned b = bin; b < kBins; ++b) n += in_bin_[b];
    return n;
  }

  void start(unsigned list, const List& job);
  void tick(const ListTable& lists);
  // Somebody has the counts.
  void release() { state_ = State::idle; }

 private:
  unsigned lanes_;
  State state_ = State::idle;
  bool drained_ = false;  // second cycle of drain
  unsigned list_ = 0, row_ = 0, rows_left_ = 0, tail_ = 0;
  std::uint64_t low_ = 0;
  unsigned shift_ = 0;
  // First register: a row and where its items lie.
  unsigned compared_count_ = 0;
  Row compared_{};
  Mask compared_above_ = 0, compared_inside_ = 0;
  std::array<std::uint8_t, kMaxLanes> compared_bin_{};
  // Counts; sums of a row; sums.
  std::array<unsigned, kBins> in_bin_{};
  unsigned above_ = 0;
  std::uint64_t row_above_ = 0, row_inside_ = 0;
  std::uint64_t sum_above_ = 0, sum_inside_ = 0;
};

}  // namespace winnow::topk
