#pragma once
// Window search: where in a window the boundary lies, once a pass has counted it.
//
// in   a pass's counts and sums, the list's target      out  what stays, or the window that the next pass looks into
// The bin is the uppermost that, with all above it, reaches the target: what bins are possible is halved up to five
// times, a comparison each, for a mass with a cycle before it for the sum. For a mass the sum from bin b on is value(b)
// x items from b on + 2^shift x the items of all bins above b, one by one. With bins of one value it is exact. With
// wider ones it is an estimate, from the bins' middles. It ends when there is
//   one item in what is left         that item is the boundary, whatever its value: the filter gives it. A mass's must
//   be
//                                    the right one even if all items lie in their bins as they may
//   one bin of one value             the boundary; how many equals stay is a subtraction, or a division: the
//                                    value is shifted up to the remainder, and down again bit by bit
//   one bin, wider                   the next window is the bin, in 32 finer ones, or around it
// For a mass the boundary may lie beside the window, as the sums say: then the next window is all that is left.
// Takes at most 7 cycles, for a mass 12 and the division's. RTL: rtl/topk/topk_window_search.sv.
#include <array>

#include "models/topk/list_table.h"
#include "models/topk/window_pass.h"

namespace winnow::topk {

class WindowSearch {
 public:
  enum class State : std::uint8_t { idle, aim, halve, divide };

  State state() const { return state_; }
  bool idle() const { return state_ == State::idle; }
  unsigned list() const { return list_; }
  unsigned shift() const { return shift_; }
  unsigned bin() const { return bin_; }
  unsigned width() const { return width_; }
  bool summed() const { return summed_; }
  std::uint64_t from() const { return from_; }
  std::uint64_t wanted() const { return wanted_; }
  unsigned reached() const { return reached_; }
  unsigned over() const { return over_; }
  std::uint64_t sum_reached() const { return sum_reached_; }
  std::uint64_t sum_over() const { return sum_over_; }
  unsigned quotient() const { return quotient_; }
  std::uint64_t remainder() const { return remainder_; }
  std::uint64_t divisor() const { return divisor_; }
  bool aligned() const { return aligned_; }
  unsigned divide_step() const { return divide_step_; }

  void start(const WindowPass& pass);
  // True in the cycle in which it ends; `job` has the result then.
  bool tick(List& job);

 private:
  std::uint64_t middle() const { return (std::uint64_t{1} << shift_) >> 1; }  // of a bin
  // What the items from a bin on sum up to.
  std::uint64_t sum_from(unsigned bin) const;
  bool found(List& job, std::uint64_t low, std::uint64_t limit, unsigned equals);
  bool missed(List& job, std::uint64_t least, std::uint64_t limit);
  bool narrow(List& job);

  State state_ = State::idle;
  unsigned list_ = 0;
  std::array<unsigned, WindowPass::kBins> at_least_{};
  std::uint64_t low_ = 0;
  unsigned shift_ = 0;
  unsigned above_ = 0;  // over the window
  std::uint64_t sum_above_ = 0, sum_inside_ = 0;
  std::uint64_t wanted_ = 0;      // of the target, beyond what lies over the window
  unsigned bin_ = 0, width_ = 0;  // the first of the bins that are possible, and their number
  unsigned step_ = 0;             // half of it
  bool summed_ = false;           // from_ is this step's
  std::uint64_t from_ = 0;        // what the items from the bin at hand on sum up to
  unsigned reached_ = 0;          // items from that bin on
  unsigned over_ = 0;             // items over what is possible, in the window
  // In bins of one value what these sum up to. In wider ones the least that the former, the most that the latter may.
  std::uint64_t sum_reached_ = 0, sum_over_ = 0;
  std::uint64_t remainder_ = 0;
  std::uint64_t divisor_ = 0;
  unsigned quotient_ = 0, divide_step_ = 0;
  bool aligned_ = false;  // the divisor has been shifted up to the remainder
};

}  // namespace winnow::topk
