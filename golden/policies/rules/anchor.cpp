#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// The anchor is the largest score among the first and the newest tokens; a key stays if its score is no more than 12
// below it, a weight of e^-12. The paper finds anchor and keys for blocks of pooled queries in a prompt, at full width;
// here a step does so for its own query, by the first digit of K, and the prompt reads everything. A key above the
// anchor always stays, and so do those that made it. Initial tokens and window: a block of 4 and of 16 here, 128 there.
Policy make() {
  Policy p;
  p.name = "anchor";
  p.k_digits = {4, 4};
  p.msb = MsbRule::round;
  p.k_scale = KeyScale::channel;
  p.v_bits = 8;
  p.v_scale = ValueScale::token;
  p.select = SelectRule::anchor;
  p.score_threshold = 6.144e-6;
  p.protect_first = 4;
  p.protect_newest = 16;
  return p;
}

}  // namespace

PolicyEntry anchor() {
  return {"anchor", Family::selection,
          "MSBs of K for all; keys that score no more than a margin below the first and newest tokens' largest go on",
          "Zhang et al., \"AnchorAttention\", 2025 (arXiv 2505.23520), 3", make};
}

}  // namespace winnow::golden::rules
