#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// A3 (HPCA 2020) as its paper runs it where accuracy counts: half as many iterations as keys, and what weighs less than
// 5 % of the largest is left out. Its aggressive setting is an eighth, and 10 %.
Policy make() {
  Policy p;
  p.name = "a3";
  p.candidates = 0.5;
  p.score_threshold = 0.05;
  return p;
}

}  // namespace

PolicyEntry a3() {
  return {"a3", Family::rival,
          "A3's rule: a greedy search for keys over sorted columns, then what weighs 5 % of the largest",
          "Ham et al., \"A3\", HPCA 2020 (arXiv 2002.10941), IV", make};
}

}  // namespace winnow::golden::rules
