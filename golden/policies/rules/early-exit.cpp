#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// K is read digit by digit, and a key is dropped as soon as the largest score that its unread bits allow cannot weigh a
// thousandth of the row's largest. One rule for several papers, which differ in parameters: planes of one bit (PADE and
// its kin, and MCBP; here two bits at least, four digits at most), chunks of four (Token-Picker: k_digits 4,4,4), and
// how far below the largest counts (score_threshold: a margin in PADE, a share of the scores' spread in the others).
// One of them compares with the sum of the row's probabilities, which is at least the largest: it drops a little more.
// V comes with the last digit, so it is not read for a key that was dropped.
Policy make() {
  Policy p;
  p.name = "early-exit";
  p.k_digits = {3, 3, 3, 3};
  p.msb = MsbRule::truncate;
  p.k_scale = KeyScale::channel;
  p.select = SelectRule::bound;
  p.score_threshold = 0.001;
  return p;
}

}  // namespace

PolicyEntry early_exit() {
  return {
      "early-exit", Family::selection,
      "K digit by digit; a key is dropped as soon as its unread bits cannot make it matter",
      "PADE, 2025 (arXiv 2512.14322); BitStopper, 2025 (arXiv 2512.06457); MCBP, MICRO 2025; Token-Picker, DAC 2024",
      make};
}

}  // namespace winnow::golden::rules
