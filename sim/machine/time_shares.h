#pragma once
// Where the machine's time goes, seen from the Q x K multipliers, which everything else feeds or follows. Each clock
// cycle counts once, for what the Q x K array did in it:
//
//   qk       it multiplied, or P x V did with it, where they share the arrays
//   memory   it stood still for K or a query that had not arrived: the first load of a head, LSBs, or the records of
//            tokens that were chosen (a gather)
//   softmax  it stood still for softmax: its scores were not taken, the pass before is not finished, or the decision
//            whether the LSBs are needed is not made
//   topk     it stood still for a choice of a top-k engine: which tokens or values of a head stay, or which tokens and
//            heads live in the next layer
//   drain    nothing was left to multiply before the layer's end, or both buffers were taken: fetch of V, P x V, write
//   other    before the first layer
// The cycle in which a task is on its way to Q x K belongs to what was waited for.
//
// in   statistics of Q x K (busy, and for whom it waited) and of the controller (why Q x K had no task), after each
// cycle out  cycles of each kind since the start; their sum is the number of cycles A cycle in which Q x K had no task
// goes where the controller says in that same cycle. An observer, no part of the machine.
#include <array>
#include <cstdint>

#include "models/controller/controller.h"
#include "models/qk/qk.h"

namespace winnow {

struct TimeShares {
  enum Kind { memory, qk, softmax, topk, drain, other };
  static constexpr int kKinds = 6;
  std::array<std::uint64_t, kKinds> cycles{};

  std::uint64_t total() const;
  TimeShares& operator+=(const TimeShares& o);
  TimeShares operator-(const TimeShares& o) const;
};

class TimeObserver {
 public:
  TimeObserver(const Qk& qk, const Controller& controller) : qk_(qk), controller_(controller) {}

  // Once a cycle, after it.
  void look();
  TimeShares shares() const;

 private:
  const Qk& qk_;
  const Controller& controller_;
  std::uint64_t without_task_ = 0;                                       // of Q x K, so far
  int last_ = -1;                                                        // wait that the controller named last
  std::array<std::uint64_t, BlockStats::kMaxWaits> said_{}, counted_{};  // by the controller's wait: so far, and kept
};

}  // namespace winnow
