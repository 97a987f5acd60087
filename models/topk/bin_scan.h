#pragma once
// Bin scan: which octave bin the boundary lies in, and so where the first pass looks.
//
// in   a loaded list's octave bins, its sum, its job      out  the list's first window, or what stays if that is known
// First the values below 32, then an octave a cycle, from the smallest items up.
//   count  the octave is the last that k items reach, and so is the quarter in it: exact.
//   mass   what lies below the boundary sums up to sum - target at most. Below 32 that is exact. A bin's sum is taken
//   to
//          be its count times its middle: an estimate, which the pass confirms or not. The target's product mu16 * sum
//          comes first, from three 6-bit digits, a cycle each, the first as the list is handed over.
// Takes one cycle, one more for each octave from 5 to the boundary's, two more for a mass.
// RTL: rtl/topk/topk_bin_scan.sv.
#include <vector>

#include "models/topk/list_table.h"
#include "models/topk/octave_bins.h"

namespace winnow::topk {

class BinScan {
 public:
  enum class State : std::uint8_t { idle, product, small, scan };

  explicit BinScan(unsigned item_bits) : item_bits_(item_bits) {}

  State state() const { return state_; }
  bool idle() const { return state_ == State::idle; }
  unsigned list() const { return list_; }
  unsigned octave() const { return octave_; }
  // k; of a mass mu16, and after the product the sum.
  std::uint64_t target() const { return target_; }
  std::uint64_t below() const { return below_; }
  // How many items reach the octave's lowest edge.
  unsigned at_least() const { return at_least_[std::size_t{octave_ - OctaveBins::kFirst} * OctaveBins::kQuarters]; }

  void start(unsigned list, const List& job, const OctaveBins& bins);
  // True in the cycle in which it ends; `job` has the result then.
  bool tick(List& job);

 private:
  static constexpr unsigned kDigits = 3;

  bool found(List& job, unsigned limit, unsigned equals, unsigned kept);
  bool aim(List& job, unsigned quarter);

  unsigned item_bits_;
  State state_ = State::idle;
  unsigned list_ = 0;
  std::vector<unsigned> at_least_;
  unsigned nonzero_ = 0;
  unsigned octave_ = 0, digit_ = 0;
  std::uint64_t small_ = 0, total_ = 0, target_ = 0;
  std::uint64_t below_ = 0;  // what may still lie below the boundary; from the octaves on in eighths of 2^octave
};

}  // namespace winnow::topk
