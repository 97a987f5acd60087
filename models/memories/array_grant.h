#pragma once
// Who has the multiplier arrays, where Q x K and P x V share them: both are one kind of array, and each of the two holds
// half of the tokens, so that one job has both and goes twice as fast.
//
// In:   P x V claims them for the next cycle when its next vectors are there. Out: in that cycle they are taken, and
//       Q x K stands. P x V goes first because it frees what heads behind it wait for.
// State: one register. Separate arrays (`arrays: separate`, the paper's) never ask.
// Paper: IV.E and IV.G have an array each; one kind for both is this project's.
#include "models/prim/memory.h"

namespace winnow {

class ArrayGrant : public MemoryBase {
 public:
  explicit ArrayGrant(bool shared) : MemoryBase({"array_grant", "array grant", "pv", "pv, qk"}), shared_(shared) {}

  bool shared() const { return shared_; }
  void claim(Cycle now) { claimed_ = now, ++words_written_; }
  bool taken(Cycle now) const { return claimed_ != kNever && claimed_ + 1 == now; }

  MemoryShape shape() const override { return {1, 1, 1, 2, 1}; }

 private:
  static constexpr Cycle kNever = ~Cycle{0};
  bool shared_;
  Cycle claimed_ = kNever;  // the cycle of the last claim; in hardware a bit that lives for one cycle
};

}  // namespace winnow
