#pragma once
// Who has the multiplier arrays, where Q x K and P x V share them: both are one kind of array, and each of the two
// holds half of the tokens, so that one job has both and goes twice as fast. An arbiter with a register.
//
// In:   P x V claims them for the next cycle when its next vectors are there. Q x K asks for the next cycle when the
//       next keys of a later pass are there. Out: in that cycle P x V has them if it claimed and nobody asked.
// Order: a later pass, P x V, a first pass. P x V frees what heads behind it wait for, so it goes before a first pass.
// A
//       later pass of the survivors is short, and softmax and P x V of its head wait for it.
// State: one bit. Separate arrays (`arrays: separate`, the paper's) never ask.
// Paper: IV.E and IV.G have an array each; one kind for both is this project's.
#include "models/prim/fifo.h"

namespace winnow {

class ArrayGrant {
 public:
  explicit ArrayGrant(bool shared) : shared_(shared) {}

  bool shared() const { return shared_; }
  void claim(Cycle now) { claimed_.at(now); }  // P x V
  void ask(Cycle now) { asked_.at(now); }      // Q x K
  // P x V has them, whatever the order of the blocks in this cycle.
  bool taken(Cycle now) const { return claimed_.in(now - 1) && !asked_.in(now - 1); }

 private:
  // The last two cycles of a wire, for either order of its ends; in hardware one bit.
  class Wire {
   public:
    void at(Cycle now) {
      if (last_ != now) before_ = last_;
      last_ = now;
    }
    bool in(Cycle cycle) const { return last_ == cycle || before_ == cycle; }

   private:
    static constexpr Cycle kNever = ~Cycle{0} - 1;
    Cycle last_ = kNever, before_ = kNever;
  };
  bool shared_;
  Wire claimed_, asked_;
};

}  // namespace winnow
