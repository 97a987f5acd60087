#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// The paper's rule to the letter: 8+4 bits of K, refetch under 0.1, cascade of tokens and heads, local value pruning.
Policy make() {
  Policy p;
  p.name = "spatten";
  p.k_digits = {8, 4};
  p.v_bits = 8;
  p.threshold = 0.1;
  p.tokens = tokens_from_average(0.7);
  p.heads = heads_from_average(0.9);
  p.local_value = 0.3;
  return p;
}

}  // namespace

PolicyEntry spatten() {
  return {"spatten", Family::cascade,
          "SpAtten's rule: cascade of tokens and heads, local value pruning, LSB refetch when p is flat",
          "Wang et al., \"SpAtten\", HPCA 2021 (arXiv 2012.09852), III", make};
}

}  // namespace winnow::golden::rules
