#pragma once
// Who has the multiplier arrays, where Q x K and P x V share them: both are one kind of array, and each of the two
// holds half of the tokens, so that one job has both and goes twice as fast. A wire with a register, P x V -> Q x K.
//
// In:   P x V claims them for the next cycle when its next vectors are there. Out: in that cycle they are taken, and
//       Q x K stands. P x V goes first because it frees what heads behind it wait for.
// State: one bit. Separate arrays (`arrays: separate`, the paper's) never ask.
// Paper: IV.E and IV.G have an array each; one kind for both is this project's.
#include "models/prim/fifo.h"

namespace winnow {

class ArrayGrant {
 public:
  explicit ArrayGrant(bool shared) : shared_(shared) {}

  bool shared() const { return shared_; }
  void claim(Cycle now) {
    if (claimed_ != now) before_ = claimed_;
    claimed_ = now;
  }
  // Claimed in the cycle before, whatever the order of the blocks in this one.
  bool taken(Cycle now) const { return (claimed_ == now ? before_ : claimed_) + 1 == now; }

 private:
  static constexpr Cycle kNever = ~Cycle{0} - 1;
  bool shared_;
  Cycle claimed_ = kNever, before_ = kNever;  // the last two cycles of a claim, for either order; in hardware one bit
};

}  // namespace winnow
